// Judging rows by what was fitted without them: the raw statistics that tails and threshold are set on.
import { type BundleContent, sealBundle } from '../core/model/bundle.ts';
import { createDetector, type Detector } from '../core/model/detector.ts';
import { createFusion, type Fusion, planFusion } from '../core/model/fusion.ts';
import { createHead } from '../core/model/heads/heads.ts';
import { lessUsual, USUAL_STATE, type UsualScore } from '../core/model/usual.ts';
import type { Folds } from './folds.ts';
import { concat } from './methods.ts';
import type { Prepared } from './prepared.ts';
import { type FittedScaler, quantileOf } from './scaling.ts';
import type { Series } from './series.ts';
import type { Variant } from './variants.ts';

const NOTHING_USUAL: UsualScore = { typical: 0, most: 0 };
const NO_TAIL = { at: [0, 1], levels: [0, 1], slope: 1 };
/** Rows a detector is led through before a stretch of time it judges. */
const WARM_UP = 600;

/** What all fits share: rows as features, and who judges whom. */
export interface Ground {
  readonly prepared: Prepared;
  readonly variants: readonly Variant[];
  /** The place among them of a car's variant. */
  readonly variantOf: (car: string) => number;
  readonly folds: Folds;
  /** Signals no channel is made of, and why. */
  readonly leftOut: FittedScaler['leftOut'];
  /** Whether a signal that stood still and moves is an alert by itself. */
  readonly stillKnown: boolean;
  readonly shared: Omit<BundleContent, 'network' | 'heads' | 'tails' | 'usual' | 'threshold' | 'card'>;
}

export type Parts = Pick<BundleContent, 'network' | 'heads'>;

/** A detector of uncalibrated parts, for its raw statistics. */
function bareDetector({ shared }: Ground, parts: Parts): Detector {
  const channels = shared.scaler.signals.length;
  const tails = parts.heads.flatMap((head) => createHead(head, channels).statistics.map(() => NO_TAIL));
  const card = { seed: 0, backend: '', rows: 0, cars: 0, hours: 0, train: {} };
  return createDetector(sealBundle({ ...shared, ...parts, tails, usual: NOTHING_USUAL, threshold: 1, card }));
}

export interface Judged {
  readonly series: Series;
  /** Statistics of its rows by parts that had not seen them. */
  readonly raw: Float64Array;
}

/** Judges every row by the parts of its fold's absence. Stretches of time are entered with their recent past. */
export function judge(ground: Ground, series: readonly Series[], partsOf: (fold: number) => Parts): Judged[] {
  const { folds, shared } = ground;
  const width = shared.catalogue.signals.length;
  const detectors = Array.from({ length: folds.count }, (_, fold) => bareDetector(ground, partsOf(fold)));
  const count = detectors[0]!.statistics.length;
  let start = 0;
  return series.map((one) => {
    const n = one.tsMs.length;
    const raw = new Float64Array(n * count);
    for (let from = 0; from < n; ) {
      const fold = folds.ofRow[start + from]!;
      let to = from;
      while (to < n && folds.ofRow[start + to] === fold) to += 1;
      const detector = detectors[fold]!;
      const state = detector.newState();
      for (let i = Math.max(0, from - WARM_UP); i < to; i += 1) {
        const found = detector.step(state, one.values, one.tsMs[i]!, i * width).raw;
        if (i >= from) raw.set(found, i * count);
      }
      from = to;
    }
    start += n;
    return { series: one, raw };
  });
}

/** Every statistic of every row, row after row, by a detector that starts anew at each series. */
export function rawStatistics(detector: Detector, series: Series): Float64Array {
  const width = detector.bundle.catalogue.signals.length;
  const count = detector.statistics.length;
  const out = new Float64Array(series.tsMs.length * count);
  const state = detector.newState();
  for (let i = 0; i < series.tsMs.length; i += 1)
    out.set(detector.step(state, series.values, series.tsMs[i]!, i * width).raw, i * count);
  return out;
}

