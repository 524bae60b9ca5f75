import { describe, expect, it } from 'vitest';
import { printable, printableLines } from '../../core/printable.ts';

describe('what a stranger says', () => {
  it.each([
    ['line breaks', 'CAR1\nserve: all well\r\n', 'CAR1\\nserve: all well\\r\\n'],
    ["a terminal's commands", '\u001b[2J\u001b]0;title\u0007', '\\x1b[2J\\x1b]0;title\\x07'],
    ['their one-byte forms', '\u009b31m\u0090', '\\x9b31m\\x90'],
    ['null and delete', 'a\u0000b\u007f', 'a\\x00b\\x7f'],
    ['controls of direction', 'a\u202eb\u2066c\u200f', 'a\\u{202e}b\\u{2066}c\\u{200f}'],
    ['line and paragraph separators', 'a\u2028b\u2029c\u0085d', 'a\\u{2028}b\\u{2029}c\\x85d'],
    ['what has no width', 'a\u200bb\ufeffc\u00add', 'a\\u{200b}b\\u{feff}c\\xadd'],
    ['half a character', 'a\ud800b', 'a\\u{d800}b'],
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

it('a whole message keeps its own line breaks and nothing else', () => {
  expect(printableLines('two faults:\n--a: \u001b[31mred\r')).toBe('two faults:\n--a: \\x1b[31mred\\r');
  expect(printableLines('x'.repeat(1e5)).length).toBe(4001);
});
