// A recording: a CSV file (plain or gzip) with an id column, a time column and any numeric columns, each id a car.
// Opening it reads the file once to learn what each column is; rows are then streamed, so memory does not grow with it.
// recording-file.ts reads the file, recording-survey.ts learns the columns, recording-times.ts which of them are the time.
import { type Catalogue, checkCatalogue } from './catalogue.ts';
import { didYouMean } from './did-you-mean.ts';
import { detectDelimiter, fault, readHeader, records } from './recording-file.ts';
import { type ColumnFacts, readCell, Survey } from './recording-survey.ts';
import { shown } from './recording-time.ts';
import { type TimeReader, TimesSurvey } from './recording-times.ts';

export interface RecordingOptions {
  /** Column that tells the cars apart; default: the first of id, vin, car, vehicle, device, run that is there. */
  readonly id?: string | undefined;
  /** Column of event times; default: the first of timestamp, time, ts, datetime, date that moves, or a name like these. */
  readonly time?: string | undefined;
  /** Columns left out (labels, notes). */
  readonly ignore?: readonly string[] | undefined;
  /** Whether columns in which many cells are no numbers will do, when there are no others. Default false. */
  readonly anyNumber?: boolean;
}

export interface RecordingRow {
  /** Line in the file, 1 = header. */
  readonly line: number;
  readonly id: string;
  /** The time cell as it stands in the file. */
  readonly timeText: string;
  /** Event time, ms since the epoch; NaN in a faulty row. */
  readonly tsMs: number;
  /** Readings in the order asked for; NaN: missing. */
  readonly values: Float64Array;
  /** Why the row cannot be used, naming line and column; null: it can. */
  readonly fault: string | null;
}

export interface Recording {
  readonly file: string;
  readonly idColumn: string;
  /** The column of the times, or `Date + Time` where two are read together. */
  readonly timeColumn: string;
  /** How the times are read, and what is odd about them: lines for a person. */
  readonly timeRemarks: readonly string[];
  readonly columns: readonly ColumnFacts[];
  /** Columns left out because somebody said so. */
  readonly ignored: readonly string[];
  /** Columns without a name: row numbers, or what a trailing delimiter makes; no signals. */
  readonly nameless: number;
  /** Names of the numeric columns, in file order: the signals. */
  readonly signals: readonly string[];
  readonly rowCount: number;
  readonly ids: ReadonlyMap<string, number>;
  /** Streams the rows in file order; `signals` picks and orders the readings (default: all numeric columns); one that the file lacks, or that is ignored, is NaN. */
  rows(signals?: readonly string[]): AsyncIterable<RecordingRow>;
}

const ID_NAMES = ['id', 'vin', 'car', 'vehicle', 'device', 'run'];

/**
 * Opens a recording and learns its columns.
 * @throws TelltaleError RECORDING_INVALID naming file and column: no such file, not CSV, no rows, no id, time or numeric column
 */
export async function openRecording(file: string, options: RecordingOptions = {}): Promise<Recording> {
  const delimiter = await detectDelimiter(file);
  const header = await readHeader(file, delimiter);
  const idColumn = pickColumn(file, header, 'id', options.id, ID_NAMES);
  for (const name of options.ignore ?? []) {
    if (!header.includes(name))
      throw fault(
        file,
        `--ignore names column "${name}", which the header lacks${didYouMean(name, header)} (it has ${header.join(', ')})`,
      );
  }
  const decimalComma = delimiter !== ',';
  const idIndex = header.indexOf(idColumn);
  const timesSurvey = new TimesSurvey({
    file,
    header,
    asked: options.time ?? '',
    ignore: options.ignore ?? [],
    decimalComma,
  });
  const survey = new Survey({ header, idColumn, ignore: options.ignore ?? [], decimalComma });
  for await (const { record } of records(file, delimiter)) {
    survey.add(record);
    timesSurvey.add(record, record[idIndex] ?? '');
  }
  if (survey.rowCount === 0) throw fault(file, 'has a header but no rows');
  const times = timesSurvey.choose();
  const timeNames = times.columns.map((i) => header[i]!);
  const timeColumn = timeNames.join(' + ');
  const columns = survey.facts().filter(({ name }) => !timeNames.includes(name));
  const signals = columns.filter((c) => c.numeric).map((c) => c.name);
  const usable = options.anyNumber ? columns.some(({ count }) => count > 0) : signals.length > 0;
  if (!usable) throw fault(file, `no numeric column besides ${idColumn} and ${timeColumn}`);
  return {
    file,
    idColumn,
    timeColumn,
    timeRemarks: times.remarks,
    columns,
    nameless: header.filter((name) => name === '').length,
    signals,
    rowCount: survey.rowCount,
    ids: survey.ids,
    ignored: options.ignore ?? [],
    rows: (wanted = signals) => {
      const readable = new Set(columns.map(({ name }) => name));
      const indexes = wanted.map((name) => (readable.has(name) ? header.indexOf(name) : -1));
      return readRows(file, delimiter, {
        header,
        idColumn,
        timeColumn,
        indexes,
        times: times.reader(),
        decimalComma,
      });
    },
  };
}

