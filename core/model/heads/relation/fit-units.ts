// Draws the forecaster's units. Each listens to three averages; three channels that have something to do with each
// other tell more together than three at random, so they are drawn for a channel from those it is related to when all
// others are known (partial correlations). What is drawn is fixed before anything is fitted.

import { invertSpd } from '../../../math/linear-algebra.ts';
import { createAverage } from '../../gauge/gauge.ts';
import { encodeFloats } from '../../numbers.ts';
import type { Prepared } from '../../prepared.ts';
import { rowInput } from '../../prepared.ts';
import { normal } from '../../random.ts';
import { FAN_IN, type RelationPlan } from './forecaster.ts';
import { INPUT_SPANS } from './state.ts';

/** Rows that are enough to tell who is related. */
const RELATED_ROWS = 24_000;
/** Added to the correlations: what two channels share below it is not told from chance. */
const RIDGE = 1e-3;
/** Chance of a channel that is not related at all, beside a partial correlation. */
const UNRELATED = 0.01;
/** Share of the units, the last ones, that listen to a car's own levels too: one of them, or two. */
const KNOW_THE_CAR = 0.4;
/** Standard deviation of a unit's weights: much of a unit's work is nearly linear, a product at most. */
const WEIGHT = 0.5;

/** |partial correlation| of the channels' newest averages, channels × channels; 0 with themselves. */
export function kinship(prepared: Prepared): Float64Array {
  const { channels, count, present } = prepared;
  const average = createAverage({ span: INPUT_SPANS[0] }, channels);
  const state = new Float32Array(channels);
  const reading = new Float64Array(channels);
  const sum = new Float64Array(channels);
  const products = new Float64Array(channels * channels);
  const stride = Math.max(1, Math.floor(count / RELATED_ROWS));
  const input = rowInput(prepared);
  let rows = 0;
  for (let r = 0; r < count; r += 1) {
    const now = input(r);
    for (let k = 0; k < channels; k += 1)
      reading[k] = present[r * channels + k] === 1 ? now.features[k]! : Number.NaN;
    average(reading, now, state, 0);
    if (r % stride !== 0) continue;
    rows += 1;
    for (let i = 0; i < channels; i += 1) {
      sum[i]! += state[i]!;
      for (let j = 0; j <= i; j += 1) products[i * channels + j]! += state[i]! * state[j]!;
    }
  }
  const spread = Float64Array.from({ length: channels }, (_, k) =>
    Math.sqrt(Math.max(1e-9, products[k * channels + k]! / rows - (sum[k]! / rows) ** 2)),
  );
  const correlations = new Float64Array(channels * channels);
  for (let i = 0; i < channels; i += 1)
    for (let j = 0; j <= i; j += 1) {
      const shared = products[i * channels + j]! / rows - (sum[i]! * sum[j]!) / rows ** 2;
      const correlation = shared / (spread[i]! * spread[j]!) + (i === j ? RIDGE : 0);
      correlations[i * channels + j] = correlation;
      correlations[j * channels + i] = correlation;
    }
  const precision = invertSpd(correlations, channels);
  return precision.map((value, at) => {
    const i = Math.floor(at / channels);
    const j = at % channels;
    if (i === j) return 0;
    return Math.abs(value) / Math.sqrt(precision[i * channels + i]! * precision[j * channels + j]!);
  });
}

/** Draws an index with these weights, ≥ 0 and not all 0. */
function drawOne(weights: Float64Array, random: () => number): number {
  let left = random() * weights.reduce((a, b) => a + b, 0);
  for (const [i, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return i;
  }
  return weights.findLastIndex((weight) => weight > 0);
}

/**
 * `units` units over averages of channels that are kin; where there are `severalCars`, some with the car's own levels:
 * of kin channels, or of any.
 */
export function drawUnits(
  prepared: Prepared,
  units: number,
  severalCars: boolean,
  random: () => number,
): Pick<RelationPlan, 'unitInputs' | 'unitWeights'> {
  const { channels } = prepared;
  const related = kinship(prepared);
  const anyChannel = () => Math.floor(random() * channels);
  const width = INPUT_SPANS.length * channels;
  const unitInputs: number[] = [];
  for (let u = 0; u < units; u += 1) {
    const one = anyChannel();
    const weights = Float64Array.from(
      { length: channels },
      (_, k) => (k === one && channels > 1 ? 0 : UNRELATED) + related[one * channels + k]!,
    );
    const levels = !severalCars || u < (1 - KNOW_THE_CAR) * units ? 0 : 1 + (u % 2);
    for (let i = 0; i < FAN_IN; i += 1) {
      const kin = drawOne(weights, random);
      if (i < FAN_IN - levels) unitInputs.push(Math.floor(random() * INPUT_SPANS.length) * channels + kin);
      else unitInputs.push(width + (random() < 0.5 ? kin : anyChannel()));
      // Not the same one again, as long as there are others.
      const alone = weights.every((weight, k) => k === kin || weight === 0);
      if (!alone) weights[kin] = 0;
    }
  }
  const weights = Float64Array.from({ length: units * (FAN_IN + 1) }, (_, i) =>
    i < units * FAN_IN ? WEIGHT * normal(random) : normal(random),
  );
  return { unitInputs, unitWeights: encodeFloats(weights) };
}
