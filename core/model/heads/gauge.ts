// A gauge: a stream of residual vectors averaged over `span` events and judged by what such averages normally do together.
// The covariance is that of the AVERAGED residuals of cars the forecaster had not seen, so it knows how long deviations
// last and how much cars differ. The statistic is the Mahalanobis distance, with `tails` the strangest channels' levels,
// with `reach` the one channel that is furthest out.
import { TelltaleError } from '../../errors.ts';
import { compileMap } from '../kernel.ts';
import { decodeFloats } from '../numbers.ts';
import { type Tail, tailLevel } from '../tail.ts';
import { type HeadInput, smoothingTable } from './head.ts';

export interface GaugeSpec {
  /** Events averaged, ≥ 1. */
  readonly span: number;
  /** base64 floats: usual mean of each channel's average; also where a new car starts. */
  readonly center: string;
  /** base64 floats, channels × channels: inverse covariance of the averages, in residual units. */
  readonly precision?: string;
  /** One a channel: how strange |precision row · deviation| / √diagonal is. Absent: the Mahalanobis distance is the statistic. */
  readonly tails?: readonly Tail[];
  /**
   * base64 floats, one a channel, > 0: how far whole cars' averages go. The statistic is then the largest deviation in these units,
   * each channel on its own, and neither `precision` nor `tails` is there.
   */
  readonly reach?: string;
}

export interface Gauge {
  /** Averages `stream` (NaN: not measured, the average stays) into `state` and returns the statistic. */
  step(stream: Float32Array, input: HeadInput, state: Float32Array, at: number): number;
  /** Each channel's part in the last statistic, ≥ 0. */
  blame(parts: Float64Array): void;
}

/** Takes an event into the averages in `state`, and fills `deviation` with how far they are from the centre. */
function averaging(span: number, center: Float32Array, deviation: Float64Array | Float32Array) {
  const table = smoothingTable(span);
  return (stream: Float32Array, { restart, steps }: HeadInput, state: Float32Array, at: number): void => {
    const weight = table[steps]!;
    for (let k = 0; k < center.length; k += 1) {
      const old = restart ? center[k]! : state[at + k]!;
      const value = stream[k]!;
      const next = Number.isNaN(value) ? old : Math.fround(old + weight * (value - old));
      state[at + k] = next;
      deviation[k] = next - center[k]!;
    }
  };
}

/** @throws TelltaleError MODEL_INVALID */
export function createGauge(spec: GaugeSpec, channels: number, name: string): Gauge {
  const { span, tails } = spec;
  if (!(span >= 1 && span <= 10_000))
    throw new TelltaleError('MODEL_INVALID', `head ${name}: span ${span} is not 1 to 10,000`);
  if (tails && tails.length !== channels)
    throw new TelltaleError('MODEL_INVALID', `head ${name}: ${tails.length} tails for ${channels} channels`);
  const center = decodeFloats(spec.center, channels, `head ${name}: center`);
  if (spec.reach !== undefined)
    return createReachGauge(center, decodeFloats(spec.reach, channels, `head ${name}: reach`), span, name);
  const precision = decodeFloats(spec.precision ?? '', channels * channels, `head ${name}: precision`);
  const roots = Float64Array.from({ length: channels }, (_, k) => Math.sqrt(precision[k * channels + k]!));
  if (!roots.every((root) => root > 0))
    throw new TelltaleError('MODEL_INVALID', `head ${name}: the precision is not positive`);
  const { input: deviation, output: turned, run } = compileMap(precision, null, channels, channels);
  const average = averaging(span, center, deviation);
  const parts = new Float64Array(channels);

  const mahalanobis = (): number => {
    let sum = 0;
    for (let k = 0; k < channels; k += 1) {
      sum += turned[k]! * deviation[k]!;
      parts[k] = (turned[k]! / roots[k]!) ** 2;
    }
    return Math.sqrt(Math.max(0, sum) / channels);
  };
  const strangest = (levels: readonly Tail[]): number => {
    let first = 0;
    let second = 0;
    for (let k = 0; k < channels; k += 1) {
      const level = tailLevel(levels[k]!, Math.abs(turned[k]!) / roots[k]!);
      parts[k] = level;
      if (level > first) {
        second = first;
        first = level;
      } else if (level > second) second = level;
    }
    return first + second / 2;
  };
  return {
    step: (stream, input, state, at) => {
      average(stream, input, state, at);
      run();
      return tails ? strangest(tails) : mahalanobis();
    },
    blame: (out) => out.set(parts),
  };
}

/** Each channel on its own, in units of how far it goes in whole cars. */
function createReachGauge(center: Float32Array, reach: Float32Array, span: number, name: string): Gauge {
  if (!reach.every((value) => value > 0))
    throw new TelltaleError('MODEL_INVALID', `head ${name}: a reach is not positive`);
  const deviation = new Float64Array(reach.length);
  const average = averaging(span, center, deviation);
  const parts = new Float64Array(reach.length);
  return {
    step: (stream, input, state, at) => {
      average(stream, input, state, at);
      let most = 0;
      for (let k = 0; k < reach.length; k += 1) {
        const part = Math.abs(deviation[k]!) / reach[k]!;
        // Squared twice: the channel that made the statistic takes the blame.
        parts[k] = part ** 4;
        if (part > most) most = part;
      }
      return most;
    },
    blame: (out) => out.set(parts),
  };
}
