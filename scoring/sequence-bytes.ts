// What is remembered of a car's numbers (core/sequence.ts) as bytes. Most of it is whole numbers not far from each other, so each is
// written as its distance from the one before: 130 bytes a session instead of 430.
import {
  MARK_NUMBERS,
  MAX_GAPS,
  MAX_MARKS,
  MAX_SESSIONS,
  newSequence,
  type Sequence,
  type Session,
} from '../core/sequence.ts';

/** Of a number up to 2^53, either sign. */
const MOST_NUMBER_BYTES = 8;
const FIRST_BITS = 64;
const BITS = 128;
const MORE = 0x80;
const NEGATIVE = 0x40;

/** What the sessions of a car take at most, in bytes. */
export const MOST_SEQUENCE_BYTES =
  1 + MAX_SESSIONS * (4 + (6 + 2 * MAX_GAPS) * MOST_NUMBER_BYTES + MAX_MARKS * (4 + 3 * MOST_NUMBER_BYTES));

/** Writes at a place that moves on. */
class Writer {
  readonly #view: DataView;
  at: number;

  constructor(view: DataView, at: number) {
    this.#view = view;
    this.at = at;
  }

  hash(value: number): void {
    this.#view.setUint32(this.at, value, true);
    this.at += 4;
  }

  /** A whole number: six bits and its sign, then seven bits a byte while there are more. */
  number(value: number): void {
    let rest = Math.abs(value);
    let low = (rest % FIRST_BITS) + (value < 0 ? NEGATIVE : 0);
    rest = Math.floor(rest / FIRST_BITS);
    while (rest > 0) {
      this.#view.setUint8(this.at++, low + MORE);
      low = rest % BITS;
      rest = Math.floor(rest / BITS);
    }
    this.#view.setUint8(this.at++, low);
  }
}

/** Reads what a Writer wrote; past the end, or of what it never wrote, numbers are NaN. */
class Reader {
  readonly #view: DataView;
  at: number;

  constructor(view: DataView, at: number) {
    this.#view = view;
    this.at = at;
  }

  #byte(): number {
    return this.at < this.#view.byteLength ? this.#view.getUint8(this.at++) : Number.NaN;
  }

  hash(): number {
    if (this.at + 4 > this.#view.byteLength) return Number.NaN;
    this.at += 4;
    return this.#view.getUint32(this.at - 4, true);
  }

  number(): number {
    let byte = this.#byte();
    const sign = (byte & NEGATIVE) === 0 ? 1 : -1;
    let value = Number.isNaN(byte) ? byte : byte % FIRST_BITS;
    for (let unit = FIRST_BITS; (byte & MORE) !== 0 && unit <= Number.MAX_SAFE_INTEGER; unit *= BITS) {
      byte = this.#byte();
      value += unit * (byte % BITS);
    }
    return value === 0 ? 0 : sign * value;
  }

  /** A count, −1 when it is none or more than `most`. */
  count(most: number): number {
    const value = this.number();
    return value >= 0 && value <= most ? value : -1;
  }
}

function encodeSession(session: Session, out: Writer): void {
  const { mark, startTsMs, newestTsMs, highest, closedTo, gaps, marks, markCount } = session;
  out.hash(mark);
  out.number(startTsMs);
  out.number(newestTsMs - startTsMs);
  out.number(highest);
  out.number(closedTo);
  out.number(gaps.length);
  let before = 0;
  for (const gap of gaps) {
    out.number(gap - before);
    before = gap;
  }
  out.number(markCount);
  before = 0;
  let beforeMs = startTsMs;
  for (let at = 0; at < MARK_NUMBERS * markCount; at += MARK_NUMBERS) {
    out.number(marks[at]! - before);
    out.number(marks[at + 1]! - beforeMs);
    out.number(marks[at + 2]! - marks[at + 1]!);
    out.hash(marks[at + 3]!);
    before = marks[at]!;
    beforeMs = marks[at + 1]!;
  }
}

/** Null when the bytes are no session. */
function decodeSession(from: Reader): Session | null {
  const mark = from.hash();
  const startTsMs = from.number();
  const newestTsMs = startTsMs + from.number();
  const highest = from.number();
  const closedTo = from.number();
  const gapCount = from.count(2 * MAX_GAPS);
  const gaps: number[] = [];
  let before = 0;
  for (let g = 0; g < gapCount; g += 1) {
    before += from.number();
    gaps.push(before);
  }
  const markCount = from.count(MAX_MARKS);
  if (gapCount < 0 || markCount < 1) return null;
  const marks = new Float64Array(MAX_MARKS * MARK_NUMBERS);
  before = 0;
  let beforeMs = startTsMs;
  for (let at = 0; at < MARK_NUMBERS * markCount; at += MARK_NUMBERS) {
    before += from.number();
    beforeMs += from.number();
    marks[at] = before;
    marks[at + 1] = beforeMs;
    marks[at + 2] = beforeMs + from.number();
    marks[at + 3] = from.hash();
  }
  // One that cannot be read makes all after it none.
  if (Number.isNaN(marks[MARK_NUMBERS * markCount - 1]!)) return null;
  return { mark, startTsMs, newestTsMs, highest, closedTo, gaps, marks, markCount };
}

/** Writes the sessions from `at` on, MOST_SEQUENCE_BYTES at most; where they end. */
export function encodeSequence(sequence: Sequence, view: DataView, at: number): number {
  const out = new Writer(view, at);
  out.number(sequence.length);
  for (const session of sequence) encodeSession(session, out);
  return out.at;
}

/** The sessions from `at` on and where they end; null when the bytes are none. */
export function decodeSequence(
  view: DataView,
  at: number,
): { readonly sequence: Sequence; readonly end: number } | null {
  const from = new Reader(view, at);
  const count = from.count(MAX_SESSIONS);
  const sequence = newSequence();
  for (let s = 0; s < count; s += 1) {
    const session = decodeSession(from);
    if (session === null) return null;
    sequence.push(session);
  }
  return count < 0 ? null : { sequence, end: from.at };
}
