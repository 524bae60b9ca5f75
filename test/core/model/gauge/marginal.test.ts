import { describe, expect, it } from 'vitest';
import { createMarginals, marginalOf, unitOf } from '../../../../core/model/gauge/marginal.ts';
import type { Losses } from '../../../../core/model/losses.ts';
import { invertSmall } from '../../../../core/model/small-matrix.ts';

/** A covariance of three averages, and its inverse. */
const COVARIANCE = Float64Array.from([2, 0.8, 0.5, 0.8, 1, 0.3, 0.5, 0.3, 1.5]);
const PRECISION = invertSmall(COVARIANCE, 3);
const X = [1.2, -0.7, 2] as const;

const times = (matrix: Float64Array, x: readonly number[]) =>
  Float64Array.from(x, (_, i) => x.reduce((sum, value, k) => sum + matrix[i * x.length + k]! * value, 0));
const form = (matrix: Float64Array, x: readonly number[]) =>
  times(matrix, x).reduce((sum, value, i) => sum + value * x[i]!, 0);

describe('a small matrix', () => {
  it('is inverted', () => {
    for (let i = 0; i < 3; i += 1)
      for (let j = 0; j < 3; j += 1) {
        let sum = 0;
        for (let k = 0; k < 3; k += 1) sum += COVARIANCE[i * 3 + k]! * PRECISION[k * 3 + j]!;
        expect(sum).toBeCloseTo(i === j ? 1 : 0, 12);
      }
  });
});

describe('what is left of a form', () => {
  it('is the distance among the channels that are left, whatever stands for the lost one', () => {
    const { turn, roots } = marginalOf(PRECISION, 3, [unitOf(3)(1)], [Number.POSITIVE_INFINITY]);
    const among = invertSmall(Float64Array.from([2, 0.5, 0.5, 1.5]), 2);
    for (const lost of [-0.7, 0, 100]) {
      const x = [X[0], lost, X[2]];
      const turned = times(PRECISION, x);
      turn(turned);
      expect(turned[1]).toBe(0);
      expect(turned.reduce((sum, value, k) => sum + value * x[k]!, 0)).toBeCloseTo(form(among, [1.2, 2]), 10);
    }
    expect(roots[0]).toBeCloseTo(Math.sqrt(among[0]!), 10);
    expect(roots[1]).toBe(0);
  });

  it('counts a shift as spread that is usual', () => {
    const shift = [0.5, 1, -0.25];
    const { turn } = marginalOf(PRECISION, 3, [Float64Array.from(shift)], [2]);
    const wider = COVARIANCE.map((value, i) => value + 4 * shift[Math.floor(i / 3)]! * shift[i % 3]!);
    const turned = times(PRECISION, X);
    turn(turned);
    const expected = times(invertSmall(wider, 3), X);
    for (let k = 0; k < 3; k += 1) expect(turned[k]).toBeCloseTo(expected[k]!, 10);
  });

  it('is nothing when everything is lost', () => {
    const all: Losses = {
      lost: Uint8Array.of(1, 1, 1),
      since: new Float64Array(3),
      width: new Float64Array(3).fill(1),
      all: true,
    };
    const { turn, roots } = createMarginals(PRECISION, 3, 30, null, unitOf(3))(all);
    const turned = times(PRECISION, X);
    turn(turned);
    expect([...turned, ...roots]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
