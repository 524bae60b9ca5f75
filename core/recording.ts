// A recording: a CSV file (plain or gzip) with an id column, a time column and any numeric columns, each id a car.
// Opening it reads the file once to learn what each column is; rows are then streamed, so memory does not grow with it.
// recording-layout.ts finds the table in the file, recording-survey.ts learns the columns, recording-times.ts which are the time.
import { type Catalogue, checkCatalogue } from './catalogue.ts';
import { counted, percent } from './counted.ts';
import { didYouMean } from './did-you-mean.ts';
import { NotUtf8 } from './recording-bytes.ts';
import type { ColumnFacts } from './recording-column.ts';
import { carOfFile, columnAt, findId, MANY_PER_ID, MANY_ROWS, ONE_CAR } from './recording-columns.ts';
import { fault, listed, shown } from './recording-fault.ts';
import { records, Skipped } from './recording-file.ts';
import { findLayout, type Layout } from './recording-layout.ts';
import type { Limits } from './recording-limits.ts';
import { checkLong } from './recording-long.ts';
import { type NumberFormat, PLAIN, sameFormat } from './recording-numbers.ts';
import { cellRemarks, formatRemarks, idDoubts, idRemarks, rowRemarks } from './recording-remarks.ts';
import { type RecordingRow, readRows, type Table } from './recording-rows.ts';
import { Survey } from './recording-survey.ts';
import { type RecordingTimes, TimesSurvey } from './recording-times.ts';

export interface RecordingOptions {
  /** Column that tells the cars apart; `none`: the file is one car; default: the first with a usual name that is filled, else the file. */
  readonly id?: string | undefined;
  /** Column of event times; default: the first of timestamp, time, ts, datetime, date that moves, or a name like these. */
  readonly time?: string | undefined;
  /** Columns left out (labels, notes), by name or by number (#3). */
  readonly ignore?: readonly string[] | undefined;
  /** Lines before the header; null: found out. */
  readonly skipLines?: number | null | undefined;
  /** What parts the cells; empty: found out. */
  readonly delimiter?: string | undefined;
  /** What commas in numbers are; empty: found out, column by column. */
  readonly decimal?: '' | 'point' | 'comma' | undefined;
  /** Whether columns in which many cells are no numbers will do, when there are no others. Default false. */
  readonly anyNumber?: boolean;
}

/** How a recording is read, out of the settings of a command. */
export const readingOf = (settings: Readonly<RecordingOptions>): RecordingOptions => {
  const { id, time, ignore, skipLines, delimiter, decimal } = settings;
  return { id, time, ignore, skipLines, delimiter, decimal };
};

export interface Recording {
  readonly file: string;
  /** Empty: the file is one car. */
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
  /** What was skipped, guessed or taken as missing, a line for each cause. */
  readonly remarks: readonly string[];
  /**
   * Streams the rows in file order. Codes that were found are missing, unless `limits` say what a reading is.
   * @param signals picks and orders the readings (default: all numeric columns); one that the file lacks, or that is ignored, is NaN
   */
  rows(signals?: readonly string[], limits?: Limits): AsyncIterable<RecordingRow>;
}

/** What one pass over the rows found. */
interface Found {
  readonly survey: Survey;
  readonly times: RecordingTimes;
  readonly skipped: Skipped;
  /** How each column of the header writes its numbers. */
  readonly formats: readonly NumberFormat[];
}

/**
 * Opens a recording and learns its columns.
 * @throws TelltaleError RECORDING_INVALID naming file and column: no such file, not CSV, no rows, no time or numeric column
 */
export async function openRecording(file: string, options: RecordingOptions = {}): Promise<Recording> {
  const layout = await findLayout(file, options);
  try {
    return await readTable(layout, options);
  } catch (error) {
    if (!(error instanceof NotUtf8)) throw error;
    // What begins as UTF-8 and goes on as something else was never UTF-8.
    return readTable(await findLayout(file, options, 'windows-1252'), options);
  }
}

