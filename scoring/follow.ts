// One event of one car: is it late, and what does the detector find? The same for the stream and for recordings.
import type { CarState, Detector, Finding } from '../core/model/detector.ts';
import type { Car } from './car.ts';

/** Late events in a row, in sequence, after which the car's clock is taken to have been set back. */
export const CLOCK_SET_BACK = 10;

/** Notes the event's time; a clock that was set back is followed after CLOCK_SET_BACK events, the state starting anew. */
function noteTime(detector: Detector, car: Car, tsMs: number, inOrder: boolean): boolean {
  if (tsMs >= car.newestTsMs - detector.bundle.latenessMs) {
    car.newestTsMs = Math.max(car.newestTsMs, tsMs);
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
 * Advances the car by one event and explains it. A late event is scored against a copy of the car's state (in `scratch`),
 * which stays as it was. The result is overwritten by the next call.
 * @param inOrder the event is the car's newest by sequence
 */
export function followCar(
  detector: Detector,
  car: Car,
  scratch: CarState,
  values: Float64Array,
  tsMs: number,
  inOrder: boolean,
): { readonly finding: Finding; readonly late: boolean } {
  const late = noteTime(detector, car, tsMs, inOrder);
  if (late) {
    scratch.lastTsMs = car.detector.lastTsMs;
    scratch.slots.set(car.detector.slots);
    detector.step(scratch, values, tsMs);
  } else detector.step(car.detector, values, tsMs);
  result.finding = detector.explain();
  result.late = late;
  return result as { finding: Finding; late: boolean };
}
