import { describe, expect, it } from 'vitest';
import { dealFolds } from '../../../training/data/folds.ts';
import type { Series } from '../../../training/data/series.ts';

const car = (id: string, rows: number): Series => ({
  id,
  tsMs: Float64Array.from({ length: rows }, (_, i) => i),
  values: new Float32Array(rows),
});

describe('dealFolds', () => {
  it('gives all rows of a car one fold, over its stretches too', () => {
    const series = ['a', 'b', 'c', 'd', 'e', 'a'].map((id) => car(id, 10));
    const { count, ofRow, byTime } = dealFolds(series, 1);
    expect({ count, byTime }).toEqual({ count: 5, byTime: false });
    const folds = series.map((_, s) => new Set(ofRow.subarray(s * 10, s * 10 + 10)));
    expect(folds.every((set) => set.size === 1)).toBe(true);
    expect(folds[5]).toEqual(folds[0]);
    expect(new Set(ofRow).size).toBe(5);
  });

  it('deals by the seed', () => {
    const series = Array.from({ length: 20 }, (_, i) => car(`car${i}`, 1));
    expect(dealFolds(series, 1).ofRow).toEqual(dealFolds(series, 1).ofRow);
    expect(dealFolds(series, 1).ofRow).not.toEqual(dealFolds(series, 2).ofRow);
  });

  it('needs fewer folds where there are many rows, or many cars', () => {
    const countOf = (cars: number, rows: number) =>
      dealFolds(
        Array.from({ length: cars }, (_, i) => car(`car${i}`, rows)),
        1,
      ).count;
    expect([countOf(6, 10), countOf(63, 10), countOf(64, 10), countOf(20, 6001)]).toEqual([6, 8, 5, 5]);
  });

  it('cuts few cars by time into stretches of equal length', () => {
    const { count, ofRow, byTime } = dealFolds([car('only', 16)], 1);
    expect({ count, byTime }).toEqual({ count: 8, byTime: true });
    expect([...ofRow]).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]);
  });
});
