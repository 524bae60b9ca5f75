// Which rows a report judges: whole series of cars left out, untouched, judged by the fold that had not seen them. With
// few cars, the later half of each.
import type { Folds } from '../data/folds.ts';
import type { Series } from '../data/series.ts';

/** Rows judged untouched; as many again with faults in them. */
const MAX_ROWS = 30_000;

export interface TestSeries {
  readonly series: Series;
  readonly fold: number;
}

/**
 * Series that are judged: whole ones of fold 0 and on, until there are enough rows; with few cars the last fold's
 * stretch. Those that are `broken` are passed over, because their alerts are no false ones, unless nothing else is
 * left.
 */
export function chooseTest(
  series: readonly Series[],
  folds: Folds,
  width: number,
  broken: (series: Series) => boolean = () => false,
): TestSeries[] {
  const whole = choose(series, folds, width, (one) => !broken(one));
  return whole.length > 0 ? whole : choose(series, folds, width, () => true);
}

function choose(
  series: readonly Series[],
  folds: Folds,
  width: number,
  wanted: (series: Series) => boolean,
): TestSeries[] {
  const chosen: TestSeries[] = [];
  let rows = 0;
  let start = 0;
  for (const one of series) {
    const n = one.tsMs.length;
    if (!wanted(one)) {
      start += n;
      continue;
    }
    if (folds.byTime) {
      // Its judge has seen some of these rows, but none of the faults that are put into them.
      const fold = folds.count - 1;
      const from = n >> 1;
      const part = {
        id: one.id,
        tsMs: one.tsMs.subarray(from, from + MAX_ROWS),
        values: one.values.subarray(from * width, (from + MAX_ROWS) * width),
      };
      chosen.push({ series: part, fold });
    } else if (folds.ofRow[start]! < Math.max(1, folds.count >> 1) && rows < MAX_ROWS) {
      const part =
        n <= MAX_ROWS
          ? one
          : {
              id: one.id,
              tsMs: one.tsMs.subarray(0, MAX_ROWS),
              values: one.values.subarray(0, MAX_ROWS * width),
            };
      chosen.push({ series: part, fold: folds.ofRow[start]! });
      rows += part.tsMs.length;
    }
    start += n;
  }
  return chosen.filter((one) => one.series.tsMs.length > 0);
}
