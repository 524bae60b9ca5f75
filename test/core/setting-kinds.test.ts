import { expect, it } from 'vitest';
import { moment, momentMs } from '../../core/setting-kinds.ts';

it.each([
  ['2h', { agoMs: 7_200_000 }],
  ['90s', { agoMs: 90_000 }],
  ['2026-05-01T08:00:00Z', { atMs: Date.UTC(2026, 4, 1, 8) }],
  ['2026-05-01', { atMs: Date.UTC(2026, 4, 1) }],
])('%s is a moment', (text, value) => {
  expect(moment.parse(text)).toEqual({ value });
});

it.each(['yesterday', '12', '2026-13-01T00:00:00Z', ''])('"%s" is none', (text) => {
  expect(moment.parse(text)).toEqual({ fault: expect.stringContaining(`not "${text}"`) });
});

it('a moment is absolute or counted back from now', () => {
  expect(momentMs({ atMs: 5 }, 1000)).toBe(5);
  expect(momentMs({ agoMs: 300 }, 1000)).toBe(700);
});
