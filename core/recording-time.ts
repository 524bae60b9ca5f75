// How a recording writes its times: as numbers in some unit, as ISO dates, as dates people write (1/3/2024 9:05, 01.03.24), or as
// times of day. Learnt from the whole column, because 1/3 alone may be a day in January or in March.

const NUMBER_OF_DATE = /^(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?:,?[ T]+(\S.*))?$/;
const ISO = /^\d{4}-\d\d(?:-\d\d)?(?:[ T]\d\d:.*)?$/i;
const YEAR_FIRST = /^(\d{4})([/.-])(\d{1,2})\2(\d{1,2})(?:,?[ T]+(\S.*))?$/;
const TIME_OF_DAY = /^(\d{1,2}):(\d{2})(?::(\d{2}(?:[.,]\d+)?))?(?: ?([ap])\.?m\.?)?$/i;

/** Ms since midnight, NaN when it is no time of day. */
function readTimeOfDay(text: string): number {
  const parts = TIME_OF_DAY.exec(text);
  if (!parts) return Number.NaN;
  const [, hourText, minuteText, secondText = '0', half] = parts;
  let hour = Number(hourText);
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return Number.NaN;
    hour = (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
  }
  const minute = Number(minuteText);
  const second = Number(secondText.replace(',', '.'));
  if (hour > 23 || minute > 59 || second >= 61) return Number.NaN;
  return Math.round(((hour * 60 + minute) * 60 + second) * 1000);
}

/** A day and what stands after it, UTC; NaN when there is no such day. */
function dateMs(year: number, month: number, day: number, rest: string | undefined): number {
  const at = Date.UTC(year, month - 1, day);
  const found = new Date(at);
  if (found.getUTCMonth() !== month - 1 || found.getUTCDate() !== day) return Number.NaN;
  return rest === undefined ? at : at + readTimeOfDay(rest.trim());
}

/** An ISO date, or one like it with fewer digits, ms; NaN when it is not in the calendar. Undefined: it is no such date. */
function readYearFirst(text: string): number | undefined {
  // Date.parse takes much that is no date for one, so what reaches it is of ISO's form.
  if (ISO.test(text)) {
    const iso = text.replace(' ', 'T').replace(',', '.');
    return Date.parse(/(?:z|[+-]\d\d:?\d\d)$/i.test(iso) || !iso.includes('T') ? iso : `${iso}Z`);
  }
  const parts = YEAR_FIRST.exec(text);
  return parts ? dateMs(Number(parts[1]), Number(parts[3]), Number(parts[4]), parts[5]) : undefined;
}

/** A date written with the year last, read both ways, ms; NaN where a way is impossible. Undefined: it is no such date. */
function readBothWays(text: string): { readonly dayFirst: number; readonly monthFirst: number } | undefined {
  const parts = NUMBER_OF_DATE.exec(text);
  if (!parts) return undefined;
  const [, a, , b, yearText, rest] = parts;
  const year = Number(yearText) + (yearText!.length === 2 ? 2000 : 0);
  return {
    dayFirst: dateMs(year, Number(b), Number(a), rest),
    monthFirst: dateMs(year, Number(a), Number(b), rest),
  };
}

/** What a way of reading would make of the column. */
class Reading {
  unread = 0;
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  add(tsMs: number): void {
    if (Number.isNaN(tsMs)) this.unread += 1;
    else {
      this.#first = Math.min(this.#first, tsMs);
      this.#last = Math.max(this.#last, tsMs);
    }
  }

  get spanMs(): number {
    return this.#last - this.#first;
  }
}

/** Learns from each cell of the time column how it is to be read. */
export class TimeSurvey {
  #largest = 0;
  readonly #dayFirst = new Reading();
  readonly #monthFirst = new Reading();

  add(cell: string): void {
    const value = Number(cell);
    if (Number.isFinite(value)) {
      this.#largest = Math.max(this.#largest, Math.abs(value));
      return;
    }
    const both = readBothWays(cell.trim());
    if (both === undefined) return;
    this.#dayFirst.add(both.dayFirst);
    this.#monthFirst.add(both.monthFirst);
  }

  /** Numeric times are seconds, milliseconds, microseconds or nanoseconds by their size: year 5138 in seconds is 1e11. */
  #msPerUnit(): number {
    if (this.#largest < 1e11) return 1000;
    if (this.#largest < 1e14) return 1;
    return this.#largest < 1e17 ? 1e-3 : 1e-6;
  }

  /** The way that reads more cells; of two that read all, the one under which the recording is shorter. */
  #isDayFirst(): boolean {
    const unread = this.#dayFirst.unread - this.#monthFirst.unread;
    return unread === 0 ? this.#dayFirst.spanMs <= this.#monthFirst.spanMs : unread < 0;
  }

  /** Event time in ms of a cell: what names no zone is UTC, a time of day alone is of one day. NaN when it is no time. */
  reader(): (cell: string) => number {
    const msPerUnit = this.#msPerUnit();
    const dayFirst = this.#isDayFirst();
    return (cell) => {
      const text = cell.trim();
      if (text === '') return Number.NaN;
      const value = Number(text);
      if (Number.isFinite(value)) return Math.round(value * msPerUnit);
      const both = readBothWays(text);
      if (both !== undefined) return dayFirst ? both.dayFirst : both.monthFirst;
      return readYearFirst(text) ?? readTimeOfDay(text);
    };
  }
}
