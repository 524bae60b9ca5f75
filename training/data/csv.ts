// A recording as training data: its catalogue drawn up from its columns, its rows in time order per car in bounded
// memory, and in words what was left out and why.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { type Catalogue, loadCatalogue } from '../../core/catalogue.ts';
import { counted, percent } from '../../core/counted.ts';
import { didYouMean } from '../../core/did-you-mean.ts';
import { TelltaleError } from '../../core/errors.ts';
import { catalogueOfRecording, openRecording, type Recording, readingOf } from '../../core/recording.ts';
import { listed } from '../../core/recording-fault.ts';
import { Limits } from '../../core/recording-limits.ts';
import { orderRemarks, timeDirection } from '../../core/recording-order.ts';
import { CounterSurvey, type Counters } from './counters.ts';
import { Sampler } from './sampler.ts';
import type { Series } from './series.ts';
import { shareRows } from './shares.ts';

export interface CsvChoice {
  readonly file: string;
  readonly id: string;
  readonly time: string;
  readonly ignore: readonly string[];
  /** How the table is found in the file, where a person had to say it. */
  readonly skipLines?: number | null;
  readonly delimiter?: string;
  readonly decimal?: '' | 'point' | 'comma';
}

export interface CsvData {
  readonly catalogue: Catalogue;
  readonly series: readonly Series[];
  readonly rows: number;
  /** Signals that only rise; their readings are still in the series. */
  readonly counters: Counters;
  /** Cars there was no room for. */
  readonly carsLeftOut: readonly string[];
  /** One line for each thing a person should know. */
  readonly remarks: readonly string[];
  /** SHA-256 of the file, hex. */
  readonly sha256: string;
}

/** Rows an id should have for averages over its past to say anything. */
const FEW_ROWS = 15;

async function fileHash(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function columnRemarks({ columns, nameless }: Recording): string[] {
  const named = (why: string, names: readonly string[]) =>
    names.length === 0 ? [] : [`${why}: ${names.join(', ')}`];
  const text = columns.filter((column) => !column.numeric && column.unreadable > 0);
  const empty = columns.filter((column) => !column.numeric && column.unreadable === 0);
  const holed = columns.filter((column) => column.numeric && column.missing + column.unreadable > 0);
  return [
    ...(nameless > 0 ? [`left out, without a name: ${counted(nameless, 'column')}`] : []),
    ...named(
      'left out, not numeric',
      text.map(({ name }) => name),
    ),
    ...named(
      'left out, empty',
      empty.map(({ name }) => name),
    ),
    ...named(
      'with missing readings',
      holed.map(({ name, missing, unreadable, count }) => {
        const lacking = missing + unreadable;
        return `${name} (${percent(lacking, lacking + count)})`;
      }),
    ),
  ];
}

/** What file and catalogue do not have in common; nothing where the catalogue was drawn up from the file. */
function catalogueRemarks({ signals }: Recording, catalogue: Catalogue): string[] {
  const names = catalogue.signals.map(({ name }) => name);
  const strangers = signals.filter((name) => !names.includes(name));
  const lacking = names.filter((name) => !signals.includes(name));
  const [first] = lacking;
  return [
    ...(strangers.length > 0 ? [`left out, not in catalogue ${catalogue.name}: ${listed(strangers)}`] : []),
    ...(first !== undefined
      ? [
          `in catalogue ${catalogue.name}, but no numeric column here: ${listed(lacking)}${didYouMean(first, strangers)}`,
        ]
      : []),
  ];
}

/**
 * Reads a recording. Rows of a car that do not rise in time are left out and counted.
 * @param catalogueFile a corrected catalogue; empty: drawn up from the file
 * @throws TelltaleError RECORDING_INVALID, CATALOGUE_INVALID, ABORTED
 */
export async function readCsv(
  choice: CsvChoice,
  catalogueFile: string,
  options: { readonly seed: number; readonly maxRows: number; readonly signal: AbortSignal },
): Promise<CsvData> {
  const { file } = choice;
  const recording = await openRecording(file, readingOf(choice));
  const catalogue =
    catalogueFile === ''
      ? catalogueOfRecording(recording, basename(file).replace(/\.(csv|gz|txt)/g, ''))
      : await loadCatalogue(catalogueFile);
  const names = catalogue.signals.map(({ name }) => name);
  // A catalogue that was drawn up from the file itself leaves nothing out.
  const limits = new Limits(catalogue.signals);
  const direction = await timeDirection(recording);
  const { seed, maxRows } = options;
  const shares = shareRows(recording.ids, seed, maxRows);
  const sampler = new Sampler({ seed, width: names.length, shares });
  const counting = new CounterSurvey(names.length, direction);
  let faulty = 0;
  let firstFault = '';
  for await (const row of recording.rows(names, limits)) {
    if (row.fault === null) {
      sampler.add(row.id, direction * row.tsMs, row.values);
      counting.add(row.id, direction * row.tsMs, row.values);
    } else {
      if (faulty === 0) firstFault = row.fault;
      faulty += 1;
    }
    if (options.signal.aborted) throw new TelltaleError('ABORTED', 'reading the recording was stopped');
  }
  const series = sampler.series();
  const remarks = [
    ...recording.remarks,
    ...recording.timeRemarks,
    ...columnRemarks(recording),
    ...catalogueRemarks(recording, catalogue),
    ...limits.remarks(),
    ...shares.remarks,
  ];
  const perId = recording.rowCount / Math.max(1, recording.ids.size);
  if (perId < FEW_ROWS)
    remarks.push(
      `${counted(recording.ids.size, 'id')} of ${perId.toFixed(1)} rows on average: is ${recording.idColumn || 'the file'} what tells cars (or runs) apart?`,
    );
  if (direction < 0) remarks.push('rows stand newest first; taken as they stand');
  if (faulty > 0) remarks.push(`${counted(faulty, 'faulty row')} left out, the first: ${firstFault}`);
  remarks.push(...orderRemarks(sampler, recording.idColumn, 'left out'));
  const counters = counting.counters(catalogue);
  return {
    catalogue,
    series,
    rows: sampler.seen,
    counters,
    carsLeftOut: [...shares.leftOut],
    remarks,
    sha256: await fileHash(file),
  };
}
