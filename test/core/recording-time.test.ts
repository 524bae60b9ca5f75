import { describe, expect, it } from 'vitest';
import { TimeSurvey } from '../../core/recording-time.ts';

/** What a column of times of one car is read as, in ms. */
function readColumn(header: string, cells: readonly string[]): number[] {
  const survey = new TimeSurvey(header, true);
  for (const cell of cells) survey.add(cell, 'car');
  return cells.map(survey.decide().read);
}

const read = (...cells: string[]): number[] => readColumn('time', cells);

const MARCH_1 = Date.UTC(2024, 2, 1);
const HOUR = 3_600_000;

describe('times of a recording', () => {
  it('takes numbers as seconds, milliseconds, microseconds or nanoseconds by the largest of them', () => {
    expect(read('0', '1.5')).toEqual([0, 1500]);
    expect(read('1700000000')).toEqual([1_700_000_000_000]);
    expect(read('1700000000000')).toEqual([1_700_000_000_000]);
    expect(read('1700000000000000')).toEqual([1_700_000_000_000]);
    expect(read('1700000000000000000')).toEqual([1_700_000_000_000]);
  });

  it('takes ISO dates as UTC where they name no zone', () => {
    expect(
      read('2024-03-01', '2024-03-01 01:00:00', '2024-03-01T01:00:00.250', '2024-03-01T03:00+02:00'),
    ).toEqual([MARCH_1, MARCH_1 + HOUR, MARCH_1 + HOUR + 250, MARCH_1 + HOUR]);
  });

  it('takes a date with the year last the way that reads every cell', () => {
    expect(read('1/3/2024 23:59', '29/2/2024 01:00')).toEqual([
      MARCH_1 + 23 * HOUR + 59 * 60_000,
      Date.UTC(2024, 1, 29, 1),
    ]);
    expect(read('3/1/24 1:00', '2/29/24')).toEqual([MARCH_1 + HOUR, Date.UTC(2024, 1, 29)]);
  });

  it('of two ways that read every cell takes the one that makes the recording shorter', () => {
    expect(read('01.03.2024 00:00:00', '02.03.2024 00:00:00')).toEqual([MARCH_1, MARCH_1 + 24 * HOUR]);
    expect(read('03/01/2024', '03/02/2024')).toEqual([MARCH_1, MARCH_1 + 24 * HOUR]);
  });

  it('takes halves of the day, fractions, slashes after the year, and times of day alone', () => {
    expect(read('3/1/2024 12:05:00 AM', '3/1/2024 1:00 pm', '3/2/2024 12:00:00 PM')).toEqual([
      MARCH_1 + 5 * 60_000,
      MARCH_1 + 13 * HOUR,
      MARCH_1 + 36 * HOUR,
    ]);
    expect(read('2024/03/01 00:00:00.5', '2024/3/1')).toEqual([MARCH_1 + 500, MARCH_1]);
    expect(read('2024-03-01 00:00:00,250')).toEqual([MARCH_1 + 250]);
    expect(read('2024-3-1', '2024-03-01 1:00')).toEqual([MARCH_1, MARCH_1 + HOUR]);
    expect(read('00:00:01', '23:59:59,75')).toEqual([1000, 24 * HOUR - 250]);
  });

  it('takes what no calendar and no clock has for no time', () => {
    const none = Number.NaN;
    expect(read('31/2/2024', '13/13/2024', '1/3/2024 25:00', '1/3/2024 noon', 'n/a', '')).toEqual([
      none,
      none,
      none,
      none,
      none,
      none,
    ]);
    expect(read('13:00 PM', '12:60', '12:30:61')).toEqual([none, none, none]);
  });
});

/** 2023-11-15 22:13:20 UTC. */
const T = 1_700_086_400_000;
const second = Array.from({ length: 30 }, (_, i) => i);

