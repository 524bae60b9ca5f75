// A scenario ready to run: the file's words with every default filled in, and times in milliseconds.
import { invariant } from '../core/errors.ts';
import type { RoadMix } from './driving.ts';
import type { FaultId } from './faults.ts';
import type { ModelId, StyleId } from './models.ts';
import type { CarChoice, ScenarioFile } from './scenario-schema.ts';

type Weights<K extends string> = Readonly<Partial<Record<K, number>>>;
export type Usage = 'always' | 'trips' | 'commute';
export type QueuePolicy = 'drop-oldest' | 'drop-newest';
export type HarmlessKind = NonNullable<ScenarioFile['harmless']>[number]['kind'];

export interface FleetGroup {
  readonly name: string;
  readonly share: number;
  readonly models: Weights<ModelId>;
  readonly firmware: Weights<string>;
  readonly styles: Weights<StyleId>;
  readonly roads: RoadMix;
  readonly usage: Usage;
  readonly coldStartPct: number;
}

export interface NetworkPlan {
  readonly connectPerSecond: number;
  readonly window: number;
  readonly queue: number;
  readonly policy: QueuePolicy;
  readonly duplicatePct: number;
  readonly malformedPct: number;
  readonly tunnelsPerCarHour: number;
  readonly tunnelMs: readonly [number, number];
  readonly clockJumpsPerCarDay: number;
  readonly clockJumpMs: number;
}

interface Timed {
  readonly atMs: number;
  readonly cars: CarChoice;
}
export interface FaultPlan extends Timed {
  readonly fault: FaultId;
  readonly severity: number;
  readonly rampMs: number | null;
  readonly repairAfterMs: number | null;
}
export interface HazardPlan {
  readonly fault: FaultId;
  readonly perCarDay: number;
  readonly severity: readonly [number, number];
  readonly rampMs: number | null;
  readonly repairAfterMs: number | null;
}
export interface HarmlessPlan extends Timed {
  readonly kind: HarmlessKind;
  readonly lastsMs: number;
}
export interface StagePlan {
  readonly atMs: number;
  readonly everyMs: number | null;
  readonly connectedPct: number | null;
}
export interface StormPlan {
  readonly atMs: number;
  readonly pct: number;
  readonly downMs: number;
}

export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly seed: number;
  readonly cars: number;
  readonly everyMs: number;
  /** Event time of the start; null: the clock's now. */
  readonly startMs: number | null;
  readonly historyMs: number;
  /** null: until stopped. */
  readonly durationMs: number | null;
  /** Infinity: as fast as the broker takes it. */
  readonly speed: number;
  readonly processes: number;
  readonly weather: { readonly meanC: number; readonly swingC: number; readonly spreadC: number };
  readonly fleets: readonly FleetGroup[];
  readonly network: NetworkPlan;
  readonly stages: readonly StagePlan[];
  readonly storms: readonly StormPlan[];
  readonly faults: readonly FaultPlan[];
  readonly hazards: readonly HazardPlan[];
  readonly harmless: readonly HarmlessPlan[];
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a span such as `15m`; the schema has checked its form. */
export function spanMs(text: string): number {
  const match = /^([\d.]+)(ms|s|m|h|d)$/.exec(text);
  return match ? Math.round(Number(match[1]) * UNIT_MS[match[2]!]!) : Number.NaN;
}

const optionalMs = (text: string | undefined): number | null => (text === undefined ? null : spanMs(text));

function fleetOf(file: ScenarioFile['fleets'][number]): FleetGroup {
  const roads: Weights<'urban' | 'rural' | 'motorway'> = file.roads ?? { urban: 6, rural: 3, motorway: 2 };
  return {
    name: file.name,
    share: file.share,
    models: file.models,
    firmware: file.firmware ?? { '4.1.0': 3, '4.2.0': 1 },
    styles: file.styles ?? { calm: 1, normal: 2, brisk: 1 },
    roads: [roads.urban ?? 0, roads.rural ?? 0, roads.motorway ?? 0],
    usage: file.usage ?? 'always',
    coldStartPct: file.coldStartPct ?? 25,
  };
}

