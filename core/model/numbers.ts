// Arrays of numbers in JSON: 32-bit floats, little-endian, base64. Exact, and a third of the size of decimals.
import { TelltaleError } from '../errors.ts';

export type Floats = Float32Array | Float64Array;

/** Encodes as 32-bit floats. */
export function encodeFloats(values: Floats | readonly number[]): string {
  const bytes = Buffer.alloc(values.length * 4);
  for (let i = 0; i < values.length; i += 1) bytes.writeFloatLE(values[i]!, i * 4);
  return bytes.toString('base64');
}

/**
 * Decodes exactly `length` finite 32-bit floats.
 * @throws TelltaleError MODEL_INVALID naming `what`
 */
export function decodeFloats(text: unknown, length: number, what: string): Float32Array {
  if (typeof text !== 'string') throw new TelltaleError('MODEL_INVALID', `${what} is not there`);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== length * 4)
    throw new TelltaleError('MODEL_INVALID', `${what} has ${bytes.length / 4} numbers, not ${length}`);
  const values = new Float32Array(length);
  for (let i = 0; i < length; i += 1) {
    const value = bytes.readFloatLE(i * 4);
    if (!Number.isFinite(value))
      throw new TelltaleError('MODEL_INVALID', `${what} holds a number that is not finite`);
    values[i] = value;
  }
  return values;
}
