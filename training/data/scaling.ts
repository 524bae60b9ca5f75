// Fits the scaler: median and robust spread of each signal, from a seeded sample of rows. A signal is left out when it
// (almost) never moves or is (almost) never measured; the caller is told which and why.

import { quantileOf } from '../../core/math/quantile.ts';
import { hasChanged } from '../../core/model/features.ts';
import type { FittedScaler, LeftOut } from '../../core/model/fitted-scaler.ts';
import type { Series } from './series.ts';

const CLIP = 8;

/** Share of readings below and above what counts as known: they may be faults. */
const OUTSIDE = 0.0005;

const MAX_SAMPLE = 40_000;

/** A signal measured in a smaller share of rows says nothing. */
const MIN_MEASURED = 0.05;

/** Sorted finite readings of one signal, thinned evenly to MAX_SAMPLE. */
function column(series: readonly Series[], width: number, signal: number, stride: number) {
  const found: number[] = [];
  let seen = 0;
  let phase = 0;
  for (const { tsMs, values } of series) {
    for (; phase < tsMs.length; phase += stride) {
      const value = values[phase * width + signal]!;
      seen += 1;
      if (Number.isFinite(value)) found.push(value);
    }
    phase -= tsMs.length;
  }
  return { sorted: Float64Array.from(found).sort(), seen };
}

/**
 * A spread that a few per cent of strange rows cannot move: the widest of MAD and quantile ranges, each scaled to a
 * normal's standard deviation. The outer range matters to signals that rest most of the time (a brake, a fan).
 */
function robustSpread(sorted: Float64Array, median: number): number {
  const deviations = sorted.map((value) => Math.abs(value - median)).sort();
  const mad = 1.4826 * quantileOf(deviations, 0.5);
  const quartiles = (quantileOf(sorted, 0.75) - quantileOf(sorted, 0.25)) / 1.349;
  const outer = (quantileOf(sorted, 0.95) - quantileOf(sorted, 0.05)) / 3.29;
  const widest = Math.max(mad, quartiles, outer);
  if (widest > 0) return widest;
  return (quantileOf(sorted, 0.995) - quantileOf(sorted, 0.005)) / 5.15;
}

/** Looks at every row of a signal that hardly ever moves: one is enough for it not to be constant. */
function constantOrRare(series: readonly Series[], width: number, signal: number, always: number): LeftOut {
  let measured = 0;
  let rows = 0;
  for (const { tsMs, values } of series) {
    rows += tsMs.length;
    for (let i = 0; i < tsMs.length; i += 1) {
      const value = values[i * width + signal]!;
      if (hasChanged(value, always)) return { signal, why: 'rare' };
      if (!Number.isNaN(value)) measured += 1;
    }
  }
  return { signal, why: 'constant', measured: measured / rows };
}

/** `width`: signals in the catalogue. */
export function fitScaler(series: readonly Series[], width: number): FittedScaler {
  const rows = series.reduce((sum, { tsMs }) => sum + tsMs.length, 0);
  const stride = Math.max(1, Math.ceil(rows / MAX_SAMPLE));
  const signals: number[] = [];
  const center: number[] = [];
  const scale: number[] = [];
  const lowest: number[] = [];
  const highest: number[] = [];
  const medians: (number | null)[] = [];
  const leftOut: LeftOut[] = [];
  for (let signal = 0; signal < width; signal += 1) {
    const { sorted, seen } = column(series, width, signal, stride);
    const median = sorted.length > 0 ? quantileOf(sorted, 0.5) : null;
    medians.push(median);
    if (median === null || sorted.length < MIN_MEASURED * seen) {
      leftOut.push({ signal, why: 'missing' });
      continue;
    }
    const spread = robustSpread(sorted, median);
    if (!(spread > 1e-9 * Math.max(1e-3, Math.abs(median)))) {
      leftOut.push(constantOrRare(series, width, signal, median));
      continue;
    }
    signals.push(signal);
    center.push(median);
    scale.push(spread);
    const feature = (value: number) => Math.max(-CLIP, Math.min(CLIP, (value - median) / spread));
    lowest.push(feature(quantileOf(sorted, OUTSIDE)));
    highest.push(feature(quantileOf(sorted, 1 - OUTSIDE)));
  }
  return { scaler: { signals, center, scale, clip: CLIP }, lowest, highest, medians, leftOut };
}
