// The generalised Pareto tail: P(X > x) = (1 + ξx/σ)^(−1/ξ), for ξ → 0 the exponential.

/** ξ beyond these is not believed on the few dozen peaks there are. */
const LEAST_SHAPE = -0.2;
const MOST_SHAPE = 0.3;

export interface Pareto {
  /** σ > 0. */
  readonly scale: number;
  /** ξ */
  readonly shape: number;
}

/**
 * Fits excesses (ascending, ≥ 0) by probability-weighted moments (Hosking & Wallis 1987); the shape is drawn towards
 * the exponential as if it had been seen on `prior` more excesses, because a handful of peaks says little about it.
 */
export function fitGeneralizedPareto(excesses: Float64Array, prior = 20): Pareto {
  const n = excesses.length;
  if (n === 0) return { scale: 1e-6, shape: 0 };
  let mean = 0;
  let weighted = 0;
  for (let i = 0; i < n; i += 1) {
    mean += excesses[i]! / n;
    weighted += (excesses[i]! * (1 - (i + 0.65) / n)) / n;
  }
  if (!(mean > 0)) return { scale: 1e-6, shape: 0 };
  const raw = 2 - mean / Math.max(1e-12, mean - 2 * weighted);
  const drawn = (raw * n) / (n + prior);
  const shape = Math.min(MOST_SHAPE, Math.max(LEAST_SHAPE, Number.isFinite(drawn) ? drawn : 0));
  // The mean of the tail is σ / (1 − ξ): kept, whatever was done to the shape.
  return { scale: Math.max(1e-6, mean * (1 - shape)), shape };
}

/** The excess that a share of peaks exceeds. */
export function quantileOfPareto(scale: number, shape: number, share: number): number {
  if (share >= 1) return 0;
  return Math.abs(shape) < 1e-6 ? -scale * Math.log(share) : (scale * (share ** -shape - 1)) / shape;
}
