// Fits how far single channels' averages go in stretches of whole cars (core/model/heads/reach.ts): from where their furthest tenth
// begins, a generalised Pareto tail.
import { invariant } from '../../core/errors.ts';
import { fitGeneralizedPareto, quantileOfPareto } from '../extremes.ts';
import { quantileOf } from '../scaling.ts';

/** The furthest that each channel's average went from its centre in each stretch of driving. */
export interface Extremes {
  readonly channels: number;
  /** stretches × channels. */
  readonly sizes: readonly Float32Array[];
  /** Fold of each stretch. */
  readonly folds: readonly number[];
}

/** The stretches that tell a channel's reach: those in which it goes furthest, this share of all, and no fewer than a few. */
const FURTHEST = 0.1;
const FEW = 8;
const LEAST_REACH = 1e-3;
/**
 * Stretches' worth that all channels together say of how steep the tail of one is: with the few stretches of a small history it is
 * theirs, with a fleet's it is the channel's own.
 */
const KIN = 40;

interface OneReach {
  readonly from: number;
  readonly scale: number;
  readonly shape: number;
}

/** The tail of one channel from what a tenth of the stretches pass on; its shape no lighter than an exponential's. */
function reachOf(sizes: Float64Array): OneReach {
  const furthest = sizes.subarray(-Math.max(FEW, Math.ceil(FURTHEST * sizes.length)));
  const base = furthest[0]!;
  const fitted = fitGeneralizedPareto(furthest.map((size) => size - base));
  const shape = Math.max(0, fitted.shape);
  // The mean of the excesses is scale / (1 − shape): kept.
  const scale = (fitted.scale * (1 - shape)) / (1 - fitted.shape);
  const beyond = quantileOfPareto(scale, shape, Math.min(1, (FURTHEST * sizes.length) / furthest.length));
  return { from: Math.max(LEAST_REACH, base + beyond), scale: scale + shape * beyond, shape };
}

/** 3·channels, as in ReachTails, of the stretches of all folds but `left` (−1: all). */
export function fitReach({ channels, sizes, folds }: Extremes, left: number): Float64Array {
  const kept = sizes.filter((_, i) => folds[i] !== left);
  invariant(kept.length > 0, 'a reach is that of stretches');
  const each = Array.from({ length: channels }, (_, k) =>
    reachOf(Float64Array.from(kept, (one) => one[k]!).sort()),
  );
  const steepness = each.map(({ from, scale }) => Math.log(Math.max(1e-6, scale / from)));
  const usual = quantileOf(Float64Array.from(steepness).sort(), 0.5);
  const unit = Math.exp(usual);
  const seen = Math.max(FEW, FURTHEST * kept.length);
  const out = new Float64Array(3 * channels);
  each.forEach(({ from, shape }, k) => {
    out[k] = from;
    out[channels + k] = (from / unit) * Math.exp((seen * steepness[k]! + KIN * usual) / (seen + KIN));
    out[2 * channels + k] = shape / unit;
  });
  return out;
}
