// Where the table stands in a file: its encoding, what parts its cells, which line is the header, and the first row of readings.
// Tools put lines before the header, comments between, units below. All of it is told from the beginning of the file, and said.
import { type CsvError, parse } from 'csv-parse/sync';
import { counted } from './counted.ts';
import { type Encoding, readHead } from './recording-bytes.ts';
import { isUsualName } from './recording-columns.ts';
import { fault, listed, shown } from './recording-fault.ts';

export interface LayoutChoice {
  /** Lines before the header; null: found out. */
  readonly skipLines?: number | null | undefined;
  /** What parts the cells; empty: found out. */
  readonly delimiter?: string | undefined;
}

export interface Layout {
  readonly file: string;
  readonly encoding: Encoding;
  readonly delimiter: string;
  readonly lineEnds: string[];
  /** Names of the columns, each once: a second "x" is "x (2)"; empty where a column has none. */
  readonly header: readonly string[];
  /** Cells of the line of units below the header, or empty. */
  readonly units: readonly string[];
  /** Lines, and bytes of the text as UTF-8, before the first row of readings. */
  readonly skipLines: number;
  readonly skipBytes: number;
  /** Comments among those lines. */
  readonly comments: number;
  /** Cells of the first rows. */
  readonly sample: readonly (readonly string[])[];
  /** What a person should know of it, a line each. */
  readonly remarks: readonly string[];
}

/** One record of the beginning of the file. */
interface HeadRecord {
  readonly cells: readonly string[];
  /** Line on which it ends, from 1. */
  readonly line: number;
  /** Byte of the text after it. */
  readonly to: number;
}

const DELIMITERS = [',', ';', '\t', '|'] as const;
/** Records looked at for delimiter and header. */
const LOOKED_AT = 400;
/** Most lines of units below a header: names of sources come in a second one. */
const MOST_UNIT_LINES = 3;

/** Line ends: those that the beginning has, as each one more that is looked for costs. A stray \\r is a blank. */
const lineEndsOf = (text: Buffer): string[] => {
  if (!text.includes('\r')) return ['\n'];
  return text.includes('\r\n') ? ['\r\n', '\n'] : ['\r', '\n'];
};

/** How a recording's cells are read, everywhere alike. */
export const CSV_OPTIONS = {
  relax_column_count: true,
  relax_quotes: true,
  skip_empty_lines: true,

  // An open quote would take the whole file for one cell.
  max_record_size: 1_000_000,
};

