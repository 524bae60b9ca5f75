// A recording: a CSV file (plain or gzip) with an id column, a time column and any numeric columns, each id a car.
// Opening it reads the file once to learn what each column is; rows are then streamed, so memory does not grow with it.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { type CsvError, parse } from 'csv-parse';
import type { Catalogue } from './catalogue.ts';
import { didYouMean } from './did-you-mean.ts';
import { messageOf, TelltaleError } from './errors.ts';

export interface RecordingOptions {
  /** Column that tells the cars apart; default: the first of id, vin, car, vehicle, device, run that is there. */
  readonly id?: string | undefined;
  /** Column of event times; default: the first of timestamp, time, ts, datetime, date that is there. */
  readonly time?: string | undefined;
  /** Columns left out (labels, notes). */
  readonly ignore?: readonly string[] | undefined;
}

/** What was found in a column that is no id, no time and not ignored. */
export interface ColumnFacts {
  readonly name: string;
  readonly numeric: boolean;
  /** Cells with a finite number. */
  readonly count: number;
  /** Cells with nothing in them (also NaN, null, NA, -). */
  readonly missing: number;
  /** Cells with something that is no number. */
  readonly unreadable: number;
  readonly min: number;
  readonly max: number;
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
  readonly timeColumn: string;
  readonly columns: readonly ColumnFacts[];
  /** Names of the numeric columns, in file order: the signals. */
  readonly signals: readonly string[];
  readonly rowCount: number;
  readonly ids: ReadonlyMap<string, number>;
  /** Streams the rows in file order; `signals` picks and orders the readings (default: all numeric columns); one that the file lacks is NaN. */
  rows(signals?: readonly string[]): AsyncIterable<RecordingRow>;
}

const ID_NAMES = ['id', 'vin', 'car', 'vehicle', 'device', 'run'];
const TIME_NAMES = ['timestamp', 'time', 'ts', 'datetime', 'date'];
const EMPTY = new Set(['', 'nan', 'null', 'na', 'n/a', 'none', '-']);
/** A column counts as numeric when at most this share of its filled cells is unreadable. */
const UNREADABLE_SHARE = 0.05;

/**
 * Opens a recording and learns its columns.
 * @throws TelltaleError RECORDING_INVALID naming file and column: no such file, not CSV, no rows, no id, time or numeric column
 */
export async function openRecording(file: string, options: RecordingOptions = {}): Promise<Recording> {
  const delimiter = await detectDelimiter(file);
  const header = await readHeader(file, delimiter);
  const idColumn = pickColumn(file, header, 'id', options.id, ID_NAMES);
  const timeColumn = pickColumn(file, header, 'time', options.time, TIME_NAMES);
  for (const name of options.ignore ?? []) {
    if (!header.includes(name))
      throw fault(
        file,
        `--ignore names column "${name}", which the header lacks${didYouMean(name, header)} (it has ${header.join(', ')})`,
      );
  }
  const survey = new Survey(header, idColumn, timeColumn, options.ignore ?? []);
  for await (const { record } of records(file, delimiter)) survey.add(record);
  if (survey.rowCount === 0) throw fault(file, 'has a header but no rows');
  const columns = survey.facts();
  const signals = columns.filter((c) => c.numeric).map((c) => c.name);
  if (signals.length === 0) throw fault(file, `no numeric column besides ${idColumn} and ${timeColumn}`);
  const msPerUnit = survey.msPerUnit();
  return {
    file,
    idColumn,
    timeColumn,
    columns,
    signals,
    rowCount: survey.rowCount,
    ids: survey.ids,
    rows: (wanted = signals) =>
      readRows(file, delimiter, { header, idColumn, timeColumn, wanted, msPerUnit }),
  };
}

/**
 * Draws up the catalogue of a recording: each numeric column a signal, the range of possible readings ten times the span
 * seen to either side, for a person to correct.
 */