describe('times written as numbers', () => {
  it.each<[header: string, what: string, cell: (i: number) => string, firstMs: number]>([
    ['Time (msec)', 'the header', (i) => `${1000 * i}`, 0],
    ['time_ms', 'the header', (i) => `${1000 * i}`, 0],
    ['elapsedMillis', 'the header', (i) => `${1000 * i}`, 0],
    ['t [s]', 'the header', (i) => `${i}.0`, 0],
    ['Zeit [µs]', 'the header', (i) => `${1e6 * i}`, 0],
    ['timestamp_us', 'the header', (i) => `${1_700_086_400_000_000 + 1e6 * i}`, T],
    ['elapsed (min)', 'the header', (i) => (i / 60).toFixed(6), 0],
    ['time since start (h)', 'the header', (i) => (i / 3600).toFixed(8), 0],
    ['t_ns', 'the header', (i) => `${1e9 * i}`, 0],
    ['TimeStamp (100ns)', 'the header', (i) => `${1e7 * i}`, 0],
    ['time', 'the step', (i) => `${1000 * i}`, 0],
    ['time', 'the step', (i) => `${1e6 * i}`, 0],
    ['time', 'the step', (i) => `${1e9 * i}`, 0],
    ['time', 'the size', (i) => `${1_700_086_400 + i}`, T],
    ['time', 'the size', (i) => `${1_700_086_400 + i}.000`, T],
    ['time', 'the size', (i) => `${1_700_086_400_000 + 1000 * i}`, T],
    ['time', 'the size', (i) => `${1_700_086_400_000_000 + 1e6 * i}`, T],
    ['time', 'the size', (i) => `${1_700_086_400 + i}000000000`, T],
    ['time (ms)', 'size against a wrong header', (i) => `${1_700_086_400 + i}`, T],
    ['time (s)', 'size against a wrong header', (i) => `${1_700_086_400_000 + 1000 * i}`, T],
    ['time', 'digits of a date', (i) => `202311152213${20 + i}`, T],
    ['time', 'digits of a date', (i) => `202311152213${20 + i}.000`, T],
    ['time', 'digits of a date', (i) => `202311152213${20 + i}000`, T],
    ['time', 'digits of a date', (i) => `2311152213${20 + i}`, T],
    ['time', 'a spreadsheet', (i) => (45_245 + 80_000 / 86_400 + i / 86_400).toFixed(9), T],
    ['Date', 'a spreadsheet', (i) => (45_245 + 80_000 / 86_400 + i / 86_400).toFixed(9), T],
    ['time', 'MATLAB', (i) => (739_205 + 80_000 / 86_400 + i / 86_400).toFixed(9), T],
    ['time', 'ticks', (i) => `${BigInt(638_356_832_000_000_000) + 10_000_000n * BigInt(i)}`, T],
    ['time', 'seconds of the day', (i) => `${45_245 + i}`, 45_245_000],
    ['time', 'decimal commas', (i) => `${1_700_086_400 + i},0`, T],
  ])('%s by %s', (header, _, cell, firstMs) => {
    expect(readColumn(header, second.map(cell))).toEqual(second.map((i) => firstMs + 1000 * i));
  });

  it.each<[header: string, stepS: number, cell: (i: number) => string]>([
    ['time', 0.05, (i) => (0.05 * i).toFixed(2)],
    ['time', 0.1, (i) => `${100 * i}`],
    ['time', 60, (i) => `${60 * i}`],
    ['time', 300, (i) => `${300 * i}`],
    ['time', 300, (i) => `${1_700_086_400 + 300 * i}`],
    ['Time (sec)', 1000, (i) => `${1000 * i}`],
    ['t_ms', 0.01, (i) => `${10 * i}`],
  ])('%s with rows %f s apart', (header, stepS, cell) => {
    const times = readColumn(header, second.map(cell));
    expect(times.map((ms) => ms - times[0]!)).toEqual(second.map((i) => Math.round(1000 * stepS * i)));
  });

  it.each(['0', '99999999999999', '1.7e300', '-5000000000000'])(
    'is not rescaled by one cell of %s',
    (absurd) => {
      for (const base of [0, 1_700_086_400]) {
        const cells = Array.from({ length: 400 }, (_, i) => (i === 200 ? absurd : `${base + 3 + i}`));
        const read = readColumn('time', cells);
        const kept = absurd === '0' && base === 0 ? 0 : Number.NaN;
        expect(read[200]).toBe(kept);
        expect([read[0], read[199], read[399]]).toEqual([3, 202, 402].map((s) => 1000 * (base + s)));
      }
    },
  );
});

describe('times of day and elapsed times', () => {
  it('takes 12:34 for minutes and seconds beside parts of a second, hours, or a first figure past the day', () => {
    expect(read('12:34', '12:35')).toEqual([45_240_000, 45_300_000]);
    expect(read('12:34.5', '12:35')).toEqual([754_500, 755_000]);
    expect(read('59:59', '1:00:00')).toEqual([3_599_000, 3_600_000]);
    expect(read('23:59', '24:00', '83:12')).toEqual([1_439_000, 1_440_000, 4_992_000]);
    expect(read('00:00', '00:01')).toEqual([0, 1000]);
    expect(readColumn('lap mm:ss', ['12:34', '12:35'])).toEqual([754_000, 755_000]);
  });

  it('goes on past 24 hours where time counts from a start', () => {
    expect(read('23:59:59', '24:00:00', '100:00:00.5')).toEqual([86_399_000, 86_400_000, 360_000_500]);
  });

  it('reads dates of years in two figures by the order under which the recording is shorter', () => {
    expect(read('23/11/15 00:00:01', '23/11/16 00:00:02')).toEqual([
      Date.UTC(2023, 10, 15, 0, 0, 1),
      Date.UTC(2023, 10, 16, 0, 0, 2),
    ]);
  });

  it('decides the order by every row, and one absurd cell does not', () => {
    const days = Array.from({ length: 20_000 }, (_, i) => (i === 19_998 ? '05/13/2024' : '05/04/2024'));
    expect(read(...days)[0]).toBe(Date.UTC(2024, 4, 4));
    const odd = Array.from({ length: 2000 }, (_, i) => (i === 3 ? '12/25/2024' : `${13 + (i % 10)}/04/2024`));
    expect(read(...odd)[0]).toBe(Date.UTC(2024, 3, 13));
    expect(read(...odd)[3]).toBeNaN();
  });
});
