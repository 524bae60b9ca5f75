import { describe, expect, it } from 'vitest';
import { errorText } from '../../core/error-text.ts';
import { TelltaleError } from '../../core/errors.ts';
import { printable, printableLine } from '../../core/printable.ts';

describe('what a stranger says', () => {
  it.each([
    ['line breaks', 'CAR1\nserve: all well\r\n', 'CAR1\\nserve: all well\\r\\n'],
    ["a terminal's commands", '\u001b[2J\u001b]0;title\u0007', '\\u001b[2J\\u001b]0;title\\u0007'],
    ['their one-byte forms', '\u009b31m\u0090', '\\u009b31m\\u0090'],
    ['null and delete', 'a\u0000b\u007f', 'a\\u0000b\\u007f'],
    ['controls of direction', 'a\u202eb\u2066c\u200f', 'a\\u202eb\\u2066c\\u200f'],
    ['line and paragraph separators', 'a\u2028b\u2029c\u0085d', 'a\\u2028b\\u2029c\\u0085d'],
    ['what has no width', 'a\u200bb\ufeffc\u00add', 'a\\u200bb\\ufeffc\\u00add'],
    ['half a character', 'a\ud800b', 'a\\ud800b'],
    ['letters of any script and signs', 'Ölkühler 冷却 °C → 😀', 'Ölkühler 冷却 °C → 😀'],
  ])('is escaped: %s', (_what, text, shown) => {
    expect(printable(text)).toBe(shown);
    for (const trick of ['\n', '\r', '\u001b', '\u2028', '\u202e'])
      expect(printable(text)).not.toContain(trick);
  });

  it('is bounded, also when each character is escaped', () => {
    expect(printable('x'.repeat(1e6))).toBe(`${'x'.repeat(200)}…`);
    expect(printable('\u001b'.repeat(1e6), 10).length).toBeLessThanOrEqual(21);
    expect(printable('abc', 2)).toBe('ab…');
  });

  it('may be no text at all', () => {
    expect([printable(undefined), printable(null), printable(7)]).toEqual(['undefined', 'null', '7']);
  });
});

it('a line of the program may be long, and is one line', () => {
  expect(printableLine('a \u001b[31mred\r\nb')).toBe('a \\u001b[31mred\\r\\nb');
  expect(printableLine('x'.repeat(1e5))).toHaveLength(1e5);
  const value = { vin: 'CAR\u202e\u2028\n' };
  expect(JSON.parse(printableLine(JSON.stringify(value)))).toEqual(value);
});

it('an error is one line, unless it lists faults of settings', () => {
  const list = new TelltaleError('CONFIG_INVALID', '--a: wrong\n--b: \u001b wrong');
  expect(errorText(list)).toBe('telltale: CONFIG_INVALID: --a: wrong\n--b: \\u001b wrong');
  const cell = new TelltaleError('RECORDING_INVALID', 'a.csv: column "x\nserve: all well"');
  expect(errorText(cell)).toBe('telltale: RECORDING_INVALID: a.csv: column "x\\nserve: all well"');
});