async function readTable(layout: Layout, options: RecordingOptions): Promise<Recording> {
  const { file, header } = layout;
  const id = findId(file, header, options.id, layout.sample);
  const ignored = (options.ignore ?? []).map((name) => ignoredAt(file, header, name));
  const indexes = header.flatMap((name, i) =>
    name === '' || i === id.index || ignored.includes(i) ? [] : [i],
  );
  const table: Table = { layout, idIndex: id.index, indexes, car: carOfFile(file) };
  const { survey, formats, times, skipped } = await surveyRows(table, options);
  const idColumn = header[id.index] ?? '';
  const timeNames = times.columns.map((i) => header[i]!);
  const columns = survey.facts(layout.units).filter(({ name }) => !timeNames.includes(name));
  checkRows(table, survey);
  checkLong(layout, id.index, columns);
  const signals = columns.filter((c) => c.numeric).map((c) => c.name);
  const usable = options.anyNumber ? columns.some(({ count }) => count > 0) : signals.length > 0;
  if (!usable) {
    const besides = [idColumn, ...timeNames].filter((name) => name !== '').map(shown);
    throw fault(file, `no numeric column besides ${besides.join(' and ')}`);
  }
  const used = indexes.filter((i) => signals.includes(header[i]!));
  return {
    ...{ file, idColumn, columns, signals, ids: survey.ids, rowCount: survey.rowCount },
    timeColumn: timeNames.join(' + '),
    timeRemarks: times.remarks,
    nameless: header.filter((name) => name === '').length,
    ignored: ignored.map((i) => header[i]!).filter((name) => name !== ''),
    remarks: [
      ...rowRemarks(layout, skipped, survey),
      ...idRemarks(id, { idColumn, car: table.car, asked: options.id === ONE_CAR, columns }),
      ...(idColumn === '' ? [] : idDoubts(survey.ids.keys())),
      ...formatRemarks(
        used.map((i) => [header[i]!, formats[i]!, survey.doubt(i), survey.unitTold(i)]),
        // Semicolons part cells where the comma is the decimal one, and the point may part thousands.
        layout.delimiter === ';' && !survey.hasPointDecimals && !options.decimal,
      ),
      ...cellRemarks(columns),
    ],
    rows: (wanted = signals, limits) => {
      const facts = new Map(columns.map((column) => [column.name, column]));
      const places = wanted.map((name) => (facts.has(name) ? header.indexOf(name) : -1));
      const codes = wanted.map(
        (name, c) => new Set(limits?.keepsAll(c) ? [] : facts.get(name)?.codes.map(({ value }) => value)),
      );
      const timeColumn = timeNames.join(' + ');
      return readRows(table, {
        places,
        codes,
        formats,
        times: times.reader(),
        timeColumn,
        limits: limits ?? null,
      });
    },
  };
}

/** Reads the rows until it is known how each column writes its numbers: once, or again where they are no plain ones. */
async function surveyRows(table: Table, options: RecordingOptions): Promise<Found> {
  const { layout, idIndex, indexes, car } = table;
  const { file, header, delimiter } = layout;
  const habits = { delimiter, decimal: options.decimal ?? '' };
  const begin = (formats: readonly NumberFormat[], closely: boolean) =>
    new Survey({ header, indexes, idIndex, car, formats, closely });
  const formatsOf = (survey: Survey) => {
    const told = survey.formats(habits);
    return header.map((_, i) => told.get(i) ?? (told.has(i) ? null : PLAIN));
  };
  const first = begin(
    header.map(() => PLAIN),
    true,
  );
  for (const record of layout.sample) if (record.length === header.length) first.add(record);
  checkLong(layout, idIndex, first.facts([]));
  let told = formatsOf(first);
  let closely = told.some((format) => format === null || !sameFormat(format, PLAIN));
  for (let pass = 1; ; pass += 1) {
    const formats = told.map((format) => format ?? PLAIN);
    const found = { survey: begin(formats, closely), skipped: new Skipped(), formats };
    const times = await onePass(table, options, found);
    // Thousands may come when the engine leaves idle, long after the rows that were looked at.
    if (!closely && !first.hasPointDecimals && found.survey.mayPartThousands) {
      closely = true;
      continue;
    }
    const now = formatsOf(found.survey).map((format, i) => (times.columns.includes(i) ? PLAIN : format));
    const same = now.every((format, i) => format !== null && sameFormat(format, formats[i]!));
    if (same || pass === MOST_PASSES) return { ...found, times };
    const open = now.indexOf(null);
    if (closely && open >= 0)
      throw fault(
        file,
        `column ${shown(header[open]!)}: "${shown(found.survey.doubt(open))}" may have decimals or thousands; say --decimal point or --decimal comma, or leave the column out with --ignore`,
      );
    told = now;
    closely = true;
  }
}

