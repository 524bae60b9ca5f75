// Times written as numbers: the unit (and where they count from) that header, size and the step between rows make most plausible
// together, and dates written in digits alone (20231115221320). One absurd cell decides nothing: medians do.
import { MS_PER_UNIT, stepInHeader, type TimeUnit, UNIT_WORDS, unitInHeader, wordsOf } from './time-words.ts';

/** Which part of the time a column has; `whole` when no other is read with it. */
export type TimeRole = 'whole' | 'date' | 'ofDay';

/** Cells of a column, evenly chosen, as numbers. */
export interface NumberSample {
  readonly header: string;
  /** As text, trimmed. */
  readonly cells: readonly string[];
  readonly values: readonly number[];
  /** Absolute steps within a car that are not 0. */
  readonly steps: readonly number[];
}

export interface NumberReading {
  readonly kind: 'instant' | 'date' | 'ofDay' | 'elapsed';
  readonly read: (value: number, cell: string) => number;
  /** In words: unit and origin, and what they were taken from. */
  readonly says: string;
}

const DAY_MS = 86_400_000;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const THOUSANDS = /^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/;
const COMMA_NUMBER = /^[+-]?\d*,\d+$/;

/** A trimmed cell as a number; NaN when it is none. */
export function readNumber(text: string, decimalComma: boolean): number {
  if (NUMBER.test(text)) return Number(text);
  if (!decimalComma && THOUSANDS.test(text)) return Number(text.replaceAll(',', ''));
  return decimalComma && COMMA_NUMBER.test(text) ? Number(text.replace(',', '.')) : Number.NaN;
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** Recordings of cars are of these years. */
const FROM_MS = Date.UTC(2000, 0, 1);
const TO_MS = Date.UTC(2100, 0, 1);
export const isOurTime = (ms: number): boolean => ms >= FROM_MS && ms < TO_MS;

interface Scale {
  readonly unit: TimeUnit | null;
  readonly msPerUnit: number;
  readonly zeroMs: number;
  readonly words: string;
  /** How usual it is when nothing else tells. */
  readonly usual: number;
}

const SCALES: readonly Scale[] = [
  ...(Object.keys(MS_PER_UNIT) as TimeUnit[]).map((unit) => ({
    ...{ unit, msPerUnit: MS_PER_UNIT[unit], zeroMs: 0, words: UNIT_WORDS[unit] },
    usual: unit === 's' ? 1 : unit === 'ms' ? 0.5 : 0,
  })),
  ...[
    { msPerUnit: DAY_MS, zeroMs: -25_569 * DAY_MS, words: 'spreadsheet dates (days since 1899-12-30)' },
    { msPerUnit: DAY_MS, zeroMs: -719_529 * DAY_MS, words: 'MATLAB dates (days since the year 0)' },
    { msPerUnit: 1e-4, zeroMs: -62_135_596_800_000, words: '.NET ticks (100 ns since the year 1)' },
    { msPerUnit: 1e-4, zeroMs: -11_644_473_600_000, words: 'Windows file times (100 ns since 1601)' },
  ].map((scale) => ({ ...scale, unit: null, usual: 0 })),
];

const DATE_WORDS = new Set(
  'date datum fecha data datetime timestamp dag jour day tag zeitstempel'.split(' '),
);
/** Steps of minutes and hours that people set, in seconds. */
const SET_STEPS = [60, 120, 180, 300, 600, 900, 1200, 1800, 3600, 7200];
const MINUTE_MS = 60_000;
const YEAR_MS = 366 * DAY_MS;

/** How much a step speaks against a scale: rows of a car come some hundredths of a second to a minute apart. */
function againstStep(stepMs: number): number {
  if (Number.isNaN(stepMs)) return 0;
  if (stepMs < 10) return Math.min(6, 2 * Math.log10(10 / stepMs));
  if (stepMs <= MINUTE_MS) return 0;
  const set = SET_STEPS.some((seconds) => Math.abs(stepMs - 1000 * seconds) < 1e-3 * stepMs);
  return set ? 0 : Math.min(3, 5 * Math.log10(stepMs / MINUTE_MS));
}

interface Judged {
  readonly scale: Scale;
  readonly points: number;
  readonly absolute: boolean;
}

function judge(scale: Scale, sample: NumberSample, role: TimeRole): Judged {
  const header = unitInHeader(sample.header);
  const { unit, msPerUnit, zeroMs, usual } = scale;
  const medianMs = medianOf(sample.values) * msPerUnit + zeroMs;
  const absolute = role !== 'ofDay' && isOurTime(medianMs);
  const never = { scale, points: Number.NEGATIVE_INFINITY, absolute };
  if (unit === null && !absolute) return never;
  const rare = unit === 'min' || unit === 'h' || unit === 'd';
  if (rare && header !== unit) return never;
  let points = usual - againstStep(medianOf(sample.steps) * msPerUnit);
  if (header !== null && header === unit) points += 4;
  if (!absolute) return { scale, points: points - (Math.abs(medianMs) < 2 * YEAR_MS ? 0 : 4), absolute };
  const days = unit === null && msPerUnit === DAY_MS;
  const dated = wordsOf(sample.header).some((word) => DATE_WORDS.has(word));
  return { scale, points: points + (days && !dated ? 2 : 4.2), absolute };
}

/** The unit, in words, with what it was taken from. */
function unitWords(best: Judged, { header, steps }: NumberSample): string {
  const named = unitInHeader(header);
  const { scale, absolute } = best;
  const by = [
    ...(named !== null && named === scale.unit ? ['the header'] : []),
    ...(absolute ? ['their size'] : []),
    ...(steps.length > 0 ? ['the step between rows'] : []),
  ];
  const since = scale.unit === null ? '' : absolute ? ' since 1970' : ' since a start';
  const against =
    named !== null && scale.unit !== null && named !== scale.unit
      ? `; not ${UNIT_WORDS[named]}, as the header says`
      : '';
  return `${scale.words}${since}${by.length > 0 ? `, by ${by.join(' and ')}` : ''}${against}`;
}

/** Digits alone that make a date, by how many there are: the lengths of year, month, day, hour, minute, second, parts of it. */
const DIGITS: readonly (readonly [form: string, cuts: readonly number[]])[] = [
  ['YYYYMMDDHHMMSS', [4, 2, 2, 2, 2, 2]],
  ['YYYYMMDDHHMMSSmmm', [4, 2, 2, 2, 2, 2, 3]],
  ['YYYYMMDDHHMM', [4, 2, 2, 2, 2]],
  ['YYMMDDHHMMSS', [2, 2, 2, 2, 2, 2]],
  ['YYYYMMDD', [4, 2, 2]],
];
const SIX = [2, 2, 2];

/** Ms of digits alone, NaN when they make no date of our years. */
function digitsMs(cell: string, cuts: readonly number[], dayFirst = false): number {
  const whole = /^(\d+)(?:\.(\d{1,6}))?$/.exec(cell);
  if (!whole || whole[1]!.length !== cuts.reduce((a, b) => a + b)) return Number.NaN;
  let at = 0;
  const parts = cuts.map((length) => {
    at += length;
    return Number(whole[1]!.slice(at - length, at));
  });
  if (dayFirst) parts.splice(0, 3, parts[2]!, parts[1]!, parts[0]!);
  const [y = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0] = parts;
  const year = y < 100 ? 2000 + y : y;
  const found = new Date(Date.UTC(year, month - 1, day, hour, minute, second, ms));
  const same = found.getUTCMonth() === month - 1 && found.getUTCDate() === day && hour < 24 && minute < 60;
  if (!same || second > 59 || !isOurTime(found.getTime()) || year < 1990) return Number.NaN;
  return found.getTime() + Math.round(Number(`0.${whole[2] ?? 0}`) * 1000);
}

/** HHMMSS with leading zeros or without, and parts of a second; NaN when no clock shows it. */
function clockDigitsMs(cell: string): number {
  const whole = /^(\d{1,6})(?:\.(\d{1,6}))?$/.exec(cell);
  if (!whole) return Number.NaN;
  const [hour, minute, second] = [0, 2, 4].map((at) => Number(whole[1]!.padStart(6, '0').slice(at, at + 2)));
  if (hour! > 23 || minute! > 59 || second! > 59) return Number.NaN;
  return (hour! * 3600 + minute! * 60 + second!) * 1000 + Math.round(Number(`0.${whole[2] ?? 0}`) * 1000);
}

/** Share of cells that a form of digits must read to be the column's. */
const NEARLY_ALL = 0.98;

/** Dates of two figures each are of these years when they can be. */
const LATEST_YEAR_MS = Date.UTC(2031, 0, 1);

/** Six digits as a date: the order under which the recording is shorter, else the one that makes it more recent. */
function sixDigits(cells: readonly string[], able: readonly boolean[]): NumberReading | null {
  const spans = able.map((dayFirst) => {
    const all = cells.map((cell) => digitsMs(cell, SIX, dayFirst)).filter((ms) => !Number.isNaN(ms));
    all.sort((a, b) => a - b);
    return { dayFirst, span: all.at(-1)! - all[0]!, last: all.at(-1)! };
  });
  const recent = (last: number) => (last < LATEST_YEAR_MS ? last : 0);
  spans.sort((a, b) => a.span - b.span || recent(b.last) - recent(a.last));
  const best = spans[0];
  if (best === undefined) return null;
  const doubt = spans[1]?.span === best.span ? ', as nothing in the file tells' : '';
  return {
    kind: 'date',
    read: (_, cell) => digitsMs(cell, SIX, best.dayFirst),
    says: `${best.dayFirst ? 'DDMMYY' : 'YYMMDD'}${doubt}`,
  };
}

/** Cells from which on figures that a clock never shows would have come by. */
const CLOCK_CELLS = 20;
/** A step of less than a minute and a half, in figures HHMMSS: a count in greater steps may miss them. */
const CLOCK_STEP = 100;

/**
 * Whether figures without a date are a clock's: a count of seconds or milliseconds soon ends in 60 to 99, a clock never does.
 * @param unit what the header says
 */
function isClock({ cells, values, steps }: NumberSample, unit: TimeUnit | null): boolean {
  if (unit !== null || cells.length < CLOCK_CELLS || !(medianOf(steps) < CLOCK_STEP)) return false;
  // Over an hour's turn or not, the figures must have had the time to pass 60.
  const minutes = new Set(values.map((value) => Math.floor(value / 100)));
  return minutes.size >= 3;
}

function readDigits(sample: NumberSample, role: TimeRole): NumberReading | null {
  const { cells } = sample;
  const reads = (read: (cell: string) => number) =>
    cells.filter((cell) => !Number.isNaN(read(cell))).length >= NEARLY_ALL * cells.length;
  for (const [form, cuts] of DIGITS) {
    const read = (cell: string) => digitsMs(cell, cuts);
    if (reads(read))
      return { kind: cuts.length === 3 ? 'date' : 'instant', read: (_, cell) => read(cell), says: form };
  }
  if (role === 'date') {
    const able = [false, true].filter((dayFirst) => reads((cell) => digitsMs(cell, SIX, dayFirst)));
    return sixDigits(cells, able);
  }
  const long = medianOf(cells.map((cell) => Math.trunc(Number(cell)).toString().length)) >= 5;
  const asClock = role === 'ofDay' || (role === 'whole' && isClock(sample, unitInHeader(sample.header)));
  if (asClock && long && reads(clockDigitsMs))
    return { kind: 'ofDay', read: (_, cell) => clockDigitsMs(cell), says: 'HHMMSS' };
  return null;
}

/** How a column of numbers is read. */
export function chooseNumbers(sample: NumberSample, role: TimeRole): NumberReading {
  const digits = readDigits(sample, role);
  if (digits) return digits;
  // A part of a day, as spreadsheets keep a time beside a date.
  const parts = sample.values.filter((value) => value >= 0 && value < 1).length;
  if (role === 'ofDay' && parts >= NEARLY_ALL * sample.values.length)
    return { kind: 'ofDay', read: (value) => Math.round(value * DAY_MS), says: 'parts of a day' };
  const own = stepInHeader(sample.header);
  if (!Number.isNaN(own)) {
    const says = `steps of ${Number(own.toPrecision(6))} ms since a start, by the header`;
    return { kind: 'elapsed', read: (value) => Math.round(value * own), says };
  }
  const judged = SCALES.map((scale) => judge(scale, sample, role));
  const best = judged.reduce((a, b) => (b.points > a.points ? b : a));
  const { msPerUnit, zeroMs } = best.scale;
  const whole = best.scale.unit === null && sample.values.every(Number.isInteger) && msPerUnit === DAY_MS;
  return {
    kind: whole ? 'date' : best.absolute ? 'instant' : 'elapsed',
    read: (value) => Math.round(value * msPerUnit + zeroMs),
    says: unitWords(best, sample),
  };
}
