// What is left of a quadratic form x'Px, the strangeness of averages by their inverse covariance P, when something of x
// is not known: a channel that is not measured says nothing (it is integrated out exactly), and the shifts that its
// absence gives the others count as spread that is usual while it lasts. Both are updates of P of low rank (Woodbury
// 1950), so a pattern of losses costs a small inverse once and a few products an event.

import { smoothingTable } from '../heads/head.ts';
import type { Losses } from '../losses.ts';
import { decodeFloats, type Floats } from '../numbers.ts';
import { invertSmall } from '../small-matrix.ts';

/** Directions in which a loss shifts averages that are kept for each channel. */
export const SHIFT_DIRECTIONS = 3;
/** Shifts count as so many times what they were in the history: a car may be further out than the usual one. */
const CAUTION = 3;
/** Shifts that have faded below this share are forgotten. */
const LEAST_FADED = 0.05;
/** A form's diagonal below this share of what it was says nothing. */
const LEAST_LEFT = 1e-6;
/** Events over which the readings a forecast is made of remember a loss (state.ts). */
const INPUTS_REMEMBER = 100;

/** For each channel lost SHIFT_DIRECTIONS vectors, one number a channel: how averages are shifted; base64 floats. */
export type Shifts = Floats;

export const decodeShifts = (
  packed: string | undefined,
  channels: number,
  directions: number,
  what: string,
): Shifts | null =>
  packed === undefined ? null : decodeFloats(packed, directions * channels * channels, `${what}: shifts`);

/** How much of the shift of a channel's loss is left, in multiples of what it is when the channel alone is lost; one a channel. */
export function shiftsLeft({ lost, since, width }: Losses, span: number): Float64Array {
  const keep = 1 - smoothingTable(span + INPUTS_REMEMBER)[1]!;
  return width.map((wide, j) => {
    const left = lost[j] === 1 ? 1 : keep ** since[j]!;
    return left < LEAST_FADED ? 0 : CAUTION * wide * left;
  });
}

export interface Marginal {
  /** From P·x to what is left of it, in place. */
  turn(turned: Float32Array | Float64Array): void;
  /** Roots of the diagonal of what is left of P; 0 where nothing is. */
  readonly roots: Float64Array;
  /** What is left of P, row after row: what `turn` does, as a matrix for P·x to be made with. */
  left(): Float64Array;
}

/**
 * @param vectors directions of x, each n long, that say nothing (size Infinity) or are usual up to their length times
 * `sizes`
 */
export function marginalOf(
  precision: ArrayLike<number>,
  n: number,
  vectors: readonly Float64Array[],
  sizes: readonly number[],
): Marginal {
  const m = vectors.length;
  const turnedVectors = vectors.map((vector) => {
    const out = new Float64Array(n);
    for (let i = 0; i < n; i += 1) {
      if (vector[i] === 0) continue;
      for (let k = 0; k < n; k += 1) out[k]! += precision[i * n + k]! * vector[i]!;
    }
    return out;
  });
  const gram = new Float64Array(m * m);
  for (let a = 0; a < m; a += 1) {
    for (let b = 0; b < m; b += 1)
      for (let k = 0; k < n; k += 1) gram[a * m + b]! += vectors[a]![k]! * turnedVectors[b]![k]!;
    gram[a * m + a]! += 1 / sizes[a]! ** 2;
  }
  const inverse = invertSmall(gram, m);
  const inner = new Float64Array(m);
  const roots = Float64Array.from({ length: n }, (_, k) => {
    const whole = precision[k * n + k]!;
    let left = whole;
    for (let a = 0; a < m; a += 1)
      for (let b = 0; b < m; b += 1)
        left -= turnedVectors[a]![k]! * inverse[a * m + b]! * turnedVectors[b]![k]!;
    return left > LEAST_LEFT * whole ? Math.sqrt(left) : 0;
  });
  const left = () => {
    const out = Float64Array.from({ length: n * n }, (_, i) => precision[i]!);
    for (let a = 0; a < m; a += 1) {
      const weights = new Float64Array(n);
      for (let b = 0; b < m; b += 1)
        for (let j = 0; j < n; j += 1) weights[j]! += inverse[a * m + b]! * turnedVectors[b]![j]!;
      for (let k = 0; k < n; k += 1)
        for (let j = 0; j < n; j += 1) out[k * n + j]! -= turnedVectors[a]![k]! * weights[j]!;
    }
    for (let k = 0; k < n; k += 1) if (roots[k] === 0) out.fill(0, k * n, (k + 1) * n);
    return out;
  };
  return {
    roots,
    left,
    turn: (turned) => {
      for (let a = 0; a < m; a += 1) {
        const vector = vectors[a]!;
        let sum = 0;
        for (let k = 0; k < n; k += 1) sum += vector[k]! * turned[k]!;
        inner[a] = sum;
      }
      for (let a = 0; a < m; a += 1) {
        let weight = 0;
        for (let b = 0; b < m; b += 1) weight += inverse[a * m + b]! * inner[b]!;
        const vector = turnedVectors[a]!;
        for (let k = 0; k < n; k += 1) turned[k]! -= weight * vector[k]!;
      }
      for (let k = 0; k < n; k += 1) if (roots[k] === 0) turned[k] = 0;
    },
  };
}

/**
 * Keeps the marginal of each pattern of losses beside the pattern.
 * @param unknownOf the direction of x that is not known when channel j is lost
 */
export function createMarginals(
  precision: ArrayLike<number>,
  n: number,
  span: number,
  shifts: Shifts | null,
  unknownOf: (channel: number) => Float64Array,
): (losses: Losses) => Marginal {
  const made = new WeakMap<Losses, Marginal>();
  return (losses) => {
    const known = made.get(losses);
    if (known) return known;
    const left = shiftsLeft(losses, span);
    const vectors: Float64Array[] = [];
    const sizes: number[] = [];
    for (let j = 0; j < n; j += 1) {
      if (losses.lost[j] === 1) {
        vectors.push(unknownOf(j));
        sizes.push(Number.POSITIVE_INFINITY);
      }
      for (let d = 0; shifts !== null && left[j]! > 0 && d < SHIFT_DIRECTIONS; d += 1) {
        const from = (j * SHIFT_DIRECTIONS + d) * n;
        const vector = Float64Array.from(shifts.subarray(from, from + n));
        if (vector.every((value) => value === 0)) continue;
        vectors.push(vector);
        sizes.push(left[j]!);
      }
    }
    const marginal = marginalOf(precision, n, vectors, sizes);
    made.set(losses, marginal);
    return marginal;
  };
}

/** The direction of channel j itself, in a form over channels. */
export const unitOf = (n: number) => (j: number) => {
  const out = new Float64Array(n);
  out[j] = 1;
  return out;
};
