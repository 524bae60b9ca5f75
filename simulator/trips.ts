// When cars are used: drives and pauses in turn, or as commuters do, to work in the morning and home in the evening.
// A parked car's ignition is off: it sends nothing and cools.
import { beginTrip, type RoadMix } from './driving.ts';
import { nextUnit } from './random.ts';
import type { Usage } from './scenario.ts';
import type { FleetState } from './state.ts';

interface TripPlan {
  readonly usage: Usage;
  readonly roads: RoadMix;
}

const DAY_S = 86_400;

/** Chance a second that a parked commuter sets out, by hour of day (UTC): peaks near 7:30 and 17:00. */
function departureRate(nowMs: number): number {
  const hour = ((nowMs / 1000) % DAY_S) / 3600;
  const peak = (at: number, width: number) => Math.exp(-0.5 * ((hour - at) / width) ** 2);
  return (0.06 + 1.9 * peak(7.5, 0.8) + 1.6 * peak(17, 1.1) + 0.35 * peak(12.5, 1.5)) / 3600;
}

/** At the start some cars drive and some are parked. */
export function startTrips(s: FleetState, i: number, plan: TripPlan, share: number): void {
  const parked = plan.usage === 'commute' ? share < 0.9 : share < 0.3;
  s.ignition[i] = parked ? 0 : 1;
  s.tripLeftS[i] = 60 + Math.floor(1800 * ((share * 17.3) % 1));
}

/** One second of use: ends a trip where the car stands, begins the next. One draw, whatever happens. */
export function tripStep(s: FleetState, i: number, plan: TripPlan, nowMs: number): void {
  const draw = nextUnit(s, i);
  s.tripLeftS[i]! -= 1;
  if (s.ignition[i] === 1) {
    if (s.tripLeftS[i]! > 0 || s.speedMs[i]! > 0.1) return;
    s.ignition[i] = 0;
    s.tripLeftS[i] = 300 + 2400 * draw;
    return;
  }
  const leaves = plan.usage === 'commute' ? draw < departureRate(nowMs) : s.tripLeftS[i]! <= 0;
  if (!leaves) return;
  const share = (draw * 7919) % 1;
  s.ignition[i] = 1;
  s.tripLeftS[i] = 600 + 2400 * share;
  beginTrip(s, i, plan.roads, share);
}
