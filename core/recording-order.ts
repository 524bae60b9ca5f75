// Whether a recording stands oldest first, as it happened, or newest first, as some exports do. Training and scoring take rows as
// they stand; of a newest-first file they count time backwards, so that its rows are neighbours and not late events.
import { counted } from './counted.ts';
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

/** What is odd in the order of a recording's rows, id by id. */
export interface RowOrder {
  /** Rows older than the newest before them. */
  readonly outOfOrder: number;
  /** How often times went back for good. */
  readonly begunAnew: number;
  /** Rows that say at the same time what the row before them says. */
  readonly twice: number;
}

/** It in words: the same for training and for scoring. `older`: what becomes of a row that is older, said behind its count. */
export function orderRemarks(
  { outOfOrder, begunAnew, twice }: RowOrder,
  idColumn: string,
  older: string,
): string[] {
  const who = `the same ${idColumn || 'car'}`;
  const remarks: string[] = [];
  if (outOfOrder > 0)
    remarks.push(`${counted(outOfOrder, 'row')} older than the one before of ${who}, ${older}`);
  if (begunAnew > 0)
    remarks.push(
      `times of ${who} go back ${begunAnew === 1 ? 'once' : counted(begunAnew, 'time')} and go on from there: each part is taken as a drive of its own; are rows in the file twice?`,
    );
  if (twice > 0)
    remarks.push(
      `${counted(twice, 'row')} the same as the row before, time and readings: in the file twice?`,
    );
  return remarks;
}
