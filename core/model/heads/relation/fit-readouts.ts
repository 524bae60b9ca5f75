// The relation head's readouts: what the others foretell of each channel, what its own level adds, and how far off both
// usually are in this operating state. Fitted on all sampled rows, and without each fold. The strength of the ridge is
// the one that foretells left-out cars best.

import { dot } from '../../../math/linear-algebra.ts';
import { quantileOf } from '../../../math/quantile.ts';
import { crossesOf, gramsOf, ridgeInverses, sumWithout } from '../../../math/ridge.ts';
import { lessCarOffset, priorEventsOf } from './fit-car-offset.ts';
import { fitSpread, jitterCenter, MOVEMENT_LAMBDAS, SPREAD_LAMBDAS } from './fit-spreads.ts';
import { type RelationPlan, spreadInputCount } from './forecaster.ts';
import { leadingInverse, type Reader, readersOf, type Sample, solveAll } from './readers.ts';

export interface Readouts {
  /** 2·channels × width, as in RelationSpec. */
  readonly matrix: Float64Array;
  /** 3·channels × spreadInputCount, as in RelationSpec. */
  readonly spreadMatrix: Float64Array;
  /** 4·channels, as in RelationSpec. */
  readonly spreads: Float64Array;
  /** channels, as in RelationSpec. */
  readonly fleetEvents: Float64Array;
}

/** Strengths of the ridge to choose from. */
const LAMBDAS = [3e-6, 3e-4, 1e-2, 0.3] as const;
const LEAST_SPREAD = 1e-3;

