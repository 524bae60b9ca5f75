// Whether a recording stands oldest first, as it happened, or newest first, as some exports do. Training and scoring take rows as
// they stand; of a newest-first file they count time backwards, so that its rows are neighbours and not late events.
import type { Recording } from './recording.ts';

/** Rows looked at. */
const LOOKED_AT = 5000;

/** 1: time rises within the ids; −1: it mostly falls. From the first rows of the file. */
export async function timeDirection(recording: Recording): Promise<1 | -1> {
  const last = new Map<string, number>();
  let balance = 0;
  let rows = 0;
  for await (const { id, tsMs, fault } of recording.rows([])) {
    rows += 1;
    if (rows > LOOKED_AT) break;
    if (fault !== null) continue;
    balance += Math.sign(tsMs - (last.get(id) ?? tsMs));
    last.set(id, tsMs);
  }
  return balance < 0 ? -1 : 1;
}
