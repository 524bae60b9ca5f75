// What a lost channel does to a residual head: to its averaged components, by way of the autoencoder where it lives off
// one.

import { chooseStretches, eachShift, type Guesses, rowsWithout, ShiftSums } from '../../gauge/shifts.ts';
import type { Network } from '../../kernel.ts';
import { decodeFloats, encodeFloats } from '../../numbers.ts';
import type { Prepared, Variant } from '../../prepared.ts';
import { rowInput } from '../../prepared.ts';
import { createResidualHead } from './reference.ts';
import type { ResidualSpec } from './spec.ts';

/**
 * Adds to a head of one variant what losses do to it.
 * @param prepared all rows, which the network sees
 * @param rows those of the variant, with its channels only
 */
export function reckonLosses(
  prepared: Prepared,
  variant: Variant,
  rows: Prepared,
  guesses: Guesses,
  network: Network,
): (spec: ResidualSpec) => ResidualSpec {
  const { channels } = rows;
  const places: number[] = [];
  for (let r = 0; r < prepared.count; r += 1) if (variant.rows[r] === 1) places.push(r);
  const features = new Float64Array(prepared.channels);
  const reconstruction = new Float64Array(prepared.channels);
  const without = rowsWithout(guesses, rowInput(rows), (input, row, lost) => {
    const at = places[row]! * prepared.channels;
    for (let k = 0; k < prepared.channels; k += 1) features[k] = prepared.features[at + k]!;
    features[variant.channels[lost]!] = input.features[lost]!;
    network.run(features, reconstruction);
    for (let k = 0; k < channels; k += 1) input.reconstruction[k] = reconstruction[variant.channels[k]!]!;
  });
  const stretches = chooseStretches(rows);
  return (spec) => {
    const head = createResidualHead(spec, channels);
    const spread = decodeFloats(spec.spread, channels, 'spread');
    const precision = new Float64Array(channels * channels);
    for (let k = 0; k < channels; k += 1) precision[k * channels + k] = 1 / spread[k]! ** 2;
    const sums = new ShiftSums(channels, true);
    const from = head.stateSize - channels;
    eachShift(
      head,
      channels,
      stretches,
      without,
      { length: channels, read: (state, out, at) => out.set(state.subarray(from, from + channels), at) },
      (lost, shift) => sums.take(lost, shift, 0),
    );
    return { ...spec, shifts: encodeFloats(sums.directions(precision)) };
  };
}
