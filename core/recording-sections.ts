// Files in sections, as VBOX and HP Tuners write them: lines such as [column names] part what is said of the drive, of the columns and
// the rows of readings. Names and units stand in sections of their own, far above the first row.
import { fault } from './recording-fault.ts';
import type { HeadRecord } from './recording-header.ts';

/** Where names, units and rows stand, by the line (from 0). */
interface Sections {
  readonly file: string;
  /** The first line after the heading of the rows, and that heading. */
  readonly dataFrom: number;
  readonly data: string;
  /** Lines of the section that names the columns, and its heading; empty: there is none. */
  readonly names: readonly string[];
  readonly heading: string;
}

const HEADING = /^\s*\[([^\][]{1,40})\][\s,;]*$/;
const DATA = /^(?:channel |log |measured )?data$/i;
const NAMES = /^(?:column ?names|channel information|channels?|columns)$/i;
/** Lines within which the heading of the rows is looked for. */
const MOST_ABOVE = 300;

/** The sections of a file's beginning; null: it has none, or none of them is called data. */
export function sectionsOf(file: string, text: string): Sections | null {
  const lines = text.split(/\r\n|\n|\r/, MOST_ABOVE);
  let names: string[] = [];
  let heading = '';
  let isNames = false;
  for (const [i, line] of lines.entries()) {
    const title = HEADING.exec(line)?.[1]?.trim();
    if (title === undefined) {
      if (isNames && line.trim() !== '') names.push(line);
      continue;
    }
    if (DATA.test(title)) return { file, dataFrom: i + 1, data: title, names, heading };
    isNames = NAMES.test(title);
    if (isNames) [names, heading] = [[], title];
  }
  return null;
}

/** What the sections say of the columns. */
export interface SectionHeader {
  readonly names: readonly string[];
  readonly units: readonly string[];
  readonly remark: string;
}

const isNumber = (cell: string) => cell === '' || Number.isFinite(Number(cell));

/**
 * Names and units: the first line of the section of names that is as wide as the rows and no line of numbers, and the line below it.
 * @param records the lines of that section, parted as the rows are
 * @throws TelltaleError RECORDING_INVALID when no line names the columns
 */
export function sectionHeader(
  { file, data, heading, dataFrom }: Sections,
  records: readonly HeadRecord[],
  width: number,
): SectionHeader {
  // A cell more in rows is what a blank at their end leaves.
  const wide = records.filter(
    ({ cells }) => (cells.length === width || cells.length === width - 1) && !cells.every(isNumber),
  );
  const [names, units] = wide;
  if (!names)
    throw fault(
      file,
      `its rows stand under [${data}], and no line of a section such as [column names] names their ${width} columns: write the names in a line of their own above the rows, and skip what is above it with --skip-lines`,
    );
  return {
    names: names.cells,
    units: units?.cells ?? [],
    remark: `names from section [${heading}], rows from line ${dataFrom + 1} on, below [${data}]`,
  };
}
