// Which drives of a recording are the history that is trained on and which are driven live, under which names.
import { counted } from '../core/counted.ts';
import { TelltaleError } from '../core/errors.ts';
import { seededRandom, shuffle } from '../core/model/random.ts';
import type { Recording } from '../core/recording.ts';
import type { Tape } from '../simulator/replay.ts';
import { tapeOfRecording } from '../simulator/tape-recording.ts';

/** Share of the drives, or of the rows of a car alone, that is history. */
const HISTORY_SHARE = 0.6;
/** Rows an id must have on average to be a drive. */
const FEW_ROWS = 5;

/** One part of a recording as it is driven. */
export interface Part {
  readonly tape: Tape;
  readonly ids: readonly string[];
}

export interface Drives {
  readonly history: Part;
  readonly live: Part;
  /** Whether the parts are stretches of one car, not different cars. */
  readonly oneCar: boolean;
  /** What a person should know of it. */
  readonly remarks: readonly string[];
}

/** Ids in seeded order, cut into those that are history and those that are driven live. */
export function splitDrives(
  ids: readonly string[],
  seed: number,
): { readonly history: string[]; readonly live: string[] } {
  const sorted = [...ids].sort();
  const order = [...shuffle(Uint32Array.from(sorted.keys()), seededRandom(seed, 'drives'))].map(
    (i) => sorted[i]!,
  );
  const cut = Math.max(1, Math.min(order.length - 1, Math.round(order.length * HISTORY_SHARE)));
  return { history: order.slice(0, cut), live: order.slice(cut) };
}

/** The rows of a tape from one place to another. */
function stretch(tape: Tape, from: number, to: number): Tape {
  return {
    ...tape,
    rows: async function* () {
      let place = 0;
      for await (const row of tape.rows()) {
        if (place >= to) return;
        if (place >= from) yield row;
        place += 1;
      }
    },
  };
}

/**
 * Cuts a recording by cars, or a car alone by its rows.
 * @throws TelltaleError TRAINING_DATA when its ids have hardly any rows, or there are none
 */
export async function drivesOf(recording: Recording, seed: number): Promise<Drives> {
  const { file, ids, idColumn, rowCount } = recording;
  const perId = rowCount / Math.max(1, ids.size);
  if (perId < FEW_ROWS)
    throw new TelltaleError(
      'TRAINING_DATA',
      `${file}: ${counted(ids.size, 'id')} of ${perId.toFixed(1)} rows on average: is ${idColumn} what tells cars apart? name the column with --id`,
    );
  const tape = await tapeOfRecording(recording);
  const { remarks } = tape;
  const names = [...ids.keys()];
  if (names.length === 1) {
    const cut = Math.round(HISTORY_SHARE * rowCount);
    return {
      history: { tape: stretch(tape, 0, cut), ids: names },
      live: { tape: stretch(tape, cut, Number.POSITIVE_INFINITY), ids: names },
      ...{ oneCar: true, remarks },
    };
  }
  const { history, live } = splitDrives(names, seed);
  return { history: { tape, ids: history }, live: { tape, ids: live }, oneCar: false, remarks };
}

/** The id of the recording that drives under a name. */
export function idsOf(vins: ReadonlyMap<string, string>): (vin: string) => string {
  const ids = new Map([...vins].map(([id, vin]) => [vin, id]));
  return (vin) => ids.get(vin) ?? vin;
}
