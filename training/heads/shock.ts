// Fits the shock head (core/model/heads/shock.ts): what each channel's movements seldom exceed, and what averages of the
// rest normally do.

import { smoothingTable } from '../../core/model/heads/head.ts';
import { type ShockSpec, shockOf } from '../../core/model/heads/shock.ts';
import type { Prepared } from '../prepared.ts';
import { quantileOf } from '../scaling.ts';
import { fitGauge, type GaugeRows } from './gauges.ts';

/** Events a shock is held: long enough to raise an alert, short enough not to outlast it much. */
const SPAN = 60;
/** Share of a channel's movements that are usual. */
const USUAL = 0.995;
const LEAST_MOVEMENT = 1e-3;
/** Rows that are enough to fit on. */
const MAX_ROWS = 16_000;

/** `visit` sees each row's movements since the row before, in features; 0 where there is none. */
function eachMovement(prepared: Prepared, visit: (row: number, movement: Float64Array) => void): void {
  const { channels, count, features, present, first } = prepared;
  const last = new Float64Array(channels).fill(Number.NaN);
  const movement = new Float64Array(channels);
  for (let r = 0; r < count; r += 1) {
    for (let k = 0; k < channels; k += 1) {
      if (first[r] === 1) last[k] = Number.NaN;
      movement[k] = 0;
      if (present[r * channels + k] !== 1) continue;
      const value = features[r * channels + k]!;
      if (!Number.isNaN(last[k]!)) movement[k] = value - last[k]!;
      last[k] = value;
    }
    visit(r, movement);
  }
}

function seldomExceeded(prepared: Prepared): number[] {
  const { channels, count } = prepared;
  const sizes = Array.from({ length: channels }, () => new Float64Array(count));
  eachMovement(prepared, (r, movement) => {
    for (let k = 0; k < channels; k += 1) sizes[k]![r] = Math.abs(movement[k]!);
  });
  return sizes.map((values) => Math.max(LEAST_MOVEMENT, quantileOf(values.sort(), USUAL)));
}

/** @param trim share of training rows that may be faults */
export function fitShockHead(prepared: Prepared, trim: number): ShockSpec {
  const { channels, count, first, steps } = prepared;
  const seldom = seldomExceeded(prepared).map((value) => Math.fround(value));
  const stride = Math.max(1, Math.ceil(count / MAX_ROWS));
  const size = Math.ceil(count / stride);
  const rows: GaugeRows = {
    count: size,
    channels,
    averages: new Float32Array(size * channels),
    folds: new Uint8Array(size),
  };
  const table = smoothingTable(SPAN);
  const average = new Float32Array(channels);
  eachMovement(prepared, (r, movement) => {
    for (let k = 0; k < channels; k += 1) {
      const old = first[r] === 1 ? 0 : average[k]!;
      average[k] = old + table[steps[r]!]! * (shockOf(movement[k]!, seldom[k]!) - old);
    }
    if (r % stride === 0) rows.averages.set(average, (r / stride) * channels);
  });
  const gauge = fitGauge({ span: SPAN, single: true }, rows, -1, new Float64Array(channels), stride, trim);
  return { kind: 'shock', name: 'shock', seldom, gauge };
}
