// Which events of a car were taken before. A car counts its events; a redelivered event has the number, the time and the content it
// had, while a car that restarted counts from the beginning, or from a number it had saved, and goes on in time. What is kept
// of each session (a stretch between two restarts) is a few numbers, and always tells a true redelivery for one:
// - the highest number and the gaps below it,
// - marks: some of its numbers, dense at the newest end, with the range of event times since the mark before and a hash of the
//   event that bears the number.
// A number that was seen is a redelivery where its time lies in the range of its mark and, at the mark itself, its content is the
// same. A restart that repeats number and time of an old event (no clock, and a counter that begins anew) is told at the
// next mark: the first number of a session is always one, so mostly at once.

/** Gaps remembered of a session; with more, the oldest is closed, and events that come that late can no longer be told. */
export const MAX_GAPS = 32;
/** Sessions remembered of a car; redeliveries from before them are counted as too old to tell. */
export const MAX_SESSIONS = 4;
/** Marks of a session. */
export const MAX_MARKS = 12;
/** Newest events of a session that are marks each. */
const RECENT_MARKS = 4;
/** Numbers that may be missing before an event that plainly goes on. */
const MOST_SKIPPED = 8;
/** A mark: its number, the earliest and the latest event time since the mark before, the hash of its event. */
export const MARK_NUMBERS = 4;

/** What tells an event from others of its car. */
export interface EventIdentity {
  /** ≥ 0, safe integer. */
  readonly seq: number;
  /** Event time, ms. */
  readonly tsMs: number;
  /** 32-bit hash of what it says, as an unsigned integer. */
  readonly hash: number;
  /** 32-bit hash of the session mark the car gave, 0 where it gives none. */
  readonly session: number;
}

export interface Session {
  /** As in EventIdentity. */
  readonly mark: number;
  /** Event time of its newest event by number. */
  newestTsMs: number;
  /** Event time of its first event. */
  readonly startTsMs: number;
  /** Highest number seen. */
  highest: number;
  /** Numbers up to here may have been seen or not: their gaps were closed. −1: none. */
  closedTo: number;
  /** Ranges [from, to] never seen, both ends inclusive, rising: from0, to0, from1, to1, … */
  gaps: number[];
  /** MAX_MARKS × MARK_NUMBERS, rising by number, the first `markCount` of them in use. */
  readonly marks: Float64Array;
  markCount: number;
}

/** Oldest first; the last is the one the car is in. */
export type Sequence = Session[];

export type Admission =
  /** The car's newest event of its present session. */
  | { readonly kind: 'next' }
  /** Its counter begins anew, or from a lower number; `before` is the highest it had reached. */
  | { readonly kind: 'restart'; readonly before: number }
  /** Older than others that came before it, and never seen. */
  | { readonly kind: 'filled' }
  | { readonly kind: 'duplicate' }
  /** From before what is remembered: whether it was seen cannot be told. */
  | { readonly kind: 'forgotten' };

const NEXT: Admission = { kind: 'next' };
const FILLED: Admission = { kind: 'filled' };
const DUPLICATE: Admission = { kind: 'duplicate' };
const FORGOTTEN: Admission = { kind: 'forgotten' };

export const newSequence = (): Sequence => [];

/** Index in `gaps` of the gap that holds the number, −1: none. */
function gapOf({ gaps }: Session, seq: number): number {
  for (let g = gaps.length - 2; g >= 0; g -= 2) {
    if (seq > gaps[g + 1]!) return -1;
    if (seq >= gaps[g]!) return g;
  }
  return -1;
}

/** Index of the first mark at or above a number that the session has reached. */
function markOf({ marks, markCount }: Session, seq: number): number {
  for (let m = 0; m < markCount; m += 1) if (marks[m * MARK_NUMBERS]! >= seq) return m;
  return markCount - 1;
}

/** Whether an event with a number that was seen can be the one that bore it. */
function isSame(session: Session, { seq, tsMs, hash }: EventIdentity): boolean {
  const { marks } = session;
  const at = markOf(session, seq) * MARK_NUMBERS;
  if (tsMs < marks[at + 1]! || tsMs > marks[at + 2]!) return false;
  return marks[at] !== seq || marks[at + 3] === hash;
}