/**
 * Draws up the catalogue of a recording: each numeric column a signal, the range of possible readings ten times the span
 * seen to either side, for a person to correct.
 * @throws TelltaleError CATALOGUE_INVALID when a column can be no signal: its name is too long, or there are too many
 */
export function catalogueOfRecording(recording: Recording, name: string): Catalogue {
  const facts = new Map(recording.columns.map((c) => [c.name, c]));
  const signals = recording.signals.map((signal) => {
    const { min, max } = facts.get(signal)!;
    const margin = 10 * (max > min ? max - min : Math.max(1, Math.abs(max)));
    return { name: signal, unit: '', min: min - margin, max: max + margin, label: humanName(signal) };
  });
  return checkCatalogue({ name, version: 1, signals }, recording.file);
}

function humanName(column: string): string {
  const spaced = column.replaceAll(/[_.]+/g, ' ').trim();
  return spaced === spaced.toUpperCase() ? spaced.toLowerCase() : spaced;
}

function pickColumn(
  file: string,
  header: readonly string[],
  role: string,
  asked: string | undefined,
  usual: readonly string[],
): string {
  if (asked !== undefined && asked !== '') {
    if (header.includes(asked)) return asked;
    throw fault(
      file,
      `no column "${asked}" for the ${role}${didYouMean(asked, header)} (the header has ${header.join(', ')})`,
    );
  }
  const found = header.find((column) => usual.includes(column.toLowerCase()));
  if (found === undefined)
    throw fault(file, `no ${role} column; name it with --${role} (the header has ${header.join(', ')})`);
  return found;
}

interface RowPlan {
  readonly header: readonly string[];
  readonly idColumn: string;
  readonly timeColumn: string;
  /** Column of each reading; −1: there is none. */
  readonly indexes: readonly number[];
  readonly times: TimeReader;
  readonly decimalComma: boolean;
}

async function* readRows(file: string, delimiter: string, plan: RowPlan): AsyncGenerator<RecordingRow> {
  const idIndex = plan.header.indexOf(plan.idColumn);
  const { indexes } = plan;
  for await (const { record, line } of records(file, delimiter)) {
    const values = new Float64Array(indexes.length);
    for (let c = 0; c < indexes.length; c += 1)
      values[c] = readCell(record[indexes[c]!], plan.decimalComma) ?? Number.NaN;
    const id = record[idIndex] ?? '';
    const timeText = plan.times.text(record);
    const tsMs = plan.times.ms(record, id);
    let why: string | null = null;
    if (record.length !== plan.header.length)
      why = `line ${line}: ${record.length} cells, the header has ${plan.header.length}`;
    else if (id === '') why = `line ${line}: column ${plan.idColumn} is empty`;
    else if (Number.isNaN(tsMs))
      why = `line ${line}: column ${plan.timeColumn}: "${shown(timeText)}" ${plan.times.why(record)}`;
    yield { line, id, timeText, tsMs, values, fault: why };
  }
}
