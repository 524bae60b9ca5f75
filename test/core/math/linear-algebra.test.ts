import { describe, expect, it } from 'vitest';
import { cholesky, invertSpd, solveSpd, symmetricEigen } from '../../../core/math/linear-algebra.ts';
import { normal, seededRandom } from '../../../core/model/random.ts';

/** G·Gᵀ + I of a seeded G. */
function spd(n: number): Float64Array {
  const random = seededRandom(n, 'spd');
  const g = Float64Array.from({ length: n * n }, () => normal(random));
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1)
    for (let j = 0; j < n; j += 1) {
      let sum = i === j ? 1 : 0;
      for (let k = 0; k < n; k += 1) sum += g[i * n + k]! * g[j * n + k]!;
      a[i * n + j] = sum;
    }
  return a;
}

const product = (a: Float64Array, b: Float64Array, n: number) =>
  Float64Array.from({ length: n * n }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < n; k += 1) sum += a[Math.floor(at / n) * n + k]! * b[k * n + (at % n)]!;
    return sum;
  });

describe('linear algebra', () => {
  it('factors and solves as by hand', () => {
    // [4 2; 2 5] = L·Lᵀ with L = [2 0; 1 2]; A·x = (8, 12) has x = (1, 2).
    expect([...cholesky(Float64Array.of(4, 2, 2, 5), 2)]).toEqual([2, 0, 1, 2]);
    expect([...solveSpd(Float64Array.of(4, 2, 2, 5), 2, Float64Array.of(8, 12), 1)]).toEqual([1, 2]);
  });

  it('inverts as by hand: [4 2; 2 5]⁻¹ = [5 −2; −2 4] / 16', () => {
    const inverse = invertSpd(Float64Array.of(4, 2, 2, 5), 2);
    [5 / 16, -2 / 16, -2 / 16, 4 / 16].forEach((value, i) => {
      expect(inverse[i]).toBeCloseTo(value, 12);
    });
  });

  it.each([1, 2, 5, 40])('inverts a matrix of order %i', (n) => {
    const a = spd(n);
    const identity = product(a, invertSpd(a, n), n);
    for (let i = 0; i < n * n; i += 1) expect(identity[i]).toBeCloseTo(i % (n + 1) === 0 ? 1 : 0, 8);
  });

  it('finds the eigenvalues of [2 1; 1 2]: 3 along (1, 1), 1 along (1, −1)', () => {
    const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2);
    expect(values[0]).toBeCloseTo(3, 12);
    expect(values[1]).toBeCloseTo(1, 12);
    expect(Math.abs(vectors[0]! - vectors[1]!)).toBeLessThan(1e-12);
  });
});
