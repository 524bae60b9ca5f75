import { describe, expect, it } from 'vitest';
import {
  averagePrecision,
  f1,
  firstRise,
  precisionRecall,
  quantile,
  risesOf,
  rocAuc,
} from '../../../training/evaluate/metrics.ts';

const scores = Float64Array.of(0.9, 0.8, 0.7, 0.6, 0.5);
const labels = Uint8Array.of(1, 0, 1, 0, 1);

describe('ranking measures', () => {
  it('gives the average precision worked out by hand', () => {
    // Recall rises by 1/3 at ranks 1, 3 and 5, where precision is 1/1, 2/3 and 3/5.
    expect(averagePrecision(scores, labels)).toBeCloseTo((1 + 2 / 3 + 3 / 5) / 3, 12);
  });

  it('counts ties together, whatever their order', () => {
    const tied = Float64Array.of(1, 1, 1, 1);
    expect(averagePrecision(tied, Uint8Array.of(1, 0, 0, 0))).toBeCloseTo(0.25, 12);
    expect(averagePrecision(tied, Uint8Array.of(0, 0, 0, 1))).toBeCloseTo(0.25, 12);
    expect(rocAuc(tied, Uint8Array.of(1, 0, 0, 1))).toBeCloseTo(0.5, 12);
  });

  it('gives the share of pairs in the right order as ROC AUC', () => {
    // Of 3 × 2 pairs the positives win: 0.9 both, 0.7 one, 0.5 none.
    expect(rocAuc(scores, labels)).toBeCloseTo(3 / 6, 12);
  });

  it('has no value without a positive', () => {
    expect(averagePrecision(scores, new Uint8Array(5))).toBeNaN();
    expect(rocAuc(scores, new Uint8Array(5))).toBeNaN();
  });

  it('draws the curve from high to low thresholds', () => {
    expect(precisionRecall(scores, labels, 3).map(({ recall }) => Number(recall.toFixed(3)))).toEqual([
      0.333, 0.667, 1,
    ]);
  });
});

describe('decisions and alerts', () => {
  it('gives F1 by hand: 2 found, 1 false, 1 missed', () => {
    expect(f1(Uint8Array.of(1, 1, 1, 0), Uint8Array.of(1, 1, 0, 1))).toBeCloseTo(4 / 6, 12);
    expect(f1(Uint8Array.of(0, 0), Uint8Array.of(1, 0))).toBe(0);
  });

  it('finds rises, the first row included, and only those inside a stretch', () => {
    const alerts = Uint8Array.of(1, 1, 0, 1, 1, 0, 0, 1);
    expect(risesOf(alerts)).toEqual([0, 3, 7]);
    expect(firstRise(alerts, 1, 3)).toBe(-1);
    expect(firstRise(alerts, 1, 4)).toBe(3);
    expect(firstRise(alerts, 4, 8)).toBe(7);
  });

  it('interpolates quantiles', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([], 0.5)).toBeNaN();
  });
});
