// A head in lanes: the same as a head of core/model/heads/, for the cars of a wave at once. That one is the
// reference: what this one computes is held to it within 1e-5 by tests.
import type { Frame } from './frame.ts';

export interface LaneHead {
  /** Advances the states of the wave's cars and writes their statistics, one row each, from `statistics` on. */
  step(statistics: number): void;
  /** Of a head that does not follow every car: what became of the car of a lane before, as far as this head followed it. */
  setPast?(lane: number, restart: boolean, steps: number): void;
  /** As Head.blame, of the car in a lane of the last wave. */
  blame(lane: number, index: number, parts: Float64Array): void;
  /** As Head.expected, of the car in a lane of the last wave. */
  expected?(lane: number, out: Float64Array): void;
}

/** What a head is compiled with. */
export interface LanePlace {
  readonly frame: Frame;
  /** Where its state is, in vectors. */
  readonly state: number;
  /** A row: what is told of signals that stood still in the history. */
  readonly codes: number;
}
