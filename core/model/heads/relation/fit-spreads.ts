// How far off the relation head's readouts usually are in an operating state, and how much signals move in it: logs of
// spreads, as ridge readouts of the averages and a few units.

import { dot } from '../../../math/linear-algebra.ts';
import { crossesOf, sumWithout } from '../../../math/ridge.ts';
import { moveAt, type RelationPlan, spreadInputCount } from './forecaster.ts';
import { leadingInverse, type Reader, type Sample, solveAll } from './readers.ts';
import { movementOf, spreadFactor } from './streams.ts';

/** Strengths of the ridge for the logs of spreads, of which each channel gets one. */
export const SPREAD_LAMBDAS = [3e-3, 3e-2, 0.3, 3] as const;
/** A movement's usual size depends on the state so strongly that there is nothing to choose. */
export const MOVEMENT_LAMBDAS = [3e-3] as const;
/** |residual| below this share of its spread counts as this. */
const LOG_FLOOR = 0.05;
/** −E log|x| of a standard normal x: (γ + ln 2) / 2. */
const LOG_OFFSET = 0.635;
/** What held-out values far beyond their usual spread count at most, in squared spreads. */
const MOST_SQUARES = 25;
/** Rows that are enough to choose by, and for a mean. */
const CHOICE_ROWS = 6000;
const JITTER_ROWS = 3000;

/** Mean over about `rows` rows, evenly thinned, of what `of` says of each channel where it is measured. */
function meanOver(
  { count, channels, present }: Sample,
  rows: number,
  of: (row: number, channel: number) => number,
): Float64Array {
  const sum = new Float64Array(channels);
  const seen = new Float64Array(channels);
  for (let r = 0; r < count; r += Math.max(1, Math.floor(count / rows)))
    for (let k = 0; k < channels; k += 1) {
      if (present[r * channels + k] === 0) continue;
      sum[k]! += of(r, k);
      seen[k]! += 1;
    }
  return sum.map((total, k) => total / Math.max(1, seen[k]!));
}

/** The usual spread over the plain one of channel k in a row, by weights channels × used. */
const factorOf = ({ inputs, width }: Sample, weights: Float64Array, used: number, r: number, k: number) =>
  spreadFactor(dot(weights, k * used, inputs, r * width, used));

/**
 * How badly logs foretell the spread of `values`, one a channel: the mean of log s + x²/2s² over rows of the fold each
 * row of `weights` was fitted without, as a normal distribution has it, the squares bounded.
 */
function spreadErrors(
  sample: Sample,
  weights: readonly Float64Array[],
  used: number,
  values: Float32Array,
  spread: Float64Array,
): Float64Array {
  const { channels, folds } = sample;
  return meanOver(sample, CHOICE_ROWS, (r, k) => {
    const factor = factorOf(sample, weights[folds[r]!]!, used, r, k);
    const squares = (values[r * channels + k]! / (spread[k]! * factor)) ** 2;
    return Math.log(factor) + Math.min(MOST_SQUARES, squares) / 2;
  });
}

/** Mean jitter of each channel. */
export function jitterCenter(
  sample: Sample,
  weights: Float64Array,
  used: number,
  spread: Float64Array,
): Float64Array {
  const { channels, movement } = sample;
  return meanOver(sample, JITTER_ROWS, (r, k) =>
    movementOf(movement[r * channels + k]! / (spread[k]! * factorOf(sample, weights, used, r, k))),
  );
}

/**
 * Weights for the log of the usual spread of `values` over their plain one: final, then without each fold; channels ×
 * spreadInputCount. Of `lambdas` each channel gets the strength that foretells left-out rows best.
 */
export function fitSpread(
  sample: Sample,
  plan: RelationPlan,
  grams: readonly Float64Array[],
  skip: Uint8Array,
  values: Float32Array,
  spread: Float64Array,
  lambdas: readonly number[],
): Float64Array[] {
  const { width, channels } = sample;
  const logs = values.map(
    (value, i) => Math.log(Math.abs(value) / spread[i % channels]! + LOG_FLOOR) + LOG_OFFSET,
  );
  const crosses = crossesOf(sample, grams.length, skip, logs, channels);
  const used = spreadInputCount(plan.units, channels);
  const reader: Reader = {
    used,
    forbidden: Array.from({ length: channels }, (_, k) => [moveAt(k, channels)]),
  };
  const sums = [-1, ...grams.keys()].map((left) => ({
    gram: sumWithout(grams, left),
    cross: sumWithout(crosses, left),
  }));
  const tried = lambdas.map((lambda) =>
    sums.map(({ gram, cross }) =>
      solveAll({ width: used, channels }, reader, leadingInverse(gram, width, used, lambda), cross),
    ),
  );
  if (tried.length === 1) return tried[0]!;
  const errors = tried.map((weights) => spreadErrors(sample, weights.slice(1), used, values, spread));
  return tried[0]!.map((_, fit) => {
    const out = new Float64Array(channels * used);
    for (let k = 0; k < channels; k += 1) {
      const best = errors.reduce((least, error, i) => (error[k]! < errors[least]![k]! ? i : least), 0);
      out.set(tried[best]![fit]!.subarray(k * used, (k + 1) * used), k * used);
    }
    return out;
  });
}
