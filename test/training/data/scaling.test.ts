import { describe, expect, it } from 'vitest';
import { quantileOf } from '../../../core/math/quantile.ts';
import { normal, seededRandom } from '../../../core/model/random.ts';
import { fitScaler } from '../../../training/data/scaling.ts';
import type { Series } from '../../../training/data/series.ts';

function seriesOf(columns: readonly ((row: number) => number)[], rows: number): Series {
  const values = new Float32Array(rows * columns.length);
  for (let r = 0; r < rows; r += 1) {
    values.set(
      columns.map((column) => column(r)),
      r * columns.length,
    );
  }
  return { id: 'a', tsMs: Float64Array.from({ length: rows }, (_, i) => 1000 * i), values };
}

describe('quantileOf', () => {
  it('interpolates', () => {
    expect(quantileOf([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantileOf([1, 2, 3, 4], 0)).toBe(1);
    expect(quantileOf([10], 0.9)).toBe(10);
  });
});

describe('fitScaler', () => {
  it('finds median and spread of a normal signal although 4 % of it are far out', () => {
    const random = seededRandom(3);
    const { scaler } = fitScaler(
      [seriesOf([(r) => (r % 25 === 0 ? 1000 : 90 + 2 * normal(random))], 5000)],
      1,
    );
    expect(scaler.center[0]).toBeCloseTo(90, 0);
    expect(scaler.scale[0]).toBeGreaterThan(1.8);
    expect(scaler.scale[0]).toBeLessThan(2.6);
  });

  it('leaves out what is constant or hardly measured, and keeps what rests most of the time', () => {
    const columns = [
      () => 7,
      (r: number) => (r % 100 === 0 ? r : Number.NaN),
      () => Number.NaN,
      (r: number) => (r % 20 === 0 ? 1 : 0),
      (r: number) => Math.sin(r),
      (r: number) => (r === 3999 ? 1 : 0),
    ];
    const { scaler, leftOut, medians } = fitScaler([seriesOf(columns, 4000)], 6);
    expect(leftOut).toEqual([
      { signal: 0, why: 'constant', measured: 1 },
      { signal: 1, why: 'missing' },
      { signal: 2, why: 'missing' },
      { signal: 5, why: 'rare' },
    ]);
    expect(scaler.signals).toEqual([3, 4]);
    expect(medians[0]).toBe(7);
    expect(medians[2]).toBeNull();
  });

  it('looks at every row before it says that a signal never moved', () => {
    // More rows than the sample has; the one that differs is not in it.
    const { leftOut } = fitScaler([seriesOf([(r) => (r === 1 ? 1 : 0), (r) => r % 7, () => 5], 90_000)], 3);
    expect(leftOut).toEqual([
      { signal: 0, why: 'rare' },
      { signal: 2, why: 'constant', measured: 1 },
    ]);
  });
});
