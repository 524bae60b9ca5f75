// The linear baselines: fixed limits, the Mahalanobis distance, and what principal components cannot reconstruct.

import { invertSpd, ledoitWolf, symmetricEigen } from '../../../core/math/linear-algebra.ts';
import { quantileOf } from '../../../core/math/quantile.ts';
import type { Prepared } from '../../../core/model/prepared.ts';
import { type Baseline, thinned } from './baseline.ts';

const MAX_ROWS = 20_000;
/** Share of variance the kept components explain. */
const EXPLAINED = 0.9;

/** Each signal has limits that 0.5 % of rows pass on either side; the score is how far the worst one stands out. */
export function fitLimits(prepared: Prepared): Baseline {
  const { channels } = prepared;
  const { rows, count } = thinned(prepared, MAX_ROWS);
  const low = new Float64Array(channels);
  const high = new Float64Array(channels);
  for (let k = 0; k < channels; k += 1) {
    const sorted = Float64Array.from({ length: count }, (_, r) => rows[r * channels + k]!).sort();
    low[k] = quantileOf(sorted, 0.005);
    high[k] = quantileOf(sorted, 0.995);
  }
  return {
    name: 'fixed limits',
    about: 'each signal within the limits that 99 % of its readings keep',
    score: ({ features, count: n }) => {
      const out = new Float64Array(n);
      for (let r = 0; r < n; r += 1) {
        for (let k = 0; k < channels; k += 1) {
          const middle = (low[k]! + high[k]!) / 2;
          const half = Math.max(1e-6, (high[k]! - low[k]!) / 2);
          out[r] = Math.max(out[r]!, Math.abs(features[r * channels + k]! - middle) / half);
        }
      }
      return out;
    },
  };
}

/** Distance from the mean in units of the covariance. */
export function fitMahalanobis(prepared: Prepared): Baseline {
  const { channels } = prepared;
  const { rows, count } = thinned(prepared, MAX_ROWS);
  const mean = centre(rows, count, channels);
  const precision = invertSpd(ledoitWolf(rows, count, channels), channels);
  return {
    name: 'Mahalanobis',
    about: 'distance from the mean in units of the covariance',
    score: ({ features, count: n }) => {
      const out = new Float64Array(n);
      const off = new Float64Array(channels);
      for (let r = 0; r < n; r += 1) {
        for (let k = 0; k < channels; k += 1) off[k] = features[r * channels + k]! - mean[k]!;
        let sum = 0;
        for (let a = 0; a < channels; a += 1)
          for (let b = 0; b < channels; b += 1) sum += off[a]! * precision[a * channels + b]! * off[b]!;
        out[r] = Math.sqrt(Math.max(0, sum));
      }
      return out;
    },
  };
}

/** Length of what is left when the components that explain 90 % of the variance are taken off. */
export function fitPrincipalComponents(prepared: Prepared): Baseline {
  const { channels } = prepared;
  const { rows, count } = thinned(prepared, MAX_ROWS);
  const mean = centre(rows, count, channels);
  const { values, vectors } = symmetricEigen(ledoitWolf(rows, count, channels), channels);
  const total = values.reduce((a, b) => a + b, 0);
  let kept = 0;
  for (let sum = 0; kept < channels - 1 && sum < EXPLAINED * total; kept += 1) sum += values[kept]!;
  return {
    name: 'PCA reconstruction',
    about: `what ${kept} principal components leave unexplained`,
    score: ({ features, count: n }) => {
      const out = new Float64Array(n);
      const off = new Float64Array(channels);
      for (let r = 0; r < n; r += 1) {
        let left = 0;
        for (let k = 0; k < channels; k += 1) {
          off[k] = features[r * channels + k]! - mean[k]!;
          left += off[k]! ** 2;
        }
        for (let c = 0; c < kept; c += 1) {
          let along = 0;
          for (let k = 0; k < channels; k += 1) along += vectors[c * channels + k]! * off[k]!;
          left -= along * along;
        }
        out[r] = Math.sqrt(Math.max(0, left));
      }
      return out;
    },
  };
}

/** Takes the mean off `rows` and returns it. */
function centre(rows: Float64Array, count: number, channels: number): Float64Array {
  const mean = new Float64Array(channels);
  for (let i = 0; i < rows.length; i += 1) mean[i % channels]! += rows[i]! / count;
  for (let i = 0; i < rows.length; i += 1) rows[i]! -= mean[i % channels]!;
  return mean;
}
