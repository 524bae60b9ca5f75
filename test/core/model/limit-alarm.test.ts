import { describe, expect, it } from 'vitest';
import type { ModelBundle } from '../../../core/model/bundle.ts';
import { createDetector } from '../../../core/model/detector.ts';
import { alarmPart, loudness, withAlarm } from '../../../core/model/limit-alarm.ts';
import { handBundle } from '../../support/hand-bundle.ts';

describe('a voice', () => {
  it('says little below its limit, is an alert at it, and grows by its logarithm beyond', () => {
    expect(loudness(0)).toBe(0);
    expect(loudness(0.5)).toBeCloseTo(1 / 16, 9);
    expect(loudness(1)).toBe(1);
    expect(loudness(Math.E)).toBeCloseTo(2, 9);
  });

  it('and the sum make nearly the greater of the two', () => {
    expect(withAlarm(0, 0)).toBe(0);
    expect(withAlarm(10, 0)).toBe(10);
    expect(withAlarm(10, 5)).toBeCloseTo(10, 1);
    expect(withAlarm(10, 30)).toBeCloseTo(30, 1);
    expect(withAlarm(10, 10)).toBeCloseTo(10 * 2 ** (1 / 8), 9);
    expect(alarmPart(10, 0)).toBe(0);
    expect(alarmPart(10, 10)).toBe(0.5);
    expect(alarmPart(0, 0)).toBe(0);
    expect(alarmPart(10, 30)).toBeGreaterThan(0.999);
  });
});

describe('a detector with voices', () => {
  /** Readings of speed and coolant; the rest of the catalogue is missing. */
  const row = (speedKmh: number, coolantC: number) =>
    Float64Array.of(speedKmh, Number.NaN, Number.NaN, coolantC, Number.NaN, Number.NaN);
  // Speed 70 is 2 spreads off, coolant 88 is −1: the norm and the peak are both √2.5.
  const raw = Math.sqrt(2.5);
  const scoreOf = (bundle: ModelBundle) => {
    const detector = createDetector(bundle);
    const { score } = detector.step(detector.newState(), row(70, 88), 0);
    return { score, shares: [...detector.explain().shares] };
  };
  const together = scoreOf(handBundle()).score;
  const scoreWith = (limits: (number | null)[]) =>
    scoreOf(handBundle({ voices: { limits, strangeness: 20 } }));

  it('hears one that is beyond its limit, and blames what made it', () => {
    const { score, shares } = scoreWith([null, raw / 2]);
    expect(score).toBeCloseTo(withAlarm(together, 20 * (1 + Math.log(2))), 4);
    expect(score).toBeGreaterThan(33);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
    expect(shares[0]).toBeGreaterThan(0.5);
  });

  it('leaves the sum as it is while all are far within their limits', () => {
    expect(scoreWith([null, 100 * raw]).score).toBeCloseTo(together, 9);
    expect(scoreWith([null, null]).score).toBeCloseTo(together, 9);
  });

  it('is refused when its limits are not one for each statistic', () => {
    expect(() => scoreWith([null])).toThrow(/limits of 1 voices for 2 statistics/);
  });
});
