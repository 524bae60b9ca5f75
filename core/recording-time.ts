// How one column of a recording writes its times, learnt from the whole column: 1/3 alone may be a day in January or in March,
// 1700000 may be seconds or milliseconds, and one absurd cell must not decide. time-text.ts and time-numbers.ts read the cells.
import { percent } from './counted.ts';
import { shown } from './recording-fault.ts';
import { chooseNumbers, isOurTime, medianOf, readNumber, type TimeRole } from './time-numbers.ts';
import { DATE_ORDERS, readText, type TextTime } from './time-text.ts';
import { wordsOf } from './time-words.ts';

export type TimeKind = 'instant' | 'date' | 'ofDay' | 'elapsed';

/** How a column is read. */
export interface ColumnTimes {
  readonly kind: TimeKind;
  /** Ms of a cell; NaN when it is no time. */
  readonly read: (cell: string) => number;
  /** Whether a cell that gives NaN is a time, but absurdly far from the others. */
  readonly isFar: (cell: string) => boolean;
  /** Unit or form, and what it was taken from. */
  readonly says: string;
  /** Share of the cells looked at, empty ones aside, that cannot be read; 1 of a column without any. */
  readonly unreadShare: number;
  /** A cell that cannot be read; empty: there is none. */
  readonly unread: string;
  /** One that can; empty: there is none. */
  readonly example: string;
  /** Steps within a car of the cells looked at, signed. */
  readonly steps: readonly number[];
}

/** Cells looked at when the column is decided: when there are as many, every other is let go. */
const MOST_CELLS = 4000;
/** Cars whose cell before is remembered, at most; of others no step is known. */
const MOST_CARS = 50_000;

interface Pair {
  readonly cell: string;
  /** The cell before it, of the same car. */
  readonly before: string | undefined;
}

/** Looks at each cell of a column that may hold times. */
export class TimeSurvey {
  readonly #header: string;
  readonly #decimalComma: boolean;
  readonly #last = new Map<string, string>();
  #pairs: Pair[] = [];
  #stride = 1;
  #seen = 0;
  /** Of all dates in figures: how many each order cannot read. */
  readonly #unread = [0, 0, 0];

  constructor(header: string, decimalComma = false) {
    this.#header = header;
    this.#decimalComma = decimalComma;
  }

