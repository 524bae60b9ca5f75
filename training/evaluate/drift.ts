// Did the inputs change between the earlier and the later half of the stretch a model was trained on? Per signal the
// Kolmogorov–Smirnov distance of its readings and the shift of its median, so that nobody trains over a step unseen.
import type { Catalogue } from '../../core/catalogue.ts';
import { quantileOf } from '../../core/math/quantile.ts';
import type { Scaler } from '../../core/model/features.ts';
import type { Series } from '../data/series.ts';

export interface SignalDrift {
  readonly signal: string;
  /** Largest difference of the two distribution functions, 0–1. */
  readonly distance: number;
  /** Shift of the median in robust standard deviations. */
  readonly shift: number;
}

const MAX_SAMPLE = 8000;

/** Largest distance of two empirical distribution functions; both sorted. */
export function kolmogorovSmirnov(a: Float64Array, b: Float64Array): number {
  let i = 0;
  let j = 0;
  let most = 0;
  while (i < a.length && j < b.length) {
    const at = Math.min(a[i]!, b[j]!);
    while (i < a.length && a[i]! <= at) i += 1;
    while (j < b.length && b[j]! <= at) j += 1;
    most = Math.max(most, Math.abs(i / a.length - j / b.length));
  }
  return most;
}

/** Drift of every used signal, the largest first. */
export function driftOf(series: readonly Series[], catalogue: Catalogue, scaler: Scaler): SignalDrift[] {
  const width = catalogue.signals.length;
  const times: number[] = [];
  const rows = series.reduce((sum, { tsMs }) => sum + tsMs.length, 0);
  const stride = Math.max(1, Math.ceil(rows / (2 * MAX_SAMPLE)));
  for (const { tsMs } of series) for (let i = 0; i < tsMs.length; i += stride) times.push(tsMs[i]!);
  const middle = quantileOf(Float64Array.from(times).sort(), 0.5);
  return scaler.signals
    .map((signal, k): SignalDrift => {
      const early: number[] = [];
      const late: number[] = [];
      for (const { tsMs, values } of series) {
        for (let i = 0; i < tsMs.length; i += stride) {
          const value = values[i * width + signal]!;
          if (!Number.isNaN(value)) (tsMs[i]! < middle ? early : late).push(value);
        }
      }
      const a = Float64Array.from(early).sort();
      const b = Float64Array.from(late).sort();
      const both = a.length > 0 && b.length > 0;
      return {
        signal: catalogue.signals[signal]!.name,
        distance: both ? kolmogorovSmirnov(a, b) : 0,
        shift: both ? (quantileOf(b, 0.5) - quantileOf(a, 0.5)) / scaler.scale[k]! : 0,
      };
    })
    .sort((a, b) => b.distance - a.distance);
}
