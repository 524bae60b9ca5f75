// What a column of a recording is. A cell is a number, or missing (nothing in it, or a text that stands
// for nothing), or unreadable. What was taken for missing is counted, by what it was.
import { ColumnEnds, type Counted } from './recording-codes.ts';
import {
  type FileHabits,
  formatOf,
  type NumberFormat,
  NumberShapes,
  PLAIN,
  parseNumber,
} from './recording-numbers.ts';

/** Texts that stand for no reading wherever they come, in lower case. */
const PLACEHOLDERS = new Set([
  ...['', 'nan', 'null', 'na', 'n/a', 'n.a.', 'none', 'nil', 'undefined', '-', '--', '---', '----', '-----'],
  ...[
    '—',
    '–',
    '_',
    '...',
    '…',
    '?',
    '??',
    '???',
    '.',
    '*',
    '**',
    '***',
    '#',
    '##',
    '###',
    '####',
    'x',
    'xx',
    'xxx',
  ],
  ...[
    '#n/a',
    '#na',
    '#nv',
    '#n/v',
    '#value!',
    '#wert!',
    '#ref!',
    '#div/0!',
    '#num!',
    '#null!',
    '#error',
    '#name?',
  ],
  ...[
    'nodata',
    'no data',
    'no_data',
    'no-data',
    'no value',
    'no reading',
    'err',
    'error',
    'fault',
    'fail',
    'failed',
  ],
  ...[
    'unknown',
    'unavailable',
    'not available',
    'not_available',
    'notavailable',
    'unavail',
    'invalid',
    'missing',
  ],
  ...[
    'void',
    'inf',
    '-inf',
    '+inf',
    'infinity',
    '-infinity',
    '+infinity',
    '1.#inf',
    '-1.#inf',
    '1.#qnan',
    '-1.#ind',
  ],
  ...[
    '1.#ind',
    '-nan',
    '-nan(ind)',
    'nan(ind)',
    '∞',
    '-∞',
    'snv',
    'sna',
    'n.v.',
    'k.a.',
    'timeout',
    'disconnected',
  ],
]);
/** A column counts as numeric when at most this share of its filled cells is unreadable. */
const UNREADABLE_SHARE = 0.05;
/** A text that nobody knows stands for no reading when it comes so often, is one of so few, and numbers are as many at least. */
const AGAIN = 3;
const MOST_PLACEHOLDERS = 5;
const POINT = 0x2e;
/** Different texts counted in a column. */
const MOST_TEXTS = 200;
/** The largest number a model's float32 can hold. */
export const LARGEST = 3.402_823_466_385_288_6e38;

/** A text and how often it comes. */
export interface CountedText {
  readonly text: string;
  readonly count: number;
}

/** What was found in a column that has a name, is no id, no time and not ignored. */
export interface ColumnFacts {
  readonly name: string;
  readonly numeric: boolean;
  /** Cells with a finite number that is a reading. */
  readonly count: number;
  /** Cells with nothing in them, with a placeholder, a code for "not available" or a number too large to be one. */
  readonly missing: number;
  /** Cells with something else that is no number. */
  readonly unreadable: number;
  readonly min: number;
  readonly max: number;
  /** What the numbers are written in. */
  readonly unit: string;
  /** Texts taken as missing, the most frequent first. */
  readonly placeholders: readonly CountedText[];
  /** Codes taken as missing. */
  readonly codes: readonly Counted[];
  /** Values that stand far outside all others and are kept. */
  readonly rare: readonly Counted[];
  /** Cells with a number that no float32 holds. */
  readonly tooLarge: number;
  /** Different texts that are no numbers, as far as they were counted, and the first of them. */
  readonly texts: number;
  readonly example: string;
}

/** A cell that holds something and is no plain number: NaN when it is missing, undefined when it is unreadable. */
function readText(cell: string, format: NumberFormat): number | undefined {
  const text = cell.trim();
  if (text === '') return Number.NaN;
  const value = parseNumber(text, format);
  if (Math.abs(value) <= LARGEST) return value;
  return PLACEHOLDERS.has(text.toLowerCase()) || isTooLarge(text, value) ? Number.NaN : undefined;
}

const isTooLarge = (text: string, value: number) => Math.abs(value) > LARGEST && /^[+-]?[\d.]/.test(text);

/** A number, NaN when the cell is missing, undefined for something else. Blanks are nothing, and a zero is a digit. */
export function readCell(cell: string | undefined, format: NumberFormat = PLAIN): number | undefined {
  if (cell === undefined || cell === '') return Number.NaN;
  if (format.group === '.') return readText(cell, format);
  const value = Number(cell);
  if (value !== 0 && value <= LARGEST && value >= -LARGEST) return value;
  return value === 0 && cell.includes('0') ? 0 : readText(cell, format);
}

