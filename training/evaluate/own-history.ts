// A model that was just trained scores its own history, as `score --csv` would: each car followed from its first row,
// alerts by the hysteresis of the stream. Thresholds are set on cars a model has not seen, by models that are not the
// released one; should the two ever part, or the history be of another kind than a budget can be kept on, it is seen
// here, and such a model is not released.
import { counted, percent } from '../../core/counted.ts';
import { TelltaleError } from '../../core/errors.ts';
import type { ModelBundle } from '../../core/model/bundle.ts';
import { createDetector } from '../../core/model/detector.ts';
import { isActive, isStrange, NEVER_SEEN, stepAlert } from '../../core/model/hysteresis.ts';
import { MOST_IN_WAVE } from '../../core/model/wave.ts';
import { yieldNow } from '../../core/yield.ts';
import { followCars, whole } from '../calibrate/waves.ts';
import { alertsAsked } from '../data/alerts-asked.ts';
import { type KnownFault, visibleIn } from '../data/ground-truth.ts';
import { rowsIn, type Series } from '../data/series.ts';
import { dealRows, STRETCH_ROWS } from '../data/shares.ts';

/**
 * Rows looked at, of each car from its first one on. Of a longer history some cars are followed for long, drawn by the
 * seed: what an average over minutes does is not seen in the first minute of each. The others come by once round of the
 * hysteresis at least.
 */
const MOST_ROWS = 40_000;
const LEAST_ROWS = 20;
/** Times the alerts asked for that its own history may raise, before what chance adds. */
const TIMES_ASKED = 3;
/** Standard deviations of a Poisson count that chance may add, and alerts beside: a history of an hour asks for half an alert. */
const DEVIATIONS = 3;
const ALERTS_MORE = 3;
/** Share of its rows in alert beyond which it is not normal driving that it was shown, or not that which it learnt. */
const MOST_IN_ALERT = 0.05;
/** Cars that may be broken and not count: the oddest, one in nine, as many at most (statistic-tails.ts). */
const ODDEST = 3;
const ODDEST_OF = 9;
const NAMED = 3;

/** How one car came off. */
export interface OwnCar {
  readonly car: string;
  readonly rows: number;
  readonly alerts: number;
  readonly rowsInAlert: number;
}

export interface OwnHistory {
  readonly rows: number;
  readonly hours: number;
  readonly cars: number;
  /** Raised while no known fault could be seen. */
  readonly alerts: number;
  readonly rowsInAlert: number;
  /** Of these, those of the few oddest cars, which may be broken. */
  readonly oddest: readonly OwnCar[];
  /** Alerts that the budget asks for over these hours, and how many the others may raise. */
  readonly asked: number;
  readonly allowed: number;
  /** The worst of all cars, none that never was in alert. */
  readonly worst: readonly OwnCar[];
}

/** The rows of each car that are looked at: all, or its part of the bound. */
export function rowsToScore(
  series: readonly Series[],
  seed: number,
  most = MOST_ROWS,
): Map<string, Series[]> {
  const cars = new Map<string, Series[]>();
  for (const one of series) cars.set(one.id, [...(cars.get(one.id) ?? []), one]);
  const rowsOf = new Map([...cars].map(([id, list]) => [id, rowsIn(list)]));
  const { part, drawn } = dealRows(rowsOf, { seed, most, least: LEAST_ROWS });
  return new Map(
    [...cars].map(([id, list]) => {
      let left = drawn.has(id) ? STRETCH_ROWS : part;
      const kept = list.flatMap(({ tsMs, values }) => {
        const rows = Math.min(left, tsMs.length);
        left -= rows;
        const width = values.length / tsMs.length;
        return rows > 0
          ? [{ id, tsMs: tsMs.subarray(0, rows), values: values.subarray(0, rows * width) }]
          : [];
      });
      return [id, kept];
    }),
  );
}

interface Followed extends OwnCar {
  readonly ms: number;
}

/** What becomes of one car's alerts, row by row. */
function alertsOfCar(
  bundle: ModelBundle,
  car: string,
  list: readonly Series[],
  truth: readonly KnownFault[],
) {
  let window = NEVER_SEEN;
  let known = false;
  const sum = { rows: 0, alerts: 0, rowsInAlert: 0, ms: 0 };
  const broken = list.map((series) =>
    truth.map((fault) => visibleIn(series, fault)).filter((rows) => rows !== null),
  );
  const see = (score: number, part: number, row: number): void => {
    const tsMs = list[part]!.tsMs[row]!;
    const elapsedMs = tsMs - window.newestTsMs;
    if (elapsedMs > 0 && elapsedMs <= bundle.gapMs) sum.ms += elapsedMs;
    const before = isActive(window.state);
    window = stepAlert(bundle, window, { tsMs, strange: isStrange(score, bundle.threshold) });
    const up = isActive(window.state);
    // An alert on a fault that is known to have been there is right, and so it is until it ends.
    if (up && !before) known = broken[part]!.some(([from, to]) => row >= from && row < to);
    if (up && !known) sum.rowsInAlert += 1;
    if (up && !before && !known) sum.alerts += 1;
    sum.rows += 1;
  };
  return { see, followed: (): Followed => ({ car, ...sum }) };
}

