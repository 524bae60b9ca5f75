// The first step of a score, for one car at a time: from its readings to what every head sees of the event. What is
// lost is told here, and guesses stand in for it.
import type { ModelBundle } from './bundle.ts';
import type { CarState } from './car-state.ts';
import { applyScaler, LOST, NOT_MEASURED, tellChanged } from './features.ts';
import { MAX_STEPS } from './heads/head.ts';
import { createLossFollower, type Losses } from './losses.ts';

/** An event as heads see it (HeadInput says more). */
export interface Seen {
  readonly features: Float32Array;
  readonly present: Uint8Array;
  readonly moved: Uint8Array;
  restart: boolean;
  steps: number;
  losses: Losses | null;
  /** Places in the catalogue of the signals that the car's kind measures and that are lost. */
  readonly lost: number[];
}

export interface Readings {
  /** 32-bit floats of a car's state, from where `see` is told. */
  readonly stateSize: number;
  newSeen(): Seen;
  /** Takes in an event; the car's time and losses are advanced. */
  see(
    seen: Seen,
    state: CarState,
    stateAt: number,
    values: Float64Array | Float32Array,
    tsMs: number,
    at: number,
  ): void;
}

/** @throws TelltaleError MODEL_INVALID */
export function createReadings(bundle: ModelBundle): Readings {
  const { scaler, still, stepMs, gapMs } = bundle;
  const channels = scaler.signals.length;
  const quiet = still.signals.length;
  const follower = createLossFollower(bundle.losses, [...scaler.signals, ...still.signals]);
  /** Channels, then signals that stood still. */
  const measured = new Uint8Array(channels + quiet);

  const followLosses = (seen: Seen, slots: Float32Array, stateAt: number): void => {
    const { moved, present, features, lost } = seen;
    measured.set(present);
    for (let i = 0; i < quiet; i += 1) measured[channels + i] = moved[i] === NOT_MEASURED ? 0 : 1;
    seen.losses = follower.follow(measured, seen.restart, slots, stateAt);
    lost.length = 0;
    for (let i = 0; i < quiet; i += 1) {
      if (moved[i] !== NOT_MEASURED || !follower.isLost(channels + i, slots, stateAt)) continue;
      moved[i] = LOST;
      lost.push(still.signals[i]!);
    }
    if (seen.losses === null) return;
    follower.guess(features);
    for (let k = 0; k < channels; k += 1) if (seen.losses.lost[k] === 1) lost.push(scaler.signals[k]!);
  };

  return {
    stateSize: follower.stateSize,
    newSeen: () => ({
      features: new Float32Array(channels),
      present: new Uint8Array(channels),
      moved: new Uint8Array(quiet),
      restart: true,
      steps: 1,
      losses: null,
      lost: [],
    }),
    see: (seen, state, stateAt, values, tsMs, at) => {
      applyScaler(scaler, values, seen.features, seen.present, at);
      tellChanged(still, values, seen.moved, at);
      const elapsedMs = tsMs - state.lastTsMs;
      seen.restart = !(elapsedMs <= gapMs);
      seen.steps = seen.restart ? 1 : Math.min(MAX_STEPS, Math.max(1, Math.round(elapsedMs / stepMs)));
      if (tsMs > state.lastTsMs) state.lastTsMs = tsMs;
      followLosses(seen, state.slots, stateAt);
    },
  };
}
