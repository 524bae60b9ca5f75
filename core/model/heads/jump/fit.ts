// Fits the shock head (core/model/heads/jump/reference.ts): what each channel's movements seldom exceed, and what
// averages of the rest normally do; on all rows, and without each fold.

import { quantileOf } from '../../../math/quantile.ts';
import { sortedWithout } from '../../../math/sorted-without.ts';
import { fitGauge, type GaugeRows } from '../../gauge/fit.ts';
import { createAverage } from '../../gauge/gauge.ts';
import type { Prepared } from '../../prepared.ts';
import { MOST_STEPS_MOVED } from '../head.ts';
import { jumpOf } from './reference.ts';
import type { JumpSpec } from './spec.ts';

/** Events a shock is held: long enough to raise an alert, short enough not to outlast it much. */
const SPAN = 60;
/** Share of a channel's movements that are usual. */
const USUAL = 0.995;
/** Share of them that are usual among those that are not zero. */
const USUAL_WHEN_MOVED = 0.95;
const LEAST_MOVEMENT = 1e-3;
/** Averages of shocks closer than this are alike: what one barely seen leaves. Channels that never jumped have no spread of their own. */
const LEAST_SPREAD = 0.02;
/** Rows that are enough to fit on. */
const MAX_ROWS = 16_000;

/** `visit` sees each row's movements since the row before, in features; 0 where there is none. */
function eachMovement(prepared: Prepared, visit: (row: number, movement: Float64Array) => void): void {
  const { channels, count, features, present, first, losses } = prepared;
  const last = new Float64Array(channels).fill(Number.NaN);
  const movement = new Float64Array(channels);
  for (let r = 0; r < count; r += 1) {
    const lost = losses.get(r)?.lost;
    for (let k = 0; k < channels; k += 1) {
      if (first[r] === 1 || lost?.[k] === 1) last[k] = Number.NaN;
      movement[k] = 0;
      if (present[r * channels + k] !== 1) continue;
      const value = features[r * channels + k]!;
      if (!Number.isNaN(last[k]!)) movement[k] = value - last[k]!;
      last[k] = value;
    }
    visit(r, movement);
  }
}

/** Movements that are enough to tell what is seldom exceeded. */
const MOST_SIZES = 50_000;

/**
 * What nearly all movements stay within, and nearly all of those that are movements (one step of a coarse reading is no
 * jump); of all folds but `left`.
 */
function seldomExceeded(prepared: Prepared, folds: Uint8Array): (left: number) => number[] {
  const { channels, count } = prepared;
  const stride = Math.max(1, Math.floor(count / MOST_SIZES));
  const size = Math.ceil(count / stride);
  const sizes = Array.from({ length: channels }, () => new Float64Array(size));
  eachMovement(prepared, (r, movement) => {
    if (r % stride === 0)
      for (let k = 0; k < channels; k += 1) sizes[k]![r / stride] = Math.abs(Math.fround(movement[k]!));
  });
  const sizeFolds = Uint8Array.from({ length: size }, (_, i) => folds[i * stride]!);
  const rising = sizes.map((values) => sortedWithout(values, sizeFolds));
  return (left) =>
    rising.map((without) => {
      const sorted = without(left);
      const moved = sorted.subarray(sorted.findIndex((size) => size > 0));
      const step = sorted.at(-1)! > 0 ? quantileOf(moved, USUAL_WHEN_MOVED) : 0;
      return Math.fround(Math.max(LEAST_MOVEMENT, quantileOf(sorted, USUAL), step));
    });
}

/**
 * What fits the head without what is of fold `left` (−1: on all rows).
 * @param folds of each row; a car's rows share one
 * @param trim share of training rows that may be faults
 */
export function jumpFits(prepared: Prepared, folds: Uint8Array, trim: number): (left: number) => JumpSpec {
  const { channels, count, first, steps } = prepared;
  const seldomOf = seldomExceeded(prepared, folds);
  const stride = Math.max(1, Math.ceil(count / MAX_ROWS));
  const size = Math.ceil(count / stride);
  const rows: GaugeRows = {
    count: size,
    channels,
    averages: new Float32Array(size * channels),
    folds: Uint8Array.from({ length: size }, (_, i) => folds[i * stride]!),
  };
  const average = createAverage({ span: SPAN }, channels);
  return (left) => {
    const seldom = seldomOf(left);
    const shocks = new Float64Array(channels);
    const averages = new Float32Array(channels);
    eachMovement(prepared, (r, movement) => {
      const told = steps[r]! <= MOST_STEPS_MOVED;
      for (let k = 0; k < channels; k += 1) shocks[k] = told ? jumpOf(movement[k]!, seldom[k]!) : 0;
      average(shocks, { restart: first[r] === 1, steps: steps[r]! }, averages, 0);
      if (r % stride === 0) rows.averages.set(averages, (r / stride) * channels);
    });
    const plan = { span: SPAN, single: true, leastSpread: LEAST_SPREAD };
    return { kind: 'shock', name: 'shock', seldom, gauge: fitGauge(plan, rows, left, stride, trim) };
  };
}
