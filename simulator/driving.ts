// The driver: roads (urban, rural, motorway) made of stretches with a target speed, and a foot that follows it with
// limits of its own. Each second draws the same count of random numbers whatever the car does, so that a car and its
// shadow without a fault stay in the same traffic.
import { nextNoise, nextUnit } from './random.ts';
import type { FleetState } from './state.ts';

export const URBAN = 0;
export const RURAL = 1;
export const MOTORWAY = 2;

/** Shares of time on each kind of road, in the order urban, rural, motorway. */
export type RoadMix = readonly [number, number, number];

interface RoadFacts {
  /** Target speeds of a stretch, m/s. */
  readonly targetMs: readonly [number, number];
  readonly stretchS: readonly [number, number];
  readonly stopChance: number;
  readonly stopS: readonly [number, number];
  /** How long one stays on such a road. */
  readonly staysS: readonly [number, number];
  readonly gradeSigma: number;
  readonly roughness: number;
}

/** Fitted to the real drives: share of standstill 15 %, moving speeds 19/29/41 km/h at the quartiles in town. */
const ROADS: readonly RoadFacts[] = [
  {
    targetMs: [4, 15.5],
    stretchS: [12, 70],
    stopChance: 0.42,
    stopS: [4, 40],
    staysS: [240, 1200],
    gradeSigma: 0.012,
    roughness: 1,
  },
  {
    targetMs: [13, 25],
    stretchS: [40, 170],
    stopChance: 0.07,
    stopS: [4, 25],
    staysS: [240, 1500],
    gradeSigma: 0.02,
    roughness: 0.8,
  },
  {
    targetMs: [24, 36],
    stretchS: [60, 300],
    stopChance: 0,
    stopS: [0, 0],
    staysS: [300, 1800],
    gradeSigma: 0.013,
    roughness: 0.5,
  },
];

const span = ([low, high]: readonly [number, number], share: number) => low + (high - low) * share;

function pickRoad(mix: RoadMix, share: number): number {
  const rest = share * (mix[0] + mix[1] + mix[2]);
  if (rest < mix[0]) return URBAN;
  return rest < mix[0] + mix[1] ? RURAL : MOTORWAY;
}

/** Chooses the next stretch of road, or a stop; three draws. */
function nextStretch(s: FleetState, i: number, mix: RoadMix): void {
  const [stop, length, target] = [nextUnit(s, i), nextUnit(s, i), nextUnit(s, i)];
  if (s.contextLeftS[i]! <= 0) {
    const next = pickRoad(mix, target);
    s.context[i] = next;
    s.contextLeftS[i] = span(ROADS[next]!.staysS, length);
  }
  const road = ROADS[s.context[i]!]!;
  const stands = s.targetMs[i] === 0;
  if (!stands && stop < road.stopChance) {
    s.targetMs[i] = 0;
    s.segmentLeftS[i] = span(road.stopS, length) + s.speedMs[i]! / 1.2;
  } else {
    s.targetMs[i] = span(road.targetMs, target);
    s.segmentLeftS[i] = span(road.stretchS, length);
  }
}

/**
 * One second of driving: sets the acceleration the driver wants (`accelNowMs2`) and the road's grade. The drive train
 * decides afterwards what of it the car can do.
 */
export function driveStep(s: FleetState, i: number, mix: RoadMix): void {
  s.segmentLeftS[i]! -= 1;
  s.contextLeftS[i]! -= 1;
  if (s.segmentLeftS[i]! <= 0) nextStretch(s, i, mix);
  const road = ROADS[s.context[i]!]!;
  const restless = s.restlessness[i]!;
  s.wander[i] = 0.96 * s.wander[i]! + 0.28 * nextNoise(s, i);
  const twitch = nextNoise(s, i);
  s.grade[i] = 0.985 * s.grade[i]! + 0.172 * road.gradeSigma * nextNoise(s, i);
  s.roughness[i] = 0.9 * s.roughness[i]! + 0.1 * road.roughness * (1 + 0.9 * nextNoise(s, i));
  // The faster, the steadier the foot: m/s² of twitching, now and then a kick.
  const steadiness = Math.min(0.54, 55 / (35 + s.speedMs[i]! ** 2));
  const target = s.targetMs[i]!;
  const wanted = target === 0 ? 0 : target * s.pace[i]! * s.speedLimitFactor[i]! * (1 + 0.05 * s.wander[i]!);
  const gap = wanted - s.speedMs[i]!;
  const pull =
    0.32 * gap +
    (target === 0
      ? 0
      : restless * (0.12 * s.wander[i]! + steadiness * twitch * (0.65 + 0.25 * twitch * twitch)));
  const want = Math.max(-s.brakeMs2[i]!, Math.min(s.accelMs2[i]!, pull));
  // A foot moves, it does not jump: at most 0.9 m/s² of change a second.
  const change = want - s.accelNowMs2[i]!;
  s.accelNowMs2[i]! += Math.max(-0.9, Math.min(0.9, change));
  if (target === 0 && s.speedMs[i]! + s.accelNowMs2[i]! < 0.4) s.accelNowMs2[i] = -s.speedMs[i]!;
}

/** A car that begins a trip: standing, about to leave, on a road of its mix. */
export function beginTrip(s: FleetState, i: number, mix: RoadMix, share: number): void {
  s.context[i] = pickRoad(mix, share);
  s.contextLeftS[i] = span(ROADS[s.context[i]!]!.staysS, (share * 7.13) % 1);
  s.targetMs[i] = 0;
  s.segmentLeftS[i] = 3 + 20 * ((share * 3.77) % 1);
  s.speedMs[i] = 0;
  s.accelNowMs2[i] = 0;
}
