// Measures what a loss does to the rest: heads follow rows of the history once as they are and once without a channel,
// for each channel, by the path that scores. How far averages are then apart is what core/model/gauge/marginal.ts
// counts as usual.
import type { Head, HeadInput } from '../heads/head.ts';
import { guessOf, type Losses, type LossSpec } from '../losses.ts';
import { decodeFloats } from '../numbers.ts';
import type { Prepared } from '../prepared.ts';
import { SHIFT_DIRECTIONS } from './marginal.ts';

/** Rows followed for all channels together; what is measured is a spread and needs no more. */
const MOST_STEPS = 30_000;
const MOST_ROWS = 3000;
/** Rows of one stretch at most: many short ones say more than few long ones. */
const LONGEST = 250;
/** Rows at the beginning of a stretch that say nothing: averages are only beginning. */
const WARM_UP = 30;
/** Averages change slowly: every so manieth row is compared. */
const STRIDE = 4;
/** Rounds of power iteration for a direction. */
const ROUNDS = 12;

/** A stretch of rows, from and to (exclusive). */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** An even choice of stretches among rows. */
export function chooseStretches({ count, first, channels }: Prepared): Stretch[] {
  const all: Stretch[] = [];
  for (let r = 0, from = 0; r < count; r += 1)
    if (r + 1 === count || first[r + 1] === 1 || r + 1 - from === LONGEST) {
      if (r + 1 - from > WARM_UP) all.push({ from, to: r + 1 });
      from = r + 1;
    }
  const most = Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_STEPS / (channels + 1))) / LONGEST);
  const stride = Math.max(1, all.length / most);
  return Array.from({ length: Math.ceil(all.length / stride) }, (_, i) => all[Math.floor(i * stride)]!);
}

/** Row `row` as heads see it when channel `lost` (−1: none) is lost besides. Reused. */
export type RowsWithout = (row: number, lost: number, restart: boolean) => HeadInput;

const onlyLost = (channels: number, j: number): Losses => ({
  lost: Uint8Array.from({ length: channels }, (_, k) => (k === j ? 1 : 0)),
  since: new Float64Array(channels),
  width: Float64Array.from({ length: channels }, (_, k) => (k === j ? 1 : 0)),
  all: false,
});

/** What is guessed of a lost channel of one kind of car, and the bounds of a guess, as in LossSpec. */
export interface Guesses {
  readonly precision: string;
  readonly lowest: readonly number[];
  readonly highest: readonly number[];
}

export function guessesOf({ kinds, lowest, highest }: LossSpec, kind: number): Guesses {
  const { channels, precision } = kinds[kind]!;
  return {
    precision,
    lowest: channels.map((k) => lowest[k]!),
    highest: channels.map((k) => highest[k]!),
  };
}

/**
 * Rows of `input` with a channel taken away and guessed.
 * @param after what follows from the features, done anew
 */
export function rowsWithout(
  { precision, ...bounds }: Guesses,
  input: (row: number) => HeadInput,
  after: (input: HeadInput, row: number, lost: number) => void = () => {},
): RowsWithout {
  const channels = bounds.lowest.length;
  const floats = decodeFloats(precision, channels * channels, 'kind of cars');
  const guesses = Array.from({ length: channels }, (_, j) => guessOf(floats, channels, [j]).weights[0]!);
  const losses = Array.from({ length: channels }, (_, j) => onlyLost(channels, j));
  return (row, lost, restart) => {
    const now = input(row);
    now.restart ||= restart;
    if (lost < 0) return now;
    let guess = 0;
    for (let k = 0; k < channels; k += 1) guess += guesses[lost]![k]! * now.features[k]!;
    now.features[lost] = Math.min(bounds.highest[lost]!, Math.max(bounds.lowest[lost]!, guess));
    now.present[lost] = 0;
    now.losses = losses[lost]!;
    after(now, row, lost);
    return now;
  };
}

/** Numbers that are watched: `length` of them after each row, in `out` from `at`. */
export interface Watched {
  readonly length: number;
  read(state: Float32Array, out: Float32Array, at: number): void;
}

/** Sees how far the watched numbers are off when channel `lost` is, in one row. */
type Visit = (lost: number, shift: Float32Array) => void;

