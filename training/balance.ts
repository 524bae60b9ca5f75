// What keeps one budget of alerts among many voices: the statistics that are heard alone against all others together, the
// variants of cars against each other, and the threshold for the score they make.
import type { BundleContent } from '../core/model/bundle.ts';
import { createHead } from '../core/model/heads/heads.ts';
import type { Tail } from '../core/model/tail.ts';
import type { Voices } from '../core/model/voices.ts';
import { type Budget, type Calibration, calibrate, keptBackOf, rarerLevel } from './calibrate.ts';
import { type Ground, type Judged, type JudgedScores, type Parts, scoresOf } from './judge.ts';
import { carsIn, hoursIn, type Series } from './series.ts';
import { variantPlace, weighVariants } from './variants.ts';

/** Below it nothing is strange, whatever the budget. */
export const LEAST_THRESHOLD = 0.5;

type Scores = JudgedScores['scores'];
type Uncalibrated = Omit<BundleContent, 'usual' | 'threshold'>;

/** Rows judged by what had not seen them, and the alerts they may raise. */
export interface Held {
  readonly ground: Ground;
  readonly judged: readonly Judged[];
  readonly alertsPerHour: number;
}

/**
 * What weighs parts of the evidence is deeper in the tail: raw statistics have longer tails than scores, and of what a budget allows after
 * caution a part gets a share.
 */
const cautionOfParts = (held: Held) => ({
  keptBack: 1 - SHARE_OF_PARTS * (1 - keptBackOf(carsIn(held.judged.map(({ series }) => series)).length)),
  beyond: 9,
});
const SHARE_OF_PARTS = 0.6;

function calibrationOf(
  scores: Scores,
  { ground, alertsPerHour }: Held,
  caution: Pick<Budget, 'keptBack' | 'beyond'>,
): Calibration {
  const { shared, folds } = ground;
  const series = scores.map((one) => one.series);
  const hours = hoursIn(series, shared.gapMs);
  return calibrate(
    scores.map((one) => one.scores),
    shared.hysteresis,
    { alertsPerHour, hours, sameCars: folds.byTime, cars: carsIn(series).length, ...caution },
  );
}

/** The threshold at which these scores, of cars among those held out, keep the budget. */
export const thresholdOf = (
  scores: Scores,
  held: Held,
  caution: Pick<Budget, 'keptBack' | 'beyond'> = {},
): number => calibrationOf(scores, held, caution).threshold;

const SILENT: Tail = { at: [0, 1], levels: [0, 1e-9], slope: 1e-9 };
/** Of the alerts that a part of the evidence may raise, those that one voice may: there are six, and each is one channel. */
const OF_ONE_VOICE = 0.4;

interface Balanced {
  readonly tails: Tail[];
  /** As in Voices; empty: there are none. */
  readonly limits: Voices['limits'];
}

/**
 * The tails with those of statistics heard alone replaced: in proportion, so that each alone would keep the budget at the same
 * length as all the others together. And the limits of their voices.
 */
export function balanceAlone(held: Held, content: Uncalibrated): Balanced {
  const { ground, judged } = held;
  const channels = ground.shared.scaler.signals.length;
  const heads = content.heads.map((spec) => ({ spec, head: createHead(spec, channels) }));
  const alone = heads.flatMap(({ head }) => head.alone ?? head.statistics.map(() => 0));
  // What is left of one rig's few rows says little of how often one channel goes how far: its own tail stays.
  if (ground.folds.byTime || !alone.includes(1)) return { tails: content.tails, limits: [] };
  const tails = content.tails.map((tail, s) => (alone[s] === 1 ? SILENT : tail));
  const together = scoresOf({ ...content, tails }, judged, { measure: 'lengthOf' }).scores;
  const places = heads.flatMap(({ spec, head }) =>
    head.statistics.map(() => variantPlace(spec, ground.variants)),
  );
  const among = (place: number) => (one: { readonly series: Series }) =>
    place === -1 || ground.variantOf(one.series.id) === place;
  const levels = new Map(
    [...new Set(places)].map((place) => {
      const level = thresholdOf(together.filter(among(place)), held, cautionOfParts(held));
      return [place, Math.max(LEAST_THRESHOLD, level)];
    }),
  );
  const limits = alone.map((): number | null => null);
  const balanced = tails.map((tail, s) => {
    if (alone[s] !== 1) return tail;
    const single = judged.filter(among(places[s]!)).map(({ series, raw }) => ({
      series,
      scores: Float64Array.from(series.tsMs, (_, i) => raw[i * alone.length + s]!),
    }));
    const calibration = calibrationOf(single, held, cautionOfParts(held));
    limits[s] = Math.max(1e-6, rarerLevel(calibration, OF_ONE_VOICE));
    const slope = levels.get(places[s]!)! / Math.max(1e-6, calibration.threshold);
    return { at: [0, 1], levels: [0, slope], slope };
  });
  return { tails: balanced, limits };
}

/** The voices of `content`, which has none, by their limits. */
export function voicesOf(held: Held, content: Uncalibrated, limits: Balanced['limits']): Voices | undefined {
  if (limits.length === 0) return undefined;
  const together = thresholdOf(scoresOf(content, held.judged).scores, held);
  return { limits, strangeness: Math.max(LEAST_THRESHOLD, together) };
}

/** What weighs the heads of each variant so that one threshold keeps the budget in all of them. */
export function weigher(held: Held, content: Uncalibrated): (parts: Parts) => Parts {
  const { variants, variantOf } = held.ground;
  if (variants.length === 1) return (parts) => parts;
  const { scores } = scoresOf(content, held.judged);
  const thresholds = variants.map((_, v) => {
    const own = scores.filter(({ series }) => variantOf(series.id) === v);
    return Math.max(LEAST_THRESHOLD, thresholdOf(own, held, cautionOfParts(held)));
  });
  const factors = thresholds.map((threshold) => Math.min(...thresholds) / threshold);
  return (parts) => ({ ...parts, heads: weighVariants(parts.heads, variants, factors) });
}
