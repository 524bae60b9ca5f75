// What a readout of the relation head reads: rows sampled for it, the inputs it may use, and its weights from an
// inverse.

import { maskedSolve, type RidgeRows, ridgeInverse } from '../../../math/ridge.ts';
import { FAN_IN, inputCount, moveAt, type RelationPlan, unitsFrom } from './forecaster.ts';
import { INPUT_SPANS } from './state.ts';

/** Sampled rows of the forecaster's inputs; input 1 + k is channel k's newest average, which is what is foretold. */
export interface Sample extends RidgeRows {
  readonly channels: number;
  readonly present: Uint8Array;
  /** |movement| of each channel, count × channels. */
  readonly movement: Float32Array;
  /** Events of the row's stretch of driving so far, this one included. */
  readonly known: Uint32Array;
}

/** One kind of readout: the inputs it reads, the first `used` of all, and of these, for each channel, those it may not use. */
export interface Reader {
  readonly used: number;
  readonly forbidden: readonly (readonly number[])[];
}

/** Readouts of each channel by all inputs that do not touch it, and by those of these that know nothing of the car's levels. */
export function readersOf(
  plan: RelationPlan,
  channels: number,
): { readonly others: Reader; readonly own: Reader } {
  const width = INPUT_SPANS.length * channels;
  const first = unitsFrom(channels);
  const inputsOf = (unit: number) => plan.unitInputs.slice(unit * FAN_IN, (unit + 1) * FAN_IN);
  const units = Array.from({ length: plan.units }, (_, u) => inputsOf(u));
  const forbidden = Array.from({ length: channels }, (_, k) => [
    ...INPUT_SPANS.map((_, s) => 1 + s * channels + k),
    moveAt(k, channels),
    ...units.flatMap((inputs, u) => (inputs.some((i) => i < width && i % channels === k) ? [first + u] : [])),
  ]);
  const knowing = units.findIndex((inputs) => inputs.some((i) => i >= width));
  const plain = first + (knowing < 0 ? plan.units : knowing);
  return {
    others: { used: plain, forbidden: forbidden.map((places) => places.filter((at) => at < plain)) },
    own: { used: inputCount(plan.units, channels), forbidden },
  };
}

/** The inverse for the first `used` of the inputs. */
export function leadingInverse(
  gram: Float64Array,
  width: number,
  used: number,
  lambda: number,
): Float64Array {
  const small = new Float64Array(used * used);
  for (let a = 0; a < used; a += 1) small.set(gram.subarray(a * width, a * width + used), a * used);
  return ridgeInverse(small, used, lambda);
}

/**
 * Weights of the channels' readouts, channels × width, from an inverse and the products with the targets, into `out`;
 * of all channels, or of those `among` says.
 */
export function solveAll(
  { width, channels }: Pick<Sample, 'width' | 'channels'>,
  { used, forbidden }: Reader,
  inverse: Float64Array,
  cross: Float64Array,
  among: (channel: number) => boolean = () => true,
  out = new Float64Array(channels * width),
) {
  for (let k = 0; k < channels; k += 1)
    if (among(k)) maskedSolve(inverse, used, cross, channels, k, forbidden[k]!, out, k * width);
  return out;
}
