// The streams of evidence of the relation head: what is left of each channel when the readouts have spoken, in units of
// what usually is left, and less what is usual for the car.

import { createAverage, FRESH_SPAN } from '../../gauge/gauge.ts';
import type { Floats } from '../../numbers.ts';
import { type HeadInput, MOST_STEPS_MOVED } from '../head.ts';
import type { Forecaster } from './forecaster.ts';
import { STREAMS, stateLayout } from './state.ts';

/** Held-in bounds of one normalised residual. */
const CLIP = 8;
/** The same in `fine`, whose channels are judged alone: what is far beyond CLIP may still be within their reach. */
const FINE_CLIP = 20;
/** A movement counts by its square root, so that one jump does not outweigh a minute of trembling. */
const MOST_MOVEMENT = 6;

export type Streams = Readonly<Record<(typeof STREAMS)[number], Float32Array>>;

export const createStreams = (channels: number): Streams => ({
  others: new Float32Array(channels),
  own: new Float32Array(channels),
  fine: new Float32Array(channels),
  jitter: new Float32Array(channels),
});

/** The usual spread over the plain one from its foretold log, bounded: a quiet state is not trusted to be still for ever. */
export const spreadFactor = (log: number): number => Math.exp(log < -2 ? -2 : log > 2 ? 2 : log);

const within = (value: number, most: number): number => (value > most ? most : value < -most ? -most : value);

/** The size of a movement as evidence. */
export const movementOf = (movement: number): number => Math.sqrt(Math.min(MOST_MOVEMENT, movement));

/** Events of the fleet's that a car's habits in `own` and `jitter` are weighed against. */
const FLEET_WEIGHT = 600;
/** One event moves a habit no further than by this much of strangeness, so that a fault is slow to become one. */
const MOST_NEWS = 0.3;
/**
 * A residual says something new each fifteen events or so, and averages over ten times as many are judged: the doubt
 * about a habit, in squared spreads, is this over the events it is known from.
 */
const DOUBT = 150;

/**
 * What `value`, in spreads, is off a car's habit, which then learns from it. `share`: the event's share in the habit,
 * one over the events that it is known from: the car's, and those of the fleet's that these are weighed against.
 */
export function offHabit(value: number, state: Float32Array, at: number, share: number): number {
  const off = value - state[at]!;
  state[at] = state[at]! + share * within(off, MOST_NEWS);
  return off;
}

/** What the streams are made from besides the readouts' output. */
export interface StreamSource {
  readonly channels: number;
  readonly slow: number;
  /** 4·channels and channels, as in RelationSpec. */
  readonly spreads: Floats;
  readonly fleetEvents: Floats;
}

/**
 * The streams of evidence of one event; the forecaster has run. A car's habits are taken off all but `others`, so that
 * cars of a kind the forecaster hardly knows are judged by their own past. A channel that was not measured is as usual
 * (0), so its average fades; in `jitter`, while it is not lost, and where a movement cannot be told, it is not known
 * (NaN), and the average stays.
 */
export function fillStreams(
  { channels, slow, spreads, fleetEvents }: StreamSource,
  input: HeadInput,
  { inputs: now, foretold, spreadLogs }: Forecaster,
  movement: Float64Array,
  state: Float32Array,
  at: number,
  streams: Streams,
): void {
  const { count, habits: from, fresh, away } = stateLayout(channels);
  const events = state[at + count]!;
  const slowest = 2 / (slow + 1);
  const habits = at + from;
  if (input.restart) state.fill(0, habits, at + fresh);
  for (let k = 0; k < channels; k += 1) {
    if (input.present[k] !== 1) {
      streams.others[k] = 0;
      streams.own[k] = 0;
      streams.fine[k] = 0;
      streams.jitter[k] = input.losses?.lost[k] === 1 ? 0 : Number.NaN;
      continue;
    }
    const known = Math.max(1, events - Math.abs(state[at + away + k]!));
    const weight = Math.max(slowest, 1 / (known + FLEET_WEIGHT));
    const value = now[1 + k]!;
    const usual = spreads[k]! * spreadFactor(spreadLogs[k]!);
    streams.others[k] = within((value - foretold[k]!) / usual, CLIP);
    const changed = (value - foretold[channels + k]!) / spreads[channels + k]!;
    streams.own[k] = offHabit(within(changed, CLIP), state, habits + k, weight);
    const share = 1 / (known + fleetEvents[k]!);
    const off = offHabit(changed, state, habits + channels + k, share);
    const factor = spreadFactor(spreadLogs[channels + k]!);
    streams.fine[k] = within(off / Math.sqrt(factor * factor + DOUBT * share), FINE_CLIP);
    const trembling = spreads[2 * channels + k]! * spreadFactor(spreadLogs[2 * channels + k]!);
    const moved = movementOf(movement[k]! / trembling) - spreads[3 * channels + k]!;
    streams.jitter[k] =
      input.steps > MOST_STEPS_MOVED ? Number.NaN : offHabit(moved, state, habits + 2 * channels + k, weight);
  }
}

/** Averages each stream over its newest events, in the car's state from `fresh` on; they say when an older average is to be let go. */
export function createFreshAverages(channels: number) {
  const average = createAverage({ span: FRESH_SPAN }, channels);
  return (streams: Streams, input: HeadInput, state: Float32Array, at: number): void => {
    for (let s = 0; s < STREAMS.length; s += 1)
      average(streams[STREAMS[s]!], input, state, at + s * channels);
  };
}
