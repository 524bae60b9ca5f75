// The relation head: each channel is foretold from all the OTHER channels, now and in their recent past, so that a fault
// which breaks a relation shows while every reading stays in its range. Four kinds of evidence are gathered:
//   others   what is left when the other channels have spoken, over the spread that is usual in this operating state
//   own      the same when the car's own long-run level may speak too: finds changes, forgives a car its habits
//   fine     own, over the spread that is usual in this operating state: where a relation is close, a little off is much
//   jitter   how much each channel moves from event to event: frozen sensors move too little, misfires too much
// The forecaster is a fixed pool of sparse tanh units with ridge readouts (random features, Rahimi & Recht 2007): a unit that
// touches a channel is left out of that channel's readout, so one pool of N units serves all channels.
import { TelltaleError } from '../../errors.ts';
import { compileMap, fastTanh } from '../kernel.ts';
import { decodeFloats } from '../numbers.ts';
import { createAverage, createGauge, FRESH_SPAN, type Gauge, type GaugeSpec } from './gauge.ts';
import { type Head, type HeadInput, type HeadSpec, MOST_STEPS_MOVED, smoothingTable } from './head.ts';

/** Inputs of a unit. */
export const FAN_IN = 3;
/** Held-in bounds of one normalised residual. */
export const CLIP = 8;
/** Averages of the readings that the forecaster sees, in events; the first is also what it foretells. */
export const INPUT_SPANS = [4, 16, 100] as const;
/** A movement counts by its square root, so that one jump does not outweigh a minute of trembling. */
const MOST_MOVEMENT = 6;

/** The forecaster's inputs: what is fixed before anything is fitted. */
export interface RelationPlan {
  readonly units: number;
  /**
   * For each unit FAN_IN indexes into the averages (span-major: span × channels + channel) and, behind them, the car's own levels
   * (channels). Units that listen to a level know what kind of car it is; only the readouts that may use levels use them.
   */
  readonly unitInputs: readonly number[];
  /** base64 floats: units × FAN_IN weights, then units biases. */
  readonly unitWeights: string;
  /** Events over which a car's own level is learnt. */
  readonly slow: number;
}

export interface RelationSpec extends HeadSpec, RelationPlan {
  readonly kind: 'relation';
  /**
   * base64 floats, 2·channels × inputCount, row after row: what the others foretell of each channel; what they and its own level
   * do.
   */
  readonly readout: string;
  /**
   * base64 floats, 3·channels × spreadInputCount, row after row: the log of the usual spread over the plain one, of the first
   * residual, of the second, of the movement.
   */
  readonly spreadReadout: string;
  /** base64 floats, 4·channels: the plain spread of the first residual, of the second, of the movement (> 0); the mean jitter. */
  readonly spreads: string;
  readonly gauges: readonly RelationGauge[];
}

/** The streams of evidence, in the order in which their newest averages stand in a car's state. */
export const STREAMS = ['others', 'own', 'fine', 'jitter'] as const;

export interface RelationGauge extends GaugeSpec {
  readonly stream: (typeof STREAMS)[number];
}

/** Streams that a car's habits are taken off. */
const HABITS = 3;

/** Where things lie in a car's state: a count, then blocks of `channels` floats. */
export const stateLayout = (channels: number) => ({
  count: 0,
  averages: 1,
  level: 1 + INPUT_SPANS.length * channels,
  before: 1 + (INPUT_SPANS.length + 1) * channels,
  habits: 1 + (INPUT_SPANS.length + 2) * channels,
  fresh: 1 + (INPUT_SPANS.length + 2 + HABITS) * channels,
  gauges: 1 + (INPUT_SPANS.length + 2 + HABITS + STREAMS.length) * channels,
});

/** Numbers the readouts see: 1, averages (3·channels), units, own level (channels). */
export const inputCount = (units: number, channels: number): number =>
  1 + (INPUT_SPANS.length + 1) * channels + units;

