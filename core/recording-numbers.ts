// How a column writes its numbers: decimal point or comma, what parts thousands, a unit behind them. 1,234 alone may be either, so
// a column is judged by all its cells, and where they leave it open by the file's other columns; what stays open is refused.

/** How the numbers of a column are written; PLAIN is what JavaScript reads by itself. */
export interface NumberFormat {
  readonly decimal: '.' | ',';
  /** What parts thousands; empty: nothing does. Blanks and apostrophes are one kind. */
  readonly group: '' | ',' | '.' | ' ';
  /** What stands behind the number; empty: nothing. */
  readonly unit: string;
}

export const PLAIN: NumberFormat = { decimal: '.', group: '', unit: '' };

export const sameFormat = (a: NumberFormat, b: NumberFormat): boolean =>
  a.decimal === b.decimal && a.group === b.group && a.unit === b.unit;

/** A number and what stands behind it: a letter, %, ° or a like sign first, so that no date or address is one. */
const WITH_UNIT = /^([+-]?[\d.,'’\s]*\d[.]?)\s*([\p{L}%°‰][^\s\d][^"]{0,14}|[\p{L}%°‰][\p{L}²³/\d]{0,14})$/u;
const WITH_EXPONENT = /^[+-]?(?:\d+\.?\d*|\.\d+)e[+-]?\d+$/i;
const PARTED_BY_BLANKS = /^[+-]?\d{1,3}(?:[\s'’]\d{3})+(?:[.,]\d+)?$/;
const BLANKS = /[\s'’]/g;
/** 1,234 · 12,345,678: commas that may part thousands. */
const COMMA_GROUPS = /^[+-]?[1-9]\d{0,2}(?:,\d{3})+$/;
const DOT_GROUPS = /^[+-]?[1-9]\d{0,2}(?:\.\d{3})+$/;
const COMMA_DECIMAL = /^[+-]?\d*,\d+(?:e[+-]?\d+)?$/i;
const COMMA_GROUPS_DOT = /^[+-]?\d{1,3}(?:,\d{3})+\.\d*$/;
const DOT_GROUPS_COMMA = /^[+-]?\d{1,3}(?:\.\d{3})+,\d*$/;

/** A cell's text without quotes, a typographer's minus made the usual one. */
function bare(text: string): string {
  const trimmed = text.trim().replace('\u2212', '-');
  const quoted = trimmed.length > 1 && trimmed.startsWith('"') && trimmed.endsWith('"');
  return quoted ? trimmed.slice(1, -1).trim() : trimmed;
}

/** A number written as the format says, NaN when it is none. `text` is no plain number and not blank. */
export function parseNumber(text: string, { decimal, group, unit }: NumberFormat): number {
  let digits = bare(text);
  if (unit !== '' && digits.endsWith(unit)) digits = digits.slice(0, -unit.length).trim();
  if (group === ' ' && PARTED_BY_BLANKS.test(digits)) digits = digits.replace(BLANKS, '');
  if (group === ',')
    digits = /^[^,]*(?:,\d{3})+(?:\.\d*)?$/.test(digits) ? digits.replaceAll(',', '') : digits;
  if (group === '.')
    digits = /^[^.]*(?:\.\d{3})+(?:,\d*)?$/.test(digits) ? digits.replaceAll('.', '') : digits;
  if (decimal === ',' && COMMA_DECIMAL.test(digits)) digits = digits.replace(',', '.');
  return digits === '' ? Number.NaN : Number(digits);
}

/** Different units that are counted in a column. */
const MOST_UNITS = 8;

/** What the cells of one column say of its format. Fed with cells that are no plain number, and with plain ones that hold a point. */
export class NumberShapes {
  /** Cells that can only be so. */
  commaDecimal = 0;
  commaGroup = 0;
  dotGroup = 0;
  blankGroup = 0;
  dotDecimal = 0;
  /** Cells that are 1,234 or 1.234 and may be either. */
  commaEither = 0;
  dotEither = 0;
  /** The first of them. */
  example = '';
  readonly units = new Map<string, number>();

  /** Whether the text is some number. */
  see(text: string): boolean {
    const digits = bare(text);
    // Told before units are: an exponent is none.
    if (WITH_EXPONENT.test(digits)) {
      if (digits.includes('.')) this.dotDecimal += 1;
      return true;
    }
    const parts = WITH_UNIT.exec(digits);
    if (parts !== null && !COMMA_DECIMAL.test(digits)) {
      const unit = parts[2]!;
      if (this.units.size >= MOST_UNITS && !this.units.has(unit)) return false;
      if (!this.#seeDigits(parts[1]!.trim())) return false;
      this.units.set(unit, (this.units.get(unit) ?? 0) + 1);
      return true;
    }
    return this.#seeDigits(digits);
  }

  #seeDigits(text: string): boolean {
    let digits = text;
    if (PARTED_BY_BLANKS.test(digits)) {
      this.blankGroup += 1;
      digits = digits.replace(BLANKS, '');
    }
    if (COMMA_GROUPS_DOT.test(digits)) this.commaGroup += 1;
    else if (DOT_GROUPS_COMMA.test(digits)) {
      this.dotGroup += 1;
      this.commaDecimal += 1;
    } else if (COMMA_GROUPS.test(digits)) {
      if (digits.indexOf(',') !== digits.lastIndexOf(',')) this.commaGroup += 1;
      else {
        this.commaEither += 1;
        this.example ||= digits;
      }
    } else if (COMMA_DECIMAL.test(digits)) this.commaDecimal += 1;
    else if (DOT_GROUPS.test(digits)) {
      if (digits.indexOf('.') !== digits.lastIndexOf('.')) this.dotGroup += 1;
      else {
        this.dotEither += 1;
        this.example ||= digits;
      }
    } else if (Number.isFinite(Number(digits)) && digits !== '') {
      if (digits.includes('.')) this.dotDecimal += 1;
    } else return false;
    return true;
  }

  /** The one unit that the cells have; a few among many without are no unit. */
  unit(plain: number): string {
    const [unit, count] = this.units.size === 1 ? [...this.units][0]! : ['', 0];
    return count >= plain ? unit : '';
  }
}

/** How the file's other columns write decimals, and how it parts its cells. */
export interface FileHabits {
  readonly commaDecimal: boolean;
  readonly dotDecimal: boolean;
  readonly delimiter: string;
  /** What a person said. */
  readonly decimal: '' | 'point' | 'comma';
}

/** Plain whole numbers of a column below 1,000 and from there on, and the unit of the others. */
export interface PlainCells {
  readonly small: number;
  readonly large: number;
  readonly unit: string;
}

/** The column's format; null: it cannot be told. */
export function formatOf(shapes: NumberShapes, habits: FileHabits, ints: PlainCells): NumberFormat | null {
  const { commaDecimal, commaGroup, dotGroup, dotDecimal, commaEither, dotEither } = shapes;
  const { unit } = ints;
  const blanks = shapes.blankGroup > 0 ? (' ' as const) : ('' as const);
  const of = (decimal: '.' | ',', group: NumberFormat['group']): NumberFormat => ({ decimal, group, unit });
  if (habits.decimal !== '') {
    const comma = habits.decimal === 'comma';
    const grouped = comma ? dotGroup + dotEither > 0 : commaGroup + commaEither > 0;
    return of(comma ? ',' : '.', grouped ? (comma ? '.' : ',') : blanks);
  }
  const comma = commaDecimal + (dotGroup > 0 ? 1 : 0);
  if (comma > 0 && commaGroup > 0) return of('.', blanks);
  if (commaGroup > 0) return of('.', ',');
  if (dotGroup > 0) return of(',', '.');
  if (commaDecimal > 0) return of(',', dotEither > 0 && dotDecimal === 0 && ints.large === 0 ? '.' : blanks);
  const whole = ints.small > 0.05 * (ints.small + commaEither + dotEither) && ints.large === 0;
  if (commaEither > 0) {
    if (dotDecimal > 0 || whole) return of('.', ',');
    if (habits.commaDecimal) return of(',', blanks);
    if (habits.dotDecimal) return of('.', ',');
    // Semicolons are what lists are parted by where the comma is the decimal one.
    return habits.delimiter === ';' ? of(',', blanks) : null;
  }
  if (dotEither > 0 && dotDecimal === 0 && habits.commaDecimal) return whole ? of(',', '.') : null;
  // 759 beside 1.204: nothing that writes decimals leaves all of them three figures or none.
  if (dotEither > 0 && dotDecimal === 0 && !habits.dotDecimal && whole) return null;
  return of('.', blanks);
}
