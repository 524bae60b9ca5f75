// What a model knows of losses (core/model/losses.ts): the gaps between readings that are usual for each signal, and
// for each kind of car how its channels hang together, so that a lost one can be guessed from those that are left.

import { invertSpd, ledoitWolf } from '../../core/math/linear-algebra.ts';
import type { ModelBundle } from '../../core/model/bundle.ts';
import type { Scaler } from '../../core/model/features.ts';
import { createLossFollower, type LossSpec } from '../../core/model/losses.ts';
import { encodeFloats } from '../../core/model/numbers.ts';
import { type Prepared, type Variant, variantRows } from '../../core/model/prepared.ts';
import { sharedFloats } from '../data/prepare.ts';
import type { Series } from '../data/series.ts';

/** Gaps that are passed by fewer readings than this are unusual: a loss in the history, not the way the signal comes. */
const UNUSUAL = 1e-3;
/** How far beyond the usual a gap must go. */
const BEYOND = 1.5;
/** One or two readings left out are no loss; a signal that comes once in so many events is always one of them. */
const LEAST_GAP = 2;
const MOST_GAP = 1000;
/** Rows that are enough to tell how channels hang together. */
const MOST_ROWS = 20_000;
/** Added to the correlations: a guess is not trusted beyond a tenth of a channel's spread. */
const RIDGE = 0.01;

/** For each signal the events in a row without a reading that are usual. */
export function usualGaps(series: readonly Series[], width: number): number[] {
  return Array.from({ length: width }, (_, signal) => {
    // By length, how many readings came after so many events without one.
    const gaps = new Float64Array(MOST_GAP + 1);
    let readings = 0;
    for (const { tsMs, values } of series) {
      let since = Number.NaN;
      for (let i = 0; i < tsMs.length; i += 1) {
        if (Number.isNaN(values[i * width + signal]!)) {
          since += 1;
          continue;
        }
        if (!Number.isNaN(since)) {
          gaps[Math.min(MOST_GAP, since)]! += 1;
          readings += 1;
        }
        since = 0;
      }
    }
    let longer = 0;
    let usual = MOST_GAP;
    while (usual > 0 && longer + gaps[usual]! <= UNUSUAL * readings) {
      longer += gaps[usual]!;
      usual -= 1;
    }
    return Math.max(LEAST_GAP, Math.min(MOST_GAP, Math.ceil(BEYOND * usual)));
  });
}

/** Inverse covariance of the features of prepared rows, thinned; what is missing counts as usual. */
function precisionOf({ channels, count, features }: Prepared): Float64Array {
  const stride = Math.max(1, Math.ceil(count / MOST_ROWS));
  const kept = Math.ceil(count / stride);
  const spread = new Float64Array(channels);
  const rows = new Float64Array(kept * channels);
  for (let i = 0; i < kept; i += 1)
    for (let k = 0; k < channels; k += 1) {
      const value = features[i * stride * channels + k]!;
      rows[i * channels + k] = value;
      spread[k]! += value * value;
    }
  for (let k = 0; k < channels; k += 1) spread[k] = Math.max(1e-3, Math.sqrt(spread[k]! / kept));
  for (let i = 0; i < rows.length; i += 1) rows[i]! /= spread[i % channels]!;
  const covariance = ledoitWolf(rows, kept, channels);
  for (let k = 0; k < channels; k += 1) covariance[k * channels + k]! += RIDGE;
  const precision = invertSpd(covariance, channels);
  return precision.map((value, i) => value / (spread[Math.floor(i / channels)]! * spread[i % channels]!));
}

/** As a bundle has it. */
export type FittedLosses = ModelBundle['losses'];

export function fitLosses(
  prepared: Prepared,
  series: readonly Series[],
  width: number,
  kinds: readonly Variant[],
  { lowest, highest }: Pick<LossSpec, 'lowest' | 'highest'>,
): FittedLosses {
  return {
    lowest: [...lowest],
    highest: [...highest],
    gaps: usualGaps(series, width),
    kinds: kinds.map((kind) => ({
      channels: [...kind.channels],
      precision: encodeFloats(precisionOf(variantRows(prepared, kind))),
    })),
  };
}

/** The rows with guesses in place of what is lost, as a detector sees them. */
export function withGuesses(prepared: Prepared, losses: LossSpec, scaler: Scaler): Prepared {
  const { channels, count, present, first } = prepared;
  if (!present.includes(0)) return prepared;
  const follower = createLossFollower(losses, scaler.signals);
  const state = new Float32Array(follower.stateSize);
  const features = sharedFloats(prepared.features.length);
  features.set(prepared.features);
  const row = new Float64Array(channels);
  const told = new Map(prepared.losses);
  for (let r = 0; r < count; r += 1) {
    const at = r * channels;
    if (first[r] === 1) state.fill(0);
    const found = follower.follow(present.subarray(at, at + channels), first[r] === 1, state, 0);
    if (found === null) continue;
    told.set(r, found);
    row.set(features.subarray(at, at + channels));
    follower.guess(row);
    features.set(row, at);
  }
  return { ...prepared, features, losses: told };
}
