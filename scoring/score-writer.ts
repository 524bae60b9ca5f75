// From findings to the records of `scores.<model>`: how much is said of each score (docs/design/0009), on the scorer's
// hot path. Told in full, with readings, expectations and the signals to blame, is a score on its way to the threshold
// or past it, the first of a car, one in about ten of a calm car, and each of a car that somebody looks at. Of the
// others where they stand, and how high they are.
import type { SignalShare } from '../core/events.ts';
import type { Detector, Finding } from '../core/model/detector.ts';
import { roundScore } from '../core/model/hysteresis.ts';
import {
  type PackedScore,
  type Readings,
  ScorePacker,
  type ScoreRecord,
  type Words,
} from '../core/score-pack.ts';
import type { TelemetryEvent } from '../core/telemetry-reader.ts';

export interface ScoredEvent extends Pick<TelemetryEvent, 'vin' | 'seq' | 'tsMs' | 'values'> {
  readonly partition: number;
  readonly offset: number;
  /** Ingest time, ms. */
  readonly receivedMs: number;
  readonly late: boolean;
  readonly finding: Finding;
  /** Event time of the car's newest event before this one; −Infinity: there is none. */
  readonly beforeMs: number;
}

/** What a record says of a score. */
export interface ToldScore {
  readonly partition: number;
  readonly head: PackedScore;
  readonly readings: Readings | null;
  readonly words: Words | null;
}

export interface ScoreWriter {
  /** As much as is to be said of a score, while its finding holds. */
  tell(scored: ScoredEvent): ToldScore;
  add(told: ToldScore): void;
  /** The records of all that was added since the last call. */
  finish(): readonly ScoreRecord[];
}

/** Signals named in a score. */
const TOP = 3;
/** A signal with a smaller share of the score is not named. */
const MIN_SHARE = 0.05;
/** Part of the threshold from which a score is told in full: the page calls a car unusual that stays about there. */
const TOLD_FROM = 0.75;
/** Usual steps of a calm car from one score told in full to the next. */
const TOLD_EVERY_STEPS = 10;

/** Decimals that show a thousandth of the signal's spread or so: what a person or a chart can tell. */
const decimalsFor = (spread: number) => Math.min(9, Math.max(0, 3 - Math.floor(Math.log10(spread))));

/** Decimals in which a reading is given; it is rounded beyond, as are the readings of the sensors themselves. */
const READING_DECIMALS = 6;

const rounded = (value: number, decimals: number) => {
  const scale = 10 ** decimals;
  const result = Math.round(value * scale) / scale;
  return Number.isFinite(result) ? result : value;
};

/** The signals that made the score, largest share first. */
export function topSignals(shares: Float64Array, most = TOP, minShare = MIN_SHARE): number[] {
  const top: number[] = [];
  let least = minShare;
  for (let i = 0; i < shares.length; i += 1) {
    const share = shares[i]!;
    if (share <= least) continue;
    let place = top.length;
    while (place > 0 && shares[top[place - 1]!]! < share) place -= 1;
    top.splice(place, 0, i);
    if (top.length > most) top.length = most;
    if (top.length === most) least = shares[top[most - 1]!]!;
  }
  return top;
}

/** A number of the car's own, 32 bits, so that not all cars are told in full in the same second. */
function phaseOf(vin: string): number {
  let hash = 0;
  for (let i = Math.max(0, vin.length - 6); i < vin.length; i += 1)
    hash = Math.imul(hash ^ vin.charCodeAt(i), 0x9e3779b1);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/**
 * A writer for one model.
 * @param isWatched whether somebody looks at a car
 */
export function createScoreWriter(
  detector: Detector,
  version: string,
  isWatched: (vin: string) => boolean = () => false,
): ScoreWriter {
  const { bundle } = detector;
  const { signals } = bundle.catalogue;
  const toldFrom = TOLD_FROM * bundle.threshold;
  const toldEveryMs = TOLD_EVERY_STEPS * bundle.stepMs;
  const decimals = new Uint8Array(signals.length).fill(READING_DECIMALS);
  bundle.scaler.signals.forEach((signal, k) => {
    decimals[signal] = decimalsFor(bundle.scaler.scale[k]!);
  });
  const packer = new ScorePacker(version, bundle.threshold, signals.length);

  const isTold = (vin: string, tsMs: number, beforeMs: number, score: number): boolean => {
    if (score >= toldFrom) return true;
    const phase = phaseOf(vin) % toldEveryMs;
    const turn = Math.floor((tsMs + phase) / toldEveryMs);
    return turn !== Math.floor((beforeMs + phase) / toldEveryMs) || isWatched(vin);
  };

  const shareOf = (
    values: Float64Array,
    expected: Float64Array,
    shares: Float64Array,
    signal: number,
  ): SignalShare => {
    const value = values[signal]!;
    const usual = expected[signal]!;
    return {
      signal: signals[signal]!.name,
      value: Number.isNaN(value) ? null : rounded(value, READING_DECIMALS),
      expected: Number.isNaN(usual) ? null : usual,
      share: rounded(shares[signal]!, 3),
    };
  };

  return {
    tell: ({ vin, seq, tsMs, values, partition, offset, receivedMs, late, finding, beforeMs }) => {
      const score = roundScore(finding.score);
      const told = isTold(vin, tsMs, beforeMs, score);
      const lost = finding.lost.map((signal) => signals[signal]!.name);
      const head = { vin, seq, ts: tsMs, receivedTs: receivedMs, offset, score, late };
      if (!told)
        return { partition, head, readings: null, words: lost.length > 0 ? { top: [], lost } : null };
      const { shares, expected: exact } = detector.explain();
      const expected = exact.map((value, i) => rounded(value, decimals[i]!));
      const top = topSignals(shares).map((signal) => shareOf(values, expected, shares, signal));
      const words = top.length > 0 || lost.length > 0 ? { top, lost } : null;
      return { partition, head, readings: { values: values.slice(), expected }, words };
    },
    add: ({ partition, head, readings, words }) => packer.add(partition, head, readings, words),
    finish: () => packer.finish(),
  };
}
