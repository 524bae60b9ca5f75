// Written times, one cell at a time: dates in figures and with months by name, clocks of 12 and 24 hours, zones, compact forms,
// times of day and elapsed times. Strict: the whole cell must be of a form, in the calendar and on the clock. Own code: the
// date libraries that read several forms guess (Date.parse, chrono) or want the one format named beforehand (luxon, date-fns).
import { isWeekday, MS_PER_UNIT, monthNamed, unitNamed, zoneMs } from './time-words.ts';

/** What a cell can be. `ofDay` becomes `elapsed` when its hours go past the day. */
export type TextKind = 'instant' | 'date' | 'ofDay' | 'elapsed';

/** Ways of reading a date in figures whose year has two digits or stands last; of any other date all are the same. */
export const DATE_ORDERS = ['day first', 'month first', 'year first'] as const;

export interface TextTime {
  readonly kind: TextKind;
  /** In ms, by DATE_ORDERS; NaN where that order is not in the calendar. One value: no order matters. */
  readonly ms: readonly number[];
  /** `12:34` alone, as minutes and seconds; undefined: it has its hours, or cannot be that. */
  readonly asMinutesMs?: number;
  readonly half?: boolean;
  /** Whether the cell names a zone. */
  readonly zoned?: boolean;
}

const DAY_MS = 86_400_000;
const CLOCK = String.raw`(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,:](\d{1,9}))?)?`;
const HALF = String.raw`(?: ?([ap])\.? ?m\.?)?`;
const AFTER_DATE = /^(?:,? +(?:(?:at|um|a las|à|-) +)?|[T_:-])(?=\d)/i;
const WITH_COLONS = new RegExp(`^${CLOCK}${HALF}`, 'i');
const WITH_OTHERS = /^(\d{1,2})([-.h])(\d{2})[-.m](\d{2})s?(?:[.,-](\d{1,9}))?/;
const DIGITS_ONLY = /^(\d{2})(\d{2})(?:(\d{2})(?:[.,]?(\d{1,6}))?)?(?!\d)/;

function calendarMs(year: number, month: number, day: number): number {
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= 31)) return Number.NaN;
  const at = Date.UTC(year, month - 1, day);
  return new Date(at).getUTCDate() === day ? at : Number.NaN;
}

function clockMs(hourText: string, minute: string, second = '0', fraction = '', half?: string): number {
  let hour = Number(hourText);
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return Number.NaN;
    hour = (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
  }
  const wholeMinutes = hour * 60 + Number(minute);
  if (Number(minute) > 59 || Number(second) > 60) return Number.NaN;
  return Math.round((wholeMinutes * 60 + Number(second)) * 1000 + Number(`0.${fraction || 0}`) * 1000);
}

interface Clock {
  readonly ms: number;
  readonly half: boolean;
  readonly zoned: boolean;
}

/** A clock of the day with its zone taken off; NaN when there is no such time; undefined: it is no clock. */
function readClock(text: string): Clock | undefined {
  const colons = WITH_COLONS.exec(text);
  const others = colons ? null : WITH_OTHERS.exec(text);
  const digits = colons || others ? null : DIGITS_ONLY.exec(text);
  const found = colons ?? others ?? digits;
  if (!found) return undefined;
  const ms = colons
    ? clockMs(colons[1]!, colons[2]!, colons[3], colons[4], colons[5])
    : others
      ? clockMs(others[1]!, others[3]!, others[4], others[5])
      : clockMs(digits![1]!, digits![2]!, digits![3], digits![4]);
  const zone = text
    .slice(found[0].length)
    .trim()
    .replace(/^uhr\b ?/i, '');
  const offset = zoneMs(zone);
  // 24:00 is the end of the day; nothing comes after it.
  return { ms: ms > DAY_MS ? Number.NaN : ms - offset, half: colons?.[5] !== undefined, zoned: zone !== '' };
}

