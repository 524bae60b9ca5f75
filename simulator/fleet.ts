// The fleet: builds its cars from a scenario and a seed, steps them a second at a time, keeps their faults and tells the
// truth about them. Pure of network and clock: the caller says how far time goes. A fleet of part of the cars (a worker
// of several) lives exactly as these cars live in the whole.
import type { GroundTruth } from '../core/events.ts';
import { buildCar, type CarFacts, carFacts } from './build.ts';
import { driveStep } from './driving.ts';
import { electricStep } from './electric.ts';
import { combustionStep, restStep } from './engine.ts';
import { applyFault, FAULTS, type Fault, FRAIL_SENSORS, mend, suits } from './faults.ts';
import { MODELS } from './models.ts';
import { hash32, hashUnit } from './random.ts';
import type { Scenario } from './scenario.ts';
import { measureInto, SENSOR_COUNT, SENSORS, SENSORS_OF, SensorBuilds, sensorIndex } from './sensors.ts';
import { copySlot, FleetState, growState } from './state.ts';
import { tripStep } from './trips.ts';
import { airOf, tyreStep } from './tyres.ts';
import { ambientAt } from './weather.ts';

export interface FleetRange {
  /** Number of the first car, and how many; default: the whole scenario. */
  readonly first?: number;
  readonly count?: number;
}

export interface BreakOptions {
  readonly severity: number;
  /** Seconds to full strength; default: the family's. */
  readonly rampS?: number;
  readonly repairMs?: number | null;
}

/** Seconds in a row that a fault must move a reading past its noise to count as visible. */
const VISIBLE_S = 3;
/** How far past: noise and quantisation times this. */
const VISIBLE_SIGMA = 4;

export class Fleet {
  readonly scenario: Scenario;
  readonly first: number;
  readonly size: number;
  readonly cars: readonly CarFacts[];
  readonly slotOf: ReadonlyMap<string, number>;
  state: FleetState;
  /** Event time the fleet has reached; whole seconds. */
  nowMs: number;
  readonly #builds: SensorBuilds;
  readonly #faults = new Map<number, Fault[]>();
  readonly #freeShadows: number[] = [];
  readonly #watched = new Set<Fault>();
  #truth: GroundTruth[] = [];
  readonly #seen = new Float64Array(SENSOR_COUNT);
  readonly #shadowSeen = new Float64Array(SENSOR_COUNT);

  constructor(scenario: Scenario, startMs: number, range: FleetRange = {}) {
    this.scenario = scenario;
    this.first = range.first ?? 0;
    this.size = range.count ?? scenario.cars - this.first;
    this.nowMs = Math.floor(startMs / 1000) * 1000;
    this.state = new FleetState(this.size + 16);
    this.#builds = new SensorBuilds(this.size);
    const cars: CarFacts[] = [];
    const slots = new Map<string, number>();
    for (let i = 0; i < this.size; i += 1) {
      const facts = carFacts(scenario, this.first + i);
      buildCar(this.state, i, scenario, facts, this.nowMs);
      this.#builds.build(i, scenario.seed, facts.index);
      cars.push(facts);
      slots.set(facts.vin, i);
    }
    this.cars = cars;
    this.slotOf = slots;
    for (let k = this.size; k < this.state.capacity; k += 1) this.#freeShadows.push(k);
  }

  /** Drives every car one second further. */
  step(): void {
    this.nowMs += 1000;
    for (const [car, faults] of this.#faults) this.#ageFaults(car, faults);
    const ambientC = ambientAt(this.scenario.weather, this.nowMs);
    for (let i = 0; i < this.size; i += 1) this.#stepSlot(i, i, ambientC);
    for (const fault of this.#watched) {
      this.#stepSlot(fault.shadow, fault.car, ambientC);
      this.#watch(fault);
    }
  }

  #stepSlot(slot: number, car: number, ambientC: number): void {
    const s = this.state;
    const facts = this.cars[car]!;
    s.ambientC[slot] = ambientC + s.ambientOffsetC[slot]! + s.extraAmbientC[slot]!;
    const group = this.scenario.fleets[facts.group]!;
    if (group.usage !== 'always') tripStep(s, slot, group, this.nowMs);
    if (s.ignition[slot] === 0) {
      restStep(s, slot);
      tyreStep(s, slot);
      return;
    }
    driveStep(s, slot, group.roads);
    const model = MODELS[s.model[slot]!]!;
    if (model.kind === 'combustion') combustionStep(s, slot, model);
    else electricStep(s, slot, model);
    tyreStep(s, slot);
  }