/** Units the usual spreads may depend on, the first of all. */
const SPREAD_UNITS = 64;

/** Numbers the usual spreads are read from, the first of all inputs: 1, averages (3·channels), some units. */
export const spreadInputCount = (units: number, channels: number): number =>
  1 + INPUT_SPANS.length * channels + Math.min(SPREAD_UNITS, units);

/**
 * Averages count no further than this, in spreads of the channel, when the usual spread is read: in a state that hardly any car was
 * in it is what it was at the edge, and not what a line would make of it.
 */
const EDGE = 3;

/** Reads a car's event into its averages and gives the forecaster's inputs. */
export interface RelationInputs {
  /** |movement| since the car's event before, 0 where it cannot be told; one a channel. */
  readonly movement: Float64Array;
  step(input: HeadInput, state: Float32Array, at: number): void;
}

/** `inputs` is filled by each step, inputCount long. @throws TelltaleError MODEL_INVALID */
export function createRelationInputs(
  plan: RelationPlan,
  channels: number,
  name: string,
  inputs: Float32Array,
): RelationInputs {
  const { units, slow } = plan;
  const width = INPUT_SPANS.length * channels;
  const packed = decodeFloats(plan.unitWeights, units * (FAN_IN + 1), `head ${name}: units`);
  const wrong =
    plan.unitInputs.length !== units * FAN_IN ||
    plan.unitInputs.some((i) => !(i >= 0 && i < width + channels));
  if (wrong || !(slow >= 1)) throw new TelltaleError('MODEL_INVALID', `head ${name}: units do not fit`);
  // The levels stand behind the units.
  const unitInputs = Int32Array.from(plan.unitInputs, (i) => (i < width ? 1 + i : 1 + units + i));
  const weights = Float64Array.from(packed.subarray(0, units * FAN_IN));
  const biases = Float64Array.from(packed.subarray(units * FAN_IN));
  const tables = INPUT_SPANS.map(smoothingTable);
  const slowest = 2 / (slow + 1);
  const movement = new Float64Array(channels);
  const layout = stateLayout(channels);

  const average = ({ features, present, restart, steps }: HeadInput, state: Float32Array, at: number) => {
    for (let s = 0; s < tables.length; s += 1) {
      const weight = tables[s]![steps]!;
      const from = at + layout.averages + s * channels;
      for (let k = 0; k < channels; k += 1) {
        const old = restart ? Number.NaN : state[from + k]!;
        let next = old;
        if (present[k] === 1) next = Number.isNaN(old) ? features[k]! : old + weight * (features[k]! - old);
        state[from + k] = next;
        inputs[1 + s * channels + k] = Number.isNaN(next) ? 0 : next;
      }
    }
  };

  const step: RelationInputs['step'] = (input, state, at) => {
    const { features, present, restart } = input;
    average(input, state, at);
    const count = restart ? 1 : Math.min(state[at]! + 1, 1e6);
    state[at] = count;
    const weight = Math.max(slowest, 1 / count);
    for (let k = 0; k < channels; k += 1) {
      const level = restart ? 0 : state[at + layout.level + k]!;
      const next = present[k] === 1 ? level + weight * (features[k]! - level) : level;
      state[at + layout.level + k] = next;
      inputs[1 + width + units + k] = next;
      const before = restart ? Number.NaN : state[at + layout.before + k]!;
      movement[k] = present[k] === 1 && !Number.isNaN(before) ? Math.abs(features[k]! - before) : 0;
      state[at + layout.before + k] = present[k] === 1 ? features[k]! : before;
    }
    for (let u = 0, w = 0; u < units; u += 1, w += FAN_IN) {
      const sum =
        biases[u]! +
        weights[w]! * inputs[unitInputs[w]!]! +
        weights[w + 1]! * inputs[unitInputs[w + 1]!]! +
        weights[w + 2]! * inputs[unitInputs[w + 2]!]!;
      inputs[1 + width + u] = fastTanh(sum);
    }
  };
  inputs[0] = 1;
  return { movement, step };
}

