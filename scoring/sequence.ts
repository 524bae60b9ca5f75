// Which events of a car have been scored: the highest sequence number and the gaps still open below it. A redelivered event is
// told from a late one exactly, and the memory of it is a few numbers.

/** Open gaps remembered; with more, the oldest is taken as closed. */
export const MAX_GAPS = 32;

export interface SequenceState {
  /** Highest number seen; −1: none. */
  highest: number;
  /** Ranges [from, to] never seen, both ends inclusive, rising: from0, to0, from1, to1, … */
  gaps: number[];
}

export const newSequence = (): SequenceState => ({ highest: -1, gaps: [] });

/** Notes a number. True when it is new, false when it has been seen. */
export function admit(state: SequenceState, seq: number): boolean {
  if (seq > state.highest) {
    const from = state.highest + 1;
    if (seq > from) {
      state.gaps.push(from, seq - 1);
      // The first gap reaches down to 0: what came before the car's first event has not been seen either.
      if (state.gaps.length > 2 * MAX_GAPS) state.gaps.splice(0, 2);
    }
    state.highest = seq;
    return true;
  }
  const { gaps } = state;
  for (let g = gaps.length - 2; g >= 0; g -= 2) {
    const from = gaps[g]!;
    const to = gaps[g + 1]!;
    if (seq > to) return false;
    if (seq < from) continue;
    if (from === to) gaps.splice(g, 2);
    else if (seq === from) gaps[g] = seq + 1;
    else if (seq === to) gaps[g + 1] = seq - 1;
    else {
      gaps.splice(g, 2, from, seq - 1, seq + 1, to);
      if (gaps.length > 2 * MAX_GAPS) gaps.splice(0, 2);
    }
    return true;
  }
  return false;
}
