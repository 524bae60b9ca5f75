// Values sorted once for all fits: on all rows, and without each fold. A number of 32 bits held in 64 leaves the last
// 29 bits of its mantissa free: the fold is written there, so that one sort serves all, and what is taken out again is
// the number as it was.

const FOLD_BITS = 0xff;
/** Which half of a double holds the end of its mantissa. */
const LOW = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1;

/**
 * Sorts values in place.
 * @param values 32-bit numbers, none NaN
 * @param folds of each, below 256
 * @returns the values rising, of all folds but `left` (−1: of all)
 */
export function sortedWithout(values: Float64Array, folds: Uint8Array): (left: number) => Float64Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  for (let i = 0; i < values.length; i += 1) bits[2 * i + LOW]! |= folds[i]!;
  values.sort();
  return (left) => {
    const out = new Float64Array(values.length);
    const outBits = new Uint32Array(out.buffer);
    let n = 0;
    for (let i = 0; i < values.length; i += 1) {
      const low = bits[2 * i + LOW]!;
      if ((low & FOLD_BITS) === left) continue;
      outBits[2 * n + LOW] = low & ~FOLD_BITS;
      outBits[2 * n + 1 - LOW] = bits[2 * i + 1 - LOW]!;
      n += 1;
    }
    return out.subarray(0, n);
  };
}
