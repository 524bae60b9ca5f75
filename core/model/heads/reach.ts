// How far out a channel's average is, by what whole cars do. Channels differ in how far they usually go and in how heavy their tails
// are; on this scale what is out of the question for one of them counts as much as what is out of the question for another.
import { TelltaleError } from '../../errors.ts';
import type { Floats } from '../numbers.ts';

/** Numbers that tell one channel's reach, as in ReachTails. */
export const REACH_NUMBERS = 3;

/**
 * 3·channels: for each channel the size that one stretch of driving in ten passes (> 0); then for each the scale (> 0), then the shape
 * (≥ 0) of the generalised Pareto tail beyond it, of −ln of the share of stretches, times what makes a usual channel go on in
 * proportion to its size.
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
