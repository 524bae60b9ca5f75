import { describe, expect, it } from 'vitest';
import { TimeSurvey } from '../../core/recording-time.ts';

/** What a column of times is read as, in ms. */
function read(...cells: string[]): number[] {
  const survey = new TimeSurvey();
  for (const cell of cells) survey.add(cell);
  return cells.map(survey.reader());
}

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
    expect(read('24:00:00', '13:00 PM', '12:60')).toEqual([none, none, none]);
  });
});
