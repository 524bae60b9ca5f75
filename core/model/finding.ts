// What is found in an event: its score from the statistics of the heads, what was expected of each signal, and which
// signals made it. The same whoever computed the statistics.
import type { ModelBundle } from './bundle.ts';
import { lessBaseline } from './car-baseline.ts';
import type { Fusion } from './fusion.ts';
import type { Layout } from './layout.ts';
import type { Seen } from './readings.ts';

/** What a step found. Arrays are reused. */
export interface Finding {
  /** Finite, ≥ 0: how strange the event's levels are together, less what is usual for the car. */
  score: number;
  /** Level of each statistic, in the order of `statistics`. */
  readonly levels: Float64Array;
  /** Raw value of each statistic. */
  readonly raw: Float64Array;
  /**
   * Explained: what was expected of each signal, catalogue order, in its unit, within what the history knows; NaN:
   * nothing is known.
   */
  readonly expected: Float64Array;
  /**
   * Explained: each signal's part of the score, catalogue order, sums to 1 (to less where a level has no signal to
   * blame).
   */
  readonly shares: Float64Array;
  /** Places in the catalogue of the signals that the car's kind measures and that are lost (losses.ts). */
  lost: readonly number[];
}

export const newFinding = (bundle: ModelBundle, { levels }: Fusion): Finding => ({
  score: 0,
  levels,
  raw: new Float64Array(levels.length),
  expected: Float64Array.from(bundle.medians, (value) => value ?? Number.NaN),
  shares: new Float64Array(bundle.catalogue.signals.length),
  lost: [],
});

/**
 * The threshold was set on cars that measure what theirs do. While something is lost, and until what is remembered of
 * it has faded, the rest must be stranger to count as much.
 */
const LESS_SURE = 0.85;

/** How far beyond the range of the history's readings, as a share of it, what is expected may lie. */
const EXPECTED_BEYOND = 0.05;

/** Sets the score, from the statistics in `finding.raw`; what is usual for the car is learnt. */
export function createScoring(
  { usual }: ModelBundle,
  fusion: Fusion,
  { baselineAt }: Layout,
): (finding: Finding, seen: Seen, slots: Float32Array) => void {
  return (finding, { losses, restart, lost }, slots) => {
    const strangeness = fusion.strangenessOf(finding.raw);
    const sure = losses === null ? strangeness : LESS_SURE * strangeness;
    finding.score = lessBaseline(usual, sure, slots, baselineAt, restart, losses !== null);
    // Of a car that measures nothing nothing is strange.
    if (losses?.all === true) finding.score = 0;
    finding.lost = lost;
  };
}

/** Who ran the heads, and still knows what they found in the last event. */
export interface Witness {
  /** What the heads foretold of each channel, as features, NaN where nothing is told. */
  foretold(out: Float64Array): void;
  /** Each channel's part in a statistic of a head, then those of signals that stood still; false: it has none. */
  blame(head: number, statistic: number, parts: Float64Array): void;
}

/** Fills `expected` and `shares` of a finding: only when somebody wants to know. */
export function createExplaining(
  bundle: ModelBundle,
  fusion: Fusion,
  layout: Layout,
): (finding: Finding, witness: Witness) => void {
  const { scaler, still, losses } = bundle;
  const channels = scaler.signals.length;
  // What cannot be is not expected either, however strange a car's other readings are.
  const ranges = scaler.signals.map((signal) => bundle.catalogue.signals[signal]!);
  // A little beyond what the history knows: further out nobody believes what is foretold.
  const { lowest, highest } = losses;
  const margin = highest.map((most, k) => EXPECTED_BEYOND * (most - lowest[k]!));
  const least = lowest.map((value, k) => value - margin[k]!);
  const most = highest.map((value, k) => value + margin[k]!);
  const blamed = [...scaler.signals, ...still.signals];
  const parts = new Float64Array(blamed.length);
  const foretold = new Float64Array(channels);

  const tellExpected = ({ expected }: Finding, witness: Witness): void => {
    witness.foretold(foretold);
    for (let k = 0; k < channels; k += 1) {
      const feature = Math.min(most[k]!, Math.max(least[k]!, foretold[k]!));
      const { min, max } = ranges[k]!;
      const value = scaler.center[k]! + feature * scaler.scale[k]!;
      expected[scaler.signals[k]!] = value < min ? min : value > max ? max : value;
    }
  };

  /** Adds `weight`, as it falls on the signals that made a statistic, to their shares. */
  const blame = (
    finding: Finding,
    witness: Witness,
    head: number,
    statistic: number,
    weight: number,
  ): void => {
    parts.fill(0);
    witness.blame(head, statistic, parts);
    let whole = 0;
    for (const part of parts) whole += part;
    if (!(whole > 0)) return;
    for (let k = 0; k < blamed.length; k += 1) finding.shares[blamed[k]!]! += (weight * parts[k]!) / whole;
  };

  return (finding, witness) => {
    tellExpected(finding, witness);
    finding.shares.fill(0);
    layout.heads.forEach(({ statistics, statisticsAt }, h) => {
      for (let i = 0; i < statistics.length; i += 1) {
        const weight = fusion.partOf(statisticsAt + i);
        if (weight > 0) blame(finding, witness, h, i, weight);
      }
    });
  };
}
