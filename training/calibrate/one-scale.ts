// Puts fitted parts on one scale: each statistic's tail, those heard alone against all others, kinds of cars against
// each other, voices, what score is usual, and the threshold that keeps the budget. Training does it once;
// bench/quality/leave-out.ts does the same again with something left out.
import type { BundleContent, Card } from '../../core/model/bundle.ts';
import { shapeOf } from '../../core/model/heads/kind.ts';
import type { Parts } from '../fit/ground.ts';
import {
  balanceAlone,
  type Held,
  heldScores,
  LEAST_THRESHOLD,
  limitAlarmsOf,
  thresholdOf,
  weigher,
} from './alert-budget.ts';
import type { HeldOutScores } from './held-out.ts';
import { fitStatisticTails } from './statistic-tails.ts';

/**
 * LimitAlarms have a budget of their own and raise the threshold by a hundredth to a thirtieth of what it is without
 * them. Where they would raise it by more, the history has faults that are loud in them, and nothing else may be
 * unheard for that.
 */
const WITH_VOICES = 1.035;

export interface OnOneScale {
  readonly content: BundleContent;
  /** Scores of the rows held out. */
  readonly scores: HeldOutScores['scores'];
  /** The heads as `content` weighs them, for parts fitted without some rows. */
  readonly weigh: (parts: Parts) => Parts;
}

/** What a bundle holds, from `parts` and from rows judged by what had not seen them. */
export function onOneScale(held: Held, parts: Parts, card: Card): OnOneScale {
  const { ground, judged } = held;
  const channels = ground.shared.scaler.signals.length;
  const shapes = parts.heads.map((spec) => shapeOf(spec, channels, ground.kinds));
  const measured = fitStatisticTails(shapes, judged, {
    several: ground.variants.length > 1,
    oneRig: ground.folds.byTime,
  });
  const { tails, limits } = balanceAlone(held, { ...ground.shared, ...parts, tails: measured, card });
  const unweighed = { ...ground.shared, ...parts, tails, card };
  const weigh = weigher(held, unweighed);
  const silent = { ...unweighed, ...weigh(parts) };
  const voices = limitAlarmsOf(held, silent, limits);
  const weighed = { ...silent, ...(voices && { voices }) };
  const { usual, scores } = heldScores(weighed, held);
  const most = voices ? WITH_VOICES * voices.strangeness : Number.POSITIVE_INFINITY;
  const exact = Math.min(thresholdOf(scores, held), most);
  // As many decimals as scores have, so that all who compare the two agree.
  const threshold = Math.ceil(Math.max(LEAST_THRESHOLD, exact) * 1e4) / 1e4;
  return { content: { ...weighed, usual, threshold }, scores, weigh };
}
