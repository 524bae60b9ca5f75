// When a car's state is written. A state is 5 KB and an event a twelfth of that, so a state with each event would be most of what
// the log holds. Each scored event earns some bytes; they are spent on snapshots of the cars whose oldest event that is in no
// snapshot is the oldest: no fleet writes more than was earned, snapshots are spread over all batches, and a car that fell
// silent has its turn like any other. What is in no snapshot is told from telemetry again by whoever takes over.
import type { Car } from './car.ts';

/**
 * An event waits no longer for a snapshot than this, in log time: in a fleet that hardly speaks, the bytes earned would let it
 * wait until telemetry no longer has it.
 */
const SAVED_WITHIN_MS = 3_600_000;
/** What a log keeps of a record besides key and value, about. */
const RECORD_BYTES = 32;
const COMPACT_FROM = 1024;

/** A car as the scorer keeps it. */
export interface KeptCar {
  readonly vin: string;
  readonly car: Car;
  /** Its events before this offset of telemetry are in its newest snapshot. */
  savedTo: number;
  /** Its first event that is in no snapshot; −1: all are. */
  unsavedFrom: number;
  /** When that event was taken in, ms. */
  unsavedMs: number;
}

export const keptCar = (vin: string, car: Car, savedTo = 0): KeptCar => ({
  vin,
  car,
  savedTo,
  unsavedFrom: -1,
  unsavedMs: 0,
});

/** What a batch adds to the queue. */
export interface Settled {
  readonly scored: number;
  /** Offset after the batch. */
  readonly next: number;
  /** Log time of its last record. */
  readonly nowMs: number;
}

/** Cars with events that are in no snapshot, in the order of the first of them. */
export class SnapshotQueue {
  readonly #bytesPerEvent: number;
  #cars: KeptCar[] = [];
  #head = 0;
  #credit = 0;

  constructor(bytesPerEvent: number) {
    this.#bytesPerEvent = bytesPerEvent;
  }

  /** Cars that wait. */
  get length(): number {
    return this.#cars.length - this.#head;
  }

  /** An event has changed the car; events come in the order of their offsets. */
  note(kept: KeptCar, offset: number, timestampMs: number): void {
    if (kept.unsavedFrom >= 0) return;
    kept.unsavedFrom = offset;
    kept.unsavedMs = timestampMs;
    this.#cars.push(kept);
  }

  /**
   * Takes out the cars whose turn it is after a batch, at most one for each event scored. `write` is told from which offset on
   * events are then in no snapshot, and gives the bytes of the value it wrote. The first batch of a life that scores anything writes
   * one: without a snapshot in the log nobody would know from where to read telemetry again.
   */
  settle({ scored, next, nowMs }: Settled, write: (kept: KeptCar, unsavedFrom: number) => number): void {
    this.#credit += scored * this.#bytesPerEvent;
    for (let written = 0; written < scored; written += 1) {
      const kept = this.#cars[this.#head];
      if (kept === undefined) break;
      if (this.#credit <= 0 && nowMs - kept.unsavedMs < SAVED_WITHIN_MS) return;
      this.#head += 1;
      kept.savedTo = next;
      kept.unsavedFrom = -1;
      const bytes = write(kept, this.#cars[this.#head]?.unsavedFrom ?? next) + kept.vin.length + RECORD_BYTES;
      // A debt of one state at most: those written for their age alone are not paid for.
      this.#credit = Math.max(this.#credit - bytes, -bytes);
    }
    // Where all is saved, nothing is put by for a burst.
    if (this.length === 0) this.#credit = Math.min(this.#credit, 0);
    this.#compact();
  }

  #compact(): void {
    if (this.#head < COMPACT_FROM || 2 * this.#head < this.#cars.length) return;
    this.#cars = this.#cars.slice(this.#head);
    this.#head = 0;
  }
}
