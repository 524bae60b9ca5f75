// Fits the range head: how far each channel goes, up and down, on the training rows.
import type { RangeSpec } from '../../core/model/heads/range.ts';
import type { Tail } from '../../core/model/tail.ts';
import type { Prepared } from '../prepared.ts';
import { tailOfSorted } from '../tails.ts';

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

/** A run of rows of one fold without a pause. */
interface Piece {
  readonly fold: number;
  /** It goes on from the piece before it. */
  readonly goesOn: boolean;
  /** 1 for each channel measured in it. */
  readonly measured: Uint8Array;
}

function piecesOf({ channels, count, present, first }: Prepared, folds: Uint8Array): Piece[] {
  const out: Piece[] = [];
  for (let r = 0; r < count; r += 1) {
    if (r === 0 || first[r] === 1 || folds[r] !== folds[r - 1])
      out.push({ fold: folds[r]!, goesOn: r > 0 && first[r] === 0, measured: new Uint8Array(channels) });
    const { measured } = out.at(-1)!;
    for (let k = 0; k < channels; k += 1) measured[k]! |= present[r * channels + k]!;
  }
  return out;
}

/**
 * The stretches in which each channel is measured, as few as there are with all folds or without any one: what is decided by a count is
 * decided alike for the model of all cars and for those that judge it.
 * @param folds of each row
 */
export function fewestStretches(prepared: Prepared, folds: Uint8Array, foldCount: number): Float64Array {
  const fewest = new Float64Array(prepared.channels).fill(Number.POSITIVE_INFINITY);
  const pieces = piecesOf(prepared, folds);
  for (let left = -1; left < foldCount; left += 1) {
    const counts = new Float64Array(prepared.channels);
    let before: Piece | null = null;
    let counted = new Uint8Array(prepared.channels);
    for (const piece of pieces) {
      if (piece.fold === left) {
        before = null;
        continue;
      }
      if (before === null || !piece.goesOn) counted = new Uint8Array(prepared.channels);
      for (let k = 0; k < counts.length; k += 1) {
        counts[k]! += piece.measured[k]! & (1 - counted[k]!);
        counted[k]! |= piece.measured[k]!;
      }
      before = piece;
    }
    for (let k = 0; k < counts.length; k += 1) fewest[k] = Math.min(fewest[k]!, counts[k]!);
  }
  return fewest;
}

/**
 * Standard deviation of the means of stretches: how much cars differ in each channel.
 * @param stretches of each channel, by which it is decided whether they tell
 */
function spreadBetween(
  { channels, count, features, present, first }: Prepared,
  stretches: Float64Array,
): Float64Array {
  const means: number[][] = Array.from({ length: channels }, () => []);
  const sum = new Float64Array(channels);
  const seen = new Float64Array(channels);
  const close = () => {
    for (let k = 0; k < channels; k += 1) if (seen[k]! > 0) means[k]!.push(sum[k]! / seen[k]!);
    sum.fill(0);
    seen.fill(0);
  };
  for (let r = 0; r < count; r += 1) {
    if (first[r] === 1 && r > 0) close();
    for (let k = 0; k < channels; k += 1) {
      if (present[r * channels + k] !== 1) continue;
      sum[k]! += features[r * channels + k]!;
      seen[k]! += 1;
    }
  }
  close();
  return Float64Array.from(means, (list, k) => {
    const mean = list.reduce((a, b) => a + b, 0) / Math.max(1, list.length);
    const least = stretches[k]! < FEW_STRETCHES ? NOT_KNOWN : LEAST_BETWEEN;
    return Math.max(
      least,
      Math.sqrt(list.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, list.length - 1)),
    );
  });
}

/** Readings of a channel that are enough for its tails. */
const MOST_READINGS = 60_000;

/**
 * @param trim share of training rows that may be faults
 * @param stretches of each channel (fewestStretches)
 */
export function fitRangeHead(prepared: Prepared, trim: number, stretches: Float64Array): RangeSpec {
  const { channels, count, features, present } = prepared;
  const between = spreadBetween(prepared, stretches);
  const stride = Math.max(1, Math.floor(count / MOST_READINGS));
  const sorted = Array.from({ length: channels }, (_, k) => {
    const values = new Float64Array(Math.ceil(count / stride));
    let n = 0;
    for (let r = 0; r < count; r += stride)
      if (present[r * channels + k] === 1) values[n++] = features[r * channels + k]!;
    return values.subarray(0, n).sort();
  });
  const tailOf = (values: Float64Array, k: number): Tail => {
    if (values.length === 0) return NOTHING;
    const tail = tailOfSorted(values, trim * TRIM_SHARE);
    const widest = 1 / (Math.LN10 * BETWEEN * between[k]!);
    return { ...tail, slope: Math.min(tail.slope, widest) };
  };
  const mirrored = (values: Float64Array) => values.map((value) => -value).reverse();
  return {
    kind: 'range',
    name: 'range',
    span: SPAN,
    high: sorted.map(tailOf),
    low: sorted.map((values, k) => tailOf(mirrored(values), k)),
  };
}
