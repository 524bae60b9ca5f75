// Judging rows by what was fitted without them: the raw statistics that tails and threshold are set on.

import { concat } from '../../core/math/concat.ts';
import { quantileOf } from '../../core/math/quantile.ts';
import { type BundleContent, sealBundle } from '../../core/model/bundle.ts';
import { BASELINE_STATE, type CarBaseline, lessBaseline } from '../../core/model/car-baseline.ts';
import { createDetector, type Detector } from '../../core/model/detector.ts';
import { createFusion, type Fusion, planFusion } from '../../core/model/fusion.ts';
import { type HeadKinds, shapeOf } from '../../core/model/heads/kind.ts';
import { HEAD_KINDS } from '../../core/model/heads/kinds.ts';
import { MOST_IN_WAVE } from '../../core/model/wave.ts';
import { yieldNow } from '../../core/yield.ts';
import type { Series } from '../data/series.ts';
import type { Ground, Parts } from '../fit/ground.ts';
import { followStretches, type Stretch, whole } from './waves.ts';

const NO_BASELINE: CarBaseline = { typical: 0, most: 0 };

const NO_TAIL = { at: [0, 1], levels: [0, 1], slope: 1 };

/** Rows a detector is led through before a stretch of time it judges. */
const WARM_UP = 600;

/** A detector of uncalibrated parts, for its raw statistics. */
function bareDetector({ shared, kinds }: Ground, parts: Parts): Detector {
  const channels = shared.scaler.signals.length;
  const tails = parts.heads.flatMap((head) => shapeOf(head, channels, kinds).statistics.map(() => NO_TAIL));
  const card = { seed: 0, backend: '', rows: 0, cars: 0, hours: 0, train: {} };
  return createDetector(
    sealBundle({ ...shared, ...parts, tails, usual: NO_BASELINE, threshold: 1, card }),
    kinds,
  );
}

export interface HeldOutRows {
  readonly series: Series;
  /** Statistics of its rows by parts that had not seen them. */
  readonly raw: Float64Array;
}

/** Judges every row by the parts of its fold's absence. Stretches of time are entered with their recent past. */
export function replayHeldOut(
  ground: Ground,
  series: readonly Series[],
  partsOf: (fold: number) => Parts,
): HeldOutRows[] {
  const { folds } = ground;
  const stretches: Stretch[][] = Array.from({ length: folds.count }, () => []);
  /** Of each fold's stretches the series, and the row from which on it counts. */
  const counted: { readonly one: number; readonly from: number }[][] = stretches.map(() => []);
  let start = 0;
  for (const [one, { tsMs }] of series.entries()) {
    for (let from = 0; from < tsMs.length; ) {
      const fold = folds.ofRow[start + from]!;
      let to = from;
      while (to < tsMs.length && folds.ofRow[start + to] === fold) to += 1;
      stretches[fold]!.push({ series: series[one]!, from: Math.max(0, from - WARM_UP), to });
      counted[fold]!.push({ one, from });
      from = to;
    }
    start += tsMs.length;
  }
  let raws: Float64Array[] | undefined;
  for (let fold = 0; fold < folds.count; fold += 1) {
    const detector = bareDetector(ground, partsOf(fold));
    const count = detector.statistics.length;
    raws ??= series.map(({ tsMs }) => new Float64Array(tsMs.length * count));
    followStretches(detector, stretches[fold]!, ({ raw }, stretch, row) => {
      const { one, from } = counted[fold]![stretch]!;
      if (row >= from) raws![one]!.set(raw, row * count);
    });
  }
  return series.map((one, i) => ({ series: one, raw: raws![i]! }));
}

/** The score of every row, the state starting anew. */
export function scoreSeries(detector: Detector, series: Series): Float64Array {
  return scoreAll(detector, [series])[0]!;
}

/** The score of every row of every series, the state starting anew at each. */
export function scoreAll(detector: Detector, series: readonly Series[]): Float64Array[] {
  const scores = series.map(({ tsMs }) => new Float64Array(tsMs.length));
  followStretches(detector, series.map(whole), ({ score }, one, row) => {
    scores[one]![row] = score;
  });
  return scores;
}