const COMMENT = /^\s*"?(?:#|\/\/|%)/;
const NUMBER = /^[+-]?(?:\d[\d.,'’\s]*|[.,]\d+)(?:e[+-]?\d+)?$/i;
const WITH_UNIT = /^[+-]?\d[\d.,'’\s]*[°%\p{L}]/u;
const DATE = /^\d{1,4}[-/.:]\d{1,2}/;

const trimmed = (cell: string): string => {
  const text = cell.trim();
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).trim() : text;
};
const isFilled = (cell: string) => cell !== '';
const isValue = (cell: string) => NUMBER.test(cell) || DATE.test(cell);

/** A line that begins as a comment does and is no row of the table. */
export const isComment = (cells: readonly string[], width: number): boolean =>
  cells.length !== width && COMMENT.test(cells[0] ?? '');

/** Records of a text, as many as can be read. */
function recordsOf(text: Buffer, delimiter: string): HeadRecord[] {
  const records: HeadRecord[] = [];
  try {
    parse(text, {
      ...CSV_OPTIONS,
      record_delimiter: lineEndsOf(text),
      delimiter,
      to: LOOKED_AT,
      on_record: (record: string[], info) => {
        records.push({ cells: record.map(trimmed), line: info.lines, to: info.bytes });
        return null;
      },
    });
  } catch (error) {
    // A quote left open, or cut by the end of the head: reading the whole file says so.
    if ((error as CsvError).code === undefined) throw error;
  }
  return records;
}

/** The most frequent number of cells. */
function usualWidth(records: readonly HeadRecord[]): number {
  const counts = new Map<number, number>();
  for (const { cells } of records) counts.set(cells.length, (counts.get(cells.length) ?? 0) + 1);
  let best = 0;
  for (const [width, count] of counts) {
    const most = counts.get(best) ?? 0;
    if (count > most || (count === most && width > best)) best = width;
  }
  return best;
}

/** How well records look like a table: rows of one width, cells that are values. */
function tableScore(all: readonly HeadRecord[]): number {
  const width = usualWidth(all);
  if (width < 2) return 0;
  const records = all.filter(({ cells }) => !isComment(cells, width));
  const rows = records.filter(({ cells }) => cells.length === width);
  const cells = rows.flatMap((row) => row.cells).filter(isFilled);
  const values =
    cells.filter((cell) => isValue(cell) || WITH_UNIT.test(cell)).length / Math.max(1, cells.length);
  return (rows.length / records.length) * (0.2 + values) * (1 + 0.01 * width);
}

const NAMED_DELIMITERS: Readonly<Record<string, string>> = {
  comma: ',',
  semicolon: ';',
  tab: '\t',
  '\\t': '\t',
  pipe: '|',
  space: ' ',
};

/** The delimiter that makes a table of the text. */
function findDelimiter(file: string, text: Buffer, asked: string): string {
  if (asked !== '') return NAMED_DELIMITERS[asked] ?? asked;
  let best = ',';
  let most = 0;
  for (const delimiter of DELIMITERS) {
    const score = tableScore(recordsOf(text, delimiter));
    if (score > most) [best, most] = [delimiter, score];
  }
  if (most > 0) return best;
  const first = text.toString('utf8', 0, 400).split(/[\r\n]/, 1)[0] ?? '';
  throw fault(
    file,
    `no comma, semicolon, tab or | parts its lines into cells ("${shown(first)}"): name what does with --delimiter`,
  );
}

/** Bytes of the first lines of a text. */
function bytesOfLines(text: Buffer, lines: number): number {
  let at = 0;
  for (let line = 0; line < lines && at < text.length; line += 1) {
    while (at < text.length && text[at] !== 0x0a && text[at] !== 0x0d) at += 1;
    at += text[at] === 0x0d && text[at + 1] === 0x0a ? 2 : 1;
  }
  return Math.min(at, text.length);
}

/** `sep=;` in the first line, as spreadsheets want it. */
const SEPARATOR_LINE = /^"?sep=(.|\\t)"?[ ,;\t]*(?:\r\n|\n|\r)/i;

/** Where the header is among the records, or −1. */
function findHeader(records: readonly HeadRecord[], width: number): number {
  const least = Math.max(2, Math.ceil(width / 2));
  const isTable = ({ cells }: HeadRecord) =>
    Math.abs(cells.length - width) <= 1 && cells.filter(isFilled).length >= least;
  const isHeader = ({ cells }: HeadRecord) => {
    const filled = cells.filter(isFilled);
    return filled.some(isUsualName) || filled.filter(isValue).length <= 0.2 * filled.length;
  };
  const rows = records.findIndex((record) => isTable(record) && !isHeader(record));
  const candidates = (rows < 0 ? records : records.slice(0, rows)).filter(
    (one) => isTable(one) && isHeader(one),
  );
  // A line of names before the table may be as wide as its header, which has the usual names.
  const best = candidates.find(({ cells }) => cells.some(isUsualName)) ?? candidates[0];
  return best ? records.indexOf(best) : -1;
}

/** Each name once. */
function distinctNames(names: readonly string[]): { readonly header: string[]; readonly twice: string[] } {
  const header: string[] = [];
  const twice: string[] = [];
  for (const name of names) {
    let own = name;
    for (let n = 2; own !== '' && (header.includes(own) || (own !== name && names.includes(own))); n += 1)
      own = `${name} (${n})`;
    if (own !== name) twice.push(own);
    header.push(own);
  }
  return { header, twice };
}

/** Whether a record names units: no value in it, while the rows below have some. */
function isUnits({ cells }: HeadRecord, width: number, below: readonly HeadRecord[]): boolean {
  const filled = cells.filter(isFilled);
  if (cells.length > width + 1 || filled.length < 2) return false;
  if (filled.some((cell) => isValue(cell) || WITH_UNIT.test(cell))) return false;
  return below.some((row) => row.cells.filter(isValue).length >= 2);
}

/** Where the header is. @throws TelltaleError RECORDING_INVALID when there is none */
function headerAt(file: string, records: readonly HeadRecord[], width: number, isFirst: boolean): number {
  const first = records.findIndex(({ cells }) => !isComment(cells, width));
  if (first < 0) throw fault(file, 'has no header: name the columns in a line above the rows');
  if (isFirst) return first;
  const at = findHeader(records, width);
  if (at >= 0) return at;
  const { cells, line } = records[first]!;
  const filled = cells.filter(isFilled);
  if (filled.length > 1 && filled.filter(isValue).length > filled.length / 2)
    throw fault(
      file,
      `line ${line} should name the columns, but holds values (${listed(cells, 6)}): write a header above it, or skip lines with --skip-lines`,
    );
  return first;
}

/** Names out of the header's cells; a header may be written as a comment. */
const namesOf = (cells: readonly string[]) =>
  cells.map((cell, i) => (i > 0 ? cell : cell.replace(/^(?:#|\/\/)\s*(?=\S)/, '')));

const ENCODING_NAMES = {
  'utf-8': 'UTF-8',
  'utf-16le': 'UTF-16',
  'utf-16be': 'UTF-16',
  'windows-1252': 'Latin-1 (windows-1252)',
} as const;

/** What is above the header, in words. */
function aboveRemarks(before: readonly HeadRecord[], separator: boolean): string[] {
  const first = before[0];
  const skipped = `${counted(before.length, 'line')} before the header skipped`;
  return [
    ...(separator ? ['line 1 names the separator'] : []),
    ...(first ? [`${skipped}, the first: "${shown(first.cells.join(' ').trim())}"`] : []),
  ];
}

/** Lines of units below the header. */
function countUnits(records: readonly HeadRecord[], at: number, width: number): number {
  let units = 0;
  while (units < MOST_UNIT_LINES && at + 1 + units < records.length) {
    if (!isUnits(records[at + 1 + units]!, width, records.slice(at + 2 + units))) break;
    units += 1;
  }
  return units;
}

/**
 * Tells where the table stands.
 * @param encoding when it is known
 * @throws TelltaleError RECORDING_INVALID when the file is no text, or has no header
 */
export async function findLayout(
  file: string,
  choice: LayoutChoice = {},
  encoding?: Encoding,
): Promise<Layout> {
  const head = await readHead(file, encoding);
  const skipLines = choice.skipLines ?? null;
  const separator = skipLines === null ? SEPARATOR_LINE.exec(head.text.toString('utf8', 0, 40)) : null;
  const skipped = skipLines ?? (separator ? 1 : 0);
  const start = bytesOfLines(head.text, skipped);
  const text = head.text.subarray(start);
  if (text.toString('utf8', 0, 4096).trim() === '')
    throw fault(file, skipped > 0 ? `has nothing after the ${counted(skipped, 'line')} to skip` : 'is empty');
  const delimiter = findDelimiter(file, text, choice.delimiter || (separator?.[1] ?? ''));
  const records = recordsOf(text, delimiter);
  const width = usualWidth(records);
  const at = headerAt(file, records, width, skipLines !== null);
  const above = records.slice(0, at);
  const before = above.filter(({ cells }) => !isComment(cells, width));
  const { header, twice } = distinctNames(namesOf(records[at]!.cells));
  const unitLines = countUnits(records, at, header.length);
  const units = unitLines > 0 ? records[at + 1]! : null;
  const last = records[at + unitLines]!;
  const remarks = [
    ...(head.encoding === 'utf-8' ? [] : [`is not UTF-8, read as ${ENCODING_NAMES[head.encoding]}`]),
    ...aboveRemarks(before, separator !== null),
    ...(units
      ? [`line ${skipped + units.line} gives units, no readings: ${listed(units.cells.filter(isFilled), 6)}`]
      : []),
    ...(twice.length > 0
      ? [`columns of the same name, told apart as ${listed(twice)}; leave one out with --ignore`]
      : []),
  ];
  return {
    ...{
      file,
      encoding: head.encoding,
      delimiter,
      lineEnds: lineEndsOf(text),
      header,
      units: units?.cells ?? [],
      remarks,
    },
    skipLines: skipped + last.line,
    skipBytes: head.markBytes + start + last.to,
    comments: above.length - before.length,
    sample: records
      .slice(at + unitLines + 1)
      .filter(({ cells }) => !isComment(cells, header.length))
      .map(({ cells }) => cells),
  };
}
