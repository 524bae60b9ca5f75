// What is remembered of a car by a model, and its bytes.
import { TelltaleError } from '../errors.ts';

/** All the detector remembers of a car. */
export interface CarState {
  /** Event time of the newest event; −Infinity: never seen. */
  lastTsMs: number;
  readonly slots: Float32Array;
}

/** Event time f64, then the slots, in the machine's byte order: states are read where they are written. */
export function encodeState({ lastTsMs, slots }: CarState, size: number): Uint8Array {
  const bytes = new Uint8Array(8 + 4 * size);
  new Float64Array(bytes.buffer, 0, 1)[0] = lastTsMs;
  new Float32Array(bytes.buffer, 8, size).set(slots);
  return bytes;
}

/** @throws TelltaleError MODEL_INVALID when the bytes are not so many slots */
export function decodeState(bytes: Uint8Array, size: number): CarState {
  if (bytes.length !== 8 + 4 * size)
    throw new TelltaleError(
      'MODEL_INVALID',
      `state of ${bytes.length} bytes, this model has ${8 + 4 * size}`,
    );
  const { buffer } = Uint8Array.from(bytes);
  return { lastTsMs: new Float64Array(buffer, 0, 1)[0]!, slots: new Float32Array(buffer, 8, size).slice() };
}
