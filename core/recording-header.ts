// Which line of a file is the header of its table, told from lines above it, comments, and lines of units below it.
import { isTimeName, isUsualName } from './recording-columns.ts';
import { fault, listed } from './recording-fault.ts';

/** One record of the beginning of the file. */
export interface HeadRecord {
  readonly cells: readonly string[];
  /** Line on which it ends, from 1. */
  readonly line: number;
  /** Byte of the text after it. */
  readonly to: number;
}

/** Lines within which a second header is looked for. */
const MOST_DESCRIBED = 5;
/** Most lines of units below a header: names of sources come in a second one. */
const MOST_UNIT_LINES = 3;

const COMMENT = /^\s*"?(?:#|\/\/|%)/;
const NUMBER = /^[+-]?(?:\d[\d.,'’\s]*|[.,]\d+)(?:e[+-]?\d+)?$/i;
export const WITH_UNIT = /^[+-]?\d[\d.,'’\s]*[°%\p{L}]/u;
const DATE = /^\d{1,4}[-/.:]\d{1,2}/;

export const trimmed = (cell: string): string => {
  const text = cell.trim();
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).trim() : text;
};
export const isFilled = (cell: string) => cell !== '';
export const isValue = (cell: string) => NUMBER.test(cell) || DATE.test(cell);

/** A line that begins as a comment does and is no row of the table. */
export const isComment = (cells: readonly string[], width: number): boolean =>
  cells.length !== width && COMMENT.test(cells[0] ?? '');

/** The most frequent number of cells. */
export function usualWidth(records: readonly HeadRecord[]): number {
  const counts = new Map<number, number>();
  for (const { cells } of records) counts.set(cells.length, (counts.get(cells.length) ?? 0) + 1);
  let best = 0;
  for (const [width, count] of counts) {
    const most = counts.get(best) ?? 0;
    if (count > most || (count === most && width > best)) best = width;
  }
  return best;
}

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
  if (!best) return -1;
  const at = records.indexOf(best);
  // A line of names and one of values may describe the drive, before the table with its own names.
  const later = records.findIndex(
    ({ cells }, i) =>
      i > at + 1 &&
      i <= at + MOST_DESCRIBED &&
      isTable(records[i]!) &&
      cells.some(isTimeName) &&
      !cells.some(isValue) &&
      cells.join() !== best.cells.join(),
  );
  return later > 0 ? later : at;
}

/** Each name once. */
export function distinctNames(names: readonly string[]): {
  readonly header: string[];
  readonly twice: string[];
} {
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
export function headerAt(
  file: string,
  records: readonly HeadRecord[],
  width: number,
  isFirst: boolean,
): number {
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
export const namesOf = (cells: readonly string[]) =>
  cells.map((cell, i) => {
    const name = cell.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ').trim();
    // What pandas calls a column without a name.
    if (/^Unnamed: \d+$/.test(name)) return '';
    return i > 0 ? name : name.replace(/^(?:#|\/\/)\s*(?=\S)/, '');
  });

/**
 * pandas writes columns of several levels in a line each, the index without a name in either, and often a line below with the names
 * of the index alone.
 * @param records the header and the lines below it
 * @throws TelltaleError RECORDING_INVALID for such a header
 */
export function refuseLevels(file: string, [names, level, index]: readonly HeadRecord[]): void {
  if (!names || !level || names.cells[0] !== '' || level.cells[0] !== '') return;
  if (names.cells.length !== level.cells.length || level.cells.some(isValue)) return;
  const blank = names.cells.findIndex(isFilled);
  const isIndex = index?.cells.slice(0, blank).some(isFilled) && !index.cells.slice(blank).some(isFilled);
  const twice = new Set(names.cells).size < names.cells.length;
  if (!isIndex && !(twice && level.cells.filter(isFilled).length >= 2)) return;
  throw fault(
    file,
    `lines ${names.line} and ${level.line} both name the columns (${listed(names.cells.filter(isFilled), 3)}; ${listed(level.cells.filter(isFilled), 3)}), as pandas writes columns of several levels: join them first, df.columns = ["_".join(map(str, c)) for c in df.columns]; df.to_csv(…)`,
  );
}

/** Lines of units below the header. */
export function countUnits(records: readonly HeadRecord[], at: number, width: number): number {
  let units = 0;
  while (units < MOST_UNIT_LINES && at + 1 + units < records.length) {
    if (!isUnits(records[at + 1 + units]!, width, records.slice(at + 2 + units))) break;
    units += 1;
  }
  return units;
}
