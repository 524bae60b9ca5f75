// What each column of a recording is, and which cars it has: one pass over its rows.
import { Column, type ColumnFacts } from './recording-column.ts';
import type { FileHabits, NumberFormat, NumberShapes } from './recording-numbers.ts';

export interface SurveyPlan {
  readonly header: readonly string[];
  /** Columns that are looked at: neither id nor ignored nor without a name. */
  readonly indexes: readonly number[];
  /** −1: the file is one car, `car`. */
  readonly idIndex: number;
  readonly car: string;
  /** How each column of the header writes its numbers. */
  readonly formats: readonly NumberFormat[];
  /** Whether plain numbers are looked at too: 1.234 may be 1234. */
  readonly closely: boolean;
}

/** Most ids counted while hardly any comes again: they are row numbers. */
const MOST_SINGLE_IDS = 200_000;

/** One pass over the file that learns what each column is. */
export class Survey {
  readonly ids = new Map<string, number>();
  rowCount = 0;
  /** Rows without an id, and rows that have not the cells of the header. */
  withoutId = 0;
  misfits = 0;
  /** The line of the first misfit and its cells. */
  firstMisfit: { readonly line: number; readonly cells: number } | null = null;
  readonly #columns: readonly Column[];
  readonly #idIndex: number;
  readonly #car: string;

  constructor({ header, indexes, idIndex, car, formats, closely }: SurveyPlan) {
    this.#columns = indexes.map((i) => new Column(header[i]!, i, formats[i]!, closely));
    this.#idIndex = idIndex;
    this.#car = car;
  }

  /** Whether each row has an id of its own, as far as was counted. */
  get hasRowIds(): boolean {
    return this.ids.size >= MOST_SINGLE_IDS && this.ids.size > 0.9 * this.rowCount;
  }

  addMisfit(line: number, cells: number): void {
    this.rowCount += 1;
    this.misfits += 1;
    this.firstMisfit ??= { line, cells };
  }

  /** The row's id. */
  add(record: readonly string[]): string {
    this.rowCount += 1;
    const id = this.#idIndex < 0 ? this.#car : (record[this.#idIndex] ?? '').trim();
    if (id === '') this.withoutId += 1;
    else this.ids.set(id, (this.ids.get(id) ?? 0) + 1);
    for (const column of this.#columns) column.add(record[column.index]);
    return id;
  }

  /** Whether some column needs a closer look, because what it writes with a point may be thousands. */
  get mayPartThousands(): boolean {
    return this.#columns.some((column) => column.hasThreeDecimals);
  }

  /** Whether some cell can only have decimals behind a point. */
  get hasPointDecimals(): boolean {
    return this.#columns.some(({ shapes }) => shapes.dotDecimal > 0);
  }

  /** How each column writes its numbers, by its index; null where it cannot be told. */
  formats(habits: Pick<FileHabits, 'delimiter' | 'decimal'>): ReadonlyMap<number, NumberFormat | null> {
    const some = (which: (shapes: NumberShapes) => boolean) =>
      this.#columns.some(({ shapes }) => which(shapes));
    const commaDecimal = some((shapes) => shapes.commaDecimal > 0);
    const dotDecimal = this.hasPointDecimals;
    return new Map(
      this.#columns.map((column) => [column.index, column.format({ ...habits, commaDecimal, dotDecimal })]),
    );
  }

  /** The first cell of a column that may be read in two ways and that no other cell of it settles. */
  doubt(index: number): string {
    const shapes = this.#columns.find((column) => column.index === index)?.shapes;
    return shapes && shapes.commaDecimal + shapes.commaGroup === 0 ? shapes.example : '';
  }

  /** The unit that a column's cells name, and how many of them do not. */
  unitTold(index: number): Column['unitTold'] {
    const column = this.#columns.find((one) => one.index === index);
    return column?.unitTold ?? { unit: '', without: 0, cells: 0 };
  }

  facts(units: readonly string[]): readonly ColumnFacts[] {
    return this.#columns.map((column) => column.facts(units[column.index] ?? ''));
  }
}
