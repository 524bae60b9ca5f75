// The simulator's fleet as test material: cars that drive without faults to train on, other cars that break to be judged, hard
// negatives among both, with the ground truth of each fault. No MQTT and no log: the same physics, read directly.
import type { GroundTruth } from '../../core/events.ts';
import { FAULTS } from '../../simulator/faults.ts';
import { Fleet } from '../../simulator/fleet.ts';
import { completeScenario, DEMO_SCENARIO, type HarmlessKind } from '../../simulator/scenario.ts';
import { Script } from '../../simulator/script.ts';
import { SENSOR_COUNT } from '../../simulator/sensors.ts';
import type { Series } from '../../training/series.ts';

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

/** When each oddity begins and how long it lasts: what is decided before a drive lasts all of it. */
const ODDITIES: Readonly<Record<HarmlessKind, { readonly at: string; readonly lasts: string }>> = {
  'cold-start': { at: '1s', lasts: '1h' },
  'hot-day': { at: '1s', lasts: '1d' },
  towing: { at: '1s', lasts: '1d' },
  'new-tyres': { at: '1s', lasts: '1d' },
  'new-firmware': { at: '1s', lasts: '1d' },
  hill: { at: '500s', lasts: '8m' },
  tunnel: { at: '600s', lasts: '3m' },
  'clock-jump': { at: '600s', lasts: '1m' },
};
export const ODDITY_KINDS = Object.keys(ODDITIES) as readonly HarmlessKind[];

/** Cars `from` and on, each other one odd, the kinds in turn. */
export const oddAmong = (cars: readonly number[]): OddCar[] =>
  cars.flatMap((car, i) =>
    i % 2 === 0 ? [] : [{ car, kind: ODDITY_KINDS[((i - 1) / 2) % ODDITY_KINDS.length]! }],
  );

const carsOf = (seed: number, cars: number) =>
  new Fleet(completeScenario({ ...DEMO_SCENARIO, seed, cars }), START_MS).cars;

function scenarioOf({ seed, cars, odd = [] }: FleetPlan) {
  const vins = carsOf(seed, cars).map(({ vin }) => vin);
  const harmless = ODDITY_KINDS.flatMap((kind) => {
    const struck = odd.flatMap((one) => (one.kind === kind ? [vins[one.car]!] : []));
    return struck.length === 0 ? [] : [{ kind, cars: { vins: struck }, ...ODDITIES[kind] }];
  });
  return completeScenario({ ...DEMO_SCENARIO, seed, cars, harmless });
}

/** Drives a fleet, an event a second, and keeps what its sensors say. */
export function driveFleet(plan: FleetPlan): FleetRun {
  const { cars, seconds, breaks = [] } = plan;
  const fleet = new Fleet(scenarioOf(plan), START_MS);
  const script = new Script(fleet, START_MS);
  const values = fleet.cars.map(() => new Float32Array(seconds * SENSOR_COUNT).fill(Number.NaN));
  const times = fleet.cars.map(() => new Float64Array(seconds));
  const rows = new Uint32Array(cars);
  const silentUntilMs = new Float64Array(cars);
  const out = new Float64Array(SENSOR_COUNT);
  const truth: GroundTruth[] = [];
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
