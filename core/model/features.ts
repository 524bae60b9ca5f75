// From a car's readings to the numbers the model sees: each signal less its median, over its robust spread, clipped; a
// missing reading stands at the median, where it says nothing. Signals that stood still in training make no features;
// of them it is told whether they are still what they were.

/** Rises whenever the meaning of a feature or of a score changes; a bundle made for another one is refused. */
export const FEATURE_VERSION = 9;

/** How the readings become features. A feature is called a channel; channel k is signal `signals[k]` of the catalogue. */
export interface Scaler {
  /** Index in the catalogue of each channel's signal, rising. */
  readonly signals: readonly number[];
  /** Median of the channel's training readings, in the signal's unit. */
  readonly center: readonly number[];
  /** Robust standard deviation, in the signal's unit, > 0. */
  readonly scale: readonly number[];
  /** Features are held within ±clip. */
  readonly clip: number;
}

/** Signals that were the same in every row of training, and what they were. */
export interface ConstantSignals {
  /** Index in the catalogue of each, rising. */
  readonly signals: readonly number[];
  readonly values: readonly number[];
}

/** What is told of a signal that stood still in training. */
export const STILL = 0;
export const MOVED = 1;
export const NOT_MEASURED = 2;
/** Not measured for longer than is usual (losses.ts). */
export const LOST = 3;

/** Whether a reading is something else than what the signal always was, by more than a single-precision float may be off; false for NaN. */
export const hasChanged = (value: number, always: number): boolean =>
  Math.abs(value - always) > 1e-6 * Math.max(1e-3, Math.abs(always));

/** Fills `moved`, one a signal, from `values` as applyScaler does: STILL, MOVED or NOT_MEASURED. */
export function tellChanged(
  { signals, values: always }: ConstantSignals,
  values: Float64Array | Float32Array,
  moved: Uint8Array,
  at = 0,
): void {
  for (let i = 0; i < signals.length; i += 1) {
    const value = values[at + signals[i]!]!;
    moved[i] = Number.isNaN(value) ? NOT_MEASURED : hasChanged(value, always[i]!) ? MOVED : STILL;
  }
}

/**
 * Fills `features` (one a channel) and `present` (1: measured) from `values` (catalogue order, NaN: missing), which may
 * start at `at`. Returns how many channels were measured.
 */
export function applyScaler(
  scaler: Scaler,
  values: Float64Array | Float32Array,
  features: Float64Array | Float32Array,
  present: Uint8Array,
  at = 0,
): number {
  const { signals, center, scale, clip } = scaler;
  let measured = 0;
  for (let k = 0; k < signals.length; k += 1) {
    const z = (values[at + signals[k]!]! - center[k]!) / scale[k]!;
    if (Number.isNaN(z)) {
      features[k] = 0;
      present[k] = 0;
    } else {
      features[k] = z > clip ? clip : z < -clip ? -clip : z;
      present[k] = 1;
      measured += 1;
    }
  }
  return measured;
}