const worseFirst = (a: OwnCar, b: OwnCar) =>
  b.rowsInAlert / b.rows - a.rowsInAlert / a.rows || b.alerts - a.alerts || (a.car < b.car ? -1 : 1);

/**
 * Scores the history.
 * @param most rows looked at
 * @throws TelltaleError ABORTED
 */
export async function scoreOwnHistory(
  bundle: ModelBundle,
  series: readonly Series[],
  alertsPerHour: number,
  {
    truth,
    signal,
    most = MOST_ROWS,
  }: { readonly truth: readonly KnownFault[]; readonly signal: AbortSignal; readonly most?: number },
): Promise<OwnHistory> {
  const detector = createDetector(bundle);
  const cars: Followed[] = [];
  const all = [...rowsToScore(series, bundle.card.seed, most)];
  for (let from = 0; from < all.length; from += MOST_IN_WAVE) {
    await yieldNow(signal);
    const some = all.slice(from, from + MOST_IN_WAVE);
    const followed = some.map(([car, list]) => alertsOfCar(bundle, car, list, truth));
    followCars(
      detector,
      some.map(([, list]) => list.map(whole)),
      ({ score }, car, part, row) => followed[car]!.see(score, part, row),
    );
    cars.push(...followed.map((one) => one.followed()));
  }
  const sum = (of: (one: Followed) => number) => cars.reduce((total, one) => total + of(one), 0);
  const [rows, hours] = [sum((one) => one.rows), sum((one) => one.ms) / 3_600_000];
  const asked = alertsAsked(rows, { alertsPerHour, hours });
  const inOrder = cars.map(({ ms: _, ...car }) => car).sort(worseFirst);
  const odd = Math.min(ODDEST, Math.floor(cars.length / ODDEST_OF));
  const alarming = inOrder.filter(({ rowsInAlert }) => rowsInAlert > 0);
  return {
    ...{ rows, hours, cars: cars.length, asked },
    alerts: sum((one) => one.alerts),
    rowsInAlert: sum((one) => one.rowsInAlert),
    oddest: alarming.slice(0, odd),
    allowed: Math.floor(TIMES_ASKED * asked + DEVIATIONS * Math.sqrt(TIMES_ASKED * asked) + ALERTS_MORE),
    worst: alarming.slice(0, NAMED),
  };
}

/** Why it may not be released; null: it may. */
export function alarmsOnItsOwn(own: OwnHistory): string | null {
  const { rows, alerts, rowsInAlert, oddest, asked, allowed, hours, cars, worst } = own;
  const others = (of: (car: OwnCar) => number, all: number) =>
    all - oddest.reduce((sum, car) => sum + of(car), 0);
  const otherRows = others((car) => car.rows, rows);
  const otherInAlert = others((car) => car.rowsInAlert, rowsInAlert);
  const otherAlerts = others((car) => car.alerts, alerts);
  const tooLong = otherInAlert > MOST_IN_ALERT * otherRows;
  if (!tooLong && otherAlerts <= allowed) return null;
  const beside = oddest.length > 0 ? ` (without its ${counted(oddest.length, 'oddest car')})` : '';
  const named = worst.map(
    (car) => `${car.car} ${percent(car.rowsInAlert, car.rows)} of its ${counted(car.rows, 'row')}`,
  );
  return [
    `the new model alarms on its own history and is not released: in ${counted(rows, 'row')}, ${hours.toFixed(1)} h of ${counted(cars, 'car')}${beside},`,
    `${counted(otherAlerts, 'alert')} where the budget asks for ${asked.toFixed(2)} and ${allowed} are put up with,`,
    `${percent(otherInAlert, otherRows)} of the rows in alert where ${percent(MOST_IN_ALERT, 1)} are; most of all ${named.join(', ')}.`,
    'Look at those first: a column that is no measurement (leave it out with --ignore), a time in another unit, a fault that nobody labelled',
    '(train without that car or stretch). Otherwise train on a longer history or more cars, with --effort full, or bear more with --alert-budget.',
  ].join(' ');
}

/** @throws TelltaleError MODEL_ALARMS */
export function checkOwnHistory(own: OwnHistory): void {
  const why = alarmsOnItsOwn(own);
  if (why !== null) throw new TelltaleError('MODEL_ALARMS', why);
}
