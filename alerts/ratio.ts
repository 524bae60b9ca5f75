import type { Score } from '../core/events.ts';

/**
 * How far a score is on its way to the threshold and past it: the square of score/threshold, ≥ 0, 1 at the threshold. Scores are sums
 * of logarithms, of which a calm car reaches half the threshold; squared, it stays near a quarter, and 2 is far past. A threshold of
 * 0 calls every score strange: 1.
 */
export const ratioOf = ({ score, threshold }: Pick<Score, 'score' | 'threshold'>): number =>
  threshold > 0 ? (score / threshold) ** 2 : 1;
