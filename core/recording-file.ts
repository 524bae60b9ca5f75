// A recording's rows one by one as text: what is no row (comments, a header that comes again) is counted, and a row that has not
// the cells of the header is marked, because nobody knows which of its cells is which.
import { pipeline } from 'node:stream/promises';
import { type CsvError, type Parser, parse } from 'csv-parse';
import { TelltaleError } from './errors.ts';
import { NotUtf8, openText } from './recording-bytes.ts';
import { asFault, fault, listed } from './recording-fault.ts';
import { isComment, trimmed } from './recording-header.ts';
import { CSV_OPTIONS, type Layout } from './recording-layout.ts';

export interface RawRecord {
  /** Cells as they stand in the file. */
  readonly record: readonly string[];
  /** Line in the file on which the row ends, from 1. */
  readonly line: number;
  /** Whether its cells are those of the header; empty ones at its end make no difference. */
  readonly fits: boolean;
}

/** Lines that are no rows. */
export class Skipped {
  comments = 0;
  headers = 0;
}

/** One reading of the rows. */
export interface Pass {
  readonly skipped?: Skipped;
  /** Whether they have all been read before. */
  readonly surveyed?: boolean;
}

/** Whether a row has a cell for each column that has a name, and nothing beyond the header. */
function fitsHeader(record: readonly string[], header: readonly string[]): boolean {
  if (record.length > header.length) {
    for (let c = header.length; c < record.length; c += 1) if (record[c]!.trim() !== '') return false;
    return true;
  }
  for (let c = record.length; c < header.length; c += 1) if (header[c] !== '') return false;
  return true;
}

/** A header written again, where files were put one behind the other. */
const isHeader = (record: readonly string[], header: readonly string[]): boolean =>
  record.length === header.length &&
  record.every((cell, i) => header[i]!.startsWith(cell.trim())) &&
  record.some((cell) => cell.trim() !== '');

/** A name as it is compared: whatever case, blanks and byte order mark it has. */
const bareName = (cell: string): string => trimmed(cell.replace('\ufeff', '')).toLowerCase();

/**
 * Tells another header among the rows: at least half of its cells are names of the first one, whatever their order. Below it other
 * cells are of other columns, and read by the first header rpm would be coolant.
 */
class LaterHeaders {
  readonly #names: ReadonlySet<string>;
  readonly #bare: readonly string[];

  constructor(header: readonly string[]) {
    this.#bare = header.map(bareName);
    this.#names = new Set([...header, ...this.#bare].filter((name) => name !== ''));
  }

