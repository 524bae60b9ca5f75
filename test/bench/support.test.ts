import { expect, it } from 'vitest';
import { verdict } from '../../bench/support.ts';

it.each([
  [{ value: 43_500, bar: { atLeast: 35_000 } }, 'met: ≥ 35,000 (× 1.24)'],
  [{ value: 70, bar: { atMost: 60 } }, 'MISSED: ≤ 60 (× 1.17)'],
  [{ value: 0, bar: { atMost: 0 } }, 'met: ≤ 0'],
  [{ value: 3, bar: { atMost: 0 } }, 'MISSED: ≤ 0'],
  [{ value: 3 }, ''],
])('says of %j: %s', (figure, words) => {
  expect(verdict(figure)).toBe(words);
});