/** Leads a head through the stretches, with all channels and without each. */
export function eachShift(
  head: Head,
  channels: number,
  stretches: readonly Stretch[],
  rows: RowsWithout,
  { length, read }: Watched,
  visit: Visit,
): void {
  const statistics = new Float64Array(head.statistics.length);
  const kept = stretches.reduce((sum, { from, to }) => sum + Math.ceil((to - from) / STRIDE), 0);
  const whole = new Float32Array(kept * length);
  const shift = new Float32Array(length);
  const follow = (lost: number, see: (place: number, state: Float32Array) => void): void => {
    let place = 0;
    for (const { from, to } of stretches) {
      const state = new Float32Array(head.stateSize);
      for (let r = from; r < to; r += 1) {
        head.step(rows(r, lost, r === from), state, 0, statistics, 0);
        if ((r - from) % STRIDE !== 0) continue;
        if (r - from >= WARM_UP) see(place, state);
        place += 1;
      }
    }
  };
  follow(-1, (place, state) => read(state, whole, place * length));
  for (let j = 0; j < channels; j += 1)
    follow(j, (place, state) => {
      read(state, shift, 0);
      for (let i = 0; i < length; i += 1) shift[i]! -= whole[place * length + i]!;
      visit(j, shift);
    });
}

/** Gathers shifts of `channels` numbers: their mean squares, or their products. */
export class ShiftSums {
  readonly #channels: number;
  readonly #products: boolean;
  /** By channel lost. */
  readonly #sums: Float64Array[];
  readonly #counts: Float64Array;

  constructor(channels: number, products: boolean) {
    this.#channels = channels;
    this.#products = products;
    const size = products ? channels * channels : channels;
    this.#sums = Array.from({ length: channels }, () => new Float64Array(size));
    this.#counts = new Float64Array(channels);
  }

  take(lost: number, shift: Float32Array, at: number): void {
    const n = this.#channels;
    const sums = this.#sums[lost]!;
    this.#counts[lost]! += 1;
    for (let k = 0; k < n; k += 1) {
      // What the lost channel itself would say is integrated out.
      const value = k === lost ? 0 : shift[at + k]!;
      if (!this.#products) sums[k]! += value * value;
      else for (let i = 0; i < n; i += 1) sums[k * n + i]! += value * (i === lost ? 0 : shift[at + i]!);
    }
  }

  /** Root mean squares, channel lost by channel. */
  sizes(): Float64Array {
    const n = this.#channels;
    const out = new Float64Array(n * n);
    this.#sums.forEach((sums, j) => {
      for (let k = 0; k < n; k += 1) out[j * n + k] = Math.sqrt(sums[k]! / Math.max(1, this.#counts[j]!));
    });
    return out;
  }

  /** The directions that cost most by `precision`, as Shifts (marginal.ts) has them. */
  directions(precision: ArrayLike<number>): Float64Array {
    const n = this.#channels;
    const out = new Float64Array(n * n * SHIFT_DIRECTIONS);
    this.#sums.forEach((sums, j) => {
      const covariance = sums.map((sum) => sum / Math.max(1, this.#counts[j]!));
      for (let d = 0; d < SHIFT_DIRECTIONS; d += 1) {
        const vector = leadingDirection(covariance, precision, n);
        if (vector === null) return;
        out.set(vector, (j * SHIFT_DIRECTIONS + d) * n);
        for (let a = 0; a < n; a += 1)
          for (let b = 0; b < n; b += 1) covariance[a * n + b]! -= vector[a]! * vector[b]!;
      }
    });
    return out;
  }
}

const LEAST_COST = 1e-3;

/** out = matrix · x */
function apply(matrix: ArrayLike<number>, x: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n);
  for (let i = 0; i < n; i += 1) {
    let sum = 0;
    for (let k = 0; k < n; k += 1) sum += matrix[i * n + k]! * x[k]!;
    out[i] = sum;
  }
  return out;
}

const inner = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

/**
 * The vector v with the largest v'Pv for which vv' is a part of the covariance C: power iteration on C·P. Null where
 * that is next to nothing.
 */
function leadingDirection(
  covariance: Float64Array,
  precision: ArrayLike<number>,
  n: number,
): Float64Array | null {
  let widest = 0;
  for (let k = 1; k < n; k += 1)
    if (
      covariance[k * n + k]! * precision[k * n + k]! >
      covariance[widest * n + widest]! * precision[widest * n + widest]!
    )
      widest = k;
  let vector = Float64Array.from(covariance.subarray(widest * n, (widest + 1) * n));
  let cost = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const turned = apply(precision, vector, n);
    const norm = Math.sqrt(inner(vector, turned));
    if (!(norm > 1e-12)) return null;
    const unit = turned.map((x) => x / norm);
    vector = Float64Array.from(apply(covariance, unit, n));
    cost = inner(vector, unit);
  }
  if (!(cost > LEAST_COST)) return null;
  // C·P v = cost · v with v'Pv = 1; `vector` is cost · v.
  return vector.map((x) => x / Math.sqrt(cost));
}
