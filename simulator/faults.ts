// Every way a simulated car can break: what it does to the physics (one column of the state), how it sets in, and what a
// severity means. Several faults may be in one car at once; each acts on its own column. Courses and sizes: engineer's
// estimates and published diagnostic figures (see docs/simulator.md).
import type { VehicleModel } from './models.ts';
import type { FleetState } from './state.ts';

type FaultColumn =
  | 'leakGs'
  | 'mafLoss'
  | 'thermostatFloor'
  | 'coolingLoss'
  | 'alternatorLoss'
  | 'misfire'
  | 'leakKpaS'
  | 'burstShareS'
  | 'oilLoss'
  | 'slip'
  | 'stuck'
  | 'bias'
  | 'drift'
  | 'cellAgeing'
  | 'mountWear'
  | 'firmwareShift';

/** sudden: there at once. creeping: grows over `rampS`. bursts: comes and goes, `onS` seconds of every `everyS`. */
export type Course =
  | { readonly kind: 'sudden'; readonly rampS: number }
  | { readonly kind: 'creeping'; readonly rampS: number }
  | { readonly kind: 'bursts'; readonly rampS: number; readonly onS: number; readonly everyS: number };

export interface FaultFamily {
  readonly id: FaultId;
  readonly about: string;
  readonly cars: 'all' | 'combustion' | 'electric';
  readonly column: FaultColumn;
  /** Strength in the column's unit at full onset, for a severity in (0, 1]. */
  readonly strength: (severity: number) => number;
  readonly course: Course;
  /** Signals it moves, the clearest first. */
  readonly moves: readonly string[];
}

const FAMILIES = {
  'vacuum-leak': {
    about: 'Air leaks in behind the throttle: trims climb at idle, less so with revs',
    cars: 'combustion',
    column: 'leakGs',
    strength: (severity) => 0.28 + 0.34 * severity,
    course: { kind: 'sudden', rampS: 5 },
    moves: ['shortTrimPct', 'longTrimPct', 'mapKpa', 'lambda'],
  },
  'dirty-maf': {
    about: 'A soiled air-flow sensor reads low: trims stay high under load too',
    cars: 'combustion',
    column: 'mafLoss',
    strength: (severity) => 0.06 + 0.17 * severity,
    course: { kind: 'creeping', rampS: 14 * 86_400 },
    moves: ['mafGs', 'longTrimPct', 'shortTrimPct'],
  },
  'thermostat-stuck-open': {
    about: 'The thermostat no longer closes: the engine stays too cool, more so with speed',
    cars: 'combustion',
    column: 'thermostatFloor',
    strength: (severity) => 0.42 + 0.33 * severity,
    course: { kind: 'sudden', rampS: 5 },
    moves: ['coolantC', 'oilC', 'oilKpa'],
  },
  overheating: {
    about: 'Pump, fan or radiator fail: coolant climbs 1–3 °C a minute under load to 110–120 °C, oil follows',
    cars: 'combustion',
    column: 'coolingLoss',
    strength: (severity) => 0.84 + 0.12 * severity,
    course: { kind: 'creeping', rampS: 180 },
    moves: ['coolantC', 'oilC', 'oilKpa'],
  },
  alternator: {
    about: 'The alternator charges weakly or not at all: below 13 V, then the battery empties',
    cars: 'all',
    column: 'alternatorLoss',
    strength: (severity) => 0.6 + 0.4 * severity,
    course: { kind: 'creeping', rampS: 120 },
    moves: ['batteryV'],
  },
  misfire: {
    about: 'A cylinder misses in bursts: revs shake, vibration and load rise, trim turns up',
    cars: 'combustion',
    column: 'misfire',
    strength: (severity) => 0.6 + 1.0 * severity,
    course: { kind: 'bursts', rampS: 1, onS: 14, everyS: 40 },
    moves: ['vibrationMs2', 'engineRpm', 'shortTrimPct', 'loadPct'],
  },
  'tyre-leak': {
    about: 'One tyre loses 1–5 psi a day (all four together would be the weather)',
    cars: 'all',
    column: 'leakKpaS',
    strength: (severity) => ((0.5 + 4.5 * severity) * 6.895) / 86_400,
    course: { kind: 'sudden', rampS: 1 },
    moves: ['tyreFlKpa', 'tyreFrKpa', 'tyreRlKpa', 'tyreRrKpa'],
  },
  'tyre-blow-out': {
    about: 'One tyre empties within seconds to a minute',
    cars: 'all',
    column: 'burstShareS',
    strength: (severity) => 0.02 + 0.25 * severity,
    course: { kind: 'sudden', rampS: 1 },
    moves: ['tyreFlKpa', 'tyreFrKpa', 'tyreRlKpa', 'tyreRrKpa'],
  },
  'oil-pressure-loss': {
    about: 'Oil pressure falls by 20–60 %, worst at hot idle; the oil runs hotter',
    cars: 'combustion',
    column: 'oilLoss',
    strength: (severity) => 0.12 + 0.52 * severity,
    course: { kind: 'creeping', rampS: 600 },
    moves: ['oilKpa', 'oilC'],
  },
  'transmission-slip': {
    about: 'Clutch or transmission slips under load: revs 5–15 % above the gear, weaker pull',
    cars: 'all',
    column: 'slip',
    strength: (severity) => 0.07 + 0.13 * severity,
    course: { kind: 'sudden', rampS: 20 },
    moves: ['engineRpm', 'motorRpm', 'speedKmh'],
  },
  'sensor-stuck': {
    about: 'A sensor freezes for 20–60 s at a time; its value stays in range',
    cars: 'all',
    column: 'stuck',
    strength: () => 1,
    course: { kind: 'bursts', rampS: 1, onS: 45, everyS: 90 },
    moves: [],
  },
  'sensor-bias': {
    about: 'A sensor reads off by a fixed share',
    cars: 'all',
    column: 'bias',
    strength: (severity) => 0.04 + 0.11 * severity,
    course: { kind: 'sudden', rampS: 1 },
    moves: [],
  },
  'sensor-drift': {
    about: 'A sensor creeps away over an hour, up to 20 %',
    cars: 'all',
    column: 'drift',
    strength: (severity) => 0.06 + 0.14 * severity,
    course: { kind: 'creeping', rampS: 3600 },
    moves: [],
  },
  'ev-cell-ageing': {
    about: 'Aged cells: inner resistance up by 30–100 %, the pack sags under current and drains sooner',
    cars: 'electric',
    column: 'cellAgeing',
    strength: (severity) => 0.3 + 0.7 * severity,
    course: { kind: 'creeping', rampS: 30 * 86_400 },
    moves: ['cellSpreadMv', 'packV', 'socPct', 'packC'],
  },
  'mount-wear': {
    about: 'A bearing or an engine mount wears: vibration up by 50–200 % with speed',
    cars: 'all',
    column: 'mountWear',
    strength: (severity) => 0.4 + 1.6 * severity,
    course: { kind: 'creeping', rampS: 900 },
    moves: ['vibrationMs2'],
  },
  'bad-firmware': {
    about: 'A firmware release shifts one or two signals of every car that has it',
    cars: 'all',
    column: 'firmwareShift',
    strength: (severity) => severity,
    course: { kind: 'sudden', rampS: 1 },
    moves: ['timingDeg', 'intakeC', 'motorC', 'packC'],
  },
} as const satisfies Record<string, Omit<FaultFamily, 'id'>>;

