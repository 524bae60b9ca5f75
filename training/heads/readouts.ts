// The relation head's readouts: what the others foretell of each channel, what its own level adds, and how far off both usually
// are in this operating state. Fitted on all sampled rows, and without each fold. The strength of the ridge is the one that
// foretells left-out cars best.
import {
  FAN_IN,
  INPUT_SPANS,
  inputCount,
  movementOf,
  type RelationPlan,
  spreadFactor,
  spreadInputCount,
} from '../../core/model/heads/relation.ts';
import { dot } from '../linear-algebra.ts';
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
  /** 2·channels × width, as in RelationSpec. */
  readonly matrix: Float64Array;
  /** 3·channels × spreadInputCount, as in RelationSpec. */
  readonly spreadMatrix: Float64Array;
  /** 4·channels, as in RelationSpec. */
  readonly spreads: Float64Array;
}

const LAMBDAS = [3e-6, 3e-4, 1e-2, 0.3] as const;
/** The same for the logs of spreads. */
const SPREAD_LAMBDAS = [3e-3, 3e-2, 0.3, 3] as const;
/** A movement's usual size depends on the state so strongly that there is nothing to choose. */
const MOVEMENT_LAMBDAS = [3e-3] as const;
/** |residual| below this share of its spread counts as this. */
const LOG_FLOOR = 0.05;
/** −E log|x| of a standard normal x: (γ + ln 2) / 2. */
const LOG_OFFSET = 0.635;
const LEAST_SPREAD = 1e-3;

/** One kind of readout: the inputs it reads, the first `used` of all, and of these, for each channel, those it may not use. */
interface Reader {
  readonly used: number;
  readonly forbidden: readonly (readonly number[])[];
}

/** Readouts of each channel by all inputs that do not touch it, and by those of these that know nothing of the car's levels. */
function readersOf(plan: RelationPlan, channels: number): { readonly others: Reader; readonly own: Reader } {
  const width = INPUT_SPANS.length * channels;
  const inputsOf = (unit: number) => plan.unitInputs.slice(unit * FAN_IN, (unit + 1) * FAN_IN);
  const units = Array.from({ length: plan.units }, (_, u) => inputsOf(u));
  const forbidden = Array.from({ length: channels }, (_, k) => [
    ...INPUT_SPANS.map((_, s) => 1 + s * channels + k),
    ...units.flatMap((inputs, u) =>
      inputs.some((i) => i < width && i % channels === k) ? [1 + width + u] : [],
    ),
  ]);
  const knowing = units.findIndex((inputs) => inputs.some((i) => i >= width));
  const plain = 1 + width + (knowing < 0 ? plan.units : knowing);
  return {
    others: { used: plain, forbidden: forbidden.map((places) => places.filter((at) => at < plain)) },
    own: { used: inputCount(plan.units, channels), forbidden },
  };
}

/** The inverse for the first `used` of the inputs. */
function leadingInverse(gram: Float64Array, width: number, used: number, lambda: number): Float64Array {
  const small = new Float64Array(used * used);
  for (let a = 0; a < used; a += 1) small.set(gram.subarray(a * width, a * width + used), a * used);
  return ridgeInverse(small, used, lambda);
}

/**
 * Weights of the channels' readouts, channels × width, from an inverse and the products with the targets, into `out`; of all
 * channels, or of those `among` says.
 */
