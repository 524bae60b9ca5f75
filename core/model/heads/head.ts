// A head is one detector among several: it follows a car event by event and gives statistics, each calibrated on its
// own (tail.ts), so that heads with different units compete on one scale. A new kind of head is a folder beside this
// file and a line in kinds.ts.
import { TelltaleError } from '../../errors.ts';
import type { Losses } from '../losses.ts';
import type { Floats } from '../numbers.ts';

/** One event of one car, as every head sees it. Reused from event to event: a head copies what it keeps. */
export interface HeadInput {
  /** One number a channel, clipped robust z-score; a guess where the channel is lost, 0 where it is missing otherwise. */
  readonly features: Floats;
  /** 1 where measured. */
  readonly present: Uint8Array;
  /** The autoencoder's output for `features`. */
  readonly reconstruction: Float64Array;
  /** One a signal that stood still in training (bundle.still): STILL, MOVED, NOT_MEASURED or LOST (features.ts). Absent: there are none. */
  readonly moved?: Uint8Array;
  /** True for a car's first event and after a long pause: what the state says of the past no longer holds. */
  restart: boolean;
  /** Event time since the car's event before, in usual sampling steps, 1 to MAX_STEPS. */
  steps: number;
  /** Channels that are lost or lately were (losses.ts); null or absent: none. */
  losses?: Losses | null;
}

/** Steps beyond which elapsed time is not told apart. */
export const MAX_STEPS = 16;

/** Steps beyond which the movement since the event before says nothing: too much may have happened between the two. */
export const MOST_STEPS_MOVED = 4;

/** What is known of a head before it runs. */
export interface HeadShape {
  /** Names of its statistics, in the order `step` writes them. */
  readonly statistics: readonly string[];
  /** 1 for a statistic that shall be heard alone: it counts by its fourth power. Absent: none. */
  readonly alone?: readonly number[];
  /** 1 for a statistic that ranks rows: it counts from the first strangeness on. Absent: all support, and speak when they are rarely so high. */
  readonly ranks?: readonly number[];
  /**
   * Where a history is long enough to know how seldom that is, the raw value from which a statistic is as loud as an
   * alert. Absent: training finds it for those heard alone.
   */
  readonly loud?: number;
  /** 32-bit floats of state a car needs. All zero is the state of a car never seen. */
  readonly stateSize: number;
}

export interface Head extends HeadShape {
  readonly name: string;
  /** Advances the car's state (from `state[at]`) by one event and writes the statistics, finite, higher is stranger. */
  step(
    input: HeadInput,
    state: Float32Array,
    at: number,
    statistics: Float64Array,
    statisticsAt: number,
  ): void;
  /**
   * Each channel's part in statistic `index` of the last step, ≥ 0, any scale; behind the channels the parts of signals
   * that stood still, where the array has room for them.
   */
  blame(index: number, parts: Float64Array): void;
  /** What the head expected of each channel in the last step, as features; heads that foretell nothing lack it. */
  expected?(out: Float64Array): void;
}

/** What a bundle says of a head: its kind and whatever that kind needs, JSON. */
export interface HeadSpec {
  readonly kind: string;
  readonly name: string;
  /** Weight of its levels in the score, 0–1. Default 1. */
  readonly share?: number;
}

/** @throws TelltaleError MODEL_INVALID for a span that no average has */
export function checkSpan(span: number, name: string): void {
  if (!(span >= 1 && span <= 10_000))
    throw new TelltaleError('MODEL_INVALID', `head ${name}: span ${span} is not 1 to 10,000`);
}

/** Weight of the newest event in an average of `span` events, for 0 to MAX_STEPS steps elapsed. */
export function smoothingTable(span: number): Float64Array {
  const keep = 1 - 2 / (span + 1);
  return Float64Array.from({ length: MAX_STEPS + 1 }, (_, steps) => 1 - keep ** Math.max(1, steps));
}
