// When a stretch of strange events is an alert: raise at `raise` strange ones among the last `window`, release when no more
// than `release` are left. Pure and one number of state, because training calibrates through it, `score --csv` prints it
// and the alert policy runs it: all three must mean the same by "alert".
import { invariant } from '../errors.ts';

export interface Hysteresis {
  /** Events looked back on, 1..30. */
  readonly window: number;
  /** Strange events among them that raise the alert, 1..window. */
  readonly raise: number;
  /** Strange events among them at or below which a raised alert is released, 0..raise-1. */
  readonly release: number;
}

export const HYSTERESIS: Hysteresis = { window: 15, raise: 10, release: 4 };

/**
 * The state: bit 0 the newest event (1: strange) to bit window-1 the oldest; bit 30 set while the alert is up.
 * 0 is the state of a car never seen, and of one whose last `window` events were all as expected.
 */
export type HysteresisState = number;

const ACTIVE = 1 << 30;

/** True while the alert is up. */
export const isActive = (state: HysteresisState): boolean => (state & ACTIVE) !== 0;

/** How many of the remembered events were strange. */
export function strangeCount(state: HysteresisState): number {
  let bits = state & ~ACTIVE;
  let count = 0;
  while (bits !== 0) {
    bits &= bits - 1;
    count += 1;
  }
  return count;
}

/** The state after one more event. */
export function stepHysteresis(
  config: Hysteresis,
  state: HysteresisState,
  strange: boolean,
): HysteresisState {
  const bits = ((state << 1) | (strange ? 1 : 0)) & ((1 << config.window) - 1);
  const count = strangeCount(bits);
  const active = isActive(state) ? count > config.release : count >= config.raise;
  return active ? bits | ACTIVE : bits;
}

/** Holds a configuration to its ranges. */
export function checkHysteresis({ window, raise, release }: Hysteresis): void {
  invariant(Number.isInteger(window) && window >= 1 && window <= 30, `hysteresis window ${window}`);
  invariant(Number.isInteger(raise) && raise >= 1 && raise <= window, `hysteresis raise ${raise}`);
  invariant(Number.isInteger(release) && release >= 0 && release < raise, `hysteresis release ${release}`);
}
