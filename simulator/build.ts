// Building a car: which fleet, model, firmware, driver it has and the state it starts in follow from the scenario's seed
// and its number alone.
import { beginTrip } from './driving.ts';
import { MODEL_IDS, MODELS, type ModelId, STYLES, type VehicleModel, vinOf } from './models.ts';
import { Stream, seedStream } from './random.ts';
import type { Scenario } from './scenario.ts';
import type { FleetState } from './state.ts';
import { startTrips } from './trips.ts';
import { airOf } from './tyres.ts';
import { ambientAt } from './weather.ts';

/** What does not change about a car. */
export interface CarFacts {
  /** Its number in the scenario. */
  readonly index: number;
  readonly vin: string;
  /** Index of its fleet in the scenario. */
  readonly group: number;
  readonly model: VehicleModel;
  readonly electric: boolean;
  readonly firmware: string;
  readonly style: keyof typeof STYLES;
  /** When within its second it measures, ms. */
  readonly phaseMs: number;
}

function groupOf(scenario: Scenario, share: number): number {
  const total = scenario.fleets.reduce((sum, fleet) => sum + fleet.share, 0);
  let rest = share * total;
  for (const [g, fleet] of scenario.fleets.entries()) {
    rest -= fleet.share;
    if (rest < 0) return g;
  }
  return scenario.fleets.length - 1;
}

/** The facts of car number `index`. */
export function carFacts(scenario: Scenario, index: number): CarFacts {
  const draw = new Stream(scenario.seed, index, 11);
  const group = groupOf(scenario, draw.unit());
  const fleet = scenario.fleets[group]!;
  const modelId = draw.pick(fleet.models);
  const model = MODELS.find((m) => m.id === modelId)!;
  return {
    index,
    vin: vinOf(model, index),
    group,
    model,
    electric: model.kind === 'electric',
    firmware: draw.pick(fleet.firmware),
    style: draw.pick(fleet.styles),
    phaseMs: Math.floor(draw.unit() * 1000),
  };
}

function buildPerson(s: FleetState, i: number, facts: CarFacts, draw: Stream): void {
  const style = STYLES[facts.style];
  s.accelMs2[i] = style.accelMs2 * (1 + 0.08 * draw.noise());
  s.brakeMs2[i] = style.brakeMs2 * (1 + 0.08 * draw.noise());
  s.pace[i] = style.pace * (1 + 0.04 * draw.noise());
  s.restlessness[i] = style.restlessness;
  s.speedLimitFactor[i] = 1;
}

function buildMachine(s: FleetState, i: number, facts: CarFacts, draw: Stream): void {
  s.model[i] = MODEL_IDS.indexOf(facts.model.id as ModelId);
  s.trimBasePct[i] = 1.7 * draw.noise();
  s.trimIdlePct[i] = s.trimBasePct[i]! + 1.5 * draw.noise();
  s.trimDrivePct[i] = s.trimBasePct[i]! + 0.8 * draw.noise();
  s.longTrimPct[i] = s.trimDrivePct[i]!;
  s.regulatorV[i] = 13.86 + 0.11 * draw.noise();
  s.vibrationGain[i] = 1 + 0.08 * draw.noise();
  s.batteryCharge[i] = draw.between(0.85, 0.98);
  s.batteryV[i] = s.regulatorV[i]!;
  for (const column of [s.tyreFl, s.tyreFr, s.tyreRl, s.tyreRr])
    column[i] = airOf(facts.model.tyreColdKpa + 4 * draw.noise());
  s.charge[i] = draw.between(0.35, 0.95);
  s.rpm[i] = facts.model.kind === 'combustion' ? facts.model.idleRpm : 0;
  s.lambda[i] = 1;
  s.mapKpa[i] = 30;
  s.fill[i] = 0.13;
  s.packV[i] = 360;
  s.heldReading[i] = Number.NaN;
}

/** Fills slot `i` with the car as it is at the start. */
export function buildCar(s: FleetState, i: number, scenario: Scenario, facts: CarFacts, nowMs: number): void {
  const draw = new Stream(scenario.seed, facts.index, 12);
  const fleet = scenario.fleets[facts.group]!;
  seedStream(s, i, scenario.seed, facts.index);
  s.sensorSeed[i] = draw.bits();
  s.ambientOffsetC[i] = scenario.weather.spreadC * 0.6 * draw.noise();
  buildPerson(s, i, facts, draw);
  buildMachine(s, i, facts, draw);
  const ambient = ambientAt(scenario.weather, nowMs) + s.ambientOffsetC[i]!;
  s.ambientC[i] = ambient;
  const warmth = draw.unit() * 100 < fleet.coldStartPct ? 0.25 * draw.unit() : 1;
  warmTo(s, i, ambient, warmth);
  s.ignition[i] = 1;
  beginTrip(s, i, fleet.roads, draw.unit());
  if (fleet.usage !== 'always') startTrips(s, i, fleet, draw.unit());
}

/** Sets every temperature between cold as the air (0) and warm from driving (1). */
export function warmTo(s: FleetState, i: number, ambientC: number, warmth: number): void {
  const at = (hotC: number) => ambientC + warmth * (hotC - ambientC);
  s.coolantC[i] = at(86);
  s.oilC[i] = at(93);
  s.intakeC[i] = at(ambientC + 14);
  s.tyreC[i] = at(ambientC + 10);
  s.packC[i] = at(ambientC + 8);
  s.motorC[i] = at(ambientC + 30);
}
