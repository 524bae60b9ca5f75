// The rows of a recording as readings: each cell read as its column is written, what is no reading missing.
import { counted } from './counted.ts';
import { readCell } from './recording-column.ts';
import { shown } from './recording-fault.ts';
import { records } from './recording-file.ts';
import type { Layout } from './recording-layout.ts';
import type { Limits } from './recording-limits.ts';
import { type NumberFormat, PLAIN } from './recording-numbers.ts';
import type { TimeReader } from './recording-times.ts';

export interface RecordingRow {
  /** Line in the file. */
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
  /** Whether it is known which car it is of and which cell is which: otherwise nothing was read. */
  readonly readable: boolean;
}

/** What is asked of the file once its table is found. */
export interface Table {
  readonly layout: Layout;
  readonly idIndex: number;
  /** Columns that may be signals. */
  readonly indexes: readonly number[];
  readonly car: string;
}

export interface RowPlan {
  /** Column of each reading; −1: there is none. */
  readonly places: readonly number[];
  readonly codes: readonly ReadonlySet<number>[];
  readonly formats: readonly NumberFormat[];
  readonly times: TimeReader;
  readonly timeColumn: string;
  readonly limits: Limits | null;
}

/** Streams the rows in file order. */
export async function* readRows(table: Table, plan: RowPlan): AsyncGenerator<RecordingRow> {
  const { layout, idIndex, car } = table;
  const { header } = layout;
  const { places, codes, limits } = plan;
  const formats = places.map((place) => plan.formats[place] ?? PLAIN);
  const coded = codes.map(({ size }) => size > 0);
  for await (const batch of records(layout, { surveyed: true }))
    for (const { record, line, fits } of batch) {
      const values = new Float64Array(places.length);
      const id = idIndex < 0 ? car : (record[idIndex] ?? '').trim();
      const timeText = plan.times.text(record);
      const readable = fits && id !== '';
      for (let c = 0; c < values.length; c += 1) {
        const place = places[c]!;
        let value =
          readable && place >= 0 ? (readCell(record[place], formats[c]!) ?? Number.NaN) : Number.NaN;
        if (coded[c] && codes[c]!.has(value)) value = Number.NaN;
        values[c] = limits ? limits.take(c, value) : value;
      }
      const tsMs = readable ? plan.times.ms(record, id) : Number.NaN;
      let why: string | null = null;
      if (!fits) why = `line ${line}: ${counted(record.length, 'cell')}, the header has ${header.length}`;
      else if (id === '') why = `line ${line}: column ${shown(header[idIndex]!)} is empty`;
      else if (Number.isNaN(tsMs))
        why = `line ${line}: column ${plan.timeColumn}: "${shown(timeText)}" ${plan.times.why(record)}`;
      yield { line, id, timeText, tsMs, values, fault: why, readable };
    }
}
