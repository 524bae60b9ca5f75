// What is known of each signal of a history before heads are fitted: how channels are scaled, and which signals make
// none.
import type { Scaler } from './features.ts';

export interface FittedScaler {
  readonly scaler: Scaler;
  /** Features that nearly all readings of a channel lie between. */
  readonly lowest: readonly number[];
  readonly highest: readonly number[];
  /** Median of each signal, null when it was never measured. */
  readonly medians: readonly (number | null)[];
  readonly leftOut: readonly LeftOut[];
}

/** A signal that makes no channel. */
export interface LeftOut {
  readonly signal: number;
  /** The same in every row; something else in so few that no spread can be told; or hardly measured. */
  readonly why: 'constant' | 'rare' | 'missing';
  /** Share of all rows in which a constant one was measured. */
  readonly measured?: number;
}
