// All the scorer remembers of a car, and its bytes in the state topic.
import { TelltaleError } from '../core/errors.ts';
import type { CarState } from '../core/model/car-state.ts';
import type { Detector } from '../core/model/detector.ts';
import {
  MARK_NUMBERS,
  MAX_GAPS,
  MAX_MARKS,
  MAX_SESSIONS,
  newSequence,
  type Sequence,
  type Session,
} from '../core/sequence.ts';

const LAYOUT = 3;
const HEADER_BYTES = 28;
/** States written with every batch, by a program of before: without offsets, because each is true at the offset committed with it. */
const FORMER_LAYOUT = 2;
const FORMER_HEADER_BYTES = 12;
/** Of a session, before its gaps and marks. */
const SESSION_BYTES = 40;

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

const sessionBytes = ({ gaps, markCount }: Session) =>
  SESSION_BYTES + 8 * (gaps.length + MARK_NUMBERS * markCount);

/** mark u32, gaps u16, marks u16, newest, start, highest, closed f64; then gaps and marks f64… Returns where it ends. */
function encodeSession(session: Session, view: DataView, at: number): number {
  const { mark, gaps, marks, markCount } = session;
  view.setUint32(at, mark, true);
  view.setUint16(at + 4, gaps.length, true);
  view.setUint16(at + 6, markCount, true);
  view.setFloat64(at + 8, session.newestTsMs, true);
  view.setFloat64(at + 16, session.startTsMs, true);
  view.setFloat64(at + 24, session.highest, true);
  view.setFloat64(at + 32, session.closedTo, true);
  let next = at + SESSION_BYTES;
  for (let g = 0; g < gaps.length; g += 1, next += 8) view.setFloat64(next, gaps[g]!, true);
  for (let m = 0; m < MARK_NUMBERS * markCount; m += 1, next += 8) view.setFloat64(next, marks[m]!, true);
  return next;
}

/** A car's state as it stands in the log. */
export interface Snapshot {
  /** Null: this program or this model cannot read it. */
  readonly car: Car | null;
  /** All events of the car before this offset of telemetry are in it, and none after. 0 in the former layout. */
  readonly trueAt: number;
  /** Offset of telemetry before which each event is in some snapshot; −1: not told. */
  readonly unsavedFrom: number;
}

/** layout u8, late run u8, sessions u16, newest, true at, unsaved from f64, the sessions, detector state. Little-endian. */
export function encodeSnapshot(
  car: Car,
  { trueAt, unsavedFrom }: Pick<Snapshot, 'trueAt' | 'unsavedFrom'>,
  detector: Detector,
): Uint8Array {
  const { sequence } = car;
  const state = detector.encodeState(car.detector);
  const end = sequence.reduce((sum, session) => sum + sessionBytes(session), HEADER_BYTES);
  const bytes = new Uint8Array(end + state.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, LAYOUT);
  view.setUint8(1, car.lateRun);
  view.setUint16(2, sequence.length, true);
  view.setFloat64(4, car.newestTsMs, true);
  view.setFloat64(12, trueAt, true);
  view.setFloat64(20, unsavedFrom, true);
  let at = HEADER_BYTES;
  for (const session of sequence) at = encodeSession(session, view, at);
  bytes.set(state, at);
  return bytes;
}

/** Null when the bytes are no session. */
function decodeSession(view: DataView, at: number): Session | null {
  if (at + SESSION_BYTES > view.byteLength) return null;
  const gapCount = view.getUint16(at + 4, true);
  const markCount = view.getUint16(at + 6, true);
  if (gapCount > 2 * MAX_GAPS || markCount < 1 || markCount > MAX_MARKS) return null;
  const gapsAt = at + SESSION_BYTES;
  const marksAt = gapsAt + 8 * gapCount;
  if (marksAt + 8 * MARK_NUMBERS * markCount > view.byteLength) return null;
  const marks = new Float64Array(MAX_MARKS * MARK_NUMBERS);
  for (let m = 0; m < MARK_NUMBERS * markCount; m += 1) marks[m] = view.getFloat64(marksAt + 8 * m, true);
  return {
    mark: view.getUint32(at, true),
    newestTsMs: view.getFloat64(at + 8, true),
    startTsMs: view.getFloat64(at + 16, true),
    highest: view.getFloat64(at + 24, true),
    closedTo: view.getFloat64(at + 32, true),
    gaps: Array.from({ length: gapCount }, (_, g) => view.getFloat64(gapsAt + 8 * g, true)),
    marks,
    markCount,
  };
}

/** Null when the bytes are not a car's state under this model. */
function decodeCar(view: DataView, headerBytes: number, detector: Detector): Car | null {
  const count = view.getUint16(2, true);
  const sequence = newSequence();
  let at = headerBytes;
  for (let s = 0; s < count && s < MAX_SESSIONS; s += 1) {
    const session = decodeSession(view, at);
    if (session === null) return null;
    sequence.push(session);
    at += sessionBytes(session);
  }
  try {
    const state = detector.decodeState(
      new Uint8Array(view.buffer, view.byteOffset + at, view.byteLength - at),
    );
    return { sequence, newestTsMs: view.getFloat64(4, true), lateRun: view.getUint8(1), detector: state };
  } catch (error) {
    if (error instanceof TelltaleError) return null;
    throw error;
  }
}

export function decodeSnapshot(bytes: Uint8Array, detector: Detector): Snapshot {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const layout = bytes.length > 0 ? view.getUint8(0) : 0;
  if (layout === LAYOUT && bytes.length >= HEADER_BYTES)
    return {
      car: decodeCar(view, HEADER_BYTES, detector),
      trueAt: view.getFloat64(12, true),
      unsavedFrom: view.getFloat64(20, true),
    };
  const former = layout === FORMER_LAYOUT && bytes.length >= FORMER_HEADER_BYTES;
  return { car: former ? decodeCar(view, FORMER_HEADER_BYTES, detector) : null, trueAt: 0, unsavedFrom: -1 };
}