export function catalogueOfRecording(recording: Recording, name: string): Catalogue {
  const facts = new Map(recording.columns.map((c) => [c.name, c]));
  const signals = recording.signals.map((signal) => {
    const { min, max } = facts.get(signal)!;
    const margin = 10 * (max > min ? max - min : Math.max(1, Math.abs(max)));
    return { name: signal, unit: '', min: min - margin, max: max + margin, label: humanName(signal) };
  });
  return { name, version: 1, signals };
}

function humanName(column: string): string {
  const spaced = column.replaceAll(/[_.]+/g, ' ').trim();
  return spaced === spaced.toUpperCase() ? spaced.toLowerCase() : spaced;
}

function fault(file: string, what: string, cause?: unknown): TelltaleError {
  return new TelltaleError('RECORDING_INVALID', `${file}: ${what}`, { cause });
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

async function isGzip(file: string): Promise<boolean> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
      return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw fault(file, messageOf(cause), cause);
  }
}

async function openBytes(file: string): Promise<NodeJS.ReadableStream> {
  const gzip = await isGzip(file);
  const source = createReadStream(file);
  if (!gzip) return source;
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  return source.pipe(gunzip);
}

/** The delimiter that splits the first line into the most cells: comma, semicolon or tab. */
async function detectDelimiter(file: string): Promise<string> {
  let head = '';
  try {
    for await (const chunk of await openBytes(file)) {
      head += chunk.toString();
      if (head.includes('\n') || head.length > 1_000_000) break;
    }
  } catch (cause) {
    throw cause instanceof TelltaleError ? cause : fault(file, messageOf(cause), cause);
  }
  const line = head.split('\n', 1)[0] ?? '';
  const cells = (delimiter: string) => line.split(delimiter).length;
  return [',', ';', '\t'].reduce((best, next) => (cells(next) > cells(best) ? next : best));
}

async function readHeader(file: string, delimiter: string): Promise<readonly string[]> {
  for await (const { record } of records(file, delimiter, 1)) {
    const header = record.map((name) => name.trim());
    const twice = header.find((name, i) => header.indexOf(name) !== i);
    if (twice !== undefined) throw fault(file, `line 1: column "${twice}" stands twice`);
    return header;
  }
  throw fault(file, 'is empty');
}

interface RawRecord {
  readonly record: readonly string[];
  readonly line: number;
}

/** Raw records; `fromLine` 1 includes the header. */
async function* records(file: string, delimiter: string, fromLine = 2): AsyncGenerator<RawRecord> {
  const source = await openBytes(file);
  const parser = parse({
    delimiter,
    bom: true,
    relax_column_count: true,
    skip_empty_lines: true,
    from_line: fromLine,
    info: true,
  });
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      yield { record, line: info.lines };
    }
  } catch (cause) {
    const line = (cause as CsvError).lines;
    throw fault(file, `${typeof line === 'number' ? `line ${line}: ` : ''}${messageOf(cause)}`, cause);
  } finally {
    (source as { destroy?: () => void }).destroy?.();
  }
}

/** A number, NaN for an empty cell, undefined for something else. */
function readCell(cell: string | undefined): number | undefined {
  if (cell === undefined || cell === '') return Number.NaN;
  const value = Number(cell);
  if (Number.isFinite(value)) return value;
  return EMPTY.has(cell.trim().toLowerCase()) ? Number.NaN : undefined;
}

/** One pass over the file that learns what each column is. */
class Survey {
  readonly ids = new Map<string, number>();
  rowCount = 0;
  readonly #indexes: readonly number[];
  readonly #names: readonly string[];
  readonly #idIndex: number;
  readonly #timeIndex: number;
  readonly #count: Float64Array;
  readonly #missing: Float64Array;
  readonly #unreadable: Float64Array;
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  #largestTime = 0;