const YEAR_FIRST = /^(\d{4})([-/.:_])(\d{1,2})\2(\d{1,2})(?!\d)/;
const YEAR_MONTH = /^(\d{4})-(\d{2})$/;
const COMPACT = /^(\d{4}|\d{2})(\d{2})(\d{2})(?=$|[T _-]\d)/;
const COMPACT_WHOLE = /^(\d{4})(\d{2})(\d{2})(\d{6}(?:[.,]?\d{1,6})?)(?= ?(?:[A-Z]+|[+-]\d[\d:]*)$)/i;
const IN_FIGURES = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{1,2})(?!\d)/;
const DAY_NAME_YEAR =
  /^(\d{1,2})(?:st|nd|rd|th|\.|º)?(?: de |[ \-/.])?(\p{L}{3,10})\.?(?: de |, |[ \-/,.])?(\d{4}|\d{2})(?!\d)/iu;
const NAME_DAY_YEAR = /^(\p{L}{3,10})\.?[ -](\d{1,2})(?:st|nd|rd|th)?(?:, ?|[ -])(\d{4})(?!\d)/iu;
const YEAR_NAME_DAY = /^(\d{4})[ \-/](\p{L}{3,10})\.?[ \-/](\d{1,2})(?!\d)/iu;
const YEAR_AT_END =
  /^(\p{L}{3,10})\.? +(\d{1,2}),? (\d{1,2}:\d{2}:\d{2}[^ ]*(?: [ap]m)?)(?: (\S+))? (\d{4})$/iu;
/** Forms with their groups of year, name and day. */
const NAMED: readonly (readonly [form: RegExp, year: number, name: number, day: number])[] = [
  [DAY_NAME_YEAR, 3, 2, 1],
  [NAME_DAY_YEAR, 3, 1, 2],
  [YEAR_NAME_DAY, 1, 2, 3],
  [YEAR_AT_END, 5, 1, 2],
];

const century = (year: string): number => Number(year) + (year.length <= 2 ? 2000 : 0);

/** A date at the beginning, by DATE_ORDERS (one value where no order matters), and what stands behind it. */
function readDate(text: string): readonly [ms: readonly number[], rest: string] | undefined {
  const rest = (parts: RegExpExecArray) => text.slice(parts[0].length);
  let parts = YEAR_FIRST.exec(text);
  if (parts) return [[calendarMs(Number(parts[1]), Number(parts[3]), Number(parts[4]))], rest(parts)];
  parts = IN_FIGURES.exec(text);
  if (parts) {
    const [a, b, c] = [parts[1]!, parts[3]!, parts[4]!];
    const yearFirst =
      c.length <= 2 && a.length === 2 ? calendarMs(century(a), Number(b), Number(c)) : Number.NaN;
    const dayFirst = c.length === 1 ? Number.NaN : calendarMs(century(c), Number(b), Number(a));
    const monthFirst = c.length === 1 ? Number.NaN : calendarMs(century(c), Number(a), Number(b));
    return [[dayFirst, monthFirst, yearFirst], rest(parts)];
  }
  parts = COMPACT.exec(text);
  if (parts) return [[calendarMs(century(parts[1]!), Number(parts[2]), Number(parts[3]))], rest(parts)];
  parts = COMPACT_WHOLE.exec(text);
  if (parts)
    return [[calendarMs(Number(parts[1]), Number(parts[2]), Number(parts[3]))], `T${parts[4]}${rest(parts)}`];
  parts = YEAR_MONTH.exec(text);
  if (parts) return [[calendarMs(Number(parts[1]), Number(parts[2]), 1)], ''];
  return readNamedDate(text);
}

/** As readDate, of a date whose month has its name. */
function readNamedDate(text: string): readonly [ms: readonly number[], rest: string] | undefined {
  for (const [form, year, name, day] of NAMED) {
    const parts = form.exec(text);
    const month = parts ? monthNamed(parts[name]!) : Number.NaN;
    if (!parts || Number.isNaN(month)) continue;
    const ms = calendarMs(century(parts[year]!), month, Number(parts[day]));
    return [[ms], form === YEAR_AT_END ? ` ${parts[3]} ${parts[4] ?? ''}` : text.slice(parts[0].length)];
  }
  return undefined;
}

