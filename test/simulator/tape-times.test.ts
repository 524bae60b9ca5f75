import { describe, expect, it } from 'vitest';
import { shiftOf, type TapeTimes, withTime } from '../../simulator/tape-times.ts';

const NOW = Date.UTC(2026, 0, 10);
const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;

/** Rows in the order of the file: event time, and when each is sent after the start. */
const timesOf = (...rows: readonly (readonly [number, number])[]): TapeTimes =>
  rows.reduce<TapeTimes | null>((times, [tsMs, sentMs]) => withTime(times, tsMs, sentMs), null)!;

describe('the times of a tape', () => {
  it('from a start end now at full speed, and are the clock at speed 1', () => {
    expect(shiftOf(timesOf([0, 0], [7_200_000, 0]), NOW, YEAR_MS)).toEqual({ shiftMs: NOW - 7_200_000 });
    expect(shiftOf(timesOf([0, 0], [7_200_000, 7_200_000]), NOW, YEAR_MS)).toEqual({ shiftMs: NOW });
  });

  it('are never ahead of the clock when they are sent, whatever the pace and where cars start', () => {
    // A second car starts two hours in, but is driven at once beside the first, four times as fast.
    const rows = [
      [0, 0],
      [1000, 250],
      [7_200_000, 0],
      [7_204_000, 1000],
    ] as const;
    const { shiftMs } = shiftOf(timesOf(...rows), NOW, YEAR_MS);
    const ahead = rows.map(([tsMs, sentMs]) => tsMs + shiftMs - (NOW + sentMs));
    expect(Math.max(...ahead)).toBe(0);
  });

  it('are whole milliseconds at any pace', () => {
    const { shiftMs } = shiftOf(timesOf([0, 0], [1000, 1000 / 60], [2000, 2000 / 60]), NOW, YEAR_MS);
    expect(shiftMs).toBe(NOW - 1967);
  });

  it('of the last year stay, older ones and those to come are moved to end now and a person is told', () => {
    const week = timesOf([NOW - 7 * DAY_MS, 0], [NOW - DAY_MS, 0]);
    expect(shiftOf(week, NOW, YEAR_MS)).toEqual({ shiftMs: 0 });
    const old = timesOf([Date.UTC(2019, 2, 4), 0], [Date.UTC(2019, 2, 9), 0]);
    expect(shiftOf(old, NOW, YEAR_MS)).toEqual({
      shiftMs: NOW - Date.UTC(2019, 2, 9),
      says: expect.stringMatching(/^its times \(2019-03-04 to 2019-03-09\) are moved by 2,499 days to now/),
    });
    const ahead = timesOf([NOW - DAY_MS, 0], [NOW + DAY_MS, 0]);
    expect(shiftOf(ahead, NOW, YEAR_MS)).toMatchObject({ shiftMs: -DAY_MS });
  });

  it('stay as they are where nothing is asked', () => {
    const old = timesOf([Date.UTC(2019, 2, 4), 0]);
    expect(shiftOf(old, NOW, Number.POSITIVE_INFINITY)).toEqual({ shiftMs: 0 });
    const counted = timesOf([5000, 0], [7_200_000, 0]);
    expect(shiftOf(counted, NOW, Number.POSITIVE_INFINITY)).toEqual({ shiftMs: NOW });
  });
});
