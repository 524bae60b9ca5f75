// Events of a stream on their way to the detector, which follows many cars at once: they wait until as many different
// cars as fit into a wave have one. What is found comes later and in another order, but each car's events are
// followed in theirs.
import type { CarState } from '../core/model/car-state.ts';
import type { Detector, Finding } from '../core/model/detector.ts';
import { MOST_IN_WAVE } from '../core/model/wave.ts';
import type { Car } from './car.ts';
import { type FollowedEvent, noteTime } from './follow.ts';

/** Told what was found in an event; the finding, and what `detector.explain()` says of it, hold until it returns. */
export type Found<T> = (note: T, finding: Finding, values: Float64Array, late: boolean) => void;

interface Waiting<T> {
  state: CarState;
  readonly values: Float64Array;
  readonly at: number;
  tsMs: number;
  car: Car | null;
  note: T | null;
}

export class Waves<T> {
  readonly #detector: Detector;
  readonly #found: Found<T>;
  readonly #waiting: readonly Waiting<T>[];
  readonly #scratch: CarState;
  readonly #tell: (finding: Finding, i: number) => void;
  #count = 0;

  constructor(detector: Detector, found: Found<T>) {
    this.#detector = detector;
    this.#found = found;
    this.#scratch = detector.newState();
    const width = detector.bundle.catalogue.signals.length;
    this.#waiting = Array.from({ length: MOST_IN_WAVE }, () => ({
      ...{ state: this.#scratch, values: new Float64Array(width), at: 0, tsMs: 0, car: null, note: null },
    }));
    this.#tell = (finding, i) => {
      const { note, values } = this.#waiting[i]!;
      if (note !== null) this.#found(note, finding, values, false);
    };
  }

  /**
   * Takes an event of a car, its values copied; false: it is late. A late event is scored at once, against a copy of
   * the car's state, which stays as it was. `note` comes back with what was found; null: nobody asks, as of an event
   * that is only replayed.
   */
  follow(car: Car, event: FollowedEvent, note: T | null): boolean {
    // The car's events are followed one after the other, and noting a time may change its state.
    if (this.#isWaiting(car)) this.flush();
    const late = noteTime(this.#detector, car, event);
    if (late) {
      if (note !== null) this.#followLate(car, event, note);
      return false;
    }
    const place = this.#waiting[this.#count]!;
    place.state = car.detector;
    place.values.set(event.values);
    place.tsMs = event.tsMs;
    place.car = car;
    place.note = note;
    this.#count += 1;
    if (this.#count === MOST_IN_WAVE) this.flush();
    return true;
  }

  /** Follows what waits. */
  flush(): void {
    const count = this.#count;
    this.#count = 0;
    if (count > 0) this.#detector.wave(this.#waiting, count, this.#tell);
  }

  #isWaiting(car: Car): boolean {
    for (let i = 0; i < this.#count; i += 1) if (this.#waiting[i]!.car === car) return true;
    return false;
  }

  #followLate(car: Car, { values, tsMs }: FollowedEvent, note: T): void {
    this.#scratch.lastTsMs = car.detector.lastTsMs;
    this.#scratch.slots.set(car.detector.slots);
    this.#found(note, this.#detector.step(this.#scratch, values, tsMs), values, true);
  }
}