function networkOf(file: ScenarioFile['network']): NetworkPlan {
  const [shortest, longest] = file?.tunnel ?? ['1m', '4m'];
  return {
    connectPerSecond: file?.connectPerSecond ?? 500,
    window: file?.window ?? 32,
    queue: file?.queue ?? 900,
    policy: file?.policy ?? 'drop-oldest',
    duplicatePct: file?.duplicatePct ?? 0,
    malformedPct: file?.malformedPct ?? 0,
    tunnelsPerCarHour: file?.tunnelsPerCarHour ?? 0,
    tunnelMs: [spanMs(shortest ?? '1m'), spanMs(longest ?? '4m')],
    clockJumpsPerCarDay: file?.clockJumpsPerCarDay ?? 0,
    clockJumpMs: spanMs(file?.clockJump ?? '2m'),
  };
}

const DAY_MS = 86_400_000;

/**
 * Event time of a scenario's start, null for the clock's now, NaN where the words say none. A day of its own is best the one before
 * the clock's: it is over, and not so old that ingest refuses it.
 */
export function startOf(words: string | undefined, nowMs: number): number | null {
  if (words === undefined || words === 'now') return null;
  const yesterday = /^yesterday ([01]\d|2[0-3]):([0-5]\d)$/.exec(words);
  if (!yesterday) return Date.parse(words);
  const [, hours, minutes] = yesterday.map(Number);
  return Math.floor(nowMs / DAY_MS) * DAY_MS - DAY_MS + hours! * 3_600_000 + minutes! * 60_000;
}

/** Fills in the defaults of a scenario that has passed the schema. `nowMs`: the clock, for a start such as `yesterday 04:00`. */
export function completeScenario(file: ScenarioFile, nowMs = Number.NaN): Scenario {
  const startMs = startOf(file.start, nowMs);
  invariant(!Number.isNaN(startMs), `the start "${file.start}" needs a clock`);
  return {
    name: file.name,
    about: file.about ?? '',
    seed: file.seed ?? 1,
    cars: file.cars,
    everyMs: spanMs(file.every ?? '1s'),
    startMs,
    historyMs: spanMs(file.history ?? '0s'),
    durationMs: optionalMs(file.duration),
    speed: file.speed === 'max' ? Number.POSITIVE_INFINITY : (file.speed ?? 1),
    processes: file.processes ?? 1,
    weather: {
      meanC: file.weather?.meanC ?? 16,
      swingC: file.weather?.swingC ?? 6,
      spreadC: file.weather?.spreadC ?? 3,
    },
    fleets: file.fleets.map(fleetOf),
    network: networkOf(file.network),
    stages: (file.stages ?? [])
      .map((s) => ({
        atMs: spanMs(s.at),
        everyMs: optionalMs(s.every),
        connectedPct: s.connectedPct ?? null,
      }))
      .sort((a, b) => a.atMs - b.atMs),
    storms: (file.storms ?? []).map((s) => ({
      atMs: spanMs(s.at),
      pct: s.pct ?? 100,
      downMs: spanMs(s.down ?? '0s'),
    })),
    faults: (file.faults ?? []).map((f) => ({
      atMs: spanMs(f.at),
      cars: f.cars ?? {},
      fault: f.fault,
      severity: f.severity ?? 1,
      rampMs: optionalMs(f.ramp),
      repairAfterMs: optionalMs(f.repairAfter),
    })),
    hazards: (file.hazards ?? []).map((h) => ({
      fault: h.fault,
      perCarDay: h.perCarDay,
      severity: [h.severity?.[0] ?? 0.25, h.severity?.[1] ?? 1],
      rampMs: optionalMs(h.ramp),
      repairAfterMs: optionalMs(h.repairAfter),
    })),
    harmless: (file.harmless ?? []).map((h) => ({
      atMs: spanMs(h.at),
      cars: h.cars ?? {},
      kind: h.kind,
      lastsMs: spanMs(h.lasts ?? '15m'),
    })),
  };
}

/** The demo's fleet: mixed cars that drive without a break, nothing broken; the demo breaks cars by command. */
export const DEMO_SCENARIO: ScenarioFile = {
  name: 'demo',
  about: 'A mixed fleet in town and country; cars are broken by command',
  seed: 7,
  cars: 100,
  fleets: [
    { name: 'city', share: 5, models: { compact: 3, city: 2 }, roads: { urban: 5, rural: 2, motorway: 1 } },
    { name: 'country', share: 3, models: { compact: 1, suv: 2 }, roads: { urban: 2, rural: 4, motorway: 2 } },
    {
      name: 'electric',
      share: 2,
      models: { 'ev-compact': 2, 'ev-suv': 1 },
      roads: { urban: 4, rural: 2, motorway: 1 },
    },
  ],
};
