// The rows of a training run with all that is known of them, out of the log or a recording: what runJob (job.ts) fits
// on.

import type { Catalogue } from '../../core/catalogue.ts';
import { counted } from '../../core/counted.ts';
import type { Log } from '../../core/log/log.ts';
import { type Champion, readChampion } from './champion.ts';
import { type Counters, counterRemarks, silence } from './counters.ts';
import { type CsvChoice, readCsv } from './csv.ts';
import { type KnownFault, readTruth } from './ground-truth.ts';
import { type OffsetRange, readHistory } from './history.ts';
import { rowsIn, type Series } from './series.ts';

/** Rows trained on at most where it is to be quick, and where a model is to be there at all. */
const MOST_ROWS = { first: 65_000, quick: 200_000, full: Number.POSITIVE_INFINITY } as const;

/** Everything that decides a model's weights besides the records themselves. It stands in the card. */
export interface Recipe {
  readonly seed: number;
  readonly effort: 'first' | 'quick' | 'full';
  readonly maxRows: number;
  /** False alerts an hour of driving of one car. */
  readonly alertsPerHour: number;
}

/** Where the rows come from: exact offsets of the log, or a file known by its hash. */
export type Source =
  | { readonly kind: 'log'; readonly ranges: readonly OffsetRange[]; readonly cars: readonly string[] }
  | ({ readonly kind: 'csv'; readonly sha256: string; readonly catalogueFile: string } & CsvChoice);

/** How to read the rows. */
export interface ReadPlan {
  readonly recipe: Recipe;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface TrainingData {
  readonly source: Source;
  readonly catalogue: Catalogue;
  readonly series: readonly Series[];
  /** Signals that only rise: their readings are taken out of the series. */
  readonly counters: Counters;
  readonly records: number;
  readonly leftOut: number;
  /** Cars of which there was no room for any row. */
  readonly carsLeftOut: readonly string[];
  readonly remarks: readonly string[];
  /** Faults known to have happened in `series`, and the model in service: only the report looks at them. */
  readonly truth: readonly KnownFault[];
  readonly champion: Champion | null;
}

/** Says what is done at most once for each tenth, and at the ends. */
export function tenths(say: (line: string) => void, label: string): (done: number, what: string) => void {
  let next = 0;
  return (done, what) => {
    if (done < next) return;
    say(`${label} ${String(Math.round(done * 100)).padStart(3)} %  ${what}`);
    next = Math.floor(done * 10 + 1) / 10;
  };
}

const rowsFor = ({ effort, maxRows }: Recipe) => Math.min(MOST_ROWS[effort], maxRows);

/** Rows out of the log, its ground truth and its champion. @throws TelltaleError TRAINING_DATA, ABORTED */
export async function dataFromLog(
  log: Pick<Log, 'read'>,
  catalogue: Catalogue,
  source: Extract<Source, { kind: 'log' }>,
  { recipe, signal, say }: ReadPlan,
): Promise<TrainingData> {
  const progress = tenths(say, 'reading ');
  const {
    series,
    records,
    leftOut,
    remarks: thinned,
    carsLeftOut,
    counters,
  } = await readHistory({
    log,
    catalogue,
    ranges: source.ranges,
    cars: source.cars,
    seed: recipe.seed,
    maxRows: rowsFor(recipe),
    signal,
    progress: (done, all) => progress(done / all, `${done.toLocaleString('en')} records`),
  });
  const { faults, notKept } = await readTruth(log, series);
  silence(series, catalogue.signals.length, counters);
  const remarks = [
    ...thinned,
    ...(notKept > 0
      ? [
          `${counted(notKept, 'fault')} of the ground truth ${notKept === 1 ? 'lies' : 'lie'} outside the rows kept`,
        ]
      : []),
    ...counterRemarks(counters, catalogue),
  ];
  const champion = await readChampion(log, catalogue, source.ranges);
  const rows = { series, counters, records, leftOut, carsLeftOut };
  return { source, catalogue, ...rows, remarks, truth: faults, champion };
}

/** Rows out of a recording. @throws TelltaleError RECORDING_INVALID, TRAINING_DATA, ABORTED */
export async function dataFromCsv(
  choice: CsvChoice,
  catalogueFile: string,
  { recipe, signal }: ReadPlan,
): Promise<TrainingData> {
  const { catalogue, series, rows, counters, carsLeftOut, remarks, sha256 } = await readCsv(
    choice,
    catalogueFile,
    {
      seed: recipe.seed,
      maxRows: rowsFor(recipe),
      signal,
    },
  );
  const source: Source = { kind: 'csv', ...choice, catalogueFile, sha256 };
  const leftOut = rows - rowsIn(series);
  silence(series, catalogue.signals.length, counters);
  return {
    ...{ source, catalogue, series, counters, records: rows, leftOut, carsLeftOut },
    ...{ truth: [], champion: null },
    remarks: [...remarks, ...counterRemarks(counters, catalogue)],
  };
}
