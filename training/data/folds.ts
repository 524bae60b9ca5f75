// Who judges whom: the cars (or, with too few cars, stretches of time) are dealt into folds, and what is calibrated on
// a fold was fitted without it.
import { seededRandom, shuffle } from '../../core/model/random.ts';
import { carsIn, rowsIn, type Series } from './series.ts';

/** Fewer cars than this are cut by time instead. */
const FEW_CARS = 4;
const TIME_FOLDS = 8;
const CAR_FOLDS = 8;
/** From so many rows or cars on, fewer folds do: each leaves enough behind. */
const MANY_ROWS = 120_000;
const MANY_CARS = 64;
const FEWER_FOLDS = 5;
const FEWEST_FOLDS = 3;

export interface Folds {
  readonly count: number;
  /** Fold of each row, the series one after another. */
  readonly ofRow: Uint8Array;
  /** True when a fold is a stretch of time within cars. */
  readonly byTime: boolean;
}

/** Cars of each crowd (`crowdOf`) are spread evenly over the folds; `asFewAsCan`: what is judged is left to fewer of them. */
export function dealFolds(
  series: readonly Series[],
  seed: number,
  crowdOf: (car: string) => number = () => 0,
  asFewAsCan = false,
): Folds {
  const cars = carsIn(series).sort();
  const rows = rowsIn(series);
  const ofRow = new Uint8Array(rows);
  let at = 0;
  if (cars.length < FEW_CARS) {
    for (const { tsMs } of series) {
      const n = tsMs.length;
      for (let i = 0; i < n; i += 1)
        ofRow[at + i] = Math.min(TIME_FOLDS - 1, Math.floor((i * TIME_FOLDS) / n));
      at += n;
    }
    return { count: TIME_FOLDS, ofRow, byTime: true };
  }
  const many = rows > MANY_ROWS || cars.length >= MANY_CARS;
  const count = asFewAsCan ? FEWEST_FOLDS : Math.min(cars.length, many ? FEWER_FOLDS : CAR_FOLDS);
  const fold = new Map<string, number>();
  const order = Array.from(
    shuffle(Uint32Array.from(cars.keys()), seededRandom(seed, 'cars')),
    (car) => cars[car]!,
  );
  order.sort((a, b) => crowdOf(a) - crowdOf(b));
  for (const [place, car] of order.entries()) fold.set(car, place % count);
  for (const { id, tsMs } of series) {
    ofRow.fill(fold.get(id)!, at, at + tsMs.length);
    at += tsMs.length;
  }
  return { count, ofRow, byTime: false };
}
