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

/** Standard deviation of the means of stretches: how much cars differ in each channel. */
function spreadBetween({ channels, count, features, present, first }: Prepared): Float64Array {
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
  return Float64Array.from(means, (list) => {
    const mean = list.reduce((a, b) => a + b, 0) / Math.max(1, list.length);
    const least = list.length < FEW_STRETCHES ? NOT_KNOWN : LEAST_BETWEEN;
    return Math.max(
      least,
      Math.sqrt(list.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, list.length - 1)),
    );
  });
}

/** Readings of a channel that are enough for its tails. */
const MOST_READINGS = 60_000;

/** @param trim share of training rows that may be faults */
export function fitRangeHead(prepared: Prepared, trim: number): RangeSpec {
  const { channels, count, features, present } = prepared;
  const between = spreadBetween(prepared);
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