  constructor(header: readonly string[], idColumn: string, timeColumn: string, ignore: readonly string[]) {
    const kept = header
      .map((name, i) => ({ name, i }))
      .filter(({ name }) => name !== idColumn && name !== timeColumn && !ignore.includes(name));
    this.#indexes = kept.map(({ i }) => i);
    this.#names = kept.map(({ name }) => name);
    this.#idIndex = header.indexOf(idColumn);
    this.#timeIndex = header.indexOf(timeColumn);
    const n = kept.length;
    this.#count = new Float64Array(n);
    this.#missing = new Float64Array(n);
    this.#unreadable = new Float64Array(n);
    this.#min = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
    this.#max = new Float64Array(n).fill(Number.NEGATIVE_INFINITY);
  }

  add(record: readonly string[]): void {
    this.rowCount += 1;
    const id = record[this.#idIndex] ?? '';
    if (id !== '') this.ids.set(id, (this.ids.get(id) ?? 0) + 1);
    const time = Number(record[this.#timeIndex]);
    if (Number.isFinite(time)) this.#largestTime = Math.max(this.#largestTime, Math.abs(time));
    for (let c = 0; c < this.#indexes.length; c += 1) {
      const value = readCell(record[this.#indexes[c]!]);
      if (value === undefined) this.#unreadable[c]! += 1;
      else if (Number.isNaN(value)) this.#missing[c]! += 1;
      else {
        this.#count[c]! += 1;
        if (value < this.#min[c]!) this.#min[c] = value;
        if (value > this.#max[c]!) this.#max[c] = value;
      }
    }
  }

  facts(): readonly ColumnFacts[] {
    return this.#names.map((name, c) => {
      const count = this.#count[c]!;
      const unreadable = this.#unreadable[c]!;
      const numeric = count > 0 && unreadable <= UNREADABLE_SHARE * (count + unreadable);
      return {
        name,
        numeric,
        count,
        missing: this.#missing[c]!,
        unreadable,
        min: this.#min[c]!,
        max: this.#max[c]!,
      };
    });
  }

  /** Numeric times are seconds, milliseconds, microseconds or nanoseconds by their size: year 5138 in seconds is 1e11. */
  msPerUnit(): number {
    if (this.#largestTime < 1e11) return 1000;
    if (this.#largestTime < 1e14) return 1;
    return this.#largestTime < 1e17 ? 1e-3 : 1e-6;
  }
}

/** Event time in ms: a number in the file's unit, or a date (UTC where it names no zone). NaN when it is neither. */
function readTime(cell: string, msPerUnit: number): number {
  const text = cell.trim();
  if (text === '') return Number.NaN;
  const value = Number(text);
  if (Number.isFinite(value)) return Math.round(value * msPerUnit);
  const iso = text.replace(' ', 'T');
  return Date.parse(/(?:z|[+-]\d\d:?\d\d)$/i.test(iso) || !iso.includes('T') ? iso : `${iso}Z`);
}

interface RowPlan {
  readonly header: readonly string[];
  readonly idColumn: string;
  readonly timeColumn: string;
  readonly wanted: readonly string[];
  readonly msPerUnit: number;
}

async function* readRows(file: string, delimiter: string, plan: RowPlan): AsyncGenerator<RecordingRow> {
  const idIndex = plan.header.indexOf(plan.idColumn);
  const timeIndex = plan.header.indexOf(plan.timeColumn);
  const indexes = plan.wanted.map((name) => plan.header.indexOf(name));
  for await (const { record, line } of records(file, delimiter)) {
    const values = new Float64Array(indexes.length);
    for (let c = 0; c < indexes.length; c += 1) values[c] = readCell(record[indexes[c]!]) ?? Number.NaN;
    const id = record[idIndex] ?? '';
    const timeText = record[timeIndex] ?? '';
    const tsMs = readTime(timeText, plan.msPerUnit);
    let why: string | null = null;
    if (record.length !== plan.header.length)
      why = `line ${line}: ${record.length} cells, the header has ${plan.header.length}`;
    else if (id === '') why = `line ${line}: column ${plan.idColumn} is empty`;
    else if (Number.isNaN(tsMs)) why = `line ${line}: column ${plan.timeColumn}: "${timeText}" is no time`;
    yield { line, id, timeText, tsMs, values, fault: why };
  }
}
