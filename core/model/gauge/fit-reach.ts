// Fits how far single channels' averages go in stretches of whole cars (core/model/gauge/reach.ts): from where their
// furthest tenth begins, a generalised Pareto tail.

import { fitGeneralizedPareto, quantileOfPareto } from '../../math/pareto.ts';
import { quantileOf } from '../../math/quantile.ts';

/** Stretches of driving that are enough to tell how far whole cars go: of more, an even choice is kept. */
const MOST_STRETCHES = 20_000;

/** The furthest that each channel's average went from 0 in each stretch of driving. */
export class Extremes {
  readonly channels: number;
  readonly #stride: number;
  /** Stretches kept × channels; NaN: not measured in that stretch. */
  readonly #sizes: Float32Array;
  readonly #folds: Uint8Array;
  #begun = 0;

  /** @param stretches how many will begin, ≥ 1 */
  constructor(channels: number, stretches: number) {
    this.channels = channels;
    this.#stride = Math.ceil(stretches / MOST_STRETCHES);
    const kept = Math.ceil(stretches / this.#stride);
    this.#sizes = new Float32Array(kept * channels).fill(Number.NaN);
    this.#folds = new Uint8Array(kept);
  }

  /** The next stretch begins; it is of a car of this fold. */
  begin(fold: number): void {
    if (this.#begun % this.#stride === 0) this.#folds[this.#begun / this.#stride] = fold;
    this.#begun += 1;
  }

  /** Takes the averages after one row in; `measured`: 1 for a channel that was, whose average has moved. */
  take(averages: Float32Array, measured: ArrayLike<number>): void {
    const stretch = this.#begun - 1;
    if (stretch % this.#stride !== 0) return;
    const at = (stretch / this.#stride) * this.channels;
    for (let k = 0; k < this.channels; k += 1) {
      if (measured[k] !== 1) continue;
      const size = Math.abs(averages[k]!);
      if (!(size <= this.#sizes[at + k]!)) this.#sizes[at + k] = size;
    }
  }

  /** How far channel k went in the stretches in which it was measured, of all folds but `left`; rising. */
  sizesOf(k: number, left: number): Float64Array {
    const out = new Float64Array(this.#folds.length);
    let n = 0;
    for (const [stretch, fold] of this.#folds.entries()) {
      const size = this.#sizes[stretch * this.channels + k]!;
      if (fold !== left && !Number.isNaN(size)) out[n++] = size;
    }
    return out.subarray(0, n).sort();
  }

  /**
   * In how many stretches channel k is measured when the fold that measures it most is left out. What is decided by a
   * count is decided by this one, for the model of all cars and for those that judge it: four cars are three to each
   * judge, and where the two went different ways the threshold was set on another model than the released one.
   */
  fewestOf(k: number): number {
    const byFold = new Uint32Array(256);
    let all = 0;
    for (const [stretch, fold] of this.#folds.entries()) {
      if (Number.isNaN(this.#sizes[stretch * this.channels + k]!)) continue;
      byFold[fold]! += 1;
      all += 1;
    }
    const folds = new Set(this.#folds).size;
    return folds > 1 ? all - byFold.reduce((a, b) => Math.max(a, b)) : all;
  }
}

/** The stretches that tell a channel's reach: those in which it goes furthest, this share of all, and no fewer than a few. */
const FURTHEST = 0.1;
const FEW = 8;
const LEAST_REACH = 1e-3;
/**
 * Stretches' worth that all channels together say of how steep the tail of one is: with the few stretches of a small
 * history it is theirs, with a fleet's it is the channel's own.
 */
const KIN = 40;

/** Where no channel says how far averages go, they go by as many spreads. */
const HARDLY_KNOWN = 2;
/** scale / from of an exponential: what a channel goes by where none says anything. */
const EXPONENTIAL = 1 / Math.LN10;

/** Stretches a channel must be measured in, whichever fold is left out, to be told by its own. */
const LEAST_STRETCHES = 4;

interface OneReach {
  /** Stretches' worth that it says of its steepness; 0: it never went anywhere. */
  readonly worth: number;
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
  const from = base + beyond;
  const worth = from > LEAST_REACH ? Math.min(sizes.length, Math.max(FEW, FURTHEST * sizes.length)) : 0;
  return { worth, from: Math.max(LEAST_REACH, from), scale: scale + shape * beyond, shape };
}

const medianOf = (values: readonly number[], none: number): number =>
  values.length === 0 ? none : quantileOf(Float64Array.from(values).sort(), 0.5);

/** 3·channels, as in ReachTails, of the stretches of all folds but `left` (−1: all). */
export function fitReach(extremes: Extremes, left: number): Float64Array {
  const { channels } = extremes;
  const known = Array.from({ length: channels }, (_, k): OneReach | null => {
    return extremes.fewestOf(k) >= LEAST_STRETCHES ? reachOf(extremes.sizesOf(k, left)) : null;
  });
  // A channel that never went anywhere says nothing of the others.
  const telling = known.filter((one): one is OneReach => one !== null && one.worth > 0);
  const steepnessOf = ({ from, scale }: OneReach) => Math.log(Math.max(1e-6, scale / from));
  const usual = medianOf(telling.map(steepnessOf), Math.log(EXPONENTIAL));
  const unit = Math.exp(usual);
  const usualFrom = medianOf(
    telling.map(({ from }) => from),
    HARDLY_KNOWN,
  );
  const out = new Float64Array(3 * channels);
  for (const [k, one] of known.entries()) {
    // One hardly ever measured goes as far as the others do.
    const from = one?.from ?? usualFrom;
    const worth = one?.worth ?? 0;
    const steepness = worth > 0 ? steepnessOf(one!) : usual;
    out[k] = from;
    out[channels + k] = (from / unit) * Math.exp((worth * steepness + KIN * usual) / (worth + KIN));
    out[2 * channels + k] = (one?.shape ?? 0) / unit;
  }
  return out;
}
