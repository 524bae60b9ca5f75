// What a bundle says of a residual head.
import { TelltaleError } from '../../../errors.ts';
import { createMarginals, decodeShifts, SHIFT_DIRECTIONS } from '../../gauge/marginal.ts';
import { decodeFloats } from '../../numbers.ts';
import { checkSpan, type HeadShape, type HeadSpec } from '../head.ts';

export interface ResidualSpec extends HeadSpec {
  readonly kind: 'residual';
  /** What is taken off the features. */
  readonly source: 'static' | 'autoencoder' | 'forecast';
  /** Events averaged (exponential, span), ≥ 1. */
  readonly span: number;
  /** Symmetric whitening matrix of the residual, channels × channels: base64 floats. */
  readonly whitening: string;
  /** Standard deviation of each averaged whitened component on normal data: base64 floats, > 0. */
  readonly spread: string;
  /** For a forecast: channels × (channels + 1), the weights on the event before and the constant: base64 floats. */
  readonly forecast?: string;
  /** As Shifts (marginal.ts) has it, of the averaged whitened components. Absent: not known, taken as 0. */
  readonly shifts?: string;
}

/** Of a forecast a flag and the features of the event before; then the averages. */
export const residualShape = ({ source }: ResidualSpec, channels: number): HeadShape => ({
  statistics: ['norm', 'peak'],
  stateSize: (source === 'forecast' ? 1 + channels : 0) + channels,
});

/** A residual head's numbers, decoded and checked. @throws TelltaleError MODEL_INVALID */
export function decodeResidual(spec: ResidualSpec, channels: number) {
  const { name, span } = spec;
  checkSpan(span, name);
  const whitening = decodeFloats(spec.whitening, channels * channels, `head ${name}: whitening`);
  const spread = decodeFloats(spec.spread, channels, `head ${name}: spread`);
  if (!spread.every((value) => value > 0))
    throw new TelltaleError('MODEL_INVALID', `head ${name}: a spread is not positive`);
  const precision = new Float64Array(channels * channels);
  for (let k = 0; k < channels; k += 1) precision[k * channels + k] = 1 / spread[k]! ** 2;
  const shifts = decodeShifts(spec.shifts, channels, SHIFT_DIRECTIONS, `head ${name}`);
  // What is left of a channel stands in every whitened component, in one only if it has nothing to do with the others.
  const column = (j: number) =>
    Float64Array.from({ length: channels }, (_, k) => whitening[k * channels + j]!);
  return {
    whitening,
    spread,
    precision,
    marginals: createMarginals(precision, channels, span, shifts, column),
  };
}

/** The forecast's matrix and its constant for each channel. @throws TelltaleError MODEL_INVALID */
export function decodeForecast(spec: ResidualSpec, channels: number) {
  const packed = decodeFloats(spec.forecast, channels * (channels + 1), `head ${spec.name}: forecast`);
  const weights = new Float64Array(channels * channels);
  const constant = new Float64Array(channels);
  for (let o = 0; o < channels; o += 1) {
    for (let i = 0; i < channels; i += 1) weights[o * channels + i] = packed[o * (channels + 1) + i]!;
    constant[o] = packed[o * (channels + 1) + channels]!;
  }
  return { weights, constant };
}
