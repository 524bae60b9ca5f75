import { describe, expect, it } from 'vitest';
import { hoursRemarks } from '../../../training/data/plausible-hours.ts';
import type { Series } from '../../../training/data/series.ts';

/** Two cars of 200 rows, one each `stepMs`. */
const apart = (stepMs: number): Series[] =>
  ['a', 'b'].map((id) => ({
    id,
    tsMs: Float64Array.from({ length: 200 }, (_, i) => i * stepMs),
    values: new Float32Array(200),
  }));

describe('hours of a history', () => {
  it.each([20, 1000, 60_000, 300_000])('are not asked about with rows %d ms apart', (stepMs) => {
    expect(hoursRemarks(apart(stepMs))).toEqual([]);
  });

  it('are asked about where rows come a quarter of an hour or a millisecond apart', () => {
    expect(hoursRemarks(apart(1_000_000))[0]).toMatch(
      /^111 h of 2 cars, rows 17 min apart: is the unit right\?.*--time/,
    );
    expect(hoursRemarks(apart(1))[0]).toMatch(/^0\.000111 h of 2 cars, rows 1 ms apart: is the unit right\?/);
  });

  it('are asked about where one car of several counts in another unit', () => {
    const [usual, other] = [apart(1000), apart(1_000_000)];
    const three = [...usual, { ...other[0]!, id: 'c' }];
    expect(hoursRemarks(three)).toEqual([
      expect.stringMatching(
        /^rows of 1 car come 100 times as far apart as those of the others \(1 s\), or as near: c \(1,000 s\): is the unit right\?.*--time/,
      ),
    ]);
    expect(hoursRemarks([...usual, { ...apart(50_000)[0]!, id: 'c' }])).toEqual([]);
  });

  it('are refused where no time passes, or weeks between rows', () => {
    expect(() => hoursRemarks(apart(0))).toThrow(
      /no time passes in 400 rows of 2 cars; check the time column/,
    );
    expect(() => hoursRemarks(apart(10 * 86_400_000))).toThrow(/400 rows of 2 cars come 10 days apart/);
  });
});
