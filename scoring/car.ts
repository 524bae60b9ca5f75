// All the scorer remembers of a car, and its bytes in the state topic.
import { TelltaleError } from '../core/errors.ts';
import type { CarState, Detector } from '../core/model/detector.ts';
import { MAX_GAPS, newSequence, type SequenceState } from './sequence.ts';

const LAYOUT = 1;
const HEADER_BYTES = 20;

export interface Car {
  readonly sequence: SequenceState;
  /** Event time of the newest event that was not late; −Infinity: none. */
  newestTsMs: number;
  /** Events in a row, in order of sequence, that were late: a clock set back rather than late events. */
  lateRun: number;
  detector: CarState;
}

export const newCar = (detector: Detector): Car => ({
  sequence: newSequence(),
  newestTsMs: Number.NEGATIVE_INFINITY,
  lateRun: 0,
  detector: detector.newState(),
});

/** layout u8, late run u8, gaps u16, highest f64, newest f64, gaps f64…, detector state. Little-endian. */
export function encodeCar(car: Car, detector: Detector): Uint8Array {
  const { gaps, highest } = car.sequence;
  const state = detector.encodeState(car.detector);
  const bytes = new Uint8Array(HEADER_BYTES + 8 * gaps.length + state.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, LAYOUT);
  view.setUint8(1, car.lateRun);
  view.setUint16(2, gaps.length, true);
  view.setFloat64(4, highest, true);
  view.setFloat64(12, car.newestTsMs, true);
  for (let g = 0; g < gaps.length; g += 1) view.setFloat64(HEADER_BYTES + 8 * g, gaps[g]!, true);
  bytes.set(state, HEADER_BYTES + 8 * gaps.length);
  return bytes;
}

/** @throws TelltaleError MODEL_INVALID when the bytes are not a car's state under this model */
export function decodeCar(bytes: Uint8Array, detector: Detector): Car {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length < HEADER_BYTES ? -1 : view.getUint16(2, true);
  const end = HEADER_BYTES + 8 * count;
  if (count < 0 || count > 2 * MAX_GAPS || view.getUint8(0) !== LAYOUT || bytes.length < end)
    throw new TelltaleError('MODEL_INVALID', 'the state of a car has another layout');
  const gaps = Array.from({ length: count }, (_, g) => view.getFloat64(HEADER_BYTES + 8 * g, true));
  return {
    sequence: { highest: view.getFloat64(4, true), gaps },
    newestTsMs: view.getFloat64(12, true),
    lateRun: view.getUint8(1),
    detector: detector.decodeState(bytes.subarray(end)),
  };
}
