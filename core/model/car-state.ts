// What is remembered of a car by a model, and its bytes.
import { TelltaleError } from '../errors.ts';
import { mostPacked, packWords, unpackWords } from './words.ts';

/** All the detector remembers of a car. */
export interface CarState {
  /** Event time of the newest event; −Infinity: never seen. */
  lastTsMs: number;
  readonly slots: Float32Array;
}

const TIME_BYTES = 8;
let scratch = new DataView(new ArrayBuffer(0));

const wordsOf = ({ buffer, byteOffset, length }: Float32Array) => new Int32Array(buffer, byteOffset, length);

/** Event time f64, then the slots, packed. Little-endian. */
export function encodeState({ lastTsMs, slots }: CarState): Uint8Array {
  const most = TIME_BYTES + mostPacked(slots.length);
  if (scratch.byteLength < most) scratch = new DataView(new ArrayBuffer(most));
  scratch.setFloat64(0, lastTsMs, true);
  const end = packWords(wordsOf(slots), scratch, TIME_BYTES);
  return new Uint8Array(scratch.buffer, 0, end).slice();
}

/** @throws TelltaleError MODEL_INVALID when the bytes are not so many slots */
export function decodeState(bytes: Uint8Array, size: number): CarState {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const slots = new Float32Array(size);
  if (bytes.length < TIME_BYTES || !unpackWords(view, TIME_BYTES, wordsOf(slots)))
    throw new TelltaleError(
      'MODEL_INVALID',
      `state of ${bytes.length} bytes, which are not the ${size} numbers that this model remembers`,
    );
  return { lastTsMs: view.getFloat64(0, true), slots };
}