/** The score of every row, the state starting anew. */
export function scoreSeries(detector: Detector, series: Series): Float64Array {
  const width = detector.bundle.catalogue.signals.length;
  const state = detector.newState();
  return Float64Array.from(
    series.tsMs,
    (tsMs, i) => detector.step(state, series.values, tsMs, i * width).score,
  );
}

/** What the raw statistics of one row are together. */
type Measure = 'strangenessOf' | 'lengthOf';
type Fused = Pick<BundleContent, 'heads' | 'tails' | 'voices' | 'scaler'>;

/** How `content` puts statistics together. `ordinary`: those heard alone count like all others, to measure what that is worth. */
function fusionOf(content: Fused, ordinary: boolean): Fusion {
  const channels = content.scaler.signals.length;
  const plan = planFusion(
    content,
    content.heads.map((spec) => createHead(spec, channels)),
  );
  return createFusion(ordinary ? { ...plan, alone: plan.alone.map(() => 0) } : plan);
}

function measured(fusion: Fusion, raw: Float64Array, measure: Measure): Float64Array {
  const count = fusion.levels.length;
  return Float64Array.from({ length: raw.length / count }, (_, i) =>
    fusion[measure](raw.subarray(i * count, (i + 1) * count)),
  );
}

/** A series' strangeness as scores: less what is usual for the car, which is learnt faster after each pause. */
function scoresFrom({ tsMs }: Series, values: Float64Array, usual: UsualScore, gapMs: number): Float64Array {
  const state = new Float32Array(USUAL_STATE);
  return values.map((value, i) => {
    const restart = i === 0 || !(tsMs[i]! - tsMs[i - 1]! <= gapMs);
    return lessUsual(usual, value, state, 0, restart);
  });
}

/** Share of rows of cars held out whose score may count as a car's usual one. */
const USUAL_SHARE = 0.99;
/** The same where the history is of the one car that is scored: its usual is what it was then, however strange it becomes. */
const USUAL_SHARE_OF_ONE = 0.5;

/** How scoresOf is to tell what is usual of the cars of this history. */
export const usualOf = ({ folds }: Ground) => ({
  usualShare: folds.byTime ? USUAL_SHARE_OF_ONE : USUAL_SHARE,
});

export interface JudgedScores {
  readonly usual: UsualScore;
  readonly scores: readonly { readonly series: Series; readonly scores: Float64Array }[];
}

/** Scores of what was judged, by the tails and shares of `content`, and what scores are usual. */
export function scoresOf(
  content: Omit<BundleContent, 'threshold' | 'usual'>,
  judged: readonly Judged[],
  {
    measure = 'strangenessOf',
    usualShare = USUAL_SHARE,
    ordinary = false,
    nothingUsual = false,
  }: {
    readonly measure?: Measure;
    readonly usualShare?: number;
    readonly ordinary?: boolean;
    readonly nothingUsual?: boolean;
  } = {},
): JudgedScores {
  const fusion = fusionOf(content, ordinary);
  const values = judged.map(({ raw }) => measured(fusion, raw, measure));
  const sorted = concat(values).sort();
  const usual = nothingUsual
    ? NOTHING_USUAL
    : { typical: quantileOf(sorted, 0.5), most: quantileOf(sorted, usualShare) };
  return {
    usual,
    scores: judged.map(({ series }, i) => ({
      series,
      scores: scoresFrom(series, values[i]!, usual, content.gapMs),
    })),
  };
}

/** Scores of rows whose raw statistics are known, by a finished `content`, which has lost nothing of any car. */
export function scoresBy(
  content: BundleContent,
  rows: readonly Judged[],
  { ordinary = false }: { readonly ordinary?: boolean } = {},
): Float64Array[] {
  const fusion = fusionOf(content, ordinary);
  return rows.map(({ series, raw }) =>
    scoresFrom(series, measured(fusion, raw, 'strangenessOf'), content.usual, content.gapMs),
  );
}
