// Fits each statistic's tail: quantiles of held-out events, beyond them an exponential tail (peaks over threshold;
// Pickands 1975, with shape 0).

import { quantileOf } from '../math/quantile.ts';
import type { Tail } from './tail.ts';

const LEVELS = [0, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.3, 1.6, 2, 2.3, 2.6, 3] as const;
/** Events that must lie beyond a knot for it to be trusted. */
const MIN_BEYOND = 20;

/** `statistics`: values on normal events, any order. `trim`: share of the largest that is taken for faults and left out. */
export function fitTail(statistics: Float64Array, trim: number): Tail {
  return tailOfSorted(statistics.slice().sort(), trim);
}

/** The same of values that rise. */
export function tailOfSorted(all: Float64Array, trim: number): Tail {
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