/** Lets a mark go, the one that is missed least: none of the newest, never the first, and the less the older it is. */
function thin(session: Session): void {
  const { marks, markCount, highest } = session;
  const seqAt = (m: number) => marks[m * MARK_NUMBERS]!;
  let least = 1;
  let leastWeight = Number.POSITIVE_INFINITY;
  for (let m = 1; m < markCount - RECENT_MARKS; m += 1) {
    const weight = (seqAt(m + 1) - seqAt(m - 1)) / (highest - seqAt(m) + 1);
    if (weight >= leastWeight) continue;
    leastWeight = weight;
    least = m;
  }
  const at = least * MARK_NUMBERS;
  const next = at + MARK_NUMBERS;
  marks[next + 1] = Math.min(marks[at + 1]!, marks[next + 1]!);
  marks[next + 2] = Math.max(marks[at + 2]!, marks[next + 2]!);
  marks.copyWithin(at, next, markCount * MARK_NUMBERS);
  session.markCount -= 1;
}

function addMark(session: Session, { seq, tsMs, hash }: EventIdentity): void {
  if (session.markCount === MAX_MARKS) thin(session);
  session.marks.set([seq, tsMs, tsMs, hash], session.markCount * MARK_NUMBERS);
  session.markCount += 1;
}

/** Takes a number above all of the session's. */
function advance(session: Session, event: EventIdentity): void {
  const from = session.highest + 1;
  if (event.seq > from) {
    session.gaps.push(from, event.seq - 1);
    closeOldest(session);
  }
  session.highest = event.seq;
  session.newestTsMs = event.tsMs;
  addMark(session, event);
}

function closeOldest(session: Session): void {
  if (session.gaps.length <= 2 * MAX_GAPS) return;
  session.closedTo = session.gaps[1]!;
  session.gaps.splice(0, 2);
}

/** Takes a number out of gap `g`. */
function fill(session: Session, g: number, event: EventIdentity): void {
  const { gaps } = session;
  const { seq } = event;
  const from = gaps[g]!;
  const to = gaps[g + 1]!;
  if (from === to) gaps.splice(g, 2);
  else if (seq === from) gaps[g] = seq + 1;
  else if (seq === to) gaps[g + 1] = seq - 1;
  else {
    gaps.splice(g, 2, from, seq - 1, seq + 1, to);
    closeOldest(session);
  }
  widen(session, event);
}

/** The range of times that an event's mark stands for takes in its time. */
function widen(session: Session, { seq, tsMs }: EventIdentity): void {
  const { marks } = session;
  const at = markOf(session, seq) * MARK_NUMBERS;
  marks[at + 1] = Math.min(marks[at + 1]!, tsMs);
  marks[at + 2] = Math.max(marks[at + 2]!, tsMs);
}

function begin(sequence: Sequence, event: EventIdentity): void {
  const session: Session = {
    mark: event.session,
    newestTsMs: event.tsMs,
    startTsMs: event.tsMs,
    highest: -1,
    closedTo: -1,
    gaps: [],
    marks: new Float64Array(MAX_MARKS * MARK_NUMBERS),
    markCount: 0,
  };
  // The first gap reaches down to 0: what came before the car's first event has not been seen either.
  advance(session, event);
  sequence.push(session);
  if (sequence.length > MAX_SESSIONS) sequence.shift();
}

/** What an event is that a session of its name has seen, by number, time and content; null: none has. */
function seenBefore(sequence: Sequence, event: EventIdentity): Admission | null {
  for (let s = sequence.length - 1; s >= 0; s -= 1) {
    const one = sequence[s]!;
    if (one.mark !== event.session || event.seq > one.highest || gapOf(one, event.seq) >= 0) continue;
    if (isSame(one, event)) return event.seq <= one.closedTo ? FORGOTTEN : DUPLICATE;
  }
  return null;
}

