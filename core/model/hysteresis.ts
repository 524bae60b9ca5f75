// When a stretch of strange events is an alert: raise at `raise` strange ones among the last `window`, release when no
// more than `release` are left. After a pause, or a clock that was set back, what came before says nothing and the
// window starts anew; a late event changes nothing. Pure, because training calibrates through it, `score --csv` prints
// it and the alert policy runs it: `stepAlert` is the one place where all of them learn what is meant by "alert".
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

/** The state after one more event, whenever it came: see stepAlert. */
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

/** Hysteresis in time. */
export interface AlertRule {
  readonly hysteresis: Hysteresis;
  /** A hole in event time after which what came before says nothing, ms. */
  readonly gapMs: number;
}

/** All that is remembered of one car. */
export interface AlertWindow {
  readonly state: HysteresisState;
  /** Event time of the newest event; −Infinity: the car was never seen. */
  readonly newestTsMs: number;
}

export const NEVER_SEEN: AlertWindow = { state: 0, newestTsMs: Number.NEGATIVE_INFINITY };

/** Whether an event at `tsMs` begins anew: after a pause, or by a clock that was set back further than events are out of order. */
export const beginsAnew = (newestTsMs: number, tsMs: number, gapMs: number): boolean =>
  !(Math.abs(tsMs - newestTsMs) <= gapMs);

/** Scores are given to four decimals, everywhere alike, so that all who compare them with a threshold agree. */
export const roundScore = (score: number): number => Math.round(score * 1e4) / 1e4;

/** Whether a score, rounded or not, is strange. */
export const isStrange = (score: number, threshold: number): boolean => roundScore(score) >= threshold;

/**
 * The window after one more event of the car.
 * @param event late: it came behind the stated lateness, so that others have been judged without it
 */
export function stepAlert(
  { hysteresis, gapMs }: AlertRule,
  before: AlertWindow,
  {
    tsMs,
    strange,
    late = false,
  }: { readonly tsMs: number; readonly strange: boolean; readonly late?: boolean },
): AlertWindow {
  if (late) return before;
  const { state, newestTsMs } = before;
  const anew = beginsAnew(newestTsMs, tsMs, gapMs);
  return {
    state: stepHysteresis(hysteresis, anew ? 0 : state, strange),
    newestTsMs: anew ? tsMs : Math.max(newestTsMs, tsMs),
  };
}

/** Holds a configuration to its ranges. */
export function checkHysteresis({ window, raise, release }: Hysteresis): void {
  invariant(Number.isInteger(window) && window >= 1 && window <= 30, `hysteresis window ${window}`);
  invariant(Number.isInteger(raise) && raise >= 1 && raise <= window, `hysteresis raise ${raise}`);
  invariant(Number.isInteger(release) && release >= 0 && release < raise, `hysteresis release ${release}`);
}