/** Follows one column. */
export class Column {
  readonly name: string;
  readonly index: number;
  readonly #format: NumberFormat;
  /** Whether plain numbers are looked at for how they are written. */
  readonly #closely: boolean;
  readonly shapes = new NumberShapes();
  readonly ends = new ColumnEnds();
  readonly #texts = new Map<string, number>();
  #otherTexts = 0;
  #empty = 0;
  #tooLarge = 0;
  #small = 0;
  #large = 0;
  #threeDecimals = false;

  constructor(name: string, index: number, format: NumberFormat, closely: boolean) {
    this.name = name;
    this.index = index;
    this.#format = format;
    this.#closely = closely || format.group === '.';
  }

  add(cell: string | undefined): void {
    if (cell === undefined || cell === '') {
      this.#empty += 1;
      return;
    }
    const value = Number(cell);
    if (!this.#closely && value <= LARGEST && value >= -LARGEST && (value !== 0 || cell.includes('0'))) {
      if (cell.charCodeAt(cell.length - 4) === POINT) this.#threeDecimals = true;
      this.ends.add(value);
      return;
    }
    this.#look(cell);
  }

  #look(cell: string): void {
    const text = cell.trim();
    const plain = Number(text);
    if (text === '') this.#empty += 1;
    else if (Number.isFinite(plain) && Number.isInteger(plain) && !text.includes('.')) {
      if (Math.abs(plain) < 1000) this.#small += 1;
      else this.#large += 1;
      this.#number(text);
    } else if (!this.#isText && this.shapes.see(text)) this.#number(text);
    else this.#text(text);
  }

  /** A column of many texts and no number at all: it is not looked at any closer. */
  get #isText(): boolean {
    return this.#otherTexts > MOST_TEXTS && this.ends.count === 0 && this.shapes.units.size === 0;
  }

  /** Whether a cell that was not looked at closely has a point before its last three figures: 1.234 may be 1234. */
  get hasThreeDecimals(): boolean {
    return this.#threeDecimals;
  }

  /** How it writes its numbers; null: it cannot be told. */
  format(habits: FileHabits): NumberFormat | null {
    const unit = this.shapes.unit(this.#withoutUnit);
    return formatOf(this.shapes, habits, { small: this.#small, large: this.#large, unit });
  }

  /** Numbers that were read and stand without the unit that the others have. */
  get #withoutUnit(): number {
    const withUnit = [...this.shapes.units.values()].reduce((sum, n) => sum + n, 0);
    return this.ends.count - (this.#format.unit === '' ? 0 : withUnit);
  }

  /** The column's unit where its cells name one, and the share of them that do not. */
  get unitTold(): { readonly unit: string; readonly without: number; readonly cells: number } {
    return { unit: this.#format.unit, without: this.#withoutUnit, cells: this.ends.count };
  }

  #number(text: string): void {
    const value = readCell(text, this.#format);
    if (value === undefined) this.#text(text);
    else if (Number.isNaN(value)) this.#tooLarge += 1;
    else this.ends.add(value);
  }

  #text(text: string): void {
    if (isTooLarge(text, Number(text))) {
      this.#tooLarge += 1;
      return;
    }
    const seen = this.#texts.get(text);
    if (seen !== undefined) this.#texts.set(text, seen + 1);
    else if (this.#texts.size < MOST_TEXTS && text.length <= 100) this.#texts.set(text, 1);
    else this.#otherTexts += 1;
  }

  facts(fallbackUnit: string): ColumnFacts {
    const unit = this.#format.unit || fallbackUnit;
    const { codes, rare, min, max } = this.ends.find();
    const coded = codes.reduce((sum, one) => sum + one.count, 0);
    const count = this.ends.count - coded;
    const texts = [...this.#texts].map(([text, n]) => ({ text, count: n })).sort((a, b) => b.count - a.count);
    const known = texts.filter(({ text }) => PLACEHOLDERS.has(text.toLowerCase()));
    const others = texts.filter((one) => !known.includes(one));
    const again = others.filter((one) => one.count >= AGAIN).slice(0, MOST_PLACEHOLDERS);
    const sum = (list: readonly CountedText[]) => list.reduce((total, one) => total + one.count, 0);
    const isGap =
      sum(again) <= count && sum(others) + this.#otherTexts - sum(again) <= UNREADABLE_SHARE * count;
    const placeholders = [...known, ...(isGap ? again : [])];
    const unreadable = sum(texts) + this.#otherTexts - sum(placeholders);
    return {
      ...{ name: this.name, count, unreadable, min, max, unit, placeholders, codes, rare },
      missing: this.#empty + sum(placeholders) + coded + this.#tooLarge,
      numeric: count > 0 && unreadable <= UNREADABLE_SHARE * (count + unreadable),
      tooLarge: this.#tooLarge,
      texts: others.length + (this.#otherTexts > 0 ? this.#otherTexts : 0),
      example: others[0]?.text ?? '',
    };
  }
}
