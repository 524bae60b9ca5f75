// A model trained on simulated cars that drive without faults judges other cars of another seed: some break, the others stay
// whole, half of these odd in a harmless way. Families that take hours or days to show are left to longer runs and named.
import type { Catalogue } from '../../core/catalogue.ts';
import type { Backend } from '../../core/model/backend.ts';
import { createDetector } from '../../core/model/detector.ts';
import { SETTINGS } from '../../core/settings.ts';
import { FAULTS } from '../../simulator/faults.ts';
import type { HarmlessKind } from '../../simulator/scenario.ts';
import { alertsOf } from '../../training/calibrate/alerts.ts';
import { scoreAll } from '../../training/calibrate/held-out.ts';
import { trainModel } from '../../training/calibrate/train-model.ts';
import { sampleSeries } from '../../training/data/sampler.ts';
import { firstRise, risesOf } from '../../training/evaluate/metrics.ts';
import { driveFleet, ODDITY_KINDS, oddAmong, planBreaks } from './fleet.ts';

/** Whole cars of one kind, and the alerts they raised. */
export interface WholeCars {
  cars: number;
  alerts: number;
}

export interface FleetResult {
  /** Of each family: seconds from the moment it can be seen to the alert, null where none rose. */
  readonly perFamily: ReadonlyMap<string, readonly (number | null)[]>;
  /** Cars that stayed whole, by what was odd about them. */
  readonly whole: ReadonlyMap<HarmlessKind | 'plain', WholeCars>;
  /** Driving of one car of them, s. */
  readonly testS: number;
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

const TEST_S = 1500;
/** What the documents give the figures of, and a glance. */
export const FLEET_SIZES = {
  full: { seed: 11, trainCars: 864, trainS: 1500, wholeCars: 480, perFamily: 12, testS: TEST_S },
  quick: { seed: 11, trainCars: 30, trainS: 1800, wholeCars: 48, perFamily: 2, testS: TEST_S },
} as const satisfies Record<string, FleetSize>;

/** Families whose course is longer than this do not show within a test drive. */
const LONGEST_RAMP_S = 1800;
/** One alert per car-day. */
const ALERTS_PER_HOUR = 1 / 24;
/** Of five cars one is electric, and a quarter of what breaks: so many cars for each that breaks hold enough of both. */
const CARS_PER_BREAK = 3;

/** The cars that break and those that stay whole, driven. */
export function driveTest({ seed, wholeCars, perFamily, testS }: FleetSize, families: readonly string[]) {
  const cars = CARS_PER_BREAK * perFamily * families.length + wholeCars;
  const breaks = planBreaks(seed + 1, cars, perFamily, families);
  const broken = new Set(breaks.map(({ car }) => car));
  const whole = Array.from({ length: cars }, (_, car) => car)
    .filter((car) => !broken.has(car))
    .slice(0, wholeCars);
  const odd = oddAmong(whole);
  const { series, truth } = driveFleet({ seed: seed + 1, cars, seconds: testS, breaks, odd });
  const kindOf = new Map(odd.map(({ car, kind }) => [car, kind]));
  return {
    broken: breaks.map((one) => ({ ...one, series: series[one.car]! })),
    whole: whole.map((car) => ({ kind: kindOf.get(car) ?? ('plain' as const), series: series[car]! })),
    /** Event time from which the fault of a car can be seen, ms; undefined: not within the drive. */
    visibleMs: (vin: string) => truth.find((one) => one.vin === vin && one.phase === 'visible')?.ts,
  };
}

/**
 * Cars that drive without a fault, as many of them odd as of those to be judged: what never happened cannot be told from a fault,
 * and a budget is kept for cars such as it was set on.
 */
export function driveHistory({ seed, trainCars, trainS }: FleetSize) {
  const all = Array.from({ length: trainCars }, (_, car) => car);
  return driveFleet({ seed, cars: trainCars, seconds: trainS, odd: oddAmong(all) }).series;
}

/**
 * Seconds from the moment a fault can be seen to the alert that rose for it, null where none did. Averages see a creeping fault
 * before any single reading tells it: an alert that rose since the fault began and is still up by then came after 0 s.
 */
export function delayOf(
  tsMs: Float64Array,
  alerts: Uint8Array,
  startedMs: number,
  visibleMs: number,
): number | null {
  const visible = tsMs.findIndex((ts) => ts >= visibleMs);
  const early = firstRise(alerts, tsMs.indexOf(startedMs), visible + 1);
  if (early >= 0 && alerts[visible] === 1) return 0;
  const at = firstRise(alerts, visible, alerts.length);
  return at < 0 ? null : (tsMs[at]! - visibleMs) / 1000;
}

export const judgedFamilies = (): string[] =>
  [...FAULTS.values()].filter(({ course }) => course.rampS <= LONGEST_RAMP_S).map(({ id }) => id);

export async function measureFleet(
  catalogue: Catalogue,
  size: FleetSize,
  backend: Backend,
): Promise<FleetResult> {
  const families = judgedFamilies();
  const { bundle, model } = await trainModel({
    catalogue,
    // Through the door of `telltale train`, which keeps so many rows of so long a history.
    series: sampleSeries(driveHistory(size), catalogue.signals.length, {
      seed: size.seed,
      maxRows: SETTINGS.maxRows.fallback,
    }),
    seed: size.seed,
    alertsPerHour: ALERTS_PER_HOUR,
    backend,
    signal: new AbortController().signal,
  });
  model.dispose();
  const detector = createDetector(bundle);
  const test = driveTest(size, families);
  const found = new Map<string, (number | null)[]>(families.map((id) => [id, []]));
  const ofBroken = scoreAll(
    detector,
    test.broken.map(({ series }) => series),
  );
  for (const [i, { fault, atS, series }] of test.broken.entries()) {
    const visibleMs = test.visibleMs(series.id);
    if (visibleMs === undefined) continue;
    const alerts = alertsOf(series.tsMs, ofBroken[i]!, bundle.threshold, bundle);
    found.get(fault)!.push(delayOf(series.tsMs, alerts, series.tsMs[atS]!, visibleMs));
  }
  const whole = new Map<HarmlessKind | 'plain', WholeCars>(
    (['plain', ...ODDITY_KINDS] as const).map((kind) => [kind, { cars: 0, alerts: 0 }]),
  );
  const ofWhole = scoreAll(
    detector,
    test.whole.map(({ series }) => series),
  );
  for (const [i, { kind, series }] of test.whole.entries()) {
    const alerts = alertsOf(series.tsMs, ofWhole[i]!, bundle.threshold, bundle);
    const count = whole.get(kind)!;
    count.cars += 1;
    count.alerts += risesOf(alerts).length;
  }
  const leftOut = [...FAULTS.keys()].filter((id) => !families.includes(id));
  return { perFamily: found, whole, testS: size.testS, leftOut };
}
