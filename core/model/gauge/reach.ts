// How far out a channel's average is, by what whole cars do. Channels differ in how far they usually go and in how
// heavy their tails are; on this scale what is out of the question for one of them counts as much as what is out of the
// question for another.
import { TelltaleError } from '../../errors.ts';
import type { Floats } from '../numbers.ts';

/** Numbers that tell one channel's reach, as in ReachTails. */
export const REACH_NUMBERS = 3;

/**
 * 3·channels numbers. First for each channel the size u that one stretch of driving in ten passes, > 0. Then for each σ
 * / s and ξ / s, where σ (> 0) and ξ (≥ 0) are scale and shape of the generalised Pareto tail of the sizes beyond u,
 * and s is σ / u of the usual channel: one with that σ / u and ξ = 0 goes on in proportion to its size.
 */
export type ReachTails = Floats;

/** @throws TelltaleError MODEL_INVALID */
export function checkReach(tails: ReachTails, name: string): void {
  const channels = tails.length / REACH_NUMBERS;
  if (!tails.every((value, i) => (i < 2 * channels ? value > 0 : value >= 0)))
    throw new TelltaleError('MODEL_INVALID', `head ${name}: a reach is not positive`);
}

/** How far out a size of channel k is, ≥ 0: in proportion to 1, where one stretch in ten goes further, then 1 + ln(1 + ξz)/ξ. */
export function rarityOf(tails: ReachTails, k: number, size: number): number {
  const from = tails[k]!;
  if (size <= from) return size / from;
  const channels = tails.length / REACH_NUMBERS;
  const excess = (size - from) / tails[channels + k]!;
  const shape = tails[2 * channels + k]!;
  return 1 + (shape < 1e-6 ? excess : Math.log1p(shape * excess) / shape);
}
