// The relation head's readouts: what the others foretell of each channel, what its own level adds, and how far off both usually
// are in this operating state. Fitted on all sampled rows, and without each fold. The strength of the ridge is the one that
// foretells left-out cars best.
import {
  FAN_IN,
  INPUT_SPANS,
  movementOf,
  type RelationPlan,
  spreadFactor,
} from '../../core/model/heads/relation.ts';
import { quantileOf } from '../scaling.ts';
import { crossesOf, gramsOf, maskedSolve, type RidgeRows, ridgeInverse, sumWithout } from './ridge.ts';

/** Sampled rows of the forecaster's inputs; input 1 + k is channel k's newest average, which is what is foretold. */
export interface Sample extends RidgeRows {
  readonly channels: number;
  readonly present: Uint8Array;
  /** |movement| of each channel, count × channels. */
  readonly movement: Float32Array;
}

export interface Readouts {
  /** 4·channels × width, as in RelationSpec. */
  readonly matrix: Float64Array;
  /** 4·channels, as in RelationSpec. */
  readonly spreads: Float64Array;
}

const LAMBDAS = [3e-4, 3e-3, 3e-2, 0.3] as const;
const SPREAD_LAMBDA = 3e-3;
/** Inputs the usual spread is read from besides the averages: the first units. */
const SPREAD_UNITS = 64;
/** |residual| below this share of its spread counts as this. */
const LOG_FLOOR = 0.05;
/** −E log|x| of a standard normal x: (γ + ln 2) / 2. */
const LOG_OFFSET = 0.635;
const LEAST_SPREAD = 1e-3;

/** Inputs that channel k's readout may not use: its own averages and the units that touch them; besides the levels. */
function forbiddenInputs(plan: RelationPlan, channels: number, k: number, levels: boolean): number[] {
  const width = INPUT_SPANS.length * channels;
  const out = INPUT_SPANS.map((_, s) => 1 + s * channels + k);
  for (let u = 0; u < plan.units; u += 1) {
    const inputs = plan.unitInputs.slice(u * FAN_IN, (u + 1) * FAN_IN);
    if (inputs.some((i) => i % channels === k)) out.push(1 + width + u);
  }
  if (!levels) for (let c = 0; c < channels; c += 1) out.push(1 + width + plan.units + c);
  return out;
}

/** Weights of all channels' readouts, channels × width, from an inverse and the products with the targets. */
function solveAll(sample: Sample, masks: readonly number[][], inverse: Float64Array, cross: Float64Array) {
  const { width, channels } = sample;
  const out = new Float64Array(channels * width);
  for (let k = 0; k < channels; k += 1)
    maskedSolve(inverse, width, cross, channels, k, masks[k]!, out, k * width);
  return out;
}

/** What each sampled row leaves unexplained, by the weights of its fold's absence. */
function residualsOf(sample: Sample, weights: readonly Float64Array[], skip: Uint8Array): Float32Array {
  const { count, width, channels, inputs, folds, present } = sample;
  const out = new Float32Array(count * channels);
  for (let r = 0; r < count; r += 1) {
    if (skip[r] === 1) continue;
    const own = weights[folds[r]!]!;
    const row = inputs.subarray(r * width, (r + 1) * width);
    for (let k = 0; k < channels; k += 1) {
      if (present[r * channels + k] === 0) continue;
      let said = 0;
      const from = k * width;
      for (let a = 0; a < width; a += 1) said += own[from + a]! * row[a]!;
      out[r * channels + k] = row[1 + k]! - said;
    }
  }
  return out;
}

/** Root mean square of each channel without the largest 1 %. */
function spreadOf(values: Float32Array, sample: Sample, skip: Uint8Array): Float64Array {
  const { count, channels, present } = sample;
  return Float64Array.from({ length: channels }, (_, k) => {
    const squares: number[] = [];
    for (let r = 0; r < count; r += 1)
      if (skip[r] === 0 && present[r * channels + k] === 1) squares.push(values[r * channels + k]! ** 2);
    const sorted = Float64Array.from(squares).sort();
    const kept = sorted.subarray(0, Math.ceil(sorted.length * 0.99));
    const mean = kept.reduce((a, b) => a + b, 0) / Math.max(1, kept.length);
    return Math.max(LEAST_SPREAD, Math.sqrt(mean));
  });
}

