// What every report sets beside the model: methods anyone would try first, fitted on the same rows. Each gives a number
// a row, higher is stranger; all are smoothed and calibrated alike, so that only the method differs.
import type { Prepared } from '../../../core/model/prepared.ts';

export interface Baseline {
  readonly name: string;
  readonly about: string;
  /** One finite score a row. */
  score(rows: Prepared): Float64Array;
}

/** The exponential average of scores over `span` rows, anew at each beginning. */
export function smoothed(scores: Float64Array, first: Uint8Array, span: number): Float64Array {
  const weight = 2 / (span + 1);
  let mean = 0;
  return scores.map((score, r) => {
    mean = first[r] === 1 ? score : mean + weight * (score - mean);
    return mean;
  });
}

/** At most `most` rows, evenly thinned, as doubles. */
export function thinned({ features, channels, count }: Prepared, most: number) {
  const stride = Math.max(1, Math.ceil(count / most));
  const size = Math.ceil(count / stride);
  const rows = new Float64Array(size * channels);
  for (let i = 0; i < size; i += 1)
    rows.set(features.subarray(i * stride * channels, (i * stride + 1) * channels), i * channels);
  return { rows, count: size };
}
