// The detector: a bundle made ready to follow cars. One step takes a car's state and its readings and gives the score, what
// was expected, and which signals made it. Nothing is allocated in a step; results are overwritten by the next one.
import { TelltaleError } from '../errors.ts';
import { bundleLayers, type ModelBundle } from './bundle.ts';
import { type CarState, decodeState, encodeState } from './car-state.ts';
import { applyScaler, LOST, NOT_MEASURED, tellMoved } from './features.ts';
import { createFusion, planFusion } from './fusion.ts';
import { type Head, type HeadInput, MAX_STEPS } from './heads/head.ts';
import { createHead } from './heads/heads.ts';
import type { StillSpec } from './heads/still.ts';
import { compileNetwork } from './kernel.ts';
import { createLossFollower } from './losses.ts';
import { lessUsual, USUAL_STATE } from './usual.ts';

/** What a step found. Arrays are reused. */
export interface Finding {
  /** Finite, ≥ 0: how strange the event's levels are together, less what is usual for the car. */
  score: number;
  /** Level of each statistic, in the order of `statistics`. */
  readonly levels: Float64Array;
  /** Raw value of each statistic. */
  readonly raw: Float64Array;
  /** What was expected of each signal, catalogue order, in its unit, within what the history knows; NaN: nothing is known. */
  readonly expected: Float64Array;
  /** Each signal's part of the score, catalogue order, sums to 1 (to less where a level has no signal to blame). */
  readonly shares: Float64Array;
  /** Places in the catalogue of the signals that the car's kind measures and that are lost (losses.ts). */
  readonly lost: readonly number[];
}

export interface Detector {
  readonly bundle: ModelBundle;
  /** `head.statistic` of each level. */
  readonly statistics: readonly string[];
  readonly threshold: number;
  newState(): CarState;
  /**
   * One event: `values` in catalogue order (NaN: missing), starting at `at`. The state is advanced; an event older than the
   * car's newest counts as one usual step later.
   */
  step(state: CarState, values: Float64Array | Float32Array, tsMs: number, at?: number): Finding;
  /** Fills `finding.shares`; only after a step, when somebody wants to know. */
  explain(): Finding;
  encodeState(state: CarState): Uint8Array;
  /** @throws TelltaleError MODEL_INVALID when the bytes are not of this model */
  decodeState(bytes: Uint8Array): CarState;
}

interface Running {
  readonly head: Head;
  readonly stateAt: number;
  readonly statisticsAt: number;
}

function layOut(heads: readonly Head[]) {
  let stateSize = 0;
  let count = 0;
  const running = heads.map((head): Running => {
    const one = { head, stateAt: stateSize, statisticsAt: count };
    stateSize += head.stateSize;
    count += head.statistics.length;
    return one;
  });
  return { running, stateSize, count };
}

/**
 * The threshold was set on cars that measure what theirs do. While something is lost, and until what is remembered of it has faded,
 * the rest must be stranger to count as much.
 */
const LESS_SURE = 0.85;

/** How far beyond the range of the history's readings, as a share of it, what is expected may lie. */
const EXPECTED_BEYOND = 0.05;

/**
 * Makes a checked bundle ready to run.
 * @throws TelltaleError MODEL_INVALID when its parts do not fit each other
 */
