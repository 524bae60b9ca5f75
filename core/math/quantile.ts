// Quantiles of sorted numbers.

/** The q-quantile of a sorted array by linear interpolation; NaN of nothing. */
export function quantileOf(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const position = q * (sorted.length - 1);
  const low = Math.floor(position);
  const a = sorted[low]!;
  const b = sorted[Math.min(sorted.length - 1, low + 1)]!;
  return a + (b - a) * (position - low);
}
