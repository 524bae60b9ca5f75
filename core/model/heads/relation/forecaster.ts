// The forecaster of the relation head: a fixed pool of sparse tanh units with ridge readouts (random features, Rahimi &
// Recht 2007) over averages of a car's readings and its own long-run level. A unit that touches a channel is left out
// of that channel's readout, so one pool of N units serves all channels.
import { TelltaleError } from '../../../errors.ts';
import { compileMap, fastTanh } from '../../kernel.ts';
import type { Losses } from '../../losses.ts';
import { decodeFloats, type Floats } from '../../numbers.ts';
import { type HeadInput, smoothingTable } from '../head.ts';
import { INPUT_SPANS, stateLayout } from './state.ts';

/** Inputs of a unit. */
export const FAN_IN = 3;

/** The forecaster's inputs: what is fixed before anything is fitted. */
export interface RelationPlan {
  readonly units: number;
  /**
   * For each unit FAN_IN indexes into the averages (span-major: span × channels + channel) and, behind them, the car's
   * own levels (channels). Units that listen to a level know what kind of car it is; only the readouts that may use
   * levels use them.
   */
  readonly unitInputs: readonly number[];
  /** base64 floats: units × FAN_IN weights, then units biases. */
  readonly unitWeights: string;
  /** Events over which a car's own level is learnt. */
  readonly slow: number;
}

/** Averages of a car's readings, span by span, and how far the newest is from the next: whether the channel is on the move. */
const BLOCKS = INPUT_SPANS.length + 1;

/** Where the units stand among the readouts' inputs: behind 1, averages (3·channels) and moves (channels). */
export const unitsFrom = (channels: number): number => 1 + BLOCKS * channels;
/** Where channel k's move stands. */
export const moveAt = (k: number, channels: number): number => 1 + INPUT_SPANS.length * channels + k;

/** Numbers the readouts see: 1, averages (3·channels), moves (channels), units, own level (channels). */
export const inputCount = (units: number, channels: number): number => unitsFrom(channels) + units + channels;

/** Units the usual spreads may depend on, the first of all. */
const SPREAD_UNITS = 64;

/** Numbers the usual spreads are read from, the first of all inputs: 1, averages (3·channels), moves (channels), some units. */
export const spreadInputCount = (units: number, channels: number): number =>
  unitsFrom(channels) + Math.min(SPREAD_UNITS, units);

/**
 * Averages and moves count no further than this, in spreads of the channel, when the usual spread is read: in a state
 * that hardly any car was in it is what it was at the edge, and not what a line would make of it.
 */
const EDGE = 3;

/** Reads a car's event into its averages and gives the forecaster's inputs. */
export interface RelationInputs {
  /** |movement| since the car's event before, 0 where it cannot be told; one a channel. */
  readonly movement: Float64Array;
  step(input: HeadInput, state: Float32Array, at: number): void;
}

/**
 * A plan's units: of each FAN_IN places among the readouts' inputs, their weights (FAN_IN a unit) and a constant.
 * @throws TelltaleError MODEL_INVALID
 */