/** Of a car that names its sessions: numbers decide within one, unless one that was seen comes with another time or content. */
function admitNamed(sequence: Sequence, event: EventIdentity): Admission {
  const index = sequence.findLastIndex(({ mark }) => mark === event.session);
  const newest = sequence.at(-1);
  if (index < 0 || newest === undefined) {
    const oldest = sequence[0];
    if (sequence.length === MAX_SESSIONS && event.tsMs < oldest!.startTsMs) return FORGOTTEN;
    begin(sequence, event);
    return newest === undefined ? NEXT : { kind: 'restart', before: newest.highest };
  }
  const session = sequence[index]!;
  if (event.seq > session.highest) {
    advance(session, event);
    return session === newest ? NEXT : FILLED;
  }
  const told = seenBefore(sequence, event);
  if (told !== null) return told;
  const gap = gapOf(session, event.seq);
  if (gap >= 0) {
    fill(session, gap, event);
    return FILLED;
  }
  if (event.seq <= session.closedTo && event.tsMs <= session.newestTsMs) return FORGOTTEN;
  // The name comes again: a day, a device number, a boot count that was lost.
  begin(sequence, event);
  return { kind: 'restart', before: newest.highest };
}

/**
 * The next event of the session, or one a few after it, that goes on in time: told first, because a session of a car without a clock
 * may repeat numbers and times of the one before.
 */
const goesOn = ({ mark, highest, newestTsMs }: Session, { seq, tsMs }: EventIdentity): boolean =>
  mark === 0 && seq > highest && seq <= highest + MOST_SKIPPED && tsMs >= newestTsMs;

/** Whether the event is one that a session before the present one has marked. */
function bearsOldMark(sequence: Sequence, event: EventIdentity): boolean {
  for (let s = 0; s < sequence.length - 1; s += 1) {
    const session = sequence[s]!;
    const at = markOf(session, event.seq) * MARK_NUMBERS;
    if (session.marks[at] === event.seq && isSame(session, event)) return true;
  }
  return false;
}

/** Notes an event and says what it is; only one that is new is to be scored, whatever its number. */
export function admit(sequence: Sequence, event: EventIdentity): Admission {
  if (event.session !== 0) return admitNamed(sequence, event);
  const newest = sequence.at(-1);
  if (newest === undefined) {
    begin(sequence, event);
    return NEXT;
  }
  if (goesOn(newest, event) && !bearsOldMark(sequence, event)) {
    advance(newest, event);
    return NEXT;
  }
  const told = seenBefore(sequence, event);
  if (told !== null) return told;
  // What is older than the session may be the rest of one before it, come after the restart.
  if (event.tsMs < newest.startTsMs && fillsOlder(sequence, event)) return FILLED;
  if (newest.mark === 0 && event.seq > newest.highest) {
    advance(newest, event);
    return NEXT;
  }
  if (fillsGap(newest, event)) return FILLED;
  begin(sequence, event);
  return { kind: 'restart', before: newest.highest };
}

/** Takes an event into a gap it fits by number and time, if there is one; a closed one too, where its mark says it was never seen. */
function fillsGap(session: Session, event: EventIdentity): boolean {
  if (session.mark !== 0 || event.seq > session.highest || event.tsMs > session.newestTsMs) return false;
  const gap = gapOf(session, event.seq);
  if (gap >= 0) fill(session, gap, event);
  else if (event.seq <= session.closedTo) widen(session, event);
  else return false;
  return true;
}

/** Takes an event into a session before the present one, into a gap or at its end, if one fits. */
function fillsOlder(sequence: Sequence, event: EventIdentity): boolean {
  for (let s = sequence.length - 2; s >= 0; s -= 1) {
    const session = sequence[s]!;
    if (event.tsMs < session.startTsMs) continue;
    if (fillsGap(session, event)) return true;
    if (session.mark !== 0 || event.seq <= session.highest || event.tsMs < session.newestTsMs) return false;
    advance(session, event);
    return true;
  }
  return false;
}

/**
 * A hash of readings as they stand in `values`, for EventIdentity. The array is the one the function is made for: it is looked at
 * as bits, so that no number is turned into text.
 */
export function contentHash(values: Float64Array): () => number {
  const bits = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  return () => {
    let hash = 0x811c9dc5;
    for (let i = 0; i < bits.length; i += 1) {
      hash = Math.imul(hash ^ bits[i]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash >>> 0;
  };
}