function solveAll(
  { width, channels }: Pick<Sample, 'width' | 'channels'>,
  { used, forbidden }: Reader,
  inverse: Float64Array,
  cross: Float64Array,
  among: (channel: number) => boolean = () => true,
  out = new Float64Array(channels * width),
) {
  for (let k = 0; k < channels; k += 1)
    if (among(k)) maskedSolve(inverse, used, cross, channels, k, forbidden[k]!, out, k * width);
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
      out[r * channels + k] = row[1 + k]! - dot(own, k * width, row, 0, width);
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

/**
 * The ridge strengths, one a channel, that foretell left-out rows best: what two signals share is read closely, what hardly
 * depends on the others (a pressure that each car has its own way) is not read into chance. `alike`: the same one for all, by the
 * sum of the logarithms of their errors, where rows are too few to choose for each.
 */
async function chooseLambdas(
  sample: Sample,
  reader: Reader,
  grams: readonly Float64Array[],
  crosses: readonly Float64Array[],
  alike: boolean,
  progress: Progress,
): Promise<number[]> {
  const { channels, width } = sample;
  const none = new Float64Array(channels * width);
  const tried = Math.min(CHOOSING_FOLDS, grams.length);
  const otherFolds = Uint8Array.from(sample.folds, (fold) => (fold < tried ? 0 : 1));
  const sums = Array.from({ length: tried }, (_, left) => ({
    gram: sumWithout(grams, left),
    cross: sumWithout(crosses, left),
  }));
  const errors: Float64Array[] = [];
  for (const [i, lambda] of LAMBDAS.entries()) {
    await progress(i / LAMBDAS.length);
    const weights = grams.map((_, left) => {
      const sum = sums[left];
      if (sum === undefined) return none;
      return solveAll(sample, reader, leadingInverse(sum.gram, width, reader.used, lambda), sum.cross);
    });
    errors.push(spreadOf(residualsOf(sample, weights, otherFolds), sample, otherFolds).map(Math.log));
  }
  const least = (error: (tried: Float64Array) => number) => {
    const each = errors.map(error);
    return LAMBDAS[each.indexOf(Math.min(...each))]!;
  };
  const common = least((tried) => tried.reduce((sum, error) => sum + error, 0));
  return Array.from({ length: channels }, (_, k) => (alike ? common : least((tried) => tried[k]!)));
}

/** Takes the rows that are marked out of per-fold sums. */
function takeOut(sums: readonly Float64Array[], marked: readonly Float64Array[]): void {
  sums.forEach((sum, k) => {
    for (let i = 0; i < sum.length; i += 1) sum[i]! -= marked[k]![i]!;
  });
}

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
 * How badly logs foretell the spread of `values`, one a channel: the mean of log s + x²/2s² over rows of the fold each row of
 * `weights` was fitted without, as a normal distribution has it, the squares bounded.
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
function jitterCenter(
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
function fitSpread(
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
  const reader: Reader = { used, forbidden: Array.from({ length: channels }, () => []) };
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
  const lambdas = {
    others: await chooseLambdas(sample, readers.others, grams, crosses, oneRig, (done) =>
      progress(0.1 + 0.2 * done),
    ),
    own: await chooseLambdas(sample, readers.own, grams, crosses, oneRig, (done) =>
      progress(0.3 + 0.2 * done),
    ),
  };
  /** A fold's readouts by the strengths chosen for the channels: one inverse for each strength. */
  const solve = (left: number, which: 'others' | 'own') => {
    const gram = sumWithout(grams, left);
    const cross = sumWithout(crosses, left);
    const reader = readers[which];
    const out = new Float64Array(channels * width);
    for (const lambda of new Set(lambdas[which])) {
      const inverse = leadingInverse(gram, width, reader.used, lambda);
      solveAll(sample, reader, inverse, cross, (k) => lambdas[which][k] === lambda, out);
    }
    return out;
  };
  await progress(0.5);
  let skip = all;
  if (trim > 0) {
    const rough = solve(-1, 'others');
    const off = residualsOf(sample, new Array<Float64Array>(foldCount).fill(rough), all);
    skip = strangestRows(off, spreadOf(off, sample, all), sample, trim);
    const kept = skip.map((strange) => 1 - strange);
    takeOut(grams, gramsOf(sample, foldCount, kept));
    takeOut(crosses, crossesOf(sample, foldCount, kept, targets, channels));
  }
  const others: Float64Array[] = [];
  const own: Float64Array[] = [];
  for (const left of [-1, ...grams.keys()]) {
    await progress(0.5 + (0.3 * (left + 1)) / (foldCount + 1));
    others.push(solve(left, 'others'));
    own.push(solve(left, 'own'));
  }
  await progress(0.8);
  const unexplained = residualsOf(sample, others.slice(1), all);
  await progress(0.9);
  const unexplainedOwn = residualsOf(sample, own.slice(1), all);
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
    };
  });
}

const joined = (parts: readonly Float64Array[]) => Float64Array.from(parts.flatMap((part) => [...part]));
