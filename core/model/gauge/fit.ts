// Fits gauges: what averages of residuals of unseen cars normally do together. Precision by Ledoit–Wolf shrinkage in
// units of each channel's spread, once more without the strangest rows; the tails of single channels where a gauge asks
// for them.
import { invariant } from '../../errors.ts';
import { invertSpd, ledoitWolf } from '../../math/linear-algebra.ts';
import { quantileOf } from '../../math/quantile.ts';
import { fitTail } from '../fit-tail.ts';
import { encodeFloats } from '../numbers.ts';
import type { Tail } from '../tail.ts';
import { Extremes, fitReach } from './fit-reach.ts';
import type { GaugeSpec } from './gauge.ts';

/** Averages of one gauge: rows × channels, and each row's fold. */
export interface GaugeRows {
  readonly count: number;
  readonly channels: number;
  readonly averages: Float32Array;
  readonly folds: Uint8Array;
}

export interface GaugePlan {
  readonly span: number;
  /** Statistic by single channels' tails instead of the Mahalanobis distance. */
  readonly single: boolean;
  /** Averages of a channel closer than this are not told apart. Default 0.001. */
  readonly leastSpread?: number;
  /** As in GaugeSpec. */
  readonly release?: number;
  /** Statistic by how rarely single channels go so far in whole cars. */
  readonly reach?: boolean;
}

const LEAST_SPREAD = 1e-3;
/** Level that a single channel gains at most by each spread beyond what was seen: one that never moved says nothing finer. */
const STEEPEST = 3;
/** Added to the correlation matrix: differences below a tenth of a channel's spread are not told apart. */
const RIDGE = 0.01;

interface Precision {
  readonly matrix: Float64Array;
  readonly kept: Float64Array;
  readonly keptCount: number;
}

function precisionOf(
  rows: Float64Array,
  count: number,
  channels: number,
  effective: number,
  leastSpread: number,
): Float64Array {
  const spread = new Float64Array(channels);
  for (let r = 0; r < count; r += 1)
    for (let k = 0; k < channels; k += 1) spread[k]! += rows[r * channels + k]! ** 2 / count;
  for (let k = 0; k < channels; k += 1) spread[k] = Math.hypot(Math.sqrt(spread[k]!), leastSpread);
  const unit = new Float64Array(count * channels);
  for (let r = 0; r < count; r += 1)
    for (let k = 0; k < channels; k += 1) unit[r * channels + k] = rows[r * channels + k]! / spread[k]!;
  const covariance = ledoitWolf(unit, count, channels, effective);
  for (let k = 0; k < channels; k += 1) covariance[k * channels + k]! += RIDGE;
  const inverse = invertSpd(covariance, channels);
  for (let i = 0; i < channels; i += 1)
    for (let j = 0; j < channels; j += 1) inverse[i * channels + j]! /= spread[i]! * spread[j]!;
  return inverse;
}

function trimmedPrecision(
  rows: Float64Array,
  count: number,
  channels: number,
  effective: number,
  trim: number,
  leastSpread: number,
): Precision {
  const first = precisionOf(rows, count, channels, effective, leastSpread);
  if (trim <= 0) return { matrix: first, kept: rows, keptCount: count };
  const distances = new Float64Array(count);
  for (let r = 0; r < count; r += 1) {
    for (let i = 0; i < channels; i += 1) {
      let sum = 0;
      for (let j = 0; j < channels; j += 1) sum += first[i * channels + j]! * rows[r * channels + j]!;
      distances[r]! += sum * rows[r * channels + i]!;
    }
  }
  const limit = quantileOf(distances.slice().sort(), 1 - trim);
  const kept = new Float64Array(count * channels);
  let keptCount = 0;
  for (let r = 0; r < count; r += 1) {
    if (distances[r]! > limit) continue;
    kept.set(rows.subarray(r * channels, (r + 1) * channels), keptCount * channels);
    keptCount += 1;
  }
  return { matrix: precisionOf(kept, keptCount, channels, effective, leastSpread), kept, keptCount };
}

/** How far |precision row · averages| / √diagonal of each channel usually goes. */
function channelTails(precision: Precision, channels: number): Tail[] {
  const { matrix, kept, keptCount } = precision;
  return Array.from({ length: channels }, (_, k) => {
    const root = Math.sqrt(matrix[k * channels + k]!);
    const values = new Float64Array(keptCount);
    for (let r = 0; r < keptCount; r += 1) {
      let sum = 0;
      for (let j = 0; j < channels; j += 1) sum += matrix[k * channels + j]! * kept[r * channels + j]!;
      values[r] = Math.abs(sum) / root;
    }
    const tail = fitTail(values, 0);
    return { ...tail, slope: Math.min(STEEPEST, tail.slope) };
  });
}

const averagingOf = ({ span, release }: GaugePlan) => ({
  span,
  ...(release === undefined ? {} : { release }),
});

/**
 * Fits one gauge without what is of fold `left` (−1: on all).
 * @param evidence stretches for a gauge by `reach`, rows for any other
 * @param stride rows of the stream between two rows given: neighbours within a span are not independent
 */
export function fitGauge(
  plan: GaugePlan,
  evidence: GaugeRows | Extremes,
  left: number,
  stride: number,
  trim: number,
): GaugeSpec {
  const byReach = evidence instanceof Extremes;
  invariant((plan.reach === true) === byReach, 'a gauge by reach is fitted on stretches, any other on rows');
  if (byReach) return { ...averagingOf(plan), reach: encodeFloats(fitReach(evidence, left)) };
  const { channels, averages, folds } = evidence;
  const kept = new Float64Array(evidence.count * channels);
  let count = 0;
  for (let r = 0; r < evidence.count; r += 1) {
    if (folds[r] === left) continue;
    kept.set(averages.subarray(r * channels, (r + 1) * channels), count * channels);
    count += 1;
  }
  const effective = Math.max(1, (count * stride) / Math.max(stride, plan.span));
  const precision = trimmedPrecision(
    kept,
    count,
    channels,
    effective,
    trim,
    plan.leastSpread ?? LEAST_SPREAD,
  );
  return {
    ...averagingOf(plan),
    precision: encodeFloats(precision.matrix),
    ...(plan.single ? { tails: channelTails(precision, channels) } : {}),
  };
}
