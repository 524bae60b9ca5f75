// The threshold from a budget of alerts: how high must it stand so that normal driving of cars the model has not seen
// raises no more than so many alerts an hour, after hysteresis? A budget allows a handful of alerts over all hours held
// out, often less than one, so the count is continued by extreme-value theory: alerts become separate episodes, the
// peaks of the highest episodes are fitted by a generalised Pareto tail (Pickands 1975; probability-weighted moments,
// Hosking & Wallis 1987), and the tail is read where the budget is met.

import { concat } from '../../core/math/concat.ts';
import { fitGeneralizedPareto, quantileOfPareto } from '../../core/math/pareto.ts';
import type { Hysteresis } from '../../core/model/hysteresis.ts';
import { alertsAsked, type Budget } from '../data/alerts-asked.ts';

/**
 * The level that has lasted: at row i the `raise`-th largest of the last `window` scores (0 before there are `raise`).
 * An alert is up from the first row at which this reaches the threshold.
 */
export function sustainedLevels(scores: Float64Array, { window, raise }: Hysteresis): Float64Array {
  const out = new Float64Array(scores.length);
  // The last scores, largest first.
  const sorted = new Float64Array(window);
  let size = 0;
  for (let i = 0; i < scores.length; i += 1) {
    if (size === window) {
      size -= 1;
      for (let k = sorted.indexOf(scores[i - window]!); k < size; k += 1) sorted[k] = sorted[k + 1]!;
    }
    let k = size;
    for (; k > 0 && sorted[k - 1]! < scores[i]!; k -= 1) sorted[k] = sorted[k - 1]!;
    sorted[k] = scores[i]!;
    size += 1;
    if (size >= raise) out[i] = sorted[raise - 1]!;
  }
  return out;
}

/**
 * Peaks of the separate episodes of sustained levels above `base`: an episode ends when the level has stayed below for
 * `rest` rows.
 */
export function episodePeaks(levels: Float64Array, base: number, rest: number): number[] {
  const peaks: number[] = [];
  let peak = Number.NEGATIVE_INFINITY;
  let below = rest;
  for (const level of levels) {
    if (level >= base) {
      peak = Math.max(peak, level);
      below = 0;
      continue;
    }
    below += 1;
    if (below === rest && peak > Number.NEGATIVE_INFINITY) {
      peaks.push(peak);
      peak = Number.NEGATIVE_INFINITY;
    }
  }
  if (peak > Number.NEGATIVE_INFINITY) peaks.push(peak);
  return peaks;
}

/** How many peaks there are: bases are tried by the dozen. */
export function countEpisodes(levels: Float64Array, base: number, rest: number): number {
  let count = 0;
  let below = rest;
  for (let i = 0; i < levels.length; i += 1) {
    if (!(levels[i]! >= base)) {
      below += 1;
      continue;
    }
    if (below >= rest) count += 1;
    below = 0;
  }
  return count;
}

export interface Calibration {
  readonly threshold: number;
  /** Episodes that are allowed to reach it. */
  readonly allowed: number;
  /** Level from which episodes were fitted, their number, and the tail's scale and shape. */
  readonly base: number;
  readonly episodes: number;
  /** Episodes far beyond the others, taken for faults nobody labelled. */
  readonly faults: number;
  readonly scale: number;
  readonly shape: number;
}

/** Episodes the tail is fitted on, unless the budget allows more. */
const EPISODES = 20;

/** The tail begins where this many times the allowed alerts are raised. */
const TIMES_ALLOWED = 3;

/**
 * Share of the budget kept back among so many cars: cars not seen are odder than those seen, and the fewer were seen
 * the more so: 0.8 up to sixteen cars, towards 0.55 among many. Chosen on splits of real drives and on two simulated
 * fleets (docs/design/0005).
 */
export const keptBackOf = (cars: number): number => Math.min(0.8, 0.55 + 1 / Math.sqrt(cars));

/** Fewer episodes than this say nothing of where their tail begins. */
const LEAST_EPISODES = 8;

/** Bases tried from the top down, at even steps of the logarithm of the share of rows above, from one in 10⁵ on. */
const BASES = 80;

const DECADES = 5;

/**
 * The highest base at which at least `wanted` episodes begin. The lower the base the more begin, until they run into
 * each other: where there are never so many it is the base at which most begin, and 0 where those are a handful.
 * @param sorted all levels, ascending
 */
