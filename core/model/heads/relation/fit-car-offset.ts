// A car's habits: what its residuals are on average over a drive. How much cars differ in that, against how much
// averages of one car waver, tells how many events of the fleet's a car's own are weighed against (the best linear
// guess of a random effect, Robinson 1991, its variances by moments).

import type { Sample } from './readers.ts';
import { offHabit } from './streams.ts';

/** Events after which a residual says something new. */
const LASTING = 15;
/** Bounds of the events of the fleet's: a habit is neither believed at first sight nor never. */
const FEWEST = 5;
const MOST = 2400;
/** What is further off, in spreads, counts as this. */
const FURTHEST = 4;

/** Whether a sampled row begins another stretch of driving. */
const begins = (known: Uint32Array, r: number): boolean => r === 0 || known[r]! <= known[r - 1]!;

/** Mean events between two sampled rows of a stretch. */
function meanStride(known: Uint32Array): number {
  let events = 0;
  let steps = 0;
  for (let r = 1; r < known.length; r += 1) {
    if (begins(known, r)) continue;
    events += known[r]! - known[r - 1]!;
    steps += 1;
  }
  return steps === 0 ? 1 : events / steps;
}

/** Rows, sum and sum of squares of one channel in each stretch, in spreads. */
function momentsOf(
  { count, channels, known, present }: Sample,
  values: Float32Array,
  spread: number,
  k: number,
) {
  const stretches: { n: number; sum: number; squares: number }[] = [];
  for (let r = 0; r < count; r += 1) {
    if (begins(known, r)) stretches.push({ n: 0, sum: 0, squares: 0 });
    if (present[r * channels + k] === 0) continue;
    const value = Math.max(-FURTHEST, Math.min(FURTHEST, values[r * channels + k]! / spread));
    const stretch = stretches.at(-1)!;
    stretch.n += 1;
    stretch.sum += value;
    stretch.squares += value * value;
  }
  return stretches;
}

/**
 * For each channel the events of the fleet's that a car's own are weighed against.
 * @param values of the sampled rows, count × channels, each by what had not seen its car
 */
export function priorEventsOf(sample: Sample, values: Float32Array, spread: Float64Array): Float64Array {
  const stride = meanStride(sample.known);
  // Sampled rows of which one says something new.
  const alike = Math.max(1, LASTING / stride);
  return spread.map((unit, k) => {
    const stretches = momentsOf(sample, values, unit, k).filter(({ n }) => n > 2 * alike);
    if (stretches.length < 2) return MOST;
    let squares = 0;
    let free = 0;
    let rows = 0;
    for (const { n, sum, squares: all } of stretches) {
      squares += all - sum ** 2 / n;
      free += n - alike;
      rows += n;
    }
    const within = squares / free;
    const between = stretches.reduce((total, { n, sum }) => total + sum ** 2 / n - within * alike, 0) / rows;
    const events = (within * alike * stride) / Math.max(1e-9, between);
    return Math.max(FEWEST, Math.min(MOST, events));
  });
}

/** What the sampled values are off the habits that their cars have by then. */
export function lessCarOffset(
  { count, channels, known, present }: Sample,
  values: Float32Array,
  spread: Float64Array,
  fleetEvents: Float64Array,
): Float32Array {
  const out = new Float32Array(values.length);
  const habits = new Float32Array(channels);
  for (let r = 0; r < count; r += 1) {
    if (begins(known, r)) habits.fill(0);
    // A sampled row speaks for those left out before it.
    const events = begins(known, r) ? known[r]! : known[r]! - known[r - 1]!;
    for (let k = 0; k < channels; k += 1) {
      const i = r * channels + k;
      if (present[i] === 0) continue;
      const share = Math.min(1, events / (known[r]! + fleetEvents[k]!));
      out[i] = spread[k]! * offHabit(values[i]! / spread[k]!, habits, k, share);
    }
  }
  return out;
}
