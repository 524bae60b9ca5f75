import { describe, expect, it } from 'vitest';
import { decodeFloats } from '../../../core/model/numbers.ts';
import { fitGauge, type GaugeRows } from '../../../training/heads/gauges.ts';

/** Stretches of three rows of two channels; channel 0 goes as far as `extremes` says, channel 1 stays at 2. */
function rowsOf(extremes: readonly number[]): GaugeRows {
  const count = extremes.length * 3;
  return {
    count,
    channels: 2,
    averages: Float32Array.from(extremes.flatMap((most) => [0, 2, -most, 2, most / 2, 2])),
    folds: Uint8Array.from({ length: count }, (_, r) => (r < 3 ? 1 : 0)),
    stretches: Uint32Array.from({ length: count }, (_, r) => Math.floor(r / 3)),
  };
}
const PLAN = { span: 30, single: false, reach: true };
const reachOf = (rows: GaugeRows, left: number) => {
  const { reach } = fitGauge(PLAN, rows, left, Float64Array.of(0, 2), 1, 0.03);
  return [...decodeFloats(reach!, 2, 'test')];
};

describe('a gauge by reach', () => {
  it('begins where the furthest tenth of the stretches do, and goes on by their tail', () => {
    // Quantiles of an exponential of scale 1: one stretch in a hundred goes further than −ln 0.01.
    const extremes = Array.from({ length: 1000 }, (_, i) => -Math.log(1 - (i + 0.5) / 1000));
    const [moving, still] = reachOf(rowsOf(extremes), -1);
    expect(moving).toBeGreaterThan(0.95 * -Math.log(0.01));
    expect(moving).toBeLessThan(1.03 * -Math.log(0.01));
    expect(still).toBeCloseTo(1e-3, 6);
  });

  it('goes further where the tail is heavier', () => {
    const stretches = (of: (share: number) => number) =>
      rowsOf(Array.from({ length: 1000 }, (_, i) => of((i + 0.5) / 1000)));
    const light = reachOf(
      stretches((share) => share),
      -1,
    )[0]!;
    const heavy = reachOf(
      stretches((share) => 0.2 * (1 - share) ** -0.5),
      -1,
    )[0]!;
    expect(light).toBeLessThan(1.1);
    expect(heavy).toBeGreaterThan(1.6);
  });

  it('takes all stretches where there are a handful', () => {
    expect(reachOf(rowsOf([1, 2, 3]), -1)[0]).toBeGreaterThan(3);
  });

  it('does not see the fold that is left out', () => {
    expect(reachOf(rowsOf([100, 2, 2]), 1)[0]).toBeCloseTo(2, 4);
  });

  it('needs to know the stretches', () => {
    const { stretches: _, ...rows } = rowsOf([1, 2, 3]);
    expect(() => reachOf(rows, -1)).toThrow(/stretches/);
  });
});