function baseFor(all: readonly Float64Array[], sorted: Float64Array, wanted: number, rest: number): number {
  const beginning = (base: number) => all.reduce((sum, levels) => sum + countEpisodes(levels, base, rest), 0);
  let above = sorted.at(-1)!;
  let most = 0;
  let best = 0;
  for (let i = 0; i <= BASES; i += 1) {
    const share = 10 ** ((i / BASES - 1) * DECADES);
    const base = sorted[Math.floor((1 - share) * (sorted.length - 1))]!;
    const count = beginning(base);
    if (count >= wanted) return highestBetween(base, above, (middle) => beginning(middle) >= wanted);
    if (count > most) {
      most = count;
      best = base;
    }
    above = base;
  }
  return most >= LEAST_EPISODES ? best : 0;
}

/** By bisection the highest value, from `low` where `holds` is true, up to `high`. */
function highestBetween(low: number, high: number, holds: (value: number) => boolean): number {
  for (let i = 0; i < 20; i += 1) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Faults are told from the rest among so many times the episodes the tail is fitted on. */
const MANY_TIMES = 4;

/** Share of the lowest excesses that tell the scale when it is asked which of the others are faults. */
const SURE_SHARE = 0.5;

const BEYOND = 4;

/**
 * How many of the excesses (ascending) can belong to one exponential tail. Its scale is read off the lowest ones alone
 * (maximum likelihood, the others censored), so the answer does not depend on how high the highest are.
 */
function plausible(excesses: Float64Array, beyond: number): number {
  const n = excesses.length;
  const sure = Math.ceil(SURE_SHARE * n);
  if (sure < 4) return n;
  let sum = (n - sure) * excesses[sure - 1]!;
  for (let i = 0; i < sure; i += 1) sum += excesses[i]!;
  const limit = (sum / sure) * (Math.log(n) + beyond);
  let count = n;
  while (count > sure && excesses[count - 1]! > limit) count -= 1;
  return count;
}

/** Windows of the hysteresis after which a level counts as another one where episodes are too few to be told apart. */
const FEW_APART = 1.5;

/**
 * Where there are too few separate episodes to fit a tail on, all sustained levels are one: exponential from 0 on, told
 * apart once in each `apart` rows.
 */
function fewEpisodes(levels: Float64Array, apart: number, allowed: number, faults: number): Calibration {
  const scale = Math.max(1e-6, levels.reduce((sum, level) => sum + level, 0) / Math.max(1, levels.length));
  const episodes = Math.max(1, levels.length / apart);
  return withThreshold({ allowed, base: 0, episodes, faults, scale, shape: 0 });
}

/** The level that only this share of the episodes that are allowed to reach the threshold reach. */
export const rarerLevel = (
  { base, episodes, scale, shape, allowed }: Omit<Calibration, 'threshold'>,
  share: number,
): number => base + quantileOfPareto(scale, shape, Math.min(1, (share * allowed) / Math.max(1, episodes)));

const withThreshold = (tail: Omit<Calibration, 'threshold'>): Calibration => ({
  threshold: rarerLevel(tail, 1),
  ...tail,
});

/** The threshold that keeps the budget, and how it was found. `scores`: each series by a model that has not seen it. */
export function calibrate(
  scores: readonly Float64Array[],
  hysteresis: Hysteresis,
  {
    alertsPerHour,
    hours,
    sameCars = false,
    cars = scores.length,
    keptBack = keptBackOf(cars),
    beyond = BEYOND,
  }: Budget,
): Calibration {
  const rows = scores.reduce((sum, { length }) => sum + length, 0);
  const asked = alertsAsked(rows, { alertsPerHour, hours });
  const allowed = sameCars ? asked : asked * (1 - keptBack);
  const all = scores.map((series) => sustainedLevels(series, hysteresis));
  const rest = hysteresis.window * 4;
  const wanted = Math.max(EPISODES, TIMES_ALLOWED * allowed);
  const sorted = concat(all).sort();
  const from = (count: number) => {
    const base = baseFor(all, sorted, count, rest);
    const peaks = all.flatMap((levels) => episodePeaks(levels, base, rest));
    return { base, excesses: Float64Array.from(peaks, (peak) => peak - base).sort() };
  };
  // Looked for among many more episodes, so that faults are few among them.
  const many = from(MANY_TIMES * wanted).excesses;
  const faults = many.length - plausible(many, beyond);
  const { base, excesses: reached } = from(wanted + faults);
  if (base <= 0) return fewEpisodes(sorted, FEW_APART * hysteresis.window, allowed, faults);
  const excesses = reached.subarray(0, Math.max(1, reached.length - faults));
  const { scale, shape } = fitGeneralizedPareto(excesses);
  return withThreshold({ allowed, base, episodes: excesses.length, faults, scale, shape });
}
