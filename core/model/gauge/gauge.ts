// A gauge: a stream of residual vectors averaged over `span` events and judged by what such averages normally do
// together. The covariance is that of the AVERAGED residuals of cars the forecaster had not seen, so it knows how long
// deviations last and how much cars differ. The statistic is the Mahalanobis distance, with `tails` the strangest
// channels' levels, with `reach` the rarity of the one channel that is furthest out (reach.ts). An average over minutes
// would go on accusing long after a fault is gone; with `release` it is let go as soon as the last few events are
// clearly nearer to the usual than it is (an adaptive EWMA, Capizzi & Masarotto 2003, on the way back only).
import { TelltaleError } from '../../errors.ts';
import { checkSpan, type HeadInput, smoothingTable } from '../heads/head.ts';
import { compileMap } from '../kernel.ts';
import type { Losses } from '../losses.ts';
import { decodeFloats } from '../numbers.ts';
import { type Tail, tailLevel } from '../tail.ts';
import {
  createMarginals,
  decodeShifts,
  SHIFT_DIRECTIONS,
  type Shifts,
  shiftsLeft,
  unitOf,
} from './marginal.ts';
import { checkReach, REACH_NUMBERS, type ReachTails, rarityOf } from './reach.ts';

export interface GaugeSpec {
  /** Events averaged, ≥ 1. */
  readonly span: number;
  /** base64 floats, channels × channels: inverse covariance of the averages, in residual units. */
  readonly precision?: string;
  /** One a channel: how strange |precision row · averages| / √diagonal is. Absent: the Mahalanobis distance is the statistic. */
  readonly tails?: readonly Tail[];
  /** How much nearer to 0 the newest events must be before an average follows them, in the stream's unit. Absent: never. */
  readonly release?: number;
  /**
   * base64 floats, as in ReachTails: how far whole cars' averages go. The statistic is then the rarity of the rarest
   * channel, each on its own, and neither `precision` nor `tails` is there.
   */
  readonly reach?: string;
  /**
   * How averages are shifted when a channel is lost: with `precision` as Shifts has it, with `reach` for each channel
   * lost the root mean square of each channel's shift, channels × channels; base64 floats. Absent: not known, taken as
   * 0.
   */
  readonly shifts?: string;
}

export interface Gauge {
  /** Averages `stream` (NaN: not measured, the average stays) into `state` and returns the statistic; `fresh` as in createAverage. */
  step(
    stream: Float32Array,
    input: HeadInput,
    state: Float32Array,
    at: number,
    fresh?: Float32Array,
    freshAt?: number,
  ): number;
  /** Each channel's part in the last statistic, ≥ 0. */
  blame(parts: Float64Array): void;
}

/** Events that say where a stream stands now. */
export const FRESH_SPAN = 8;
/** Share of what an average is too far out that one event takes off. */
const RELEASED = 0.3;

export interface AveragePlan {
  readonly span: number;
  readonly release?: number | undefined;
}

/**
 * Takes an event into the averages in `state`, one a channel, which begin at 0: what is usual of every stream. `fresh`:
 * averages of the same stream over FRESH_SPAN events, with which an average that has a `release` is let go.
 */
export function createAverage({ span, release }: AveragePlan, channels: number) {
  const table = smoothingTable(span);
  return (
    stream: Float32Array | Float64Array,
    { restart, steps }: Pick<HeadInput, 'restart' | 'steps'>,
    state: Float32Array,
    at: number,
    fresh?: Float32Array,
    freshAt = 0,
  ): void => {
    const weight = table[steps]!;
    for (let k = 0; k < channels; k += 1) {
      const old = restart ? 0 : state[at + k]!;
      const value = stream[k]!;
      let next = Number.isNaN(value) ? old : old + weight * (value - old);
      if (release !== undefined && fresh !== undefined) {
        const size = next < 0 ? -next : next;
        const nearer = (next < 0 ? -1 : 1) * (next - fresh[freshAt + k]!) - release;
        if (nearer > 0) next -= next * Math.min(1, (RELEASED * nearer) / size);
      }
      state[at + k] = next;
    }
  };
}

/** What a gauge judges averages by: a reach, or a precision and the roots of its diagonal. */
export type GaugeParts = { readonly shifts: Shifts | null } & (
  | { readonly reach: ReachTails }
  | { readonly reach?: undefined; readonly precision: Float32Array; readonly roots: Float64Array }
);

