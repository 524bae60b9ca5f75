// What each column of a recording is: one pass over its records.

const EMPTY = new Set(['', 'nan', 'null', 'na', 'n/a', 'none', '-']);
/** A column counts as numeric when at most this share of its filled cells is unreadable. */
const UNREADABLE_SHARE = 0.05;

/** What was found in a column that has a name, is no id and not ignored. */
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

const COMMA_NUMBER = /^\s*[+-]?\d*,\d+(?:e[+-]?\d+)?\s*$/i;

/**
 * A number, NaN for an empty cell, undefined for something else.
 * @param decimalComma whether 1,5 is a number: where commas part no cells they part no thousands either
 */
export function readCell(cell: string | undefined, decimalComma: boolean): number | undefined {
  if (cell === undefined || cell === '') return Number.NaN;
  const value = Number(cell);
  if (Number.isFinite(value)) return value;
  if (decimalComma && COMMA_NUMBER.test(cell)) return Number(cell.replace(',', '.'));
  return EMPTY.has(cell.trim().toLowerCase()) ? Number.NaN : undefined;
}

export interface SurveyPlan {
  readonly header: readonly string[];
  readonly idColumn: string;
  readonly ignore: readonly string[];
  /** As in readCell. */
  readonly decimalComma: boolean;
}

/** One pass over the file that learns what each column is. */
export class Survey {
  readonly ids = new Map<string, number>();
  rowCount = 0;
  readonly #decimalComma: boolean;
  readonly #indexes: readonly number[];
  readonly #names: readonly string[];
  readonly #idIndex: number;
  readonly #count: Float64Array;
  readonly #missing: Float64Array;
  readonly #unreadable: Float64Array;
  readonly #min: Float64Array;
  readonly #max: Float64Array;

  constructor({ header, idColumn, ignore, decimalComma }: SurveyPlan) {
    this.#decimalComma = decimalComma;
    const kept = header
      .map((name, i) => ({ name, i }))
      .filter(({ name }) => name !== '' && name !== idColumn && !ignore.includes(name));
    this.#indexes = kept.map(({ i }) => i);
    this.#names = kept.map(({ name }) => name);
    this.#idIndex = header.indexOf(idColumn);
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
    for (let c = 0; c < this.#indexes.length; c += 1) {
      const value = readCell(record[this.#indexes[c]!], this.#decimalComma);
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
}
