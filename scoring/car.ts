// All the scorer remembers of a car, and its bytes in the state topic.
import { TelltaleError } from '../core/errors.ts';
import type { CarState } from '../core/model/car-state.ts';
import type { Detector } from '../core/model/detector.ts';
import { newSequence, type Sequence } from '../core/sequence.ts';
import { decodeSequence, encodeSequence, MOST_SEQUENCE_BYTES } from './sequence-bytes.ts';

/** Of 2 and before there is nothing to be read: no model runs here whose states were written so. */
const LAYOUT = 4;
const HEADER_BYTES = 26;

export interface Car {
  readonly sequence: Sequence;
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

/** A car's state as it stands in the log. */
export interface Snapshot {
  /** Null: this program or this model cannot read it. */
  readonly car: Car | null;
  /** All events of the car before this offset of telemetry are in it, and none after. */
  readonly trueAt: number;
  /** Offset of telemetry before which each event is in some snapshot; −1: not told. */
  readonly unsavedFrom: number;
}

const scratch = new DataView(new ArrayBuffer(HEADER_BYTES + MOST_SEQUENCE_BYTES));

/** layout u8, late run u8, newest, true at, unsaved from f64, the sessions, detector state. Little-endian. */
export function encodeSnapshot(
  car: Car,
  { trueAt, unsavedFrom }: Pick<Snapshot, 'trueAt' | 'unsavedFrom'>,
  detector: Detector,
): Uint8Array {
  scratch.setUint8(0, LAYOUT);
  scratch.setUint8(1, car.lateRun);
  scratch.setFloat64(2, car.newestTsMs, true);
  scratch.setFloat64(10, trueAt, true);
  scratch.setFloat64(18, unsavedFrom, true);
  const end = encodeSequence(car.sequence, scratch, HEADER_BYTES);
  const state = detector.encodeState(car.detector);
  const bytes = new Uint8Array(end + state.length);
  bytes.set(new Uint8Array(scratch.buffer, 0, end));
  bytes.set(state, end);
  return bytes;
}

/** Null when the bytes are not a car's state under this model. */
function decodeCar(bytes: Uint8Array, view: DataView, detector: Detector): Car | null {
  const told = decodeSequence(view, HEADER_BYTES);
  if (told === null) return null;
  try {
    const state = detector.decodeState(bytes.subarray(told.end));
    const newestTsMs = view.getFloat64(2, true);
    return { sequence: told.sequence, newestTsMs, lateRun: view.getUint8(1), detector: state };
  } catch (error) {
    if (error instanceof TelltaleError) return null;
    throw error;
  }
}

export function decodeSnapshot(bytes: Uint8Array, detector: Detector): Snapshot {
  if (bytes.length < HEADER_BYTES || bytes[0] !== LAYOUT) return { car: null, trueAt: 0, unsavedFrom: -1 };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    car: decodeCar(bytes, view, detector),
    trueAt: view.getFloat64(10, true),
    unsavedFrom: view.getFloat64(18, true),
  };
}
