// The simulator's fleet: a model trained on cars that drive without faults judges other cars of another seed, some of which break.
// Families that take hours or days to show are left to longer runs and named.
import type { Catalogue } from '../../core/catalogue.ts';
import type { Backend } from '../../core/model/backend.ts';
import { createDetector } from '../../core/model/detector.ts';
import { FAULTS } from '../../simulator/faults.ts';
import { trainModel } from '../../training/fit.ts';
import { scoreSeries } from '../../training/judge.ts';
import { alertsOf } from '../../training/methods.ts';
import { firstRise, risesOf } from '../../training/metrics.ts';
import { driveFleet, planBreaks } from './fleet.ts';

export interface FleetResult {
  /** Of each family: seconds from the moment it can be seen to the alert, null where none rose. */
  readonly perFamily: ReadonlyMap<string, readonly (number | null)[]>;
  /** Alerts on cars that stayed whole, per car-day. */
  readonly falsePerCarDay: number;
  readonly leftOut: readonly string[];
}

export interface FleetSize {
  readonly seed: number;
  readonly trainCars: number;
  readonly trainS: number;
  readonly wholeCars: number;
  readonly perFamily: number;
  readonly testS: number;
}

/** Families whose course is longer than this do not show within a test drive. */
const LONGEST_RAMP_S = 1800;
const ALERTS_PER_HOUR = 1 / 24;

export async function measureFleet(
  catalogue: Catalogue,
  size: FleetSize,
  backend: Backend,
): Promise<FleetResult> {
  const { seed, trainCars, trainS, wholeCars, perFamily, testS } = size;
  const families = [...FAULTS.values()]
    .filter(({ course }) => course.rampS <= LONGEST_RAMP_S)
    .map(({ id }) => id);
  const leftOut = [...FAULTS.keys()].filter((id) => !families.some((family) => family === id));
  const history = driveFleet({ seed, cars: trainCars, seconds: trainS });
  const { bundle, model } = await trainModel({
    catalogue,
    series: history.series,
    seed,
    alertsPerHour: ALERTS_PER_HOUR,
    backend,
    signal: new AbortController().signal,
  });
  model.dispose();
  // Of five cars one is electric; every family is given enough of its kind.
  const cars = 3 * perFamily * families.length + wholeCars;
  const breaks = planBreaks(seed + 1, cars, perFamily, families);
  const test = driveFleet({ seed: seed + 1, cars, seconds: testS, breaks });
  const detector = createDetector(bundle);
  const broken = new Map(breaks.map(({ car, fault }) => [test.series[car]!.id, fault]));
  const found = new Map<string, (number | null)[]>(families.map((id) => [id, []]));
  let raised = 0;
  let wholeS = 0;
  for (const series of test.series) {
    const fault = broken.get(series.id);
    if (fault === undefined && wholeS >= wholeCars * testS) continue;
    const alerts = alertsOf(scoreSeries(detector, series), bundle.threshold, bundle.hysteresis);
    if (fault === undefined) {
      raised += risesOf(alerts).length;
      wholeS += testS;
      continue;
    }
    const visible = test.truth.find(({ vin, phase }) => vin === series.id && phase === 'visible');
    if (!visible) continue;
    const from = series.tsMs.findIndex((tsMs) => tsMs >= visible.ts);
    if (from < 0) continue;
    const at = firstRise(alerts, from, alerts.length);
    found.get(fault)!.push(at < 0 ? null : (series.tsMs[at]! - visible.ts) / 1000);
  }
  return { perFamily: found, falsePerCarDay: (raised * 86_400) / Math.max(1, wholeS), leftOut };
}
