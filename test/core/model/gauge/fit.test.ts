import { describe, expect, it } from 'vitest';
import { fitGauge, type GaugeRows } from '../../../../core/model/gauge/fit.ts';
import { Extremes, fitReach } from '../../../../core/model/gauge/fit-reach.ts';
import { decodeFloats } from '../../../../core/model/numbers.ts';

describe('a gauge by reach', () => {
  it('is told by the furthest of each stretch, without those of the fold left out', () => {
    const extremes = new Extremes(1, 12);
    for (let size = 1; size <= 12; size += 1) {
      extremes.begin(size > 8 ? 1 : 0);
      extremes.take(Float32Array.of(size), [1]);
    }
    const plan = { span: 30, single: false, release: 1, reach: true };
    const { reach, precision, span, release } = fitGauge(plan, extremes, 1, 1, 0);
    expect({ precision, span, release }).toEqual({ precision: undefined, span: 30, release: 1 });
    expect([...decodeFloats(reach!, 3, 'test')]).toEqual([...Float32Array.from(fitReach(extremes, 1))]);
    expect(reach).not.toBe(fitGauge(plan, extremes, -1, 1, 0).reach);
  });
});

describe('a gauge', () => {
  it('is not fitted on what another kind is fitted on', () => {
    const plan = { span: 30, single: false };
    expect(() => fitGauge(plan, new Extremes(1, 1), -1, 1, 0)).toThrow(/fitted on stretches/);
  });
});

describe('a gauge by distance', () => {
  /** Two channels that differ by ± 1 and ± 0.1 in fold 0, and by ± 9 in fold 1. */
  const rows: GaugeRows = {
    count: 400,
    channels: 2,
    averages: Float32Array.from({ length: 800 }, (_, i) => {
      const sign = (i >> 1) % 2 === 0 || (i >> 2) % 2 === 0 ? 1 : -1;
      const across = (i >> 2) % 2 === 0 ? 1 : -1;
      if (i >= 400) return 9 * (i % 2 === 0 ? sign * across : across);
      return i % 2 === 0 ? sign * across : 0.1 * across;
    }),
    folds: Uint8Array.from({ length: 400 }, (_, r) => (r < 200 ? 0 : 1)),
  };

  it('weighs each channel by its own spread, without the fold left out', () => {
    const { precision } = fitGauge({ span: 1, single: false }, rows, 1, 1, 0);
    const matrix = decodeFloats(precision!, 4, 'test');
    expect(matrix[3]! / matrix[0]!).toBeGreaterThan(90);
    expect(matrix[3]! / matrix[0]!).toBeLessThan(110);
    const all = decodeFloats(fitGauge({ span: 1, single: false }, rows, -1, 1, 0).precision!, 4, 'test');
    expect(all[0]!).toBeLessThan(matrix[0]! / 10);
  });
});
