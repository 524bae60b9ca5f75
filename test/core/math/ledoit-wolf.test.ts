import { describe, expect, it } from 'vitest';
import { ledoitWolf } from '../../../core/math/linear-algebra.ts';

describe('ledoitWolf', () => {
  it('keeps the trace and shrinks the rest towards a multiple of the identity', () => {
    const rows = Float64Array.of(2, 0, -2, 0, 0, 1, 0, -1);
    const covariance = ledoitWolf(rows, 4, 2);
    expect(covariance[0]! + covariance[3]!).toBeCloseTo(2 + 0.5, 6);
    expect(covariance[0]!).toBeLessThan(2);
    expect(covariance[3]!).toBeGreaterThan(0.5);
    expect(covariance[1]).toBeCloseTo(0, 12);
  });

  it('shrinks more when fewer rows are independent', () => {
    const rows = Float64Array.of(3, 1, -3, -1, 1, 2, -1, -2, 2, 0, -2, 0);
    const sure = ledoitWolf(rows, 6, 2, 600);
    const unsure = ledoitWolf(rows, 6, 2, 6);
    expect(Math.abs(unsure[1]!)).toBeLessThan(Math.abs(sure[1]!));
  });
});
