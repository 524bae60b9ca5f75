// The simulator's fleet as test material: cars that drive without faults to train on, other cars that break to be judged,
// hard negatives among them, with the ground truth of each fault. No MQTT and no log: the same physics, read directly.
import type { GroundTruth } from '../../core/events.ts';
import { FAULTS } from '../../simulator/faults.ts';
import { Fleet } from '../../simulator/fleet.ts';
import { completeScenario, DEMO_SCENARIO } from '../../simulator/scenario.ts';
import { SENSOR_COUNT } from '../../simulator/sensors.ts';
import type { Series } from '../../training/series.ts';

export interface FleetRun {
  readonly series: readonly Series[];
  readonly truth: readonly GroundTruth[];
}

export interface BreakAt {
  readonly car: number;
  readonly fault: string;
  readonly severity: number;
  readonly atS: number;
}

export interface FleetPlan {
  readonly seed: number;
  readonly cars: number;
  readonly seconds: number;
  /** Rows are kept each so many seconds. Default 1. */
  readonly every?: number;
  readonly breaks?: readonly BreakAt[];
  readonly startMs?: number;
}

/** A morning in spring: event time only matters for the weather. */
const START_MS = Date.UTC(2026, 3, 14, 7);

/** Drives a fleet and keeps what its sensors say. */
export function driveFleet({
  seed,
  cars,
  seconds,
  every = 1,
  breaks = [],
  startMs = START_MS,
}: FleetPlan): FleetRun {
  const fleet = new Fleet(completeScenario({ ...DEMO_SCENARIO, seed, cars }), startMs);
  const rows = Math.floor(seconds / every);
  const values = Array.from({ length: cars }, () => new Float32Array(rows * SENSOR_COUNT).fill(Number.NaN));
  const times = Array.from({ length: cars }, () => new Float64Array(rows));
  const out = new Float64Array(SENSOR_COUNT);
  const truth: GroundTruth[] = [];
  for (let second = 0; second < rows * every; second += 1) {
    for (const { car, fault, severity, atS } of breaks) {
      if (atS === second) fleet.break(car, fault, { severity });
    }
    fleet.step();
    truth.push(...fleet.takeTruth());
    if (second % every !== 0) continue;
    const row = second / every;
    for (let car = 0; car < cars; car += 1) {
      for (const k of fleet.measure(car, out)) values[car]![row * SENSOR_COUNT + k] = out[k]!;
      times[car]![row] = fleet.nowMs;
    }
  }
  const series = fleet.cars.map(({ vin }, car) => ({ id: vin, tsMs: times[car]!, values: values[car]! }));
  return { series, truth };
}

/** `perFamily` cars for each fault family that shows within minutes, onset spread over the first ten; the other cars stay whole. */
export function planBreaks(
  seed: number,
  cars: number,
  perFamily: number,
  families: readonly string[],
): BreakAt[] {
  const kinds = new Fleet(completeScenario({ ...DEMO_SCENARIO, seed, cars }), START_MS).cars;
  const free = { combustion: [] as number[], electric: [] as number[] };
  for (const [car, { electric }] of kinds.entries()) free[electric ? 'electric' : 'combustion'].push(car);
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