export function decodeUnits({ units, slow, ...plan }: RelationPlan, channels: number, name: string) {
  const width = INPUT_SPANS.length * channels;
  const packed = decodeFloats(plan.unitWeights, units * (FAN_IN + 1), `head ${name}: units`);
  const wrong =
    plan.unitInputs.length !== units * FAN_IN ||
    plan.unitInputs.some((i) => !(i >= 0 && i < width + channels));
  if (wrong || !(slow >= 1)) throw new TelltaleError('MODEL_INVALID', `head ${name}: units do not fit`);
  // The levels stand behind the units.
  const levels = unitsFrom(channels) + units;
  return {
    places: Int32Array.from(plan.unitInputs, (i) => (i < width ? 1 + i : levels + i - width)),
    weights: Float64Array.from(packed.subarray(0, units * FAN_IN)),
    biases: Float64Array.from(packed.subarray(units * FAN_IN)),
  };
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
  const { places: unitInputs, weights, biases } = decodeUnits(plan, channels, name);
  const firstUnit = unitsFrom(channels);
  const levels = firstUnit + units;
  const tables = INPUT_SPANS.map(smoothingTable);
  const slowest = 2 / (slow + 1);
  const movement = new Float64Array(channels);
  const off = new Float64Array(channels);
  const layout = stateLayout(channels);

  const average = (
    { features, present, restart, steps, losses }: HeadInput,
    state: Float32Array,
    at: number,
  ) => {
    for (let s = 0; s < tables.length; s += 1) {
      const weight = tables[s]![steps]!;
      const from = at + layout.averages + s * channels;
      for (let k = 0; k < channels; k += 1) {
        const old = restart ? Number.NaN : state[from + k]!;
        let next = old;
        // Of a lost channel the guess is averaged. When it comes back, what the guess was off then it was off before.
        if (present[k] === 1 || losses?.lost[k] === 1) {
          if (Number.isNaN(old)) next = features[k]!;
          else if (losses?.since[k] === 1) {
            if (s === 0) off[k] = features[k]! - old;
            next = old + off[k]!;
          } else next = old + weight * (features[k]! - old);
        }
        state[from + k] = next;
        inputs[1 + s * channels + k] = Number.isNaN(next) ? 0 : next;
      }
    }
  };

  /**
   * Counts the events for which channel k is lost. When it comes back: what its level is off, by as much of it as was
   * guessed. A car that never measured it before knows so much less of it from then on (negative).
   */
  const wasOff = (
    { lost, since }: Losses,
    restart: boolean,
    count: number,
    state: Float32Array,
    at: number,
    k: number,
  ): number => {
    const place = at + layout.away + k;
    const away = restart ? 0 : state[place]!;
    state[place] = lost[k] === 1 && away >= 0 ? away + 1 : away;
    if (since[k] !== 1 || away <= 0) return 0;
    state[place] = away >= count - 1 ? -away : 0;
    return off[k]! * Math.min(1, away / count);
  };

  const step: RelationInputs['step'] = (input, state, at) => {
    const { features, present, restart, losses = null } = input;
    average(input, state, at);
    const count = restart ? 1 : Math.min(state[at]! + 1, 1e6);
    state[at] = count;
    const weight = Math.max(slowest, 1 / count);
    for (let k = 0; k < channels; k += 1) {
      const level = restart ? 0 : state[at + layout.level + k]!;
      const lost = losses?.lost[k] === 1;
      let next = level;
      if (present[k] === 1 || lost) next += weight * (features[k]! - level);
      if (losses !== null) next += wasOff(losses, restart, count, state, at, k);
      else if (restart) state[at + layout.away + k] = 0;
      state[at + layout.level + k] = next;
      inputs[levels + k] = next;
      const move = inputs[1 + k]! - inputs[1 + channels + k]!;
      inputs[1 + width + k] = move < 0 ? -move : move;
      const former = restart ? Number.NaN : state[at + layout.before + k]!;
      movement[k] = present[k] === 1 && !Number.isNaN(former) ? Math.abs(features[k]! - former) : 0;
      state[at + layout.before + k] = present[k] === 1 ? features[k]! : lost ? Number.NaN : former;
    }
    for (let u = 0, w = 0; u < units; u += 1, w += FAN_IN) {
      const sum =
        biases[u]! +
        weights[w]! * inputs[unitInputs[w]!]! +
        weights[w + 1]! * inputs[unitInputs[w + 1]!]! +
        weights[w + 2]! * inputs[unitInputs[w + 2]!]!;
      inputs[firstUnit + u] = fastTanh(sum);
    }
  };
  inputs[0] = 1;
  return { movement, step };
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
  const averages = side.input.subarray(1, unitsFrom(channels));
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
