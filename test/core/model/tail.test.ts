import { describe, expect, it } from 'vitest';
import { statisticAt, type Tail, tailLevel } from '../../../core/model/tail.ts';

const TAIL: Tail = { at: [1, 2, 4], levels: [0, 1, 2], slope: 0.5 };

describe('tailLevel', () => {
  it('interpolates between knots and goes on along the slope', () => {
    expect(tailLevel(TAIL, 0)).toBe(0);
    expect(tailLevel(TAIL, 1.5)).toBe(0.5);
    expect(tailLevel(TAIL, 3)).toBe(1.5);
    expect(tailLevel(TAIL, 4)).toBe(2);
    expect(tailLevel(TAIL, 10)).toBe(5);
  });

  it('gives the lowest level to what is no number', () => {
    expect(tailLevel(TAIL, Number.NaN)).toBe(0);
  });

  it('is undone by statisticAt', () => {
    for (const level of [0.25, 1, 1.75, 2, 7])
      expect(tailLevel(TAIL, statisticAt(TAIL, level))).toBeCloseTo(level, 9);
  });
});
