import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mostPacked, packWords, unpackWords } from '../../../core/model/words.ts';

function pack(words: Int32Array): DataView {
  const out = new DataView(new ArrayBuffer(3 + mostPacked(words.length)));
  const end = packWords(words, out, 3);
  return new DataView(out.buffer, 0, end);
}

/** Words of which some stood before, alone, in runs, over and over. */
const words = fc
  .array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: 1, max: 40 }), fc.boolean()))
  .map((pieces) =>
    Int32Array.from(
      pieces.flatMap(([seed, count, varied]) =>
        Array.from({ length: count }, (_, i) => (varied ? Math.imul(seed + i, 0x9e3779b1) : seed)),
      ),
    ),
  );

describe('packed words', () => {
  it('are the same words again, whatever they are, and never need more than is said', () => {
    fc.assert(
      fc.property(fc.oneof(words, fc.int32Array({ maxLength: 300 })), (before) => {
        const packed = pack(before);
        expect(packed.byteLength).toBeLessThanOrEqual(3 + mostPacked(before.length));
        const after = new Int32Array(before.length).fill(7);
        expect(unpackWords(packed, 3, after)).toBe(true);
        expect(after).toEqual(before);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('tell a run that stood before in six bytes, over itself too', () => {
    const run = Array.from({ length: 31 }, (_, i) => 1000 + i);
    expect(pack(Int32Array.from([...run, ...run])).byteLength).toBe(3 + 6 + 4 * 31);
    expect(pack(new Int32Array(500)).byteLength).toBe(3 + 6 + 4);
    expect(pack(new Int32Array(0)).byteLength).toBe(3 + 6);
  });

  it('are refused where they are cut short or do not fill the words', () => {
    const before = Int32Array.from({ length: 60 }, (_, i) => i % 20);
    const { buffer, byteLength } = pack(before);
    for (let length = 3; length < byteLength; length += 1)
      expect(unpackWords(new DataView(buffer, 0, length), 3, new Int32Array(60)), `${length}`).toBe(false);
    for (const size of [0, 59, 61])
      expect(unpackWords(new DataView(buffer, 0, byteLength), 3, new Int32Array(size))).toBe(false);
    // A run from before the beginning.
    const far = new DataView(new Uint8Array([0, 0, 5, 0, 1, 0]).buffer);
    expect(unpackWords(far, 0, new Int32Array(5))).toBe(false);
  });
});
