// One scale for all heads: a statistic becomes −log10 of the share of normal events that reach it. Inside the range
// seen in calibration by interpolation between quantiles, beyond it along an exponential tail, so that no score is ever
// infinite.

/** A statistic's calibration: `levels[i]` is −log10 P(statistic ≥ at[i]); both strictly rising. */
export interface Tail {
  readonly at: number[];
  readonly levels: number[];
  /** Growth of the level per unit of the statistic beyond the last knot, > 0. */
  readonly slope: number;
}

/** The level of a statistic, ≥ 0, finite for finite input. */
export function tailLevel(tail: Tail, statistic: number): number {
  const { at, levels, slope } = tail;
  const last = at.length - 1;
  if (statistic >= at[last]!) return levels[last]! + (statistic - at[last]!) * slope;
  const first = at[0]!;
  if (!(statistic > first)) return levels[0]!;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (at[middle]! <= statistic) low = middle;
    else high = middle;
  }
  const part = (statistic - at[low]!) / (at[high]! - at[low]!);
  return levels[low]! + part * (levels[high]! - levels[low]!);
}

/** The statistic whose level is `level` (inverse of tailLevel on its range). */
export function statisticAt(tail: Tail, level: number): number {
  const { at, levels, slope } = tail;
  const last = at.length - 1;
  if (level >= levels[last]!) return at[last]! + (level - levels[last]!) / slope;
  let k = 1;
  while (k < last && levels[k]! < level) k += 1;
  const part = (level - levels[k - 1]!) / (levels[k]! - levels[k - 1]!);
  return at[k - 1]! + Math.max(0, part) * (at[k]! - at[k - 1]!);
}
