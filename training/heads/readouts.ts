// The relation head's readouts: what the others foretell of each channel, what its own level adds, and how far off both usually
// are in this operating state. Fitted on all sampled rows, and without each fold. The strength of the ridge is the one that
// foretells left-out cars best.
import { type RelationPlan, spreadInputCount } from '../../core/model/heads/forecaster.ts';
import { dot } from '../linear-algebra.ts';
import { quantileOf } from '../scaling.ts';
import { fleetEventsOf, lessHabits } from './habits.ts';
import { leadingInverse, type Reader, readersOf, type Sample, solveAll } from './readers.ts';
import { crossesOf, gramsOf, sumWithout } from './ridge.ts';
import { fitSpread, jitterCenter, MOVEMENT_LAMBDAS, SPREAD_LAMBDAS } from './spreads.ts';

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
    errors.push(spreadOf(residualsOf(sample, reader, weights, otherFolds), sample, otherFolds).map(Math.log));
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
    others.push(solve(left, 'others'));
    own.push(solve(left, 'own'));
  }
  await progress(0.8);
  const unexplained = residualsOf(sample, readers.others, others.slice(1), all);
  await progress(0.9);
  const habitual = residualsOf(sample, readers.own, own.slice(1), all);
  const habitualSpread = spreadOf(habitual, sample, skip);
  const fleetEvents = fleetEventsOf(sample, habitual, habitualSpread);
  const unexplainedOwn = lessHabits(sample, habitual, habitualSpread, fleetEvents);
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
