import { describe, expect, it } from 'vitest';
import { decodeFloats } from '../../../core/model/numbers.ts';
import { fitGauge, type GaugeRows } from '../../../training/heads/gauges.ts';
import { fitReach } from '../../../training/heads/reach.ts';

const rows: GaugeRows = {
  count: 0,
  channels: 1,
  averages: new Float32Array(0),
  folds: new Uint8Array(0),
  extremes: { channels: 1, sizes: [1, 2, 3].map((size) => Float32Array.of(size)), folds: [0, 0, 1] },
};

describe('a gauge by reach', () => {
  it('is told by the furthest of each stretch, without those of the fold left out', () => {
    const { reach, precision } = fitGauge(
      { span: 30, single: false, reach: true },
      rows,
      1,
      Float64Array.of(0),
      1,
      0.03,
    );
    expect(precision).toBeUndefined();
    expect([...decodeFloats(reach!, 3, 'test')]).toEqual([...Float32Array.from(fitReach(rows.extremes!, 1))]);
  });

  it('needs to know the stretches', () => {
    const { extremes: _, ...without } = rows;
    expect(() =>
      fitGauge({ span: 30, single: false, reach: true }, without, -1, Float64Array.of(0), 1, 0.03),
    ).toThrow(/stretches/);
  });
});
