// Fits the range head: how far each channel goes, up and down, on the training rows; on all of them, and without each
// fold.

import { sortedWithout } from '../../../math/sorted-without.ts';
import { tailOfSorted } from '../../fit-tail.ts';
import type { Prepared } from '../../prepared.ts';
import type { Tail } from '../../tail.ts';
import type { RangeSpec } from './spec.ts';

const SPAN = 4;
/** A tail is at least so wide, in spreads between cars: the next car is none of those seen. */
const BETWEEN = 1;
/** Where a few stretches do not tell how much cars differ, they are taken to by this. */
const NOT_KNOWN = 0.5;
const FEW_STRETCHES = 4;
const LEAST_BETWEEN = 1e-3;
/** Of the share of rows taken for faults, how much one end of one channel may hold. */
const TRIM_SHARE = 0.1;
/** Of a channel never measured nothing is strange. */
const NOTHING: Tail = { at: [0, 1], levels: [0, 1e-6], slope: 1e-6 };

/** A run of rows of one fold without a pause; of a stretch of rows, all of them together. */
interface Piece {
  readonly fold: number;
  /** It goes on from the piece before it. */
  readonly goesOn: boolean;
  /** Of each channel the readings in it, and their sum. */
  readonly readings: Float64Array;
  readonly sum: Float64Array;
}

function piecesOf({ channels, count, features, present, first }: Prepared, folds: Uint8Array): Piece[] {
  const out: Piece[] = [];
  for (let r = 0; r < count; r += 1) {
    if (r === 0 || first[r] === 1 || folds[r] !== folds[r - 1])
      out.push({
        fold: folds[r]!,
        goesOn: r > 0 && first[r] === 0,
        readings: new Float64Array(channels),
        sum: new Float64Array(channels),
      });
    const { readings, sum } = out.at(-1)!;
    for (let k = 0; k < channels; k += 1) {
      if (present[r * channels + k] !== 1) continue;
      readings[k]! += 1;
      sum[k]! += features[r * channels + k]!;
    }
  }
  return out;
}

/** What the pieces of all folds but `left` (−1: of all) make when those that go on are joined. */
function stretchesWithout(pieces: readonly Piece[], left: number): Piece[] {
  const out: Piece[] = [];
  let before: Piece | null = null;
  for (const piece of pieces) {
    if (piece.fold === left) {
      before = null;
      continue;
    }
    if (before === null || !piece.goesOn)
      out.push({ ...piece, readings: piece.readings.slice(), sum: piece.sum.slice() });
    else {
      const { readings, sum } = out.at(-1)!;
      for (let k = 0; k < sum.length; k += 1) {
        readings[k]! += piece.readings[k]!;
        sum[k]! += piece.sum[k]!;
      }
    }
    before = piece;
  }
  return out;
}

/**
 * The stretches in which each channel is measured, as few as there are with all folds or without any one: what is
 * decided by a count is decided alike for the model of all cars and for those that judge it.
 * @param folds of each row
 */
export function fewestStretches(prepared: Prepared, folds: Uint8Array, foldCount: number): Float64Array {
  return fewestAmong(piecesOf(prepared, folds), prepared.channels, foldCount);
}

function fewestAmong(pieces: readonly Piece[], channels: number, foldCount: number): Float64Array {
  const fewest = new Float64Array(channels).fill(Number.POSITIVE_INFINITY);
  for (let left = -1; left < foldCount; left += 1) {
    const stretches = stretchesWithout(pieces, left);
    for (let k = 0; k < channels; k += 1)
      fewest[k] = Math.min(fewest[k]!, stretches.filter(({ readings }) => readings[k]! > 0).length);
  }
  return fewest;
}

/**
 * Standard deviation of the means of stretches: how much cars differ in each channel.
 * @param fewest of the stretches of each channel, by which it is decided whether they tell
 */
function spreadBetween(stretches: readonly Piece[], fewest: Float64Array): Float64Array {
  return fewest.map((enough, k) => {
    const means = stretches.flatMap(({ readings, sum }) =>
      readings[k]! > 0 ? [sum[k]! / readings[k]!] : [],
    );
    const mean = means.reduce((a, b) => a + b, 0) / Math.max(1, means.length);
    const squares = means.reduce((a, b) => a + (b - mean) ** 2, 0);
    const least = enough < FEW_STRETCHES ? NOT_KNOWN : LEAST_BETWEEN;
    return Math.max(least, Math.sqrt(squares / Math.max(1, means.length - 1)));
  });
}

/** Readings of a channel that are enough for its tails. */
const MOST_READINGS = 60_000;

/** Readings of each channel, thinned, rising; of all folds but `left`. */
function readingsOf({ channels, count, features, present }: Prepared, folds: Uint8Array) {
  const stride = Math.max(1, Math.floor(count / MOST_READINGS));
  return Array.from({ length: channels }, (_, k) => {
    const values = new Float64Array(Math.ceil(count / stride));
    const of = new Uint8Array(values.length);
    let n = 0;
    for (let r = 0; r < count; r += stride) {
      if (present[r * channels + k] !== 1) continue;
      values[n] = features[r * channels + k]!;
      of[n] = folds[r]!;
      n += 1;
    }
    return sortedWithout(values.subarray(0, n), of);
  });
}

/**
 * What fits the head without what is of fold `left` (−1: on all rows).
 * @param folds of each row
 * @param trim share of training rows that may be faults
 */
export function rangeFits(
  prepared: Prepared,
  folds: Uint8Array,
  foldCount: number,
  trim: number,
): (left: number) => RangeSpec {
  const pieces = piecesOf(prepared, folds);
  const fewest = fewestAmong(pieces, prepared.channels, foldCount);
  const readings = readingsOf(prepared, folds);
  return (left) => {
    const between = spreadBetween(stretchesWithout(pieces, left), fewest);
    const tailOf = (values: Float64Array, k: number): Tail => {
      if (values.length === 0) return NOTHING;
      const tail = tailOfSorted(values, trim * TRIM_SHARE);
      const widest = 1 / (Math.LN10 * BETWEEN * between[k]!);
      return { ...tail, slope: Math.min(tail.slope, widest) };
    };
    const sorted = readings.map((without) => without(left));
    const high = sorted.map(tailOf);
    const mirrored = (values: Float64Array) => values.map((value) => -value).reverse();
    const low = sorted.map((values, k) => tailOf(mirrored(values), k));
    return { kind: 'range', name: 'range', span: SPAN, high, low };
  };
}