/** Folds the strength of the ridge is chosen on; each costs an inversion for each strength. */
const CHOOSING_FOLDS = 2;

/** Awaited between parts of the work, 0 to 1; may reject to stop. */
type Progress = (done: number) => Promise<void>;

/** The ridge strength that foretells left-out rows best. */
async function chooseLambda(
  sample: Sample,
  masks: readonly number[][],
  grams: readonly Float64Array[],
  crosses: readonly Float64Array[],
  progress: Progress,
): Promise<number> {
  const none = new Float64Array(sample.channels * sample.width);
  const used = Math.min(CHOOSING_FOLDS, grams.length);
  const otherFolds = Uint8Array.from(sample.folds, (fold) => (fold < used ? 0 : 1));
  let best: number = LAMBDAS[0];
  let bestError = Number.POSITIVE_INFINITY;
  for (const [i, lambda] of LAMBDAS.entries()) {
    await progress(i / LAMBDAS.length);
    const weights = grams.map((_, left) => {
      if (left >= used) return none;
      const inverse = ridgeInverse(sumWithout(grams, left), sample.width, lambda);
      return solveAll(sample, masks, inverse, sumWithout(crosses, left));
    });
    // Channels count alike, so the sum of logs; a few wild rows do not decide.
    const spreads = spreadOf(residualsOf(sample, weights, otherFolds), sample, otherFolds);
    const error = spreads.reduce((sum, spread) => sum + Math.log(spread), 0);
    if (error >= bestError) break;
    bestError = error;
    best = lambda;
  }
  return best;
}

/** Takes the rows that are marked out of per-fold sums. */
function takeOut(sums: readonly Float64Array[], marked: readonly Float64Array[]): void {
  sums.forEach((sum, k) => {
    for (let i = 0; i < sum.length; i += 1) sum[i]! -= marked[k]![i]!;
  });
}

/** Log of |value| over its plain spread, as the target of the usual spread. */
function logOf(values: Float32Array, spread: Float64Array, channels: number): Float32Array {
  return values.map((value, i) => Math.log(Math.abs(value) / spread[i % channels]! + LOG_FLOOR) + LOG_OFFSET);
}

/** Weights for the log of the usual spread of `values`: final, then without each fold; channels × width. */
function fitSpread(
  sample: Sample,
  plan: RelationPlan,
  grams: readonly Float64Array[],
  skip: Uint8Array,
  logs: Float32Array,
): Float64Array[] {
  const { width, channels } = sample;
  const crosses = crossesOf(sample, grams.length, skip, logs, channels);
  const used = 1 + INPUT_SPANS.length * channels + Math.min(SPREAD_UNITS, plan.units);
  return [-1, ...grams.keys()].map((left) => {
    const gram = sumWithout(grams, left);
    const cross = sumWithout(crosses, left);
    const small = new Float64Array(used * used);
    for (let a = 0; a < used; a += 1) small.set(gram.subarray(a * width, a * width + used), a * used);
    const inverse = ridgeInverse(small, used, SPREAD_LAMBDA);
    const out = new Float64Array(channels * width);
    for (let k = 0; k < channels; k += 1) maskedSolve(inverse, used, cross, channels, k, [], out, k * width);
    return out;
  });
}

/** Rows whose residuals, over their spreads, are the longest `trim` of all. */
function strangestRows(residuals: Float32Array, spread: Float64Array, sample: Sample, trim: number) {
  const { count, channels } = sample;
  const lengths = new Float64Array(count);
  for (let r = 0; r < count; r += 1)
    for (let k = 0; k < channels; k += 1)
      lengths[r]! += Math.min(36, (residuals[r * channels + k]! / spread[k]!) ** 2);
  const limit = quantileOf(lengths.slice().sort(), 1 - trim);
  return Uint8Array.from(lengths, (length) => (length > limit ? 1 : 0));
}

