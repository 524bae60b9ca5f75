// The rows of a CSV recording as a tape. Cars send what comes first first, so a recording that stands newest first is turned: driven as
// it stands, every row would be older than the one before it, and nine in ten of them lost to whoever trains on what was sent.
import { vinsOf } from '../core/car-ids.ts';
import { counted } from '../core/counted.ts';
import type { Recording } from '../core/recording.ts';
import { fault } from '../core/recording-fault.ts';
import { timeDirection } from '../core/recording-order.ts';
import type { RecordingRow } from '../core/recording-rows.ts';
import type { Tape, TapeRow } from './replay.ts';

/** Rows that are turned at most: they are held in memory. */
const MAX_TURNED_ROWS = 5_000_000;

/** A recording's tape, and what a person should know of it. */
export interface RecordingTape extends Tape {
  readonly remarks: readonly string[];
}

/** @throws TelltaleError RECORDING_INVALID when it stands newest first and is too long to be turned */
export async function tapeOfRecording(recording: Recording): Promise<RecordingTape> {
  const { file, ids, rowCount, signals } = recording;
  const newestFirst = (await timeDirection(recording)) < 0;
  if (newestFirst && rowCount > MAX_TURNED_ROWS)
    throw fault(
      file,
      `stands newest first, and ${counted(rowCount, 'row')} are too many to turn: sort it by its time column first`,
    );
  const eventOf = ({ id, tsMs, values, fault: why }: RecordingRow): TapeRow => {
    const sent: Record<string, number | null> = {};
    signals.forEach((name, c) => {
      const value = values[c]!;
      sent[name] = Number.isNaN(value) ? null : value;
    });
    return { id, tsMs, signals: sent, fault: why };
  };
  return {
    ...{ name: file, ids: [...ids.keys()], vins: vinsOf(ids.keys()), rowCount },
    remarks: newestFirst ? ['rows stand newest first; driven oldest first'] : [],
    rows: async function* () {
      const held: RecordingRow[] = [];
      for await (const row of recording.rows()) {
        if (newestFirst) held.push(row);
        else yield eventOf(row);
      }
      for (let row = held.pop(); row !== undefined; row = held.pop()) yield eventOf(row);
    },
  };
}