/** What each sampled row leaves unexplained, by the weights of its fold's absence. */
function residualsOf(
  sample: Sample,
  { used }: Reader,
  weights: readonly Float64Array[],
  skip: Uint8Array,
): Float32Array {
  const { count, width, channels, inputs, folds, present } = sample;
  // The weights behind those the reader uses are 0; four products are added at a time.
  const read = Math.min(width, 4 * Math.ceil(used / 4));
  const out = new Float32Array(count * channels);
  for (let r = 0; r < count; r += 1) {
    if (skip[r] === 1) continue;
    const own = weights[folds[r]!]!;
    const row = inputs.subarray(r * width, (r + 1) * width);
    for (let k = 0; k < channels; k += 1) {
      if (present[r * channels + k] === 0) continue;
      out[r * channels + k] = row[1 + k]! - dot(own, k * width, row, 0, read);
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

/** Sums over the rows but those of one fold. */
interface Sums {
  readonly gram: Float64Array;
  readonly cross: Float64Array;
}

/** One number or a readout for each of the two kinds of readers. */
interface Both<T> {
  readonly others: T;
  readonly own: T;
}

/**
 * The readouts of both kinds where `others` and `own` say that a channel has this strength, into `out`. Inputs of the
 * first kind lead those of the second: one factor serves both.
 */
function solveBoth(
  sample: Sample,
  readers: Both<Reader>,
  { gram, cross }: Sums,
  lambda: number,
  among: Both<(channel: number) => boolean>,
  out: ReturnType<typeof nothingYet>,
): void {
  const { width, channels } = sample;
  const { others, own } = readers;
  const wanted = (which: keyof Both<unknown>) =>
    Array.from({ length: channels }, (_, k) => k).some(among[which]);
  if (wanted('own')) {
    const { leading, whole } = ridgeInverses(gram, width, others.used, lambda);
    solveAll(sample, own, whole, cross, among.own, out.own);
    solveAll(sample, others, leading, cross, among.others, out.others);
  } else if (wanted('others'))
    solveAll(
      sample,
      others,
      leadingInverse(gram, width, others.used, lambda),
      cross,
      among.others,
      out.others,
    );
}

const nothingYet = ({ channels, width }: Sample) => ({
  others: new Float64Array(channels * width),
  own: new Float64Array(channels * width),
});

const ALL = { others: () => true, own: () => true };

/**
 * The ridge strengths, one a channel, that foretell left-out rows best: what two signals share is read closely, what
 * hardly depends on the others (a pressure that each car has its own way) is not read into chance. `alike`: the same
 * one for all, by the sum of the logarithms of their errors, where rows are too few to choose for each.
 */
async function chooseLambdas(
  sample: Sample,
  readers: Both<Reader>,
  sumsWithout: (left: number) => Sums,
  foldCount: number,
  alike: boolean,
  progress: Progress,
): Promise<Both<number[]>> {
  const { channels } = sample;
  const tried = Math.min(CHOOSING_FOLDS, foldCount);
  const otherFolds = Uint8Array.from(sample.folds, (fold) => (fold < tried ? 0 : 1));
  const sums = Array.from({ length: tried }, (_, left) => sumsWithout(left));
  const errors: { others: Float64Array[]; own: Float64Array[] } = { others: [], own: [] };
  for (const [i, lambda] of LAMBDAS.entries()) {
    await progress(i / LAMBDAS.length);
    const solved = sums.map((sum) => {
      const out = nothingYet(sample);
      solveBoth(sample, readers, sum, lambda, ALL, out);
      return out;
    });
    for (const which of ['others', 'own'] as const) {
      const weights = solved.map((both) => both[which]);
      const off = residualsOf(sample, readers[which], weights, otherFolds);
      errors[which].push(spreadOf(off, sample, otherFolds).map(Math.log));
    }
  }
  const best = (tries: readonly Float64Array[]) => {
    const least = (error: (tried: Float64Array) => number) => {
      const each = tries.map(error);
      return LAMBDAS[each.indexOf(Math.min(...each))]!;
    };
    const common = least((tried) => tried.reduce((sum, error) => sum + error, 0));
    return Array.from({ length: channels }, (_, k) => (alike ? common : least((tried) => tried[k]!)));
  };
  return { others: best(errors.others), own: best(errors.own) };
}

const BOTH: Both<boolean> = { others: true, own: true };

/** Readouts by the strengths chosen for the channels: one factor for each strength. */
function solveFold(
  sample: Sample,
  readers: Both<Reader>,
  sums: Sums,
  lambdas: Both<readonly number[]>,
  among: Both<boolean>,
) {
  const out = nothingYet(sample);
  for (const lambda of new Set([...lambdas.others, ...lambdas.own])) {
    const having = (which: keyof Both<unknown>) => (k: number) =>
      among[which] && lambdas[which][k] === lambda;
    solveBoth(sample, readers, sums, lambda, { others: having('others'), own: having('own') }, out);
  }
  return out;
}

/** Takes the rows that are marked out of per-fold sums. */
function takeOut(sums: readonly Float64Array[], marked: readonly Float64Array[]): void {
  sums.forEach((sum, k) => {
    for (let i = 0; i < sum.length; i += 1) sum[i]! -= marked[k]![i]!;
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
  { trim, oneRig = false }: { readonly trim: number; readonly oneRig?: boolean },
  progress: Progress,
): Promise<Readouts[]> {
  const { count, width, channels, inputs } = sample;
  const targets = new Float32Array(count * channels);
  for (let r = 0; r < count; r += 1)
    targets.set(inputs.subarray(r * width + 1, r * width + 1 + channels), r * channels);
  const readers = readersOf(plan, channels);
  const all = new Uint8Array(count);
  const grams = gramsOf(sample, foldCount, all);
  const crosses = crossesOf(sample, foldCount, all, targets, channels);
  const sumsWithout = (left: number): Sums => ({
    gram: sumWithout(grams, left),
    cross: sumWithout(crosses, left),
  });
  const lambdas = await chooseLambdas(sample, readers, sumsWithout, foldCount, oneRig, (done) =>
    progress(0.1 + 0.4 * done),
  );
  const solve = (left: number, among = BOTH) => solveFold(sample, readers, sumsWithout(left), lambdas, among);
  await progress(0.5);
  let skip = all;
  if (trim > 0) {
    const rough = solve(-1, { others: true, own: false }).others;
    const off = residualsOf(sample, readers.others, new Array<Float64Array>(foldCount).fill(rough), all);
    skip = strangestRows(off, spreadOf(off, sample, all), sample, trim);
    const kept = skip.map((strange) => 1 - strange);
    takeOut(grams, gramsOf(sample, foldCount, kept));
    takeOut(crosses, crossesOf(sample, foldCount, kept, targets, channels));
  }
  const others: Float64Array[] = [];
  const own: Float64Array[] = [];
  for (const left of [-1, ...grams.keys()]) {
    await progress(0.5 + (0.3 * (left + 1)) / (foldCount + 1));
    const both = solve(left);
    others.push(both.others);
    own.push(both.own);
  }
  await progress(0.8);
  const unexplained = residualsOf(sample, readers.others, others.slice(1), all);
  await progress(0.9);
  const habitual = residualsOf(sample, readers.own, own.slice(1), all);
  const habitualSpread = spreadOf(habitual, sample, skip);
  const fleetEvents = priorEventsOf(sample, habitual, habitualSpread);
  const unexplainedOwn = lessCarOffset(sample, habitual, habitualSpread, fleetEvents);
  const spreads = [unexplained, unexplainedOwn, sample.movement].map((values) =>
    spreadOf(values, sample, skip),
  );
  const logs = [unexplained, unexplainedOwn, sample.movement].map((values, s) =>
    fitSpread(sample, plan, grams, skip, values, spreads[s]!, s === 2 ? MOVEMENT_LAMBDAS : SPREAD_LAMBDAS),
  );
  return others.map((weights, i) => {
    const [spreadLogs, ownLogs, moves] = logs.map((fits) => fits[i]!) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const center = jitterCenter(sample, moves, spreadInputCount(plan.units, channels), spreads[2]!);
    return {
      matrix: joined([weights, own[i]!]),
      spreadMatrix: joined([spreadLogs, ownLogs, moves]),
      spreads: joined([...spreads, center]),
      fleetEvents,
    };
  });
}

const joined = (parts: readonly Float64Array[]) => Float64Array.from(parts.flatMap((part) => [...part]));