const ALONE = new RegExp(
  String.raw`^([+-])?(?:(\d{1,5})(?: days?,? \+?|d ?|[.:](?=\d\d:\d\d:\d\d)))?(\d{1,4}):(\d{2})(?::(\d{2})(?:[.,:](\d{1,9}))?|[.,](\d{1,9}))?${HALF}$`,
  'i',
);
const DURATION = /^P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d+)?)S)?$/i;
const WITH_UNIT = /^([+-]?\d+(?:[.,]\d+)?) ?(\p{L}{1,4})$/u;

const minutesMs = (minutes: string, seconds: string, fraction?: string): number =>
  Number(seconds) > 59 ? Number.NaN : clockMs('0', '0', seconds, fraction) + Number(minutes) * 60_000;

/** A time without a date: of the day, or since a start. */
function readAlone(text: string): TextTime | undefined {
  const parts = ALONE.exec(text);
  if (parts) {
    const [, sign, days = '0', first, second, third, fraction, lastFraction, half] = parts;
    const negative = sign === '-' ? -1 : 1;
    if (third === undefined && lastFraction !== undefined)
      return { kind: 'elapsed', ms: [negative * minutesMs(first!, second!, lastFraction)] };
    const ms = negative * (clockMs(first!, second!, third, fraction, half) + Number(days) * DAY_MS);
    const past = ms >= DAY_MS || sign !== undefined || parts[2] !== undefined;
    if (third !== undefined || half !== undefined)
      return { kind: past ? 'elapsed' : 'ofDay', ms: [ms], half: half !== undefined };
    return { kind: past ? 'elapsed' : 'ofDay', ms: [ms], asMinutesMs: negative * minutesMs(first!, second!) };
  }
  const duration = DURATION.exec(text);
  if (duration) {
    const [, days = 0, hours = 0, minutes = 0, seconds = '0'] = duration;
    const wholeMs = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000;
    return { kind: 'elapsed', ms: [wholeMs + Math.round(Number(seconds.replace(',', '.')) * 1000)] };
  }
  const united = WITH_UNIT.exec(text);
  const unit = united ? unitNamed(united[2]!) : null;
  if (unit === null) return undefined;
  return { kind: 'elapsed', ms: [Math.round(Number(united![1]!.replace(',', '.')) * MS_PER_UNIT[unit])] };
}

/** Blanks as blanks, no quotes about it, no name of the zone in brackets behind it. */
function tidy(cell: string): string {
  let text = cell.trim();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: whether the text is all ASCII
  if (/[^\x00-\x7f]/.test(text)) {
    text = text.replaceAll(/[\u00a0\u2000-\u200b\u202f]/g, ' ');
    text = text.replace(/^(\d{4})[年년] ?(\d{1,2})[月월] ?(\d{1,2})[日일]/, '$1-$2-$3');
  }
  if (/^['"]/.test(text)) text = text.replace(/^['"]+|['"]+$/g, '').trim();
  return /[)\]]$/.test(text) ? text.replace(/ ?(?:\([^()]*\)|\[[^[\]]*\])$/, '') : text;
}

/** A cell as a written time; undefined when it is none. A form that is met with impossible figures gives NaN. */
export function readText(cell: string): TextTime | undefined {
  let text = tidy(cell);
  const weekday = /^(\p{L}{2,12})(?:\.,|[.,])? +(?=\S)/u.exec(text);
  let date = readDate(text);
  if (date === undefined && weekday && isWeekday(weekday[1]!)) {
    text = text.slice(weekday[0].length);
    date = readDate(text);
  }
  if (date === undefined) return readAlone(text);
  const [ms, rest] = date;
  if (rest === '') return { kind: 'date', ms };
  const gap = AFTER_DATE.exec(rest)?.[0];
  const clock = gap === undefined ? undefined : readClock(rest.slice(gap.length));
  if (clock === undefined) return undefined;
  return { kind: 'instant', ms: ms.map((day) => day + clock.ms), half: clock.half, zoned: clock.zoned };
}
