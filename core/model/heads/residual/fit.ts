// Fits a residual head: whitening (Ledoit–Wolf, twice, the second time without the strangest rows), the forecast's
// weights, and the spread of each averaged component.

import { ledoitWolf, solveSpd, symmetricEigen } from '../../../math/linear-algebra.ts';
import { quantileOf } from '../../../math/quantile.ts';
import { encodeFloats } from '../../numbers.ts';
import { type Prepared, rowInput } from '../../prepared.ts';
import { createResidualHead } from './reference.ts';
import type { ResidualSpec } from './spec.ts';

export interface ResidualHeadPlan {
  readonly name: string;
  readonly source: ResidualSpec['source'];
  readonly span: number;
  /** Weight of its levels in the score, 0–1. Default 1. */
  readonly share?: number;
}

/** Components whose variance is below this share of the mean one are treated as if they had it: noise is not amplified. */
const EIGEN_FLOOR = 1e-3;

/** Ridge of the forecast, in rows of unit variance. */
const RIDGE = 5;

const MAX_ROWS = 20_000;

/** Σ^(−1/2), symmetric, so that each component still belongs to one channel. */
export function whiteningOf(rows: Float64Array, count: number, channels: number, trim: number): Float64Array {
  const first = inverseRoot(ledoitWolf(rows, count, channels), channels);
  if (trim <= 0) return first;
  const distances = new Float64Array(count);
  for (let r = 0; r < count; r += 1) {
    for (let o = 0; o < channels; o += 1) {
      let sum = 0;
      for (let i = 0; i < channels; i += 1) sum += first[o * channels + i]! * rows[r * channels + i]!;
      distances[r]! += sum * sum;
    }
  }
  const limit = quantileOf(distances.slice().sort(), 1 - trim);
  const kept: number[] = [];
  for (let r = 0; r < count; r += 1) if (distances[r]! <= limit) kept.push(r);
  const trimmed = new Float64Array(kept.length * channels);
  for (const [k, r] of kept.entries())
    trimmed.set(rows.subarray(r * channels, (r + 1) * channels), k * channels);
  return inverseRoot(ledoitWolf(trimmed, kept.length, channels), channels);
}

function inverseRoot(covariance: Float64Array, n: number): Float64Array {
  const { values, vectors } = symmetricEigen(covariance, n);
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const out = new Float64Array(n * n);
  for (let k = 0; k < n; k += 1) {
    const root = 1 / Math.sqrt(Math.max(values[k]!, EIGEN_FLOOR * mean, 1e-12));
    for (let i = 0; i < n; i += 1)
      for (let j = 0; j < n; j += 1) out[i * n + j]! += vectors[k * n + i]! * root * vectors[k * n + j]!;
  }
  return out;
}

/** Ridge regression of each row on the row before it and a constant: channels × (channels + 1). */
export function fitForecast(prepared: Prepared): Float64Array {
  const { channels, features, first, count } = prepared;
  const n = channels + 1;
  const gram = new Float64Array(n * n);
  const cross = new Float64Array(n * channels);
  const before = new Float64Array(n).fill(1);
  const stride = Math.max(1, Math.floor(count / (2 * MAX_ROWS)));
  for (let r = 1; r < count; r += stride) {
    if (first[r] === 1) continue;
    for (let k = 0; k < channels; k += 1) before[k] = features[(r - 1) * channels + k]!;
    for (let a = 0; a < n; a += 1) {
      const x = before[a]!;
      for (let b = 0; b < n; b += 1) gram[a * n + b]! += x * before[b]!;
      for (let k = 0; k < channels; k += 1) cross[a * channels + k]! += x * features[r * channels + k]!;
    }
  }
  for (let a = 0; a < channels; a += 1) gram[a * n + a]! += RIDGE;
  gram[n * n - 1]! += 1e-6;
  const solved = solveSpd(gram, n, cross, channels);
  const out = new Float64Array(channels * n);
  for (let k = 0; k < channels; k += 1)
    for (let a = 0; a < n; a += 1) out[k * n + a] = solved[a * channels + k]!;
  return out;
}

/** The residuals before whitening, at most MAX_ROWS rows. */
function residuals(prepared: Prepared, source: ResidualSpec['source'], forecast: Float64Array | null) {
  const { channels, features, present, reconstruction, first, count } = prepared;
  const stride = Math.max(1, Math.ceil(count / MAX_ROWS));
  const out = new Float64Array(Math.ceil(count / stride) * channels);
  let kept = 0;
  for (let r = 0; r < count; r += stride) {
    if (source === 'forecast' && first[r] === 1) continue;
    for (let k = 0; k < channels; k += 1) {
      const at = r * channels + k;
      let said = 0;
      if (source === 'autoencoder') said = reconstruction[at]!;
      else if (forecast) {
        said = forecast[k * (channels + 1) + channels]!;
        for (let i = 0; i < channels; i += 1)
          said += forecast[k * (channels + 1) + i]! * features[(r - 1) * channels + i]!;
      }
      out[kept * channels + k] = present[at] === 1 ? features[at]! - said : 0;
    }
    kept += 1;
  }
  return { rows: out.subarray(0, kept * channels), count: kept };
}

/** Spread of each averaged component over the fitting rows: a robust root mean square, blind to the strangest few per cent. */
function fitSpread(spec: Omit<ResidualSpec, 'spread'>, prepared: Prepared): Float64Array {
  const { channels, count } = prepared;
  const head = createResidualHead(
    { ...spec, spread: encodeFloats(new Float64Array(channels).fill(1)) },
    channels,
  );
  const state = new Float32Array(head.stateSize);
  const statistics = new Float64Array(head.statistics.length);
  const parts = new Float64Array(channels);
  const used = Math.min(count, 2 * MAX_ROWS);
  const columns = Array.from({ length: channels }, () => new Float64Array(used));
  const input = rowInput(prepared);
  for (let r = 0; r < used; r += 1) {
    head.step(input(r), state, 0, statistics, 0);
    head.blame(0, parts);
    for (let k = 0; k < channels; k += 1) columns[k]![r] = parts[k]!;
  }
  return Float64Array.from(columns, (squares) => {
    const sorted = squares.sort();
    const limit = quantileOf(sorted, 0.97);
    let sum = 0;
    let kept = 0;
    for (const square of sorted) {
      if (square > limit) break;
      sum += square;
      kept += 1;
    }
    return Math.max(1e-3, Math.sqrt(sum / Math.max(1, kept)));
  });
}

/** `trim`: share of the strangest rows left out when the normal spread is learnt. */
export function fitResidualHead(plan: ResidualHeadPlan, prepared: Prepared, trim: number): ResidualSpec {
  const { channels } = prepared;
  const forecast = plan.source === 'forecast' ? fitForecast(prepared) : null;
  const { rows, count } = residuals(prepared, plan.source, forecast);
  const partial = {
    kind: 'residual' as const,
    name: plan.name,
    source: plan.source,
    span: plan.span,
    ...(plan.share === undefined ? {} : { share: plan.share }),
    whitening: encodeFloats(whiteningOf(rows, count, channels, trim)),
    ...(forecast ? { forecast: encodeFloats(forecast) } : {}),
  };
  return { ...partial, spread: encodeFloats(fitSpread(partial, prepared)) };
}
