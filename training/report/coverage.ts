// What a model was trained on, as a report says it: the period, the cars, those it was judged on and those left out.
import type { Folds } from '../data/folds.ts';
import { carsIn, type Series } from '../data/series.ts';

/** Cars named at most. */
const NAMED = 20;

export interface Cars {
  readonly count: number;
  /** The first of them by name. */
  readonly names: readonly string[];
}

export interface Coverage {
  /** Event time of the first and the last row kept, ms. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly cars: Cars;
  /** Each fold was judged by a model that had not seen its cars, or its stretch of time where cars are too few. */
  readonly folds: number;
  readonly byTime: boolean;
  /** Cars whose rows, with faults put in, the figures of what is found are of. */
  readonly judgedOn: Cars;
  /** Cars there was no room for. */
  readonly leftOut: Cars;
}

const named = (names: readonly string[]): Cars => ({
  count: names.length,
  names: [...names].sort().slice(0, NAMED),
});

export function coverageOf(
  series: readonly Series[],
  {
    folds,
    judgedOn,
    leftOut,
  }: { readonly folds: Folds; readonly judgedOn: readonly Series[]; readonly leftOut: readonly string[] },
): Coverage {
  const times = series.flatMap(({ tsMs }) => [tsMs[0]!, tsMs.at(-1)!]);
  return {
    fromMs: times.reduce((a, b) => Math.min(a, b)),
    toMs: times.reduce((a, b) => Math.max(a, b)),
    cars: named(carsIn(series)),
    folds: folds.count,
    byTime: folds.byTime,
    judgedOn: named(carsIn(judgedOn)),
    leftOut: named(leftOut),
  };
}

/** Before it a time counts from the start of a recording. */
const CALENDAR_MS = Date.UTC(1990, 0, 1);

const moment = (ms: number) =>
  ms < CALENDAR_MS
    ? `${(ms / 1000).toFixed(1)} s`
    : `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

const listed = ({ count, names }: Cars) => {
  if (count === 0) return 'none';
  return `${count.toLocaleString('en')} (${names.join(', ')}${count > names.length ? ', …' : ''})`;
};

/** What, and how it is said. */
export function coverageLines(coverage: Coverage): readonly (readonly [what: string, how: string])[] {
  const { fromMs, toMs, cars, folds, byTime, judgedOn, leftOut } = coverage;
  const held = byTime
    ? `no car: too few, so ${folds} stretches of time in turn`
    : `every car in turn, in ${folds} groups, each judged by a model that had not seen it`;
  return [
    ['period', `${moment(fromMs)} to ${moment(toMs)}`],
    ['cars', listed(cars)],
    ['held out', held],
    ['faults put into', listed(judgedOn)],
    ['cars left out', listed(leftOut)],
  ];
}
