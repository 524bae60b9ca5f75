// A wave of events of different cars: each is entered, then those are taken that can be computed together.
import type { CarState } from './car-state.ts';
import { LANES } from './lanes/kernel.ts';
import type { LaneEvent, LaneRunner } from './lanes/runner.ts';
import type { Seen } from './readings.ts';

/** An event of a car, to be followed. */
export interface CarEvent {
  /** Of a car that no other event of the wave is of; advanced. */
  readonly state: CarState;
  /** Readings in catalogue order from `at` on (NaN: missing). */
  readonly values: Float64Array | Float32Array;
  readonly at: number;
  /** An event older than the car's newest counts as one usual step later. */
  readonly tsMs: number;
}

/** Events of a wave at most: enough that four of them nearly always lack the same signals, or none. */
export const MOST_IN_WAVE = 64;

export interface Entering {
  /** Those taken last, LANES at most, and the places of their events in the wave. */
  readonly together: readonly LaneEvent[];
  readonly places: Uint8Array;
  /** Enters the first `count` events; returns how many there are. */
  enter(events: readonly CarEvent[], count: number): number;
  /** Takes those that go with the first of `left` events, LANES at most, out of them; returns how many are left. */
  takeTogether(left: number): number;
}

/** `see` fills what is seen of an event. Nothing is allocated by its calls. */
export function createEntering(
  runner: LaneRunner,
  see: (event: LaneEvent, from: CarEvent) => void,
  newSeen: () => Seen,
): Entering {
  const entered = Array.from({ length: MOST_IN_WAVE }, () => runner.newEvent(newSeen()));
  const waiting = new Uint8Array(MOST_IN_WAVE);
  const together: LaneEvent[] = [];
  const places = new Uint8Array(LANES);
  return {
    together,
    places,
    enter: (events, count) => {
      for (let i = 0; i < count; i += 1) {
        see(entered[i]!, events[i]!);
        runner.enter(entered[i]!);
        waiting[i] = i;
      }
      return count;
    },
    takeTogether: (left) => {
      const first = entered[waiting[0]!]!;
      together.length = 0;
      let kept = 0;
      for (let i = 0; i < left; i += 1) {
        const place = waiting[i]!;
        const event = entered[place]!;
        if (together.length < LANES && runner.goTogether(first, event)) {
          places[together.length] = place;
          together.push(event);
        } else waiting[kept++] = place;
      }
      return kept;
    },
  };
}
