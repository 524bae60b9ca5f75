import { describe, expect, it } from 'vitest';
import {
  type AlertWindow,
  checkHysteresis,
  HYSTERESIS,
  isActive,
  isStrange,
  NEVER_SEEN,
  stepAlert,
  stepHysteresis,
  strangeCount,
} from '../../../core/model/hysteresis.ts';

/** Where (counted from 1) the alert goes up and down over a run of s(trange) and n(ormal) events. */
function edges(run: string, config = HYSTERESIS): string[] {
  let state = 0;
  const found: string[] = [];
  [...run].forEach((event, i) => {
    const before = isActive(state);
    state = stepHysteresis(config, state, event === 's');
    if (isActive(state) !== before) found.push(`${isActive(state) ? 'up' : 'down'} ${i + 1}`);
  });
  return found;
}

describe('hysteresis', () => {
  it('goes up at the tenth strange event of the last fifteen, not before', () => {
    expect(edges('s'.repeat(9))).toEqual([]);
    expect(edges('s'.repeat(10))).toEqual(['up 10']);
    expect(edges(`${'sn'.repeat(5)}${'s'.repeat(10)}`)).toEqual(['up 15']);
  });

  it('never goes up on nine strange ones of every fifteen', () => {
    expect(edges(('s'.repeat(9) + 'n'.repeat(6)).repeat(20))).toEqual([]);
  });

  it('stays up until only four of fifteen are left', () => {
    // After 15 strange ones each normal event removes one: eleven normal ones leave four.
    expect(edges('s'.repeat(15) + 'n'.repeat(10))).toEqual(['up 10']);
    expect(edges('s'.repeat(15) + 'n'.repeat(11))).toEqual(['up 10', 'down 26']);
  });

  it('counts and forgets: after a whole window of normal events the state is 0 again', () => {
    let state = 0;
    for (const event of 'sns') state = stepHysteresis(HYSTERESIS, state, event === 's');
    expect(state).toBe(0b101);
    expect(strangeCount(state)).toBe(2);
    for (let i = 0; i < 15; i += 1) state = stepHysteresis(HYSTERESIS, state, false);
    expect(state).toBe(0);
  });

  it('refuses a configuration that could never raise or never release', () => {
    expect(() => checkHysteresis({ window: 15, raise: 16, release: 4 })).toThrow(/raise 16/);
    expect(() => checkHysteresis({ window: 15, raise: 10, release: 10 })).toThrow(/release 10/);
    expect(() => checkHysteresis({ window: 31, raise: 10, release: 4 })).toThrow(/window 31/);
    expect(() => checkHysteresis(HYSTERESIS)).not.toThrow();
  });
});

describe('hysteresis in time', () => {
  const RULE = { hysteresis: { window: 3, raise: 2, release: 0 }, gapMs: 60_000 };
  const run = (events: readonly (readonly [seconds: number, late?: boolean])[]) =>
    events.reduce<AlertWindow>(
      (window, [s, late = false]) => stepAlert(RULE, window, { tsMs: 1000 * s, strange: true, late }),
      NEVER_SEEN,
    );

  it('counts over a hole up to the gap and starts anew after a longer one', () => {
    expect(isActive(run([[0], [60]]).state)).toBe(true);
    expect(run([[0], [61]])).toEqual({ state: 0b1, newestTsMs: 61_000 });
  });

  it('takes events out of order as they come, and follows a clock that was set back by more than the gap', () => {
    expect(run([[100], [70], [130]]).newestTsMs).toBe(130_000);
    expect(run([[100], [70]])).toMatchObject({ newestTsMs: 100_000 });
    expect(run([[1000], [939]])).toEqual({ state: 0b1, newestTsMs: 939_000 });
  });

  it('is changed by no late event', () => {
    const before = run([[100]]);
    expect(stepAlert(RULE, before, { tsMs: 40_000, strange: true, late: true })).toBe(before);
    // The pause is measured from the newest event, not from the late one.
    expect(isActive(run([[100], [10, true], [150]]).state)).toBe(true);
  });

  it('compares scores as they are given, to four decimals', () => {
    expect(isStrange(1.49996, 1.5)).toBe(true);
    expect(isStrange(1.49994, 1.5)).toBe(false);
  });
});
