// What keeps one budget of alerts among many voices: the statistics that are heard alone against all others together,
// the variants of cars against each other, and the threshold for the score they make.
import type { BundleContent } from '../../core/model/bundle.ts';
import { shapeOf } from '../../core/model/heads/kind.ts';
import { variantPlace, weighVariants } from '../../core/model/heads/variant/fit.ts';
import type { LimitAlarms } from '../../core/model/limit-alarm.ts';
import type { Tail } from '../../core/model/tail.ts';
import type { Budget } from '../data/alerts-asked.ts';
import { carsIn, hoursIn, type Series } from '../data/series.ts';
import type { Ground, Parts } from '../fit/ground.ts';
import { withoutPauses } from './alerts.ts';
import { type HeldOutRows, type HeldOutScores, scoresOf, usualOf } from './held-out.ts';
import { type Calibration, calibrate, keptBackOf, rarerLevel } from './threshold.ts';

/** Below it nothing is strange, whatever the budget. */
export const LEAST_THRESHOLD = 0.5;

type Scores = HeldOutScores['scores'];
type Uncalibrated = Omit<BundleContent, 'usual' | 'threshold'>;

/** Rows judged by what had not seen them, and the alerts they may raise. */
export interface Held {
  readonly ground: Ground;
  readonly judged: readonly HeldOutRows[];
  readonly alertsPerHour: number;
  /** What is left out of putting them together, to measure what it is worth. */
  readonly without?: {
    /** Statistics heard alone count like all others. */
    readonly fourth?: boolean;
    /** One a statistic: it has no voice. */
    readonly voices?: readonly boolean[];
    /** Nothing is usual for a car. */
    readonly usual?: boolean;
  };
}

/**
 * What weighs parts of the evidence is deeper in the tail: raw statistics have longer tails than scores, and of what a
 * budget allows after caution a part gets a share.
 */
const cautionOfPart = (cars: number): Pick<Budget, 'keptBack' | 'beyond'> => ({
  keptBack: 1 - SHARE_OF_PARTS * (1 - keptBackOf(cars)),
  beyond: 9,
});
const SHARE_OF_PARTS = 0.6;

function calibrationOf(scores: Scores, { ground, alertsPerHour }: Held, isPart = false): Calibration {
  const { shared, folds } = ground;
  const series = scores.map((one) => one.series);
  const hours = hoursIn(series, shared.gapMs);
  const cars = carsIn(series).length;
  return calibrate(
    scores.flatMap((one) => withoutPauses(one.series.tsMs, one.scores, shared.gapMs)),
    shared.hysteresis,
    { alertsPerHour, hours, sameCars: folds.byTime, cars, ...(isPart ? cautionOfPart(cars) : {}) },
  );
}

/** The threshold at which these scores, of cars among those held out, keep the budget. */
export const thresholdOf = (scores: Scores, held: Held): number => calibrationOf(scores, held).threshold;

const leftOut = ({ without = {} }: Held) => ({
  ordinary: without.fourth === true,
  nothingUsual: without.usual === true,
});

/** Scores of what was held out, by `content`. */
export const heldScores = (content: Uncalibrated, held: Held): HeldOutScores =>
  scoresOf(content, held.judged, { ...usualOf(held.ground), ...leftOut(held) });

const SILENT: Tail = { at: [0, 1], levels: [0, 1e-9], slope: 1e-9 };
/** Of the alerts that a part of the evidence may raise, those that one voice may: there are six, and each is one channel. */
const OF_ONE_VOICE = 0.4;

interface Balanced {
  readonly tails: Tail[];
  /** As in LimitAlarms; empty: there are none. */
  readonly limits: LimitAlarms['limits'];
}

/**
 * The tails with those of statistics heard alone replaced: in proportion, so that each alone would keep the budget at
 * the same length as all the others together. And the limits of their voices.
 */