  add(raw: string, id: string): void {
    const cell = raw.trim();
    if (cell === '') return;
    // A day past the twelfth may stand in one row of a million, so dates in figures are looked at in every row.
    if (/^\d{1,2}[-/.]\d/.test(cell)) {
      const ms = readText(cell)?.ms;
      if (ms?.length === 3) for (let o = 0; o < 3; o += 1) if (Number.isNaN(ms[o])) this.#unread[o]! += 1;
    }
    if (this.#seen % this.#stride === 0) {
      this.#pairs.push({ cell, before: this.#last.get(id) });
      if (this.#pairs.length >= MOST_CELLS) {
        this.#pairs = this.#pairs.filter((_, i) => i % 2 === 0);
        this.#stride *= 2;
      }
    }
    this.#seen += 1;
    if (this.#last.has(id) || this.#last.size < MOST_CARS) this.#last.set(id, cell);
  }

  /** Whether most cells looked at are numbers. */
  get isNumeric(): boolean {
    const numbers = this.#pairs.filter(({ cell }) => !Number.isNaN(readNumber(cell, this.#decimalComma)));
    return numbers.length > 0.5 * this.#pairs.length;
  }

  /** How the column is to be read in the role it has. */
  decide(role: TimeRole = 'whole'): ColumnTimes {
    return this.isNumeric ? this.#numbers(role) : this.#texts(role);
  }

  #numbers(role: TimeRole): ColumnTimes {
    const comma = this.#decimalComma;
    const found = this.#pairs
      .map(({ cell, before }) => ({
        cell,
        value: readNumber(cell, comma),
        before: readNumber(before ?? '', comma),
      }))
      .filter(({ value }) => !Number.isNaN(value));
    const { kind, read, says } = chooseNumbers(
      {
        header: this.#header,
        cells: found.map(({ cell }) => cell),
        values: found.map(({ value }) => value),
        steps: found.map(({ value, before }) => Math.abs(value - before)).filter((step) => step > 0),
      },
      role,
    );
    return this.#column(kind, says, (cell) => {
      const text = cell.trim();
      const value = readNumber(text, comma);
      return Number.isNaN(value) ? value : read(value, text);
    });
  }

  #texts(role: TimeRole): ColumnTimes {
    const found = this.#pairs.flatMap(({ cell }) => readText(cell) ?? []);
    const most = this.#kindOf(found, role);
    const { order, doubt } = this.#order(found);
    const asMinutes = role === 'whole' && this.#hasMinutes(found, most);
    const kind = asMinutes ? 'elapsed' : most;
    const read = (cell: string): number => {
      const time = readText(cell);
      // A date among instants is its midnight; of other mixtures nothing is known.
      if (!time || (time.kind !== kind && !fits(time.kind, kind))) return Number.NaN;
      if (asMinutes && time.asMinutesMs !== undefined) return time.asMinutesMs;
      return time.ms[time.ms.length === 1 ? 0 : order]!;
    };
    const example = this.#pairs.find(({ cell }) => !Number.isNaN(read(cell)))?.cell ?? '';
    const zone = kind === 'instant' ? zoneWords(found) : '';
    const words = { instant: 'dates', date: 'dates', ofDay: 'times of day', elapsed: 'time since a start' }[
      kind
    ];
    const minutes = asMinutes ? ' (minutes and seconds)' : '';
    return this.#column(kind, `${words} such as "${shown(example)}"${minutes}${doubt}${zone}`, read);
  }

  /** What most cells are. Hours past the day make times of day elapsed ones, as does a header that says so. */
  #kindOf(found: readonly TextTime[], role: TimeRole): TimeKind {
    const count = (kind: TimeKind) => found.filter((time) => time.kind === kind).length;
    const [instant, date, ofDay, elapsed] = (['instant', 'date', 'ofDay', 'elapsed'] as const).map(count);
    if (instant! + date! >= ofDay! + elapsed!) return instant! > 0 ? 'instant' : 'date';
    const said = wordsOf(this.#header).some((word) =>
      /^(elapsed|dauer|duration|laufzeit|lap|stopwatch)/.test(word),
    );
    if (role === 'ofDay') return 'ofDay';
    // One absurd cell makes no elapsed time of times of day.
    return said || elapsed! > 0.005 * found.length ? 'elapsed' : 'ofDay';
  }

  #hasMinutes(found: readonly TextTime[], kind: TimeKind): boolean {
    if (kind !== 'ofDay' && kind !== 'elapsed') return false;
    const short = found.filter(({ asMinutesMs }) => asMinutesMs !== undefined);
    if (short.length === 0) return false;
    const words = wordsOf(this.#header);
    if (words.includes('hh') || words.includes('h')) return false;
    // Cars do not all begin at midnight.
    if (/^0?0:0\d$/.test(this.#pairs[0]?.cell ?? '')) return true;
    // Beside cells with hours, parts of a second or a first figure past the day, 12:34 is no time of day.
    return (
      kind === 'elapsed' ||
      short.length < 0.98 * found.length ||
      (words.includes('mm') && words.includes('ss'))
    );
  }

  /** The order that reads the most cells; of those that read all, the one under which the recording is shorter. */
  #order(found: readonly TextTime[]): { readonly order: number; readonly doubt: string } {
    const dates = found.filter(({ ms }) => ms.length === 3);
    if (dates.length === 0) return { order: 0, doubt: '' };
    const span = (order: number) => {
      const read = dates
        .flatMap(({ ms }) => (Number.isNaN(ms[order]) ? [] : [ms[order]!]))
        .sort((a, b) => a - b);
      const cut = Math.floor(0.01 * read.length);
      return (read[read.length - 1 - cut] ?? Number.POSITIVE_INFINITY) - (read[cut] ?? 0);
    };
    // Clocks of twelve hours are read where the month is written first.
    const half = dates.some((date) => date.half);
    const usual = half ? [1, 0, 2] : [0, 1, 2];
    const fewest = Math.min(...this.#unread);
    const able = usual.filter((order) => this.#unread[order] === fewest);
    const spans = able.map(span);
    const shortest = Math.min(...spans);
    const same = able.filter((_, i) => spans[i] === shortest);
    const order = same[0]!;
    const other = same[1] === undefined ? '' : `, or ${DATE_ORDERS[same[1]]}: nothing in the file tells`;
    return { order, doubt: `, ${DATE_ORDERS[order]}${other}` };
  }

  #column(kind: TimeKind, says: string, read: (cell: string) => number): ColumnTimes {
    const guarded = guard(
      this.#pairs.map(({ cell }) => read(cell)),
      kind,
      read,
    );
    const all = this.#pairs.map(({ cell, before }) => ({
      ms: guarded(cell),
      beforeMs: before === undefined ? Number.NaN : guarded(before),
      cell,
    }));
    const good = all.filter(({ ms }) => !Number.isNaN(ms));
    return {
      ...{ kind, says, read: guarded },
      isFar: (cell) => !Number.isNaN(read(cell)),
      unreadShare: all.length === 0 ? 1 : 1 - good.length / all.length,
      unread: all.find(({ ms }) => Number.isNaN(ms))?.cell ?? '',
      example: good[0]?.cell ?? '',
      steps: good.map(({ ms, beforeMs }) => ms - beforeMs).filter((step) => !Number.isNaN(step)),
    };
  }
}

/** What is taken of dates that name no zone; some cars' clocks may name one and others not. */
function zoneWords(found: readonly TextTime[]): string {
  const clocks = found.filter(({ kind }) => kind === 'instant');
  const without = clocks.filter(({ zoned }) => !zoned).length;
  if (without === 0) return '';
  if (without === clocks.length) return ', no zone named: taken as UTC';
  return `, ${percent(without, clocks.length)} of them without a zone: taken as UTC`;
}

const fits = (kind: TimeKind, column: TimeKind): boolean =>
  column === 'instant'
    ? kind === 'date'
    : column === 'elapsed' || column === 'ofDay'
      ? kind === 'ofDay' || kind === 'elapsed'
      : false;

const HOUR_MS = 3_600_000;
const YEAR_MS = 366 * 24 * HOUR_MS;

/**
 * Reads no time that lies absurdly far from the others: more than 20 times as far as nearly all of them reach, and years off
 * (hours, of times since a start). A cell of 0 or of another unit is one.
 */
function guard(
  times: readonly number[],
  kind: TimeKind,
  read: (cell: string) => number,
): (cell: string) => number {
  const sorted = times.filter((ms) => !Number.isNaN(ms)).sort((a, b) => a - b);
  if (sorted.length < 5 || kind === 'ofDay') return read;
  const cut = Math.ceil(0.02 * sorted.length);
  const [low, high] = [sorted[cut]!, sorted[sorted.length - 1 - cut]!];
  const dated = kind !== 'elapsed' && isOurTime(medianOf(sorted));
  const margin = Math.max(20 * (high - low), dated ? 2 * YEAR_MS : HOUR_MS);
  return (cell) => {
    const ms = read(cell);
    // A clock that is not set yet shows 1970, however often.
    if (dated && !isOurTime(ms)) return Number.NaN;
    return ms < low - margin || ms > high + margin ? Number.NaN : ms;
  };
}