export function createDetector(bundle: ModelBundle): Detector {
  const channels = bundle.scaler.signals.length;
  const network = compileNetwork(bundleLayers(bundle));
  const { running, stateSize, count } = layOut(bundle.heads.map((spec) => createHead(spec, channels)));
  const tracked = [...bundle.scaler.signals, ...bundle.still.signals];
  const follower = createLossFollower(bundle.losses, tracked);
  const lossesAt = stateSize + USUAL_STATE;
  const slotCount = lossesAt + follower.stateSize;
  const heads = running.map(({ head }) => head);
  const fusion = createFusion(planFusion(bundle, heads));
  const { scaler, still, usual, stepMs, gapMs } = bundle;
  for (const spec of bundle.heads) {
    if (spec.kind === 'still' && (spec as StillSpec).signals !== still.signals.length)
      throw new TelltaleError(
        'MODEL_INVALID',
        `damaged: head ${spec.name} is for ${(spec as StillSpec).signals} signals that stood still, there are ${still.signals.length}`,
      );
  }
  const medians = Float64Array.from(bundle.medians, (value) => value ?? Number.NaN);
  // What cannot be is not expected either, however strange a car's other readings are.
  const ranges = scaler.signals.map((signal) => bundle.catalogue.signals[signal]!);
  // A little beyond what the history knows: further out nobody believes what is foretold.
  const { lowest, highest } = bundle.losses;
  const margin = highest.map((most, k) => EXPECTED_BEYOND * (most - lowest[k]!));
  const leastExpected = lowest.map((least, k) => least - margin[k]!);
  const mostExpected = highest.map((most, k) => most + margin[k]!);
  const blamed = [...scaler.signals, ...still.signals];
  const parts = new Float64Array(blamed.length);
  const moved = new Uint8Array(still.signals.length);
  const measured = new Uint8Array(tracked.length);
  const input: HeadInput = {
    features: new Float64Array(channels),
    present: measured.subarray(0, channels),
    reconstruction: new Float64Array(channels),
    moved,
    restart: true,
    steps: 1,
  };
  const finding: Finding = {
    score: 0,
    levels: fusion.levels,
    raw: new Float64Array(count),
    expected: medians.slice(),
    shares: new Float64Array(bundle.catalogue.signals.length),
    lost: [],
  };
  const lost: number[] = finding.lost as number[];
  const foretold = new Float64Array(channels);
  const foretellers = heads.filter((head) => head.expected !== undefined);

  /** Tells what is lost, to the heads and to whoever reads the finding; guesses stand in for it. */
  const followLosses = (slots: Float32Array): void => {
    for (let i = 0; i < moved.length; i += 1) measured[channels + i] = moved[i] === NOT_MEASURED ? 0 : 1;
    input.losses = follower.follow(measured, input.restart, slots, lossesAt);
    lost.length = 0;
    for (let i = 0; i < moved.length; i += 1) {
      if (moved[i] !== NOT_MEASURED || !follower.isLost(channels + i, slots, lossesAt)) continue;
      moved[i] = LOST;
      lost.push(still.signals[i]!);
    }
    if (input.losses === null) return;
    follower.guess(input.features);
    for (let k = 0; k < channels; k += 1) if (input.losses.lost[k] === 1) lost.push(scaler.signals[k]!);
  };

  const tellExpected = (): void => {
    foretold.set(input.reconstruction);
    for (const head of foretellers) head.expected?.(foretold);
    for (let k = 0; k < channels; k += 1) {
      const feature = Math.min(mostExpected[k]!, Math.max(leastExpected[k]!, foretold[k]!));
      const { min, max } = ranges[k]!;
      const expected = scaler.center[k]! + feature * scaler.scale[k]!;
      finding.expected[scaler.signals[k]!] = expected < min ? min : expected > max ? max : expected;
    }
  };

  const step: Detector['step'] = (state, values, tsMs, at = 0) => {
    applyScaler(scaler, values, input.features, input.present, at);
    tellMoved(still, values, moved, at);
    const elapsedMs = tsMs - state.lastTsMs;
    input.restart = !(elapsedMs <= gapMs);
    input.steps = input.restart ? 1 : Math.min(MAX_STEPS, Math.max(1, Math.round(elapsedMs / stepMs)));
    if (tsMs > state.lastTsMs) state.lastTsMs = tsMs;
    followLosses(state.slots);
    network.run(input.features, input.reconstruction);
    for (const { head, stateAt, statisticsAt } of running)
      head.step(input, state.slots, stateAt, finding.raw, statisticsAt);
    const strangeness = fusion.strangenessOf(finding.raw);
    const { losses = null } = input;
    const sure = losses === null ? strangeness : LESS_SURE * strangeness;
    finding.score = lessUsual(usual, sure, state.slots, stateSize, input.restart, losses !== null);
    // Of a car that measures nothing nothing is strange.
    if (losses?.all === true) finding.score = 0;
    tellExpected();
    return finding;
  };

  /** Adds `weight`, as it falls on the signals that made a statistic, to their shares. */
  const blame = (head: Head, statistic: number, weight: number): void => {
    parts.fill(0);
    head.blame(statistic, parts);
    let whole = 0;
    for (const part of parts) whole += part;
    if (!(whole > 0)) return;
    for (let k = 0; k < blamed.length; k += 1) finding.shares[blamed[k]!]! += (weight * parts[k]!) / whole;
  };

  const explain: Detector['explain'] = () => {
    finding.shares.fill(0);
    for (const { head, statisticsAt } of running) {
      for (let i = 0; i < head.statistics.length; i += 1) {
        const weight = fusion.partOf(statisticsAt + i);
        if (weight > 0) blame(head, i, weight);
      }
    }
    return finding;
  };

  return {
    bundle,
    statistics: running.flatMap(({ head }) => head.statistics.map((name) => `${head.name}.${name}`)),
    threshold: bundle.threshold,
    newState: () => ({ lastTsMs: Number.NEGATIVE_INFINITY, slots: new Float32Array(slotCount) }),
    step,
    explain,
    encodeState: (state) => encodeState(state, slotCount),
    decodeState: (bytes) => decodeState(bytes, slotCount),
  };
}