export type FaultId = keyof typeof FAMILIES;

/** The table of faults, by id. */
export const FAULTS: ReadonlyMap<string, FaultFamily> = new Map(
  (Object.entries(FAMILIES) as [FaultId, Omit<FaultFamily, 'id'>][]).map(([id, facts]) => [
    id,
    { ...facts, id },
  ]),
);
export const FAULT_IDS = [...FAULTS.keys()] as readonly FaultId[];

/** Sensors that may stick or err, by kind of car: those whose loss leaves the others to contradict them. */
export const FRAIL_SENSORS = {
  combustion: ['mapKpa', 'intakeC', 'coolantC', 'mafGs', 'oilKpa', 'loadPct', 'throttlePct', 'batteryV'],
  electric: ['packV', 'packC', 'motorC', 'motorNm', 'batteryV', 'packA'],
} as const;

/** One fault of one car. */
export interface Fault {
  readonly faultId: string;
  readonly family: FaultFamily;
  /** Slot of the car. */
  readonly car: number;
  readonly severity: number;
  readonly startedMs: number;
  /** Seconds from nothing to full strength. */
  readonly rampS: number;
  /** When it mends itself; null: stays. */
  readonly repairMs: number | null;
  visible: boolean;
  /** Slot of the car without this fault, while its visibility is being watched; -1: none. */
  shadow: number;
  /** Seconds in a row that car and shadow differed. */
  differed: number;
}

/** Share of the full strength at a time: 0..1. */
export function onset(fault: Fault, nowMs: number): number {
  const ageS = (nowMs - fault.startedMs) / 1000;
  if (ageS < 0) return 0;
  const ramp = Math.min(1, (ageS + 1) / Math.max(1, fault.rampS));
  const { course } = fault.family;
  if (course.kind !== 'bursts') return ramp;
  return ageS % course.everyS < course.onS ? ramp : 0;
}

/** Writes the fault's present strength into a slot. */
export function applyFault(s: FleetState, slot: number, fault: Fault, nowMs: number): void {
  s[fault.family.column][slot] = fault.family.strength(fault.severity) * onset(fault, nowMs);
}

/** Whether the family can happen to the model. */
export function suits(family: FaultFamily, model: VehicleModel): boolean {
  return family.cars === 'all' || family.cars === model.kind;
}

/** Takes a fault out of a slot and mends what it had done: air in the tyre, charge in the battery. */
export function mend(s: FleetState, slot: number, family: FaultFamily, tyreAir: number): void {
  s[family.column][slot] = 0;
  if (family.column === 'alternatorLoss') s.batteryCharge[slot] = 0.95;
  if (family.column !== 'leakKpaS' && family.column !== 'burstShareS') return;
  const wheel = s.wheel[slot]!;
  const column = [s.tyreFl, s.tyreFr, s.tyreRl, s.tyreRr][wheel]!;
  column[slot] = tyreAir;
}
