// The residual head: what is left of the readings when something has been taken off (nothing, the autoencoder's
// reconstruction, a linear forecast), made uncorrelated and of unit spread, then averaged over the last events with its
// sign, so that a small lasting deviation stands out and noise does not.
import { TelltaleError } from '../../../errors.ts';
import { createMarginals, decodeShifts, SHIFT_DIRECTIONS } from '../../gauge/marginal.ts';
import { compileMap, type LinearMap } from '../../kernel.ts';
import type { Losses } from '../../losses.ts';
import { decodeFloats } from '../../numbers.ts';
import {
  checkSpan,
  type Head,
  type HeadInput,
  type HeadShape,
  type HeadSpec,
  smoothingTable,
} from '../head.ts';

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

/** The residual of each channel before whitening; 0 where it cannot be told. */
export type ResidualSource = (
  input: HeadInput,
  state: Float32Array,
  at: number,
  residual: Float32Array,
) => void;

const staticSource: ResidualSource = ({ features }, _state, _at, residual) => {
  for (let k = 0; k < features.length; k += 1) residual[k] = features[k]!;
};

const autoencoderSource: ResidualSource = ({ features, present, reconstruction }, _state, _at, residual) => {
  for (let k = 0; k < features.length; k += 1)
    residual[k] = present[k] === 1 ? features[k]! - reconstruction[k]! : 0;
};

/** Takes off what a linear map of the event before says. State: a flag, then the features of the event before. */
function forecastSource({ input: before, output: said, run }: LinearMap, channels: number): ResidualSource {
  return ({ features, present, restart, steps, losses }, state, at, residual) => {
    const usable = !restart && state[at] === 1 && steps <= 2;
    if (usable) {
      for (let k = 0; k < channels; k += 1) before[k] = state[at + 1 + k]!;
      run();
    }
    state[at] = 1;
    for (let k = 0; k < channels; k += 1) {
      // The event before a channel's return was a guess of it.
      const told = present[k] === 1 && losses?.since[k] !== 1;
      residual[k] = usable && told ? features[k]! - said[k]! : 0;
      state[at + 1 + k] = features[k]!;
    }
  };
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

/**
 * Makes the head ready to run for `channels` channels.
 * @throws TelltaleError MODEL_INVALID
 */
export function createResidualHead(spec: ResidualSpec, channels: number): Head {
  const { name, span } = spec;
  const { whitening, spread, precision, marginals } = decodeResidual(spec, channels);
  const { source, sourceState } = createSource(spec, channels);
  const weights = smoothingTable(span);
  const { input: residual, output: whitened, run } = compileMap(whitening, null, channels, channels);
  const parts = new Float64Array(channels);
  const turned = new Float64Array(channels);

  /** The parts of the averages in the state when something is lost. */
  const partsLeft = (losses: Losses, state: Float32Array, mean: number): void => {
    const { turn, roots } = marginals(losses);
    for (let k = 0; k < channels; k += 1) turned[k] = precision[k * channels + k]! * state[mean + k]!;
    turn(turned);
    for (let k = 0; k < channels; k += 1)
      parts[k] = roots[k] === 0 || losses.lost[k] === 1 ? 0 : (turned[k]! / roots[k]!) ** 2;
  };

  /** Writes the root mean square of the parts, and that of the two largest. */
  const tell = (statistics: Float64Array, at: number): void => {
    let sum = 0;
    let first = 0;
    let second = 0;
    for (let k = 0; k < channels; k += 1) {
      const part = parts[k]!;
      sum += part;
      if (part > first) {
        second = first;
        first = part;
      } else if (part > second) second = part;
    }
    statistics[at] = Math.sqrt(sum / channels);
    statistics[at + 1] = Math.sqrt((first + second) / 2);
  };
  return {
    name,
    ...residualShape(spec, channels),
    step: (input, state, at, statistics, statisticsAt) => {
      source(input, state, at, residual);
      run();
      const weight = weights[input.steps]!;
      const mean = at + sourceState;
      for (let k = 0; k < channels; k += 1) {
        const old = input.restart ? 0 : state[mean + k]!;
        const next = Math.fround(old + weight * (whitened[k]! - old));
        state[mean + k] = next;
        parts[k] = (next / spread[k]!) ** 2;
      }
      if (input.losses) partsLeft(input.losses, state, mean);
      tell(statistics, statisticsAt);
    },
    blame: (_index, out) => out.set(parts),
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

function createSource(
  spec: ResidualSpec,
  channels: number,
): { readonly source: ResidualSource; readonly sourceState: number } {
  if (spec.source === 'static') return { source: staticSource, sourceState: 0 };
  if (spec.source === 'autoencoder') return { source: autoencoderSource, sourceState: 0 };
  if (spec.source !== 'forecast')
    throw new TelltaleError('MODEL_INVALID', `head ${spec.name}: unknown source ${String(spec.source)}`);
  const { weights, constant } = decodeForecast(spec, channels);
  const map = compileMap(weights, constant, channels, channels);
  return { source: forecastSource(map, channels), sourceState: 1 + channels };
}