  /** Asked of each row, so that most answers cost two looks. */
  isOne(record: readonly string[]): boolean {
    if (!this.#maybe(record[0]) && !this.#maybe(record.at(-1))) return false;
    const cells = record.map(bareName).filter((cell) => cell !== '');
    const known = cells.filter((cell) => this.#names.has(cell)).length;
    return known >= 2 && known >= cells.length / 2 && cells.every((cell) => Number.isNaN(Number(cell)));
  }

  /** Whether it names the same columns in the same places. */
  isSame(record: readonly string[]): boolean {
    return record.every((cell, i) => bareName(cell) === (this.#bare[i] ?? ''));
  }

  #maybe(cell: string | undefined): boolean {
    if (cell === undefined) return false;
    const code = cell.charCodeAt(0);
    // Digits and signs begin no name that comes again often: the usual cell is told by its first character.
    if (code < 0x3a && code > 0x2a) return this.#names.has(cell);
    return this.#names.has(cell) || this.#names.has(bareName(cell));
  }
}

const MENDED = 'close it, or take the quote out';

/** Refuses a row with a quote that was left open: it goes on to the next quote and takes the rows between for a cell. */
function checkQuotes(
  { file, header, delimiter }: Layout,
  record: readonly string[],
  line: number,
  fits: boolean,
) {
  const torn = record.filter((cell) => /[\r\n]/.test(cell));
  if (torn.length === 0) return;
  const swallowed = torn.some((cell) => cell.split(delimiter).length >= header.length);
  if (fits && !swallowed) return;
  const opened = line - torn.join('').split(/\r\n|\r|\n/).length + 1;
  throw fault(file, `line ${opened}: a quote opens here and does not close before line ${line}: ${MENDED}`);
}

/** The line on which a quote opens that never closes: that of the row which the parser cannot end. */
async function lineOfOpenQuote(layout: Layout): Promise<number> {
  let line = layout.skipLines;
  const source = await openText(layout.file, layout.encoding, layout.skipBytes);
  const parser = parse({
    ...{ ...CSV_OPTIONS, delimiter: layout.delimiter, record_delimiter: layout.lineEnds },
    on_record: (_: string[], info) => {
      line = layout.skipLines + info.lines;
      return null;
    },
  });
  await pipeline(source, parser, async (rows) => {
    for await (const _ of rows);
  }).catch(() => undefined);
  return line + 1;
}

/** A record of the parser with its place. */
interface Parsed {
  readonly record: string[];
  readonly info: { readonly lines: number };
}

/** What the parser has ready, as many records at once as it has: a promise for each would cost more than to parse it. */
async function* batchesOf(parser: Parser): AsyncGenerator<readonly Parsed[]> {
  let wake = () => {};
  let failed: unknown;
  let ended = false;
  parser.on('readable', () => wake());
  parser.on('end', () => {
    ended = true;
    wake();
  });
  parser.on('error', (error) => {
    failed = error;
    wake();
  });
  for (;;) {
    const batch: Parsed[] = [];
    for (let one: Parsed | null = parser.read(); one !== null; one = parser.read()) batch.push(one);
    if (batch.length > 0) yield batch;
    else if (failed !== undefined) throw failed;
    else if (ended) return;
    else
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
}

/**
 * The rows below the header, some at a time.
 * @throws TelltaleError RECORDING_INVALID naming the line; NotUtf8 when the text is not of the layout's encoding
 */
export async function* records(
  layout: Layout,
  { skipped = new Skipped(), surveyed = false }: Pass = {},
): AsyncGenerator<readonly RawRecord[]> {
  const { file, header, delimiter, skipLines } = layout;
  const source = await openText(file, layout.encoding, layout.skipBytes);
  const parser = parse({
    ...{ ...CSV_OPTIONS, delimiter, record_delimiter: layout.lineEnds, info: true },
    // The bound is asked of every character; a file that was read to its end once has no row beyond it.
    ...(surveyed ? { max_record_size: 0 } : {}),
  });
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  const { length } = header;
  const first = header.findIndex((name) => name !== '');
  const firstName = header[first];
  const later = new LaterHeaders(header);
  let line = skipLines;
  try {
    for await (const batch of batchesOf(parser)) {
      const rows: RawRecord[] = [];
      for (const { record, info } of batch) {
        const before = line;
        line = skipLines + info.lines;
        if (record[first] === firstName && isHeader(record, header)) {
          skipped.headers += 1;
          continue;
        }
        if (!surveyed && later.isOne(record) && !later.isSame(record))
          throw fault(
            file,
            `line ${line} is another header (${listed(record, 6)}): below it other columns stand; make a file of each part`,
          );
        if (later.isOne(record)) {
          skipped.headers += 1;
          continue;
        }
        const fits = record.length === length || fitsHeader(record, header);
        if (!fits && isComment(record, length)) {
          skipped.comments += 1;
          continue;
        }
        if (!fits && record.length === 1 && record[0]!.trim() === '') continue;
        if (line - before > 1) checkQuotes(layout, record, line, fits);
        rows.push({ record, line, fits });
      }
      yield rows;
    }
  } catch (cause) {
    if (cause instanceof NotUtf8 || cause instanceof TelltaleError) throw cause;
    const { code } = cause as CsvError;
    if (code === 'CSV_QUOTE_NOT_CLOSED' || code === 'CSV_MAX_RECORD_SIZE')
      throw fault(
        file,
        `line ${await lineOfOpenQuote(layout)}: a quote opens here and never closes: ${MENDED}`,
        cause,
      );
    throw asFault(file, cause);
  } finally {
    source.destroy();
  }
}
