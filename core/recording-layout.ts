// Where the table stands in a file: its encoding, what parts its cells, which line is the header, and the first row of readings.
// Tools put lines before the header, comments between, units below. All of it is told from the beginning of the file, and said.
import { type CsvError, parse } from 'csv-parse/sync';
import { counted } from './counted.ts';
import { type Encoding, readHead } from './recording-bytes.ts';
import { fault, listed, shown } from './recording-fault.ts';
import {
  countUnits,
  distinctNames,
  type HeadRecord,
  headerAt,
  isComment,
  isFilled,
  isValue,
  namesOf,
  refuseLevels,
  trimmed,
  usualWidth,
  WITH_UNIT,
} from './recording-header.ts';
import { sectionHeader, sectionsOf } from './recording-sections.ts';

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

const DELIMITERS = [',', ';', '\t', '|'] as const;
/** Records looked at for delimiter and header. */
const LOOKED_AT = 400;
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
  const first = text.toString('utf8', 0, 4000).split(/[\r\n]/, 1)[0] ?? '';
  if (first.split('"').length % 2 === 0)
    throw fault(file, 'line 1: a quote opens here and does not close in it: close it, or take the quote out');
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

const ENCODING_NAMES = {
  'utf-8': 'UTF-8',
  'utf-16le': 'UTF-16',
  'utf-16be': 'UTF-16',
  'windows-1252': 'Latin-1 (windows-1252)',
} as const;

const encodingRemarks = (encoding: Encoding) =>
  encoding === 'utf-8' ? [] : [`is not UTF-8, read as ${ENCODING_NAMES[encoding]}`];

/** The table of a file in sections: `text` begins with its rows, which blanks may part. */
function layOutSections(
  sections: NonNullable<ReturnType<typeof sectionsOf>>,
  text: Buffer,
  asked: string,
): Pick<Layout, 'delimiter' | 'header' | 'units' | 'comments' | 'sample' | 'remarks'> {
  const tried = [...DELIMITERS, ' '].map((one) => ({ one, score: tableScore(recordsOf(text, one)) }));
  const best = tried.reduce((a, b) => (b.score > a.score ? b : a));
  const delimiter = asked !== '' ? (NAMED_DELIMITERS[asked] ?? asked) : best.one;
  const records = recordsOf(text, delimiter);
  const named = recordsOf(Buffer.from(sections.names.join('\n')), delimiter);
  const { names, units, remark } = sectionHeader(sections, named, usualWidth(records));
  const { header, twice } = distinctNames(namesOf(names));
  const again =
    twice.length > 0
      ? [`columns of the same name, told apart as ${listed(twice)}; leave one out with --ignore`]
      : [];
  return {
    ...{ delimiter, header, units, comments: 0, sample: records.map(({ cells }) => cells) },
    remarks: [remark, ...again],
  };
}

/** What is above the header, in words. */
function aboveRemarks(before: readonly HeadRecord[], separator: boolean): string[] {
  const first = before[0];
  const skipped = `${counted(before.length, 'line')} before the header skipped`;
  return [
    ...(separator ? ['line 1 names the separator'] : []),
    ...(first ? [`${skipped}, the first: "${shown(first.cells.join(' ').trim())}"`] : []),
  ];
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
  const sections = skipLines === null ? sectionsOf(file, text.toString('utf8')) : null;
  if (sections) {
    const above = bytesOfLines(text, sections.dataFrom);
    const { delimiter, ...found } = layOutSections(sections, text.subarray(above), choice.delimiter ?? '');
    return {
      ...{ file, encoding: head.encoding, delimiter, lineEnds: lineEndsOf(text), ...found },
      remarks: [...encodingRemarks(head.encoding), ...found.remarks],
      skipLines: skipped + sections.dataFrom,
      skipBytes: head.markBytes + start + above,
    };
  }
  const delimiter = findDelimiter(file, text, choice.delimiter || (separator?.[1] ?? ''));
  const records = recordsOf(text, delimiter);
  const width = usualWidth(records);
  const at = headerAt(file, records, width, skipLines !== null);
  const above = records.slice(0, at);
  const before = above.filter(({ cells }) => !isComment(cells, width));
  refuseLevels(file, records.slice(at, at + 3));
  const { header, twice } = distinctNames(namesOf(records[at]!.cells));
  const unitLines = countUnits(records, at, header.length);
  const units = unitLines > 0 ? records[at + 1]! : null;
  const last = records[at + unitLines]!;
  const remarks = [
    ...encodingRemarks(head.encoding),
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
