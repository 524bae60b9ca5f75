// The residual head: what is left of the readings when something has been taken off (nothing, the autoencoder's
// reconstruction, a linear forecast), made uncorrelated and of unit spread, then averaged over the last events with its
// sign, so that a small lasting deviation stands out and noise does not.
import { TelltaleError } from '../../../errors.ts';
import { compileMap, type LinearMap } from '../../kernel.ts';
import type { Losses } from '../../losses.ts';
import { type Head, type HeadInput, smoothingTable } from '../head.ts';
import { decodeForecast, decodeResidual, type ResidualSpec, residualShape } from './spec.ts';

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
