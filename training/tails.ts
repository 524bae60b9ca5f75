// Fits each statistic's tail: quantiles of held-out events, beyond them an exponential tail (peaks over threshold; Pickands
// 1975, with shape 0). And the threshold that keeps a budget of alerts, after hysteresis.
import { type Hysteresis, isActive, stepHysteresis } from '../core/model/hysteresis.ts';
import type { Tail } from '../core/model/tail.ts';
import { quantileOf } from './scaling.ts';

const LEVELS = [0, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.3, 1.6, 2, 2.3, 2.6, 3] as const;
/** Events that must lie beyond a knot for it to be trusted. */
const MIN_BEYOND = 20;

/** `statistics`: values on normal events, any order. `trim`: share of the largest that is taken for faults and left out. */
export function fitTail(statistics: Float64Array, trim: number): Tail {
  const all = statistics.slice().sort();
  const sorted = all.subarray(0, Math.max(2, Math.ceil(all.length * (1 - trim))));
  const at: number[] = [];
  const levels: number[] = [];
  for (const level of LEVELS) {
    const share = 10 ** -level;
    if (level > 0 && share * sorted.length < MIN_BEYOND) break;
    const knot = quantileOf(sorted, 1 - share);
    if (at.length > 0 && !(knot > at.at(-1)! + 1e-12)) continue;
    at.push(knot);
    levels.push(level);
  }
  if (at.length === 1) {
    at.push(at[0]! + 1e-6);
    levels.push(LEVELS[1]);
  }
  const last = at.at(-1)!;
  let beyond = 0;
  let excess = 0;
  for (let i = sorted.length - 1; i >= 0 && sorted[i]! > last; i -= 1) {
    beyond += 1;
    excess += sorted[i]! - last;
  }
  const mean = beyond > 0 && excess > 0 ? excess / beyond : Math.max(1e-6, 0.2 * Math.abs(last));
  return { at, levels, slope: 1 / (mean * Math.LN10) };
}

/** Alerts raised over series of scores at a threshold. */
export function countAlerts(
  scores: readonly Float64Array[],
  threshold: number,
  hysteresis: Hysteresis,
): number {
  let alerts = 0;
  for (const series of scores) {
    let state = 0;
    for (let i = 0; i < series.length; i += 1) {
      const before = isActive(state);
      state = stepHysteresis(hysteresis, state, series[i]! >= threshold);
      if (!before && isActive(state)) alerts += 1;
    }
  }
  return alerts;
}

/**
 * The lowest threshold whose alerts keep within `perHour` over `hours` of held-out driving. Where the budget allows less than
 * a handful of alerts over those hours, log(alerts) is continued along its trend over the thresholds before.
 */
export function thresholdForBudget(
  scores: readonly Float64Array[],
  hours: number,
  perHour: number,
  hysteresis: Hysteresis,
): number {
  const allowed = perHour * hours;
  const enough = Math.max(allowed, 4);
  const top = scores.reduce((most, series) => series.reduce((a, b) => Math.max(a, b), most), 0);
  const keeps = (count: number) => {
    let low = 0;
    let high = top + 1e-9;
    for (let i = 0; i < 40; i += 1) {
      const middle = (low + high) / 2;
      if (countAlerts(scores, middle, hysteresis) <= count) high = middle;
      else low = middle;
    }
    return high;
  };
  const here = keeps(enough);
  if (allowed >= enough) return Math.max(here, 0.1);
  const wider = keeps(enough * 4);
  const perDecade = Math.max(0.3, (here - wider) / Math.log10(4));
  return Math.max(0.1, here + perDecade * Math.log10(enough / Math.max(allowed, 1e-3)));
}