/** Readouts of all rows, then without each fold. */
export async function fitReadouts(
  sample: Sample,
  plan: RelationPlan,
  foldCount: number,
  trim: number,
  progress: Progress,
): Promise<Readouts[]> {
  const { count, width, channels, inputs } = sample;
  const targets = new Float32Array(count * channels);
  for (let r = 0; r < count; r += 1)
    targets.set(inputs.subarray(r * width + 1, r * width + 1 + channels), r * channels);
  const channelList = Array.from({ length: channels }, (_, k) => k);
  const masks = channelList.map((k) => forbiddenInputs(plan, channels, k, false));
  const ownMasks = channelList.map((k) => forbiddenInputs(plan, channels, k, true));
  const all = new Uint8Array(count);
  const grams = gramsOf(sample, foldCount, all);
  const crosses = crossesOf(sample, foldCount, all, targets, channels);
  const lambda = await chooseLambda(sample, masks, grams, crosses, (done) => progress(0.1 + 0.4 * done));
  await progress(0.5);
  let skip = all;
  if (trim > 0) {
    const inverse = ridgeInverse(sumWithout(grams, -1), width, lambda);
    const rough = solveAll(sample, masks, inverse, sumWithout(crosses, -1));
    const off = residualsOf(sample, new Array<Float64Array>(foldCount).fill(rough), all);
    skip = strangestRows(off, spreadOf(off, sample, all), sample, trim);
    const kept = skip.map((strange) => 1 - strange);
    takeOut(grams, gramsOf(sample, foldCount, kept));
    takeOut(crosses, crossesOf(sample, foldCount, kept, targets, channels));
  }
  // One inverse serves both readouts of a fold.
  const others: Float64Array[] = [];
  const own: Float64Array[] = [];
  for (const left of [-1, ...grams.keys()]) {
    await progress(0.5 + (0.3 * (left + 1)) / (foldCount + 1));
    const inverse = ridgeInverse(sumWithout(grams, left), width, lambda);
    const cross = sumWithout(crosses, left);
    others.push(solveAll(sample, masks, inverse, cross));
    own.push(solveAll(sample, ownMasks, inverse, cross));
  }
  await progress(0.8);
  const unexplained = residualsOf(sample, others.slice(1), all);
  await progress(0.9);
  const unexplainedOwn = residualsOf(sample, own.slice(1), all);
  const spreads = [unexplained, unexplainedOwn, sample.movement].map((values) =>
    spreadOf(values, sample, skip),
  );
  const logs = fitSpread(sample, plan, grams, skip, logOf(unexplained, spreads[0]!, channels));
  const moves = fitSpread(sample, plan, grams, skip, logOf(sample.movement, spreads[2]!, channels));
  return others.map((weights, i) => {
    const matrix = new Float64Array(4 * channels * width);
    [weights, own[i]!, logs[i]!, moves[i]!].forEach((part, p) => {
      matrix.set(part, p * channels * width);
    });
    const parts = [...spreads, jitterCenter(sample, moves[i]!, spreads[2]!)];
    return { matrix, spreads: Float64Array.from(parts.flatMap((part) => [...part])) };
  });
}

/** Rows that are enough for a mean. */
const JITTER_ROWS = 3000;

/** Mean jitter of each channel over an even thinning of the sample. */
function jitterCenter(sample: Sample, weights: Float64Array, spread: Float64Array): Float64Array {
  const { count, width, channels, inputs, movement, present } = sample;
  const sum = new Float64Array(channels);
  const seen = new Float64Array(channels);
  const stride = Math.max(1, Math.floor(count / JITTER_ROWS));
  for (let r = 0; r < count; r += stride) {
    for (let k = 0; k < channels; k += 1) {
      if (present[r * channels + k] === 0) continue;
      let log = 0;
      for (let a = 0; a < width; a += 1) log += weights[k * width + a]! * inputs[r * width + a]!;
      sum[k]! += movementOf(movement[r * channels + k]! / (spread[k]! * spreadFactor(log)));
      seen[k]! += 1;
    }
  }
  return sum.map((total, k) => total / Math.max(1, seen[k]!));
}
