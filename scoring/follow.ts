// One event of one car: is it late, and what does the detector find? The same for the stream and for recordings.
import type { CarState } from '../core/model/car-state.ts';
import type { Detector, Finding } from '../core/model/detector.ts';
import type { Car } from './car.ts';

/** Late events in a row, in sequence, after which the car's clock is taken to have been set back. */
export const CLOCK_SET_BACK = 10;

/** An event as it is followed. */
export interface FollowedEvent {
  /** Readings in catalogue order, NaN: missing. */
  readonly values: Float64Array;
  /** Event time, ms. */
  readonly tsMs: number;
  /** When it was taken in, ms; infinite where that is not known, as in a recording. */
  readonly receivedMs: number;
  /** It is the car's newest by its count. */
  readonly inOrder: boolean;
}

/**
 * Notes the event's time: whether it is late. A newest time that lies ahead of the day on which this event was measured never was:
 * one event with a clock that ran ahead makes no later one late. A clock that was set back is followed after CLOCK_SET_BACK
 * events, the state starting anew.
 */
export function noteTime(
  detector: Detector,
  car: Car,
  { tsMs, receivedMs, inOrder }: FollowedEvent,
): boolean {
  const { latenessMs } = detector.bundle;
  if (tsMs >= car.newestTsMs - latenessMs) {
    car.newestTsMs = Math.max(car.newestTsMs, tsMs);
    car.lateRun = 0;
    return false;
  }
  if (car.newestTsMs > receivedMs + latenessMs && tsMs <= receivedMs + latenessMs) {
    car.newestTsMs = tsMs;
    car.detector.lastTsMs = Math.min(car.detector.lastTsMs, tsMs);
    car.lateRun = 0;
    return false;
  }
  if (!inOrder) return true;
  car.lateRun += 1;
  if (car.lateRun < CLOCK_SET_BACK) return true;
  car.newestTsMs = tsMs;
  car.lateRun = 0;
  car.detector = detector.newState();
  return false;
}

const result: { finding: Finding | null; late: boolean } = { finding: null, late: false };

/**
 * Advances the car by one event; `detector.explain()` then says why, if anybody asks. A late event is scored against a copy of the car's state (in `scratch`),
 * which stays as it was. The result is overwritten by the next call.
 */
export function followCar(
  detector: Detector,
  car: Car,
  scratch: CarState,
  event: FollowedEvent,
): { readonly finding: Finding; readonly late: boolean } {
  const { values, tsMs } = event;
  const late = noteTime(detector, car, event);
  if (late) {
    scratch.lastTsMs = car.detector.lastTsMs;
    scratch.slots.set(car.detector.slots);
    result.finding = detector.step(scratch, values, tsMs);
  } else result.finding = detector.step(car.detector, values, tsMs);
  result.late = late;
  return result as { finding: Finding; late: boolean };
}