export function balanceAlone(held: Held, content: Uncalibrated): Balanced {
  const { ground, judged } = held;
  const channels = ground.shared.scaler.signals.length;
  const heads = content.heads.map((spec) => ({ spec, head: shapeOf(spec, channels, ground.kinds) }));
  const alone = heads.flatMap(({ head }) => head.alone ?? head.statistics.map(() => 0));
  // What is left of one rig's few rows says little of how often one channel goes how far: its own tail stays.
  if (ground.folds.byTime || !alone.includes(1)) return { tails: content.tails, limits: [] };
  const tails = content.tails.map((tail, s) => (alone[s] === 1 ? SILENT : tail));
  const together = scoresOf({ ...content, tails }, judged, {
    measure: 'lengthOf',
    kinds: ground.kinds,
  }).scores;
  const places = heads.flatMap(({ spec, head }) =>
    head.statistics.map(() => variantPlace(spec, ground.variants)),
  );
  const among = (place: number) => (one: { readonly series: Series }) =>
    place === -1 || ground.variantOf(one.series.id) === place;
  const levels = new Map(
    [...new Set(places)].map((place) => {
      const { threshold } = calibrationOf(together.filter(among(place)), held, true);
      return [place, Math.max(LEAST_THRESHOLD, threshold)];
    }),
  );
  const limits = alone.map((): number | null => null);
  const balanced = tails.map((tail, s) => {
    if (alone[s] !== 1) return tail;
    const single = judged.filter(among(places[s]!)).map(({ series, raw }) => ({
      series,
      scores: Float64Array.from(series.tsMs, (_, i) => raw[i * alone.length + s]!),
    }));
    const calibration = calibrationOf(single, held, true);
    limits[s] = Math.max(1e-6, rarerLevel(calibration, OF_ONE_VOICE));
    const slope = levels.get(places[s]!)! / Math.max(1e-6, calibration.threshold);
    return { at: [0, 1], levels: [0, slope], slope };
  });
  return { tails: held.without?.fourth === true ? content.tails : balanced, limits };
}

/** The limits with that of signals that stood still, where it is known how seldom they move. */
function withConstants(
  { ground }: Held,
  content: Uncalibrated,
  limits: LimitAlarms['limits'],
): LimitAlarms['limits'] {
  if (!ground.constantsKnown) return limits;
  const channels = ground.shared.scaler.signals.length;
  const loud = content.heads.flatMap((spec) => {
    const shape = shapeOf(spec, channels, ground.kinds);
    return shape.statistics.map(() => shape.loud ?? null);
  });
  return loud.map((limit, s) => limit ?? limits[s] ?? null);
}

/** The voices of `content`, which has none, by the limits of those heard alone. */
export function limitAlarmsOf(
  held: Held,
  content: Uncalibrated,
  alone: Balanced['limits'],
): LimitAlarms | undefined {
  const silent = held.without?.voices ?? [];
  const limits = withConstants(held, content, alone).map((limit, s) => (silent[s] === true ? null : limit));
  if (limits.every((limit) => limit === null)) return undefined;
  const together = thresholdOf(heldScores(content, held).scores, held);
  return { limits, strangeness: Math.max(LEAST_THRESHOLD, together) };
}

/** What weighs the heads of each variant so that one threshold keeps the budget in all of them. */
export function weigher(held: Held, content: Uncalibrated): (parts: Parts) => Parts {
  const { variants, variantOf } = held.ground;
  if (variants.length === 1) return (parts) => parts;
  const { scores } = scoresOf(content, held.judged, { ...leftOut(held), kinds: held.ground.kinds });
  const thresholds = variants.map((_, v) => {
    const own = scores.filter(({ series }) => variantOf(series.id) === v);
    return Math.max(LEAST_THRESHOLD, calibrationOf(own, held, true).threshold);
  });
  const factors = thresholds.map((threshold) => Math.min(...thresholds) / threshold);
  return (parts) => ({ ...parts, heads: weighVariants(parts.heads, variants, factors) });
}
