// The scenario as it happens: at each second it breaks and mends cars, sends harmless oddities, cuts connections, changes
// rates. Every choice is a function of the seed, the car and the time, so each process of a split fleet makes the same ones.
import { type CarFacts, carFacts, warmTo } from './build.ts';
import type { Fleet } from './fleet.ts';
import { hashText, hashUnit } from './random.ts';
import type { HarmlessPlan, HazardPlan, Scenario } from './scenario.ts';
import type { CarChoice } from './scenario-schema.ts';
import { airOf } from './tyres.ts';

/** What the network has to do at this second; cars by slot. */
export interface NetworkEvents {
  /** Cars that lose the network, and until when (event time, ms). */
  readonly tunnels: readonly { readonly car: number; readonly untilMs: number }[];
  /** Connections cut at once; away for so long. */
  readonly storms: readonly { readonly car: number; readonly downMs: number }[];
  /** Share of cars that shall be connected, when it changes. */
  readonly connectedPct: number | null;
}

const NOTHING: NetworkEvents = { tunnels: [], storms: [], connectedPct: null };
const DRAW = { choice: 41, hazard: 42, severity: 43, tunnel: 44, jump: 45, storm: 46 } as const;

/** Whether a car is among those a choice describes; `count` is not looked at. */
function describes(scenario: Scenario, choice: CarChoice, salt: number, facts: CarFacts): boolean {
  const { vins, fleet, firmware, model, pct } = choice;
  return (
    (vins === undefined || vins.includes(facts.vin)) &&
    (fleet === undefined || scenario.fleets[facts.group]!.name === fleet) &&
    (firmware === undefined || facts.firmware === firmware) &&
    (model === undefined || facts.model.id === model) &&
    (pct === undefined || hashUnit(scenario.seed, facts.index, DRAW.choice, salt) * 100 < pct)
  );
}

const lot = (scenario: Scenario, index: number, salt: number) =>
  hashUnit(scenario.seed, index, DRAW.choice, salt, 1);

/** The lot of the `count`-th car that the choice describes, among all the scenario's cars and not only this process's. */
function lotLimit(scenario: Scenario, choice: CarChoice, salt: number, count: number): number {
  const lots: number[] = [];
  for (let index = 0; index < scenario.cars; index += 1) {
    if (describes(scenario, choice, salt, carFacts(scenario, index))) lots.push(lot(scenario, index, salt));
  }
  return count >= lots.length ? 1 : lots.sort((a, b) => a - b)[count - 1]!;
}

/** Slots of the fleet's cars that a choice means: the same cars in every process of a split fleet. */
export function chosenCars(fleet: Fleet, choice: CarChoice, salt: number): readonly number[] {
  const { scenario } = fleet;
  const limit = choice.count === undefined ? 1 : lotLimit(scenario, choice, salt, choice.count);
  return Array.from({ length: fleet.size }, (_, car) => car).filter((car) => {
    const facts = fleet.cars[car]!;
    return describes(scenario, choice, salt, facts) && lot(scenario, facts.index, salt) <= limit;
  });
}

export class Script {
  readonly #fleet: Fleet;
  readonly #scenario: Scenario;
  readonly #startMs: number;
  /** The cars of each plan, chosen once. */
  readonly #chosen = new Map<object, readonly number[]>();
  readonly #undo: { readonly atMs: number; readonly run: () => void }[] = [];
  /** Offset of each car's clock, ms. */
  readonly skewMs: Float64Array;
  everyMs: number;
  #lastMs: number;

  constructor(fleet: Fleet, startMs: number) {
    this.#fleet = fleet;
    this.#scenario = fleet.scenario;
    this.#startMs = startMs;
    this.#lastMs = fleet.nowMs;
    this.skewMs = new Float64Array(fleet.size);
    this.everyMs = fleet.scenario.everyMs;
  }