  /** Readings of a car now, in catalogue order; NaN where one dropped out. Returns the indexes of the signals it has. */
  measure(car: number, out: Float64Array): Uint8Array {
    const electric = this.cars[car]!.electric;
    measureInto(this.state, car, electric, this.#builds, car, this.nowMs / 1000, out);
    return electric ? SENSORS_OF.electric : SENSORS_OF.combustion;
  }

  /** Whether the car is awake and would send. */
  awake(car: number): boolean {
    return this.state.ignition[car] === 1;
  }

  /** Ground truth since the last call, in order. */
  takeTruth(): readonly GroundTruth[] {
    const truth = this.#truth;
    this.#truth = [];
    return truth;
  }

  faultsOf(car: number): readonly Fault[] {
    return this.#faults.get(car) ?? [];
  }

  get faultsActive(): number {
    let count = 0;
    for (const faults of this.#faults.values()) count += faults.length;
    return count;
  }

  /** Starts a fault; returns false when the car has it already or cannot have it. */
  break(car: number, id: string, options: BreakOptions): boolean {
    const family = FAULTS.get(id);
    const facts = this.cars[car];
    if (!family || !facts || !suits(family, facts.model)) return false;
    const faults = this.#faults.get(car) ?? [];
    if (faults.some((f) => f.family === family)) return false;
    const fault: Fault = {
      faultId: `${facts.vin}/${id}/${this.nowMs}`,
      family,
      car,
      severity: options.severity,
      startedMs: this.nowMs,
      rampS: options.rampS ?? family.course.rampS,
      repairMs: options.repairMs ?? null,
      visible: false,
      shadow: this.#takeShadow(),
      differed: 0,
    };
    this.#aim(fault);
    copySlot(this.state, car, fault.shadow);
    this.#faults.set(car, [...faults, fault]);
    this.#watched.add(fault);
    this.#tell(fault, 'started');
    return true;
  }

  /** Mends one family's fault or all of a car; returns how many. */
  repair(car: number, id?: string): number {
    const faults = this.#faults.get(car) ?? [];
    const mended = faults.filter((f) => id === undefined || f.family.id === id);
    for (const fault of mended) this.#end(fault);
    return mended.length;
  }

  /** Has the driver keep to a share of the usual speed. */
  slow(car: number, factor: number): void {
    this.state.speedLimitFactor[car] = factor;
  }

  /** Picks the wheel or the sensor a fault sits on: by seed, car and family, so the same in every run. */
  #aim(fault: Fault): void {
    const { car, family } = fault;
    const facts = this.cars[car]!;
    const s = this.state;
    const draw = hash32(this.scenario.seed, facts.index, 31, fault.startedMs / 1000);
    const frail = FRAIL_SENSORS[facts.model.kind];
    const signal = sensorIndex.get(frail[draw % frail.length]!)!;
    if (family.column === 'leakKpaS' || family.column === 'burstShareS') s.wheel[car] = draw % 4;
    else if (family.column === 'stuck') s.stuckSignal[car] = signal;
    else if (family.column === 'bias') s.biasSignal[car] = signal;
    else if (family.column === 'drift') s.driftSignal[car] = signal;
  }

  #ageFaults(car: number, faults: readonly Fault[]): void {
    for (const fault of faults) {
      if (fault.repairMs !== null && this.nowMs >= fault.repairMs) {
        this.#end(fault);
        continue;
      }
      applyFault(this.state, car, fault, this.nowMs);
      for (const other of faults) {
        if (other !== fault && other.shadow >= 0) applyFault(this.state, other.shadow, fault, this.nowMs);
      }
    }
  }

  #end(fault: Fault): void {
    const { car, family } = fault;
    const rest = this.faultsOf(car).filter((f) => f !== fault);
    if (rest.length === 0) this.#faults.delete(car);
    else this.#faults.set(car, rest);
    const air = airOf(this.cars[car]!.model.tyreColdKpa);
    mend(this.state, car, family, air);
    for (const other of rest) if (other.shadow >= 0) mend(this.state, other.shadow, family, air);
    this.#unwatch(fault);
    this.#tell(fault, 'repaired');
  }

  /** Visible: some reading of the car differs from its shadow's by more than noise allows, three seconds in a row. */
  #watch(fault: Fault): void {
    const { car, shadow } = fault;
    if (!this.awake(car)) return;
    const electric = this.cars[car]!.electric;
    const second = this.nowMs / 1000;
    measureInto(this.state, car, electric, this.#builds, car, second, this.#seen);
    measureInto(this.state, shadow, electric, this.#builds, car, second, this.#shadowSeen);
    const kinds = electric ? SENSORS_OF.electric : SENSORS_OF.combustion;
    let differs = false;
    for (const k of kinds) {
      const { noise, step } = SENSORS[k]!;
      const gap = Math.abs(this.#seen[k]! - this.#shadowSeen[k]!);
      if (gap > VISIBLE_SIGMA * noise + 2 * step) differs = true;
    }
    fault.differed = differs ? fault.differed + 1 : 0;
    if (fault.differed < VISIBLE_S) return;
    fault.visible = true;
    this.#unwatch(fault);
    this.#tell(fault, 'visible');
  }

  #takeShadow(): number {
    const free = this.#freeShadows.pop();
    if (free !== undefined) return free;
    const before = this.state.capacity;
    this.state = growState(this.state, Math.ceil(before * 1.25) + 16);
    for (let k = this.state.capacity - 1; k > before; k -= 1) this.#freeShadows.push(k);
    return before;
  }

  #unwatch(fault: Fault): void {
    if (fault.shadow < 0) return;
    this.#freeShadows.push(fault.shadow);
    fault.shadow = -1;
    this.#watched.delete(fault);
  }

  #tell(fault: Fault, phase: GroundTruth['phase']): void {
    this.#truth.push({
      vin: this.cars[fault.car]!.vin,
      ts: this.nowMs,
      faultId: fault.faultId,
      fault: fault.family.id,
      severity: fault.severity,
      phase,
    });
  }

  /** A number in [0, 1) that depends on the seed, a car and whatever else: for choices outside the physics. */
  chance(car: number, ...parts: readonly number[]): number {
    return hashUnit(this.scenario.seed, this.cars[car]!.index, ...parts);
  }
}