/** Reads all rows once. */
async function onePass(
  table: Table,
  options: RecordingOptions,
  { survey, skipped }: Pick<Found, 'survey' | 'skipped'>,
): Promise<RecordingTimes> {
  const { layout } = table;
  const { file, header, delimiter } = layout;
  const ignore = (options.ignore ?? []).map((name) => header[columnAt(header, name)] ?? name);
  const asked = header[columnAt(header, options.time ?? '')] ?? options.time ?? '';
  const times = new TimesSurvey({ file, header, asked, ignore, decimalComma: delimiter !== ',' });
  for await (const batch of records(layout, { skipped })) {
    for (const { record, line, fits } of batch) {
      if (fits) times.add(record, survey.add(record));
      else survey.addMisfit(line, record.length);
    }
    if (survey.hasRowIds) throw rowIds(table, survey);
  }
  if (survey.rowCount === 0) throw fault(file, 'has a header but no rows');
  checkFit(layout, survey);
  return times.choose();
}

/** Passes over the rows at most: the second looks closely, the third reads by what it found. */
const MOST_PASSES = 4;

function ignoredAt(file: string, header: readonly string[], name: string): number {
  const at = columnAt(header, name);
  if (at >= 0) return at;
  throw fault(
    file,
    `--ignore names column "${shown(name)}", which the header lacks${didYouMean(name, header)} (it has ${listed(header)})`,
  );
}

const rowIds = ({ layout, idIndex }: Table, { ids, rowCount }: Survey) =>
  fault(
    layout.file,
    `column ${shown(layout.header[idIndex]!)} has ${counted(ids.size, 'id')} in ${counted(rowCount, 'row')}: is it what tells cars apart? Name the column that does with --id COLUMN, or say --id ${ONE_CAR} if the file is one car`,
  );

/** @throws TelltaleError RECORDING_INVALID when most rows are unlike the header */
function checkFit({ file, header, delimiter }: Layout, { rowCount, misfits, firstMisfit }: Survey): void {
  if (firstMisfit && misfits > rowCount / 2) {
    const comma = delimiter === ',' && firstMisfit.cells > header.length;
    throw fault(
      file,
      `${counted(misfits, 'row')} of ${rowCount.toLocaleString('en')} have another number of cells than the header (${header.length}): line ${firstMisfit.line} has ${firstMisfit.cells}. ` +
        (comma
          ? 'Do commas stand in numbers too? Then write the file with semicolons. Or does the header lack a name?'
          : 'Complete the header, skip lines before it with --skip-lines, or name the delimiter with --delimiter'),
    );
  }
}

/** @throws TelltaleError RECORDING_INVALID when most rows are of no car, or each of another */
function checkRows(table: Table, survey: Survey): void {
  const { layout, idIndex } = table;
  const { file, header } = layout;
  const { rowCount, misfits, withoutId, ids } = survey;
  const rows = rowCount - misfits;
  if (idIndex < 0) return;
  if (withoutId > rows / 2)
    throw fault(
      file,
      `column ${shown(header[idIndex]!)} is empty in ${percent(withoutId, rows)} of rows: name the column that tells cars apart with --id COLUMN, or say --id ${ONE_CAR} if the file is one car`,
    );
  const named = rows - withoutId;
  if (named >= MANY_ROWS && named < MANY_PER_ID * ids.size) throw rowIds(table, survey);
}

/**
 * Draws up the catalogue of a recording: each numeric column a signal, the range of possible readings a thousand times the span
 * seen to either side, for a person to correct. So wide, because a reading beyond it is taken as missing: what a broken car reads
 * may lie far outside all that a healthy one ever did, and must be judged.
 * @throws TelltaleError CATALOGUE_INVALID when a column can be no signal: its name is too long, or there are too many
 */
export function catalogueOfRecording(recording: Recording, name: string): Catalogue {
  const facts = new Map(recording.columns.map((c) => [c.name, c]));
  const signals = recording.signals.map((signal) => {
    const { min, max, unit, codes } = facts.get(signal)!;
    const margin = DRAWN_SPANS * (max > min ? max - min : Math.max(1, Math.abs(max)));
    return {
      ...{ name: signal, unit: unit.slice(0, MOST_UNIT), min: min - margin, max: max + margin },
      ...{
        label: humanName(signal),
        ...(codes.length > 0 ? { missing: codes.map(({ value }) => value) } : {}),
      },
    };
  });
  return checkCatalogue({ name, version: 1, signals }, recording.file);
}

/** Spans that a range which nobody has stated reaches beyond what was seen. */
const DRAWN_SPANS = 1000;
/** Characters of a unit. */
const MOST_UNIT = 20;

function humanName(column: string): string {
  const spaced = column.replaceAll(/[_.]+/g, ' ').trim();
  return spaced === spaced.toUpperCase() ? spaced.toLowerCase() : spaced;
}
