// A car's numbers in fewer bytes: averages that several heads keep of the same thing are the same numbers, and what was
// never touched is zero. Runs of 32-bit words that stood before are told by where (LZ77 over words); the others stand
// as they are, because nothing else in them repeats. A microsecond or two a state, which a general compressor takes to
// begin.
//
// Pieces, one after another: words that stand here u16, words that stood before u16, how many words before u16; then
// the words that stand here. The last piece ends with the numbers.
import { invariant } from '../errors.ts';

/** A piece costs 6 bytes, so a run of two words would save nothing to speak of. */
const LEAST_RUN = 3;
const PIECE_BYTES = 6;
/** Counts and distances are 16 bits. */
const MOST_WORDS = 0xffff;
const TABLE_BITS = 11;

/** Where a word stood last, by its hash; −1: nowhere. */
const table = new Int32Array(1 << TABLE_BITS);
const hashOf = (word: number) => Math.imul(word, 0x9e3779b1) >>> (32 - TABLE_BITS);

/** Bytes that `packWords` may need for so many words. */
export const mostPacked = (count: number): number => 4 * count + PIECE_BYTES;

/** Packs the words, as many as 16 bits count, into `out` from `at` on, and returns where they end. */
export function packWords(words: Int32Array, out: DataView, at: number): number {
  const count = words.length;
  invariant(count <= MOST_WORDS, `${count} words are too many to pack`);
  table.fill(-1);
  let next = at;
  let plain = 0;
  let place = 0;
  const close = (run: number, from: number) => {
    out.setUint16(next, place - plain, true);
    out.setUint16(next + 2, run, true);
    out.setUint16(next + 4, place - from, true);
    next += PIECE_BYTES;
    for (; plain < place; plain += 1, next += 4) out.setInt32(next, words[plain]!, true);
    place += run;
    plain = place;
  };
  while (place < count) {
    const word = words[place]!;
    const hash = hashOf(word);
    const from = table[hash]!;
    table[hash] = place;
    let run = 0;
    if (from >= 0) while (place + run < count && words[from + run] === words[place + run]) run += 1;
    if (run >= LEAST_RUN) close(run, from);
    else place += 1;
  }
  if (plain < place || next === at) close(0, place);
  return next;
}

/** Unpacks what fills `words`; false when the bytes, all of them from `at` on, are not that. */
export function unpackWords(bytes: DataView, at: number, words: Int32Array): boolean {
  const end = bytes.byteLength;
  let next = at;
  let place = 0;
  while (next + PIECE_BYTES <= end) {
    const plain = bytes.getUint16(next, true);
    const run = bytes.getUint16(next + 2, true);
    const back = bytes.getUint16(next + 4, true);
    next += PIECE_BYTES;
    if (next + 4 * plain > end || place + plain + run > words.length) return false;
    for (const stop = place + plain; place < stop; place += 1, next += 4)
      words[place] = bytes.getInt32(next, true);
    if (run > 0 && (back === 0 || back > place)) return false;
    for (const stop = place + run; place < stop; place += 1) words[place] = words[place - back]!;
  }
  return next === end && place === words.length;
}