/** The usual spread over the plain one from its foretold log, bounded: a quiet state is not trusted to be still for ever. */
export const spreadFactor = (log: number): number => Math.exp(log < -2 ? -2 : log > 2 ? 2 : log);

export const clipped = (value: number): number => (value > CLIP ? CLIP : value < -CLIP ? -CLIP : value);

/** The size of a movement as evidence. */
export const movementOf = (movement: number): number => Math.sqrt(Math.min(MOST_MOVEMENT, movement));

export type Streams = Readonly<Record<RelationGauge['stream'], Float32Array>>;

/** Events of the fleet's that a car's own habits are weighed against. */
const FLEET_WEIGHT = 600;
/** One event moves a habit no further than by this much of strangeness, so that a fault is slow to become one. */
const MOST_NEWS = 0.3;

/** What `value` is off a car's habit, which then learns from it. */
function offHabit(value: number, state: Float32Array, at: number, weight: number, restart: boolean): number {
  const habit = restart ? 0 : state[at]!;
  const off = value - habit;
  state[at] = habit + weight * (off > MOST_NEWS ? MOST_NEWS : off < -MOST_NEWS ? -MOST_NEWS : off);
  return off;
}

/** The readouts ready to run. */
export interface Forecaster {
  /** To be filled, inputCount long (padding behind it). */
  readonly inputs: Float32Array;
  /** 2·channels, then 3·channels logs, as in RelationSpec (padding behind them). */
  readonly foretold: Float32Array;
  readonly spreadLogs: Float32Array;
  run(): void;
}

type Floats = Float32Array | Float64Array;

/** Compiles readouts; both as in RelationSpec. */
export function createForecaster(
  readout: Floats,
  spreadReadout: Floats,
  units: number,
  channels: number,
): Forecaster {
  const main = compileMap(readout, null, inputCount(units, channels), 2 * channels);
  const width = spreadInputCount(units, channels);
  const side = compileMap(spreadReadout, null, width, 3 * channels);
  const shared = main.input.subarray(0, width);
  const averages = side.input.subarray(1, 1 + INPUT_SPANS.length * channels);
  return {
    inputs: main.input,
    foretold: main.output,
    spreadLogs: side.output,
    run: () => {
      main.run();
      side.input.set(shared);
      for (let i = 0; i < averages.length; i += 1) {
        const average = averages[i]!;
        averages[i] = average > EDGE ? EDGE : average < -EDGE ? -EDGE : average;
      }
      side.run();
    },
  };
}

/** What the streams are made from besides the readouts' output. */
export interface StreamSource {
  readonly channels: number;
  readonly slow: number;
  /** 4·channels, as in RelationSpec. */
  readonly spreads: Floats;
}

/**
 * The streams of evidence of one event; the forecaster has run. A car's habits are taken off all but `others`, so that cars of a kind the forecaster hardly knows are judged by their own past. NaN where unknown.
 */
export function fillStreams(
  { channels, slow, spreads }: StreamSource,
  input: HeadInput,
  { inputs: now, foretold, spreadLogs }: Forecaster,
  movement: Float64Array,
  state: Float32Array,
  at: number,
  streams: Streams,
): void {
  const weight = Math.max(2 / (slow + 1), 1 / (state[at]! + FLEET_WEIGHT));
  const habits = at + stateLayout(channels).habits;
  const { restart } = input;
  for (let k = 0; k < channels; k += 1) {
    if (restart) for (let h = 0; h < HABITS; h += 1) state[habits + h * channels + k] = 0;
    if (input.present[k] !== 1) {
      streams.others[k] = 0;
      streams.own[k] = 0;
      streams.fine[k] = 0;
      streams.jitter[k] = Number.NaN;
      continue;
    }
    const value = now[1 + k]!;
    const usual = spreads[k]! * spreadFactor(spreadLogs[k]!);
    streams.others[k] = clipped((value - foretold[k]!) / usual);
    const changed = (value - foretold[channels + k]!) / spreads[channels + k]!;
    streams.own[k] = offHabit(clipped(changed), state, habits + k, weight, restart);
    const fine = changed / spreadFactor(spreadLogs[channels + k]!);
    streams.fine[k] = offHabit(clipped(fine), state, habits + channels + k, weight, restart);
    const trembling = spreads[2 * channels + k]! * spreadFactor(spreadLogs[2 * channels + k]!);
    const moved = movementOf(movement[k]! / trembling) - spreads[3 * channels + k]!;
    streams.jitter[k] =
      input.steps > MOST_STEPS_MOVED
        ? Number.NaN
        : offHabit(moved, state, habits + 2 * channels + k, weight, restart);
  }
}