  /** Everything due in the second that the fleet has just driven. */
  apply(): NetworkEvents {
    const now = this.#fleet.nowMs;
    const due = (atMs: number) => this.#startMs + atMs > this.#lastMs && this.#startMs + atMs <= now;
    this.#runUndos(now);
    for (const plan of this.#scenario.faults) if (due(plan.atMs)) this.#breakPlanned(plan, now);
    for (const plan of this.#scenario.harmless) if (due(plan.atMs)) this.#oddity(plan, now);
    for (const [h, hazard] of this.#scenario.hazards.entries()) this.#hazard(hazard, h, now);
    const network = this.#network(due, now);
    this.#lastMs = now;
    return network;
  }

  #cars(plan: { readonly cars: CarChoice }, salt: number): readonly number[] {
    const known = this.#chosen.get(plan) ?? chosenCars(this.#fleet, plan.cars, salt);
    this.#chosen.set(plan, known);
    return known;
  }

  #breakPlanned(plan: Scenario['faults'][number], now: number): void {
    const salt = hashText(`${plan.fault}@${plan.atMs}`);
    for (const car of this.#cars(plan, salt)) {
      this.#fleet.break(car, plan.fault, {
        severity: plan.severity,
        ...(plan.rampMs === null ? {} : { rampS: plan.rampMs / 1000 }),
        repairMs: plan.repairAfterMs === null ? null : now + plan.repairAfterMs,
      });
    }
  }

  #hazard(hazard: HazardPlan, h: number, now: number): void {
    const perSecond = hazard.perCarDay / 86_400;
    const second = now / 1000;
    for (let car = 0; car < this.#fleet.size; car += 1) {
      if (this.#fleet.chance(car, DRAW.hazard, h, second) >= perSecond) continue;
      const [low, high] = hazard.severity;
      this.#fleet.break(car, hazard.fault, {
        severity: low + (high - low) * this.#fleet.chance(car, DRAW.severity, h, second),
        ...(hazard.rampMs === null ? {} : { rampS: hazard.rampMs / 1000 }),
        repairMs: hazard.repairAfterMs === null ? null : now + hazard.repairAfterMs,
      });
    }
  }

  #later(atMs: number, run: () => void): void {
    this.#undo.push({ atMs, run });
  }

  #runUndos(now: number): void {
    for (let k = this.#undo.length - 1; k >= 0; k -= 1) {
      if (this.#undo[k]!.atMs > now) continue;
      const [entry] = this.#undo.splice(k, 1);
      entry!.run();
    }
  }

  /** What looks odd and is no fault. */
  #oddity(plan: HarmlessPlan, now: number): void {
    const endMs = now + plan.lastsMs;
    for (const car of this.#cars(plan, hashText(`${plan.kind}@${plan.atMs}`))) {
      if (plan.kind === 'clock-jump') {
        this.#jumpClock(car, endMs);
        continue;
      }
      const undo = this.#bend(plan.kind, car);
      if (undo) this.#later(endMs, undo);
    }
  }

  #bend(kind: HarmlessPlan['kind'], car: number): (() => void) | null {
    const s = () => this.#fleet.state;
    const { model } = this.#fleet.cars[car]!;
    switch (kind) {
      case 'cold-start':
        warmTo(s(), car, s().ambientC[car]!, 0);
        return null;
      case 'hill':
        s().extraGrade[car] = 0.055;
        return () => (s().extraGrade[car] = 0);
      case 'towing':
        s().extraMassKg[car] = 0.55 * model.massKg;
        return () => (s().extraMassKg[car] = 0);
      case 'hot-day':
        s().extraAmbientC[car] = 14;
        return () => (s().extraAmbientC[car] = 0);
      case 'new-tyres':
        for (const tyre of [s().tyreFl, s().tyreFr, s().tyreRl, s().tyreRr])
          tyre[car] = airOf(model.tyreColdKpa + 12);
        return null;
      default:
        // A firmware release without a defect changes nothing that can be measured; tunnels belong to the network.
        return null;
    }
  }

  #jumpClock(car: number, endMs: number): void {
    const most = this.#scenario.network.clockJumpMs;
    const draw = this.#fleet.chance(car, DRAW.jump, endMs / 1000);
    this.skewMs[car] = Math.round((2 * draw - 1) * most);
    this.#later(endMs, () => {
      this.skewMs[car] = 0;
    });
  }

  #network(due: (atMs: number) => boolean, now: number): NetworkEvents {
    const { network, stages, storms, harmless } = this.#scenario;
    let connectedPct: number | null = null;
    for (const stage of stages) {
      if (!due(stage.atMs)) continue;
      if (stage.everyMs !== null) this.everyMs = stage.everyMs;
      connectedPct = stage.connectedPct ?? connectedPct;
    }
    const tunnels = harmless
      .filter((plan) => plan.kind === 'tunnel' && due(plan.atMs))
      .flatMap((plan) =>
        this.#cars(plan, hashText(`tunnel@${plan.atMs}`)).map((car) => ({
          car,
          untilMs: now + plan.lastsMs,
        })),
      );
    const cut = storms
      .filter((storm) => due(storm.atMs))
      .flatMap((storm) =>
        Array.from({ length: this.#fleet.size }, (_, car) => car)
          .filter((car) => this.#fleet.chance(car, DRAW.storm, storm.atMs) * 100 < storm.pct)
          .map((car) => ({ car, downMs: storm.downMs })),
      );
    const chancy = network.tunnelsPerCarHour > 0 || network.clockJumpsPerCarDay > 0;
    const found = chancy ? this.#mishaps(now) : [];
    if (tunnels.length + cut.length + found.length === 0 && connectedPct === null) return NOTHING;
    return { tunnels: [...tunnels, ...found], storms: cut, connectedPct };
  }

  #mishaps(now: number): { car: number; untilMs: number }[] {
    const { network } = this.#scenario;
    const found: { car: number; untilMs: number }[] = [];
    const second = now / 1000;
    for (let car = 0; car < this.#fleet.size; car += 1) {
      const draw = this.#fleet.chance(car, DRAW.tunnel, second);
      if (draw < network.tunnelsPerCarHour / 3600) {
        const share = this.#fleet.chance(car, DRAW.tunnel, second, 1);
        const [shortest, longest] = network.tunnelMs;
        found.push({ car, untilMs: now + shortest + share * (longest - shortest) });
      }
      if (1 - draw < network.clockJumpsPerCarDay / 86_400) this.#jumpClock(car, now + 60_000);
    }
    return found;
  }
}
