// Rows as the heads see them, for all series at once: features, what was measured, the autoencoder's reconstruction,
// and where a series begins or resumes after a pause. Heads are fitted on them.

import { type HeadInput, MAX_STEPS } from './heads/head.ts';
import type { Losses } from './losses.ts';
import { lossesAmong } from './losses.ts';

export interface Prepared {
  readonly channels: number;
  readonly count: number;
  /** count × channels. */
  readonly features: Float32Array;
  readonly present: Uint8Array;
  readonly reconstruction: Float32Array;
  /** 1: the first row of a series, or of what follows a pause. */
  readonly first: Uint8Array;
  /** Usual steps since the row before, 1 to MAX_STEPS. */
  readonly steps: Uint8Array;
  /** What is lost, or lately was, in the rows in which something is (losses.ts). */
  readonly losses: ReadonlyMap<number, Losses>;
}

/**
 * The rows that `keep` says and the channels listed, as prepared rows of their own; where rows were left out before
 * one, it begins anew.
 */
export function selectRows(
  prepared: Prepared,
  keep: (row: number) => boolean,
  list: readonly number[] = Array.from({ length: prepared.channels }, (_, k) => k),
): Prepared {
  const channels = list.length;
  const kept: number[] = [];
  for (let r = 0; r < prepared.count; r += 1) if (keep(r)) kept.push(r);
  const losses = new Map<number, Losses>();
  const among = new Map<Losses, Losses>();
  const out: Prepared = {
    channels,
    count: kept.length,
    features: new Float32Array(kept.length * channels),
    present: new Uint8Array(kept.length * channels),
    reconstruction: new Float32Array(kept.length * channels),
    first: new Uint8Array(kept.length),
    steps: new Uint8Array(kept.length),
    losses,
  };
  for (const [i, r] of kept.entries()) {
    for (let k = 0; k < channels; k += 1) {
      const from = r * prepared.channels + list[k]!;
      const to = i * channels + k;
      out.features[to] = prepared.features[from]!;
      out.present[to] = prepared.present[from]!;
      // Without a network all of it is zero; what is never written takes no memory.
      const said = prepared.reconstruction[from]!;
      if (said !== 0) out.reconstruction[to] = said;
    }
    out.first[i] = i === 0 || kept[i - 1] !== r - 1 ? 1 : prepared.first[r]!;
    out.steps[i] = prepared.steps[r]!;
    const whole = prepared.losses.get(r);
    if (whole === undefined) continue;
    if (!among.has(whole)) among.set(whole, lossesAmong(whole, list));
    losses.set(i, among.get(whole)!);
  }
  return out;
}

/** Row r of prepared data as a head sees it; the object is reused. */
export function rowInput(prepared: Prepared): (row: number) => HeadInput {
  const { channels, features, present, reconstruction, first, steps } = prepared;
  const input: HeadInput = {
    features: new Float64Array(channels),
    present: new Uint8Array(channels),
    reconstruction: new Float64Array(channels),
    restart: true,
    steps: 1,
  };
  return (row) => {
    const at = row * channels;
    for (let k = 0; k < channels; k += 1) {
      input.features[k] = features[at + k]!;
      input.present[k] = present[at + k]!;
      input.reconstruction[k] = reconstruction[at + k]!;
    }
    input.restart = first[row] === 1;
    input.steps = Math.min(MAX_STEPS, steps[row]!);
    input.losses = prepared.losses.get(row) ?? null;
    return input;
  };
}

export interface Variant {
  /** Channels its cars measure, rising. */
  readonly channels: readonly number[];
  /** 1 for its rows, series one after another. */
  readonly rows: Uint8Array;
}

/** A variant's rows with its channels; all of `prepared` where that is the whole of it. */
export function variantRows(prepared: Prepared, { channels, rows }: Variant): Prepared {
  if (channels.length === prepared.channels && !rows.includes(0)) return prepared;
  return selectRows(prepared, (r) => rows[r] === 1, channels);
}