/** Averages each stream over its newest events, in the car's state from `fresh` on; they say when an older average is to be let go. */
export function createFreshAverages(channels: number) {
  const average = createAverage({ span: FRESH_SPAN }, new Float32Array(channels));
  return (streams: Streams, input: HeadInput, state: Float32Array, at: number): void => {
    for (let s = 0; s < STREAMS.length; s += 1)
      average(streams[STREAMS[s]!], input, state, at + s * channels);
  };
}

/** Makes the head ready to run. @throws TelltaleError MODEL_INVALID */
export function createRelationHead(spec: RelationSpec, channels: number): Head {
  const { name, units } = spec;
  const width = inputCount(units, channels);
  const readout = decodeFloats(spec.readout, 2 * channels * width, `head ${name}: readout`);
  const spreadReadout = decodeFloats(
    spec.spreadReadout,
    3 * channels * spreadInputCount(units, channels),
    `head ${name}: readout of spreads`,
  );
  const spreads = decodeFloats(spec.spreads, 4 * channels, `head ${name}: spreads`);
  if (!spreads.subarray(0, 3 * channels).every((value) => value > 0))
    throw new TelltaleError('MODEL_INVALID', `head ${name}: a spread is not positive`);
  const forecaster = createForecaster(readout, spreadReadout, units, channels);
  const source = createRelationInputs(spec, channels, name, forecaster.inputs);
  const streams = {
    others: new Float32Array(channels),
    own: new Float32Array(channels),
    fine: new Float32Array(channels),
    jitter: new Float32Array(channels),
  };
  const usual: StreamSource = { channels, slow: spec.slow, spreads };
  const layout = stateLayout(channels);
  const gauges: Gauge[] = spec.gauges.map((gauge) => createGauge(gauge, channels, name));
  const freshen = createFreshAverages(channels);
  const freshFrom = spec.gauges.map(({ stream }) => layout.fresh + STREAMS.indexOf(stream) * channels);
  return {
    name,
    statistics: spec.gauges.map(
      ({ stream, span, tails, reach }) => `${stream}-${span}${tails ? '-peak' : ''}${reach ? '-single' : ''}`,
    ),
    alone: spec.gauges.map(({ reach }) => (reach === undefined ? 0 : 1)),
    stateSize: layout.gauges + gauges.length * channels,
    step: (input, state, at, statistics, statisticsAt) => {
      source.step(input, state, at);
      forecaster.run();
      fillStreams(usual, input, forecaster, source.movement, state, at, streams);
      freshen(streams, input, state, at + layout.fresh);
      for (let g = 0; g < gauges.length; g += 1) {
        const from = at + layout.gauges + g * channels;
        const stream = streams[spec.gauges[g]!.stream];
        const fresh = at + freshFrom[g]!;
        statistics[statisticsAt + g] = gauges[g]!.step(stream, input, state, from, state, fresh);
      }
    },
    blame: (index, parts) => gauges[index]!.blame(parts),
    expected: (out) => {
      for (let k = 0; k < channels; k += 1) out[k] = forecaster.foretold[k]!;
    },
  };
}
