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

/** An event on its way to its record: noted when it is taken in, told when it is scored, added in its turn. */
export interface ScoredEvent extends PackedScore {
  score: number;
  late: boolean;
  readonly partition: number;
  /** Event time of the car's newest event before this one; −Infinity: there is none. */
  readonly beforeMs: number;
  readings: Readings | null;
  words: Words | null;
}

export interface ScoreWriter {
  /** Notes the score, and as much more as is to be said of it, while its finding holds; `values` are its readings. */
  tell(event: ScoredEvent, finding: Finding, values: Float64Array, late: boolean): void;
  add(event: ScoredEvent): void;
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

/** Powers of ten by decimals. */
const SCALES = Float64Array.from({ length: 10 }, (_, decimals) => 10 ** decimals);

const rounded = (value: number, decimals: number) => {
  const scale = SCALES[decimals]!;
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
    tell: (event, finding, values, late) => {
      event.score = roundScore(finding.score);
      event.late = late;
      const lost = finding.lost.map((signal) => signals[signal]!.name);
      if (!isTold(event.vin, event.ts, event.beforeMs, event.score)) {
        if (lost.length > 0) event.words = { top: [], lost };
        return;
      }
      const { shares, expected: exact } = detector.explain();
      const expected = new Float64Array(signals.length);
      for (let i = 0; i < signals.length; i += 1) expected[i] = rounded(exact[i]!, decimals[i]!);
      const top = topSignals(shares).map((signal) => shareOf(values, expected, shares, signal));
      if (top.length > 0 || lost.length > 0) event.words = { top, lost };
      event.readings = { values: values.slice(), expected };
    },
    add: (event) => packer.add(event.partition, event, event.readings, event.words),
    finish: () => packer.finish(),
  };
}
