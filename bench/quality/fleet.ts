// The simulator's fleet as test material: cars that drive without faults to train on, other cars that break to be judged, hard
// negatives among both, with the ground truth of each fault. No MQTT and no log: the same physics, read directly.
import type { GroundTruth } from '../../core/events.ts';
import { FAULTS } from '../../simulator/faults.ts';
import { Fleet } from '../../simulator/fleet.ts';
import { completeScenario, DEMO_SCENARIO, type HarmlessKind } from '../../simulator/scenario.ts';
import { Script } from '../../simulator/script.ts';
import { SENSOR_COUNT } from '../../simulator/sensors.ts';
import type { Series } from '../../training/data/series.ts';

export interface FleetRun {
  /** One a car, in the order of the cars. A tunnel leaves rows out, a clock that jumps leaves times that fall. */
  readonly series: readonly Series[];
  readonly truth: readonly GroundTruth[];
}

export interface BreakAt {
  readonly car: number;
  readonly fault: string;
  readonly severity: number;
  readonly atS: number;
}

/** A car that is odd and whole. */
export interface OddCar {
  readonly car: number;
  readonly kind: HarmlessKind;
}

export interface FleetPlan {
  readonly seed: number;
  readonly cars: number;
  readonly seconds: number;
  readonly breaks?: readonly BreakAt[];
  readonly odd?: readonly OddCar[];
}

/** A morning in spring: event time only matters for the weather. */
const START_MS = Date.UTC(2026, 3, 14, 7);

/**
 * When each oddity begins and how long it lasts. What is decided before a drive is done in the second before the first event, so
 * that no reading jumps; a hot day is hot from the night before, in a fleet of its own (HOT).
 */
const ODDITIES: Readonly<Record<Exclude<HarmlessKind, 'hot-day'>, { at: string; lasts: string }>> = {
  'cold-start': { at: '1s', lasts: '1h' },
  towing: { at: '1s', lasts: '1d' },
  'new-tyres': { at: '1s', lasts: '1d' },
  'new-firmware': { at: '1s', lasts: '1d' },
  hill: { at: '500s', lasts: '8m' },
  tunnel: { at: '600s', lasts: '3m' },
  'clock-jump': { at: '600s', lasts: '1m' },
};
const BENT = Object.keys(ODDITIES) as (keyof typeof ODDITIES)[];
export const ODDITY_KINDS: readonly HarmlessKind[] = [...BENT, 'hot-day'];
/** 14 °C above the usual, as a hot day is in the scenarios. */
const HOT = { weather: { meanC: 30 } } as const;

/** Each other car odd, the kinds in turn. */
export const oddAmong = (cars: readonly number[]): OddCar[] =>
  cars.flatMap((car, i) =>
    i % 2 === 0 ? [] : [{ car, kind: ODDITY_KINDS[((i - 1) / 2) % ODDITY_KINDS.length]! }],
  );

const carsOf = (seed: number, cars: number) =>
  new Fleet(completeScenario({ ...DEMO_SCENARIO, seed, cars }), START_MS).cars;

/** The fleet of a plan, or the same cars on a hot day. */
function fleetOf({ seed, cars, odd = [] }: FleetPlan, hot: boolean): Fleet {
  const vins = carsOf(seed, cars).map(({ vin }) => vin);
  const harmless = BENT.flatMap((kind) => {
    const struck = odd.flatMap((one) => (one.kind === kind ? [vins[one.car]!] : []));
    return struck.length === 0 ? [] : [{ kind, cars: { vins: struck }, ...ODDITIES[kind] }];
  });
  return new Fleet(
    completeScenario({ ...DEMO_SCENARIO, ...(hot ? HOT : {}), seed, cars, harmless }),
    START_MS,
  );
}

/** Drives a fleet, an event a second, and keeps what its sensors say. */
export function driveFleet(plan: FleetPlan): FleetRun {
  const hot = new Set((plan.odd ?? []).flatMap(({ car, kind }) => (kind === 'hot-day' ? [car] : [])));
  const usual = drive(plan, fleetOf(plan, false));
  if (hot.size === 0) return usual;
  const { series } = drive({ ...plan, breaks: [] }, fleetOf(plan, true));
  return { ...usual, series: usual.series.map((one, car) => (hot.has(car) ? series[car]! : one)) };
}

function drive({ cars, seconds, breaks = [] }: FleetPlan, fleet: Fleet): FleetRun {
  const script = new Script(fleet, START_MS);
  const values = fleet.cars.map(() => new Float32Array(seconds * SENSOR_COUNT).fill(Number.NaN));
  const times = fleet.cars.map(() => new Float64Array(seconds));
  const rows = new Uint32Array(cars);
  const silentUntilMs = new Float64Array(cars);
  const out = new Float64Array(SENSOR_COUNT);
  const truth: GroundTruth[] = [];
  fleet.step();
  script.apply();
  for (let second = 0; second < seconds; second += 1) {
    for (const { car, fault, severity, atS } of breaks) {
      if (atS === second) fleet.break(car, fault, { severity });
    }
    fleet.step();
    for (const { car, untilMs } of script.apply().tunnels) silentUntilMs[car] = untilMs;
    truth.push(...fleet.takeTruth());
    for (let car = 0; car < cars; car += 1) {
      if (fleet.nowMs < silentUntilMs[car]!) continue;
      const row = rows[car]!;
      rows[car] = row + 1;
      for (const k of fleet.measure(car, out)) values[car]![row * SENSOR_COUNT + k] = out[k]!;
      times[car]![row] = fleet.nowMs + script.skewMs[car]!;
    }
  }
  const series = fleet.cars.map(({ vin }, car) => ({
    id: vin,
    tsMs: times[car]!.subarray(0, rows[car]),
    values: values[car]!.subarray(0, rows[car]! * SENSOR_COUNT),
  }));
  return { series, truth };
}

/** `perFamily` cars for each fault family, at three severities, onset between minutes 5 and 9. */
export function planBreaks(
  seed: number,
  cars: number,
  perFamily: number,
  families: readonly string[],
): BreakAt[] {
  const free = { combustion: [] as number[], electric: [] as number[] };
  for (const [car, { electric }] of carsOf(seed, cars).entries())
    free[electric ? 'electric' : 'combustion'].push(car);
  const breaks: BreakAt[] = [];
  for (const fault of families) {
    const only = FAULTS.get(fault)!.cars;
    for (let n = 0; n < perFamily; n += 1) {
      const kind = only === 'electric' || (only === 'all' && n % 4 === 3) ? 'electric' : 'combustion';
      const car = free[kind].pop();
      if (car === undefined) throw new Error(`too few ${kind} cars for ${perFamily} of each family`);
      breaks.push({ car, fault, severity: [0.5, 0.75, 1][n % 3]!, atS: 300 + 60 * (n % 5) });
    }
  }
  return breaks;
}