/** A series, and the fold that is judged by parts that have not seen it. */
interface OfFold {
  readonly fold: number;
  readonly series: Series;
}

/** The scores of every series by the detector of its fold, hearing `signal` from wave to wave. @throws TelltaleError ABORTED */
export async function scoreByFold(
  detectors: readonly Detector[],
  list: readonly OfFold[],
  signal: AbortSignal,
): Promise<Float64Array[]> {
  const out: Float64Array[] = [];
  for (const [fold, detector] of detectors.entries()) {
    const places = [...list.keys()].filter((i) => list[i]!.fold === fold);
    for (let from = 0; from < places.length; from += MOST_IN_WAVE) {
      await yieldNow(signal);
      const some = places.slice(from, from + MOST_IN_WAVE);
      const scores = scoreAll(
        detector,
        some.map((i) => list[i]!.series),
      );
      for (const [s, i] of some.entries()) out[i] = scores[s]!;
    }
  }
  return out;
}

/** What the raw statistics of one row are together. */
type Measure = 'strangenessOf' | 'lengthOf';

type Fused = Pick<BundleContent, 'heads' | 'tails' | 'voices' | 'scaler'>;

/** How `content` puts statistics together. `ordinary`: those heard alone count like all others, to measure what that is worth. */
function fusionOf(content: Fused, ordinary: boolean, kinds: HeadKinds): Fusion {
  const channels = content.scaler.signals.length;
  const plan = planFusion(
    content,
    content.heads.map((spec) => shapeOf(spec, channels, kinds)),
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
function scoresFrom({ tsMs }: Series, values: Float64Array, usual: CarBaseline, gapMs: number): Float64Array {
  const state = new Float32Array(BASELINE_STATE);
  return values.map((value, i) => {
    const restart = i === 0 || !(tsMs[i]! - tsMs[i - 1]! <= gapMs);
    return lessBaseline(usual, value, state, 0, restart);
  });
}

/** Share of rows of cars held out whose score may count as a car's usual one. */
const USUAL_SHARE = 0.99;

/** The same where the history is of the one car that is scored: its usual is what it was then, however strange it becomes. */
const USUAL_SHARE_OF_ONE = 0.5;

/** How scoresOf is to tell what is usual of the cars of this history. */
export const usualOf = ({ folds, kinds }: Ground) => ({
  kinds,
  usualShare: folds.byTime ? USUAL_SHARE_OF_ONE : USUAL_SHARE,
});

export interface HeldOutScores {
  readonly usual: CarBaseline;
  readonly scores: readonly { readonly series: Series; readonly scores: Float64Array }[];
}

/** Scores of what was judged, by the tails and shares of `content`, and what scores are usual. */
export function scoresOf(
  content: Omit<BundleContent, 'threshold' | 'usual'>,
  judged: readonly HeldOutRows[],
  {
    measure = 'strangenessOf',
    usualShare = USUAL_SHARE,
    ordinary = false,
    nothingUsual = false,
    kinds = HEAD_KINDS,
  }: {
    readonly measure?: Measure;
    readonly usualShare?: number;
    readonly ordinary?: boolean;
    readonly nothingUsual?: boolean;
    readonly kinds?: HeadKinds;
  } = {},
): HeldOutScores {
  const fusion = fusionOf(content, ordinary, kinds);
  const values = judged.map(({ raw }) => measured(fusion, raw, measure));
  const sorted = concat(values).sort();
  const usual = nothingUsual
    ? NO_BASELINE
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
  rows: readonly HeldOutRows[],
  { ordinary = false }: { readonly ordinary?: boolean } = {},
): Float64Array[] {
  const fusion = fusionOf(content, ordinary, HEAD_KINDS);
  return rows.map(({ series, raw }) =>
    scoresFrom(series, measured(fusion, raw, 'strangenessOf'), content.usual, content.gapMs),
  );
}