/** @throws TelltaleError MODEL_INVALID */
export function decodeGauge(spec: GaugeSpec, channels: number, name: string): GaugeParts {
  const { span, tails } = spec;
  checkSpan(span, name);
  if (spec.release !== undefined && !(spec.release >= 0))
    throw new TelltaleError('MODEL_INVALID', `head ${name}: release ${spec.release} is not 0 or more`);
  if (tails && tails.length !== channels)
    throw new TelltaleError('MODEL_INVALID', `head ${name}: ${tails.length} tails for ${channels} channels`);
  if (spec.reach !== undefined) {
    const reach = decodeFloats(spec.reach, REACH_NUMBERS * channels, `head ${name}: reach`);
    checkReach(reach, name);
    return { reach, shifts: decodeShifts(spec.shifts, channels, 1, `head ${name}`) };
  }
  const precision = decodeFloats(spec.precision ?? '', channels * channels, `head ${name}: precision`);
  const roots = Float64Array.from({ length: channels }, (_, k) => Math.sqrt(precision[k * channels + k]!));
  if (!roots.every((root) => root > 0))
    throw new TelltaleError('MODEL_INVALID', `head ${name}: the precision is not positive`);
  return { precision, roots, shifts: decodeShifts(spec.shifts, channels, SHIFT_DIRECTIONS, `head ${name}`) };
}

/** @throws TelltaleError MODEL_INVALID */
export function createGauge(spec: GaugeSpec, channels: number, name: string): Gauge {
  const { span, tails } = spec;
  const decoded = decodeGauge(spec, channels, name);
  if (decoded.reach) return createReachGauge(decoded.reach, spec, decoded.shifts);
  const { precision, roots, shifts } = decoded;
  const { input: averages, output: turned, run } = compileMap(precision, null, channels, channels);
  const average = createAverage(spec, channels);
  const parts = new Float64Array(channels);
  const marginals = createMarginals(precision, channels, span, shifts, unitOf(channels));

  const mahalanobis = (roots: Float64Array): number => {
    let sum = 0;
    for (let k = 0; k < channels; k += 1) {
      sum += turned[k]! * averages[k]!;
      parts[k] = roots[k] === 0 ? 0 : (turned[k]! / roots[k]!) ** 2;
    }
    return Math.sqrt(Math.max(0, sum) / channels);
  };
  const strangest = (levels: readonly Tail[], roots: Float64Array): number => {
    let first = 0;
    let second = 0;
    for (let k = 0; k < channels; k += 1) {
      const level = roots[k] === 0 ? 0 : tailLevel(levels[k]!, Math.abs(turned[k]!) / roots[k]!);
      parts[k] = level;
      if (level > first) {
        second = first;
        first = level;
      } else if (level > second) second = level;
    }
    return first + second / 2;
  };
  return {
    step: (stream, input, state, at, fresh, freshAt) => {
      average(stream, input, state, at, fresh, freshAt);
      for (let k = 0; k < channels; k += 1) averages[k] = state[at + k]!;
      run();
      const marginal = input.losses ? marginals(input.losses) : null;
      marginal?.turn(turned);
      const left = marginal?.roots ?? roots;
      return tails ? strangest(tails, left) : mahalanobis(left);
    },
    blame: (out) => out.set(parts),
  };
}

/** Each channel on its own, by how rare it is that one goes so far in whole cars. */
function createReachGauge(reach: ReachTails, plan: AveragePlan, shifts: Shifts | null): Gauge {
  const channels = reach.length / REACH_NUMBERS;
  const average = createAverage(plan, channels);
  const parts = new Float64Array(channels);
  const heldIn = createHeldIn(reach, shifts, plan.span);
  return {
    step: (stream, input, state, at, fresh, freshAt) => {
      average(stream, input, state, at, fresh, freshAt);
      const held = input.losses ? heldIn(input.losses) : null;
      let most = 0;
      for (let k = 0; k < channels; k += 1) {
        const size = Math.abs(state[at + k]!);
        const rarity = rarityOf(reach, k, held ? size * held[k]! : size);
        // Squared twice: the channel that made the statistic takes the blame.
        parts[k] = rarity ** 4;
        if (rarity > most) most = rarity;
      }
      return most;
    },
    blame: (out) => out.set(parts),
  };
}

/**
 * What sizes are multiplied by while channels are lost: what a loss shifts goes further by itself, so it must go
 * further to be as rare; a lost channel goes nowhere.
 */
export function createHeldIn(
  reach: ReachTails,
  shifts: Shifts | null,
  span: number,
): (losses: Losses) => Float64Array {
  const channels = reach.length / REACH_NUMBERS;
  const made = new WeakMap<Losses, Float64Array>();
  return (losses) => {
    const known = made.get(losses);
    if (known) return known;
    const left = shiftsLeft(losses, span);
    const held = Float64Array.from({ length: channels }, (_, k) => {
      if (losses.lost[k] === 1) return 0;
      let shift = 0;
      for (let j = 0; shifts !== null && j < channels; j += 1) shift += left[j]! * shifts[j * channels + k]!;
      return reach[k]! / Math.hypot(reach[k]!, shift);
    });
    made.set(losses, held);
    return held;
  };
}
