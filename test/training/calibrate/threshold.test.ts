import { describe, expect, it } from 'vitest';
import { fitGeneralizedPareto, quantileOfPareto } from '../../../core/math/pareto.ts';
import { HYSTERESIS } from '../../../core/model/hysteresis.ts';
import { seededRandom } from '../../../core/model/random.ts';
import { alertsOf } from '../../../training/calibrate/alerts.ts';
import {
  calibrate,
  countEpisodes,
  episodePeaks,
  keptBackOf,
  sustainedLevels,
} from '../../../training/calibrate/threshold.ts';
import { risesOf } from '../../../training/evaluate/metrics.ts';

const random = seededRandom(7, 'test');
const exponential = (n: number) => Float64Array.from({ length: n }, () => -Math.log(1 - random()));

/** One row a second. */
const secondsOf = (scores: Float64Array) => scores.map((_, i) => 1000 * i);
const RULE = { hysteresis: HYSTERESIS, gapMs: 60_000 };

describe('sustainedLevels', () => {
  it('is the raise-th largest of the last window, 0 before there are so many', () => {
    const levels = sustainedLevels(Float64Array.of(5, 1, 4, 2, 9), { window: 3, raise: 2, release: 0 });
    expect([...levels]).toEqual([0, 1, 4, 2, 4]);
  });

  it('reaches a threshold at the very row at which an alert rises', () => {
    const scores = exponential(3000);
    const levels = sustainedLevels(scores, HYSTERESIS);
    const alerts = alertsOf(secondsOf(scores), scores, 0.5, RULE);
    const first = risesOf(alerts)[0]!;
    expect(levels.findIndex((level) => level >= 0.5)).toBe(first);
  });
});

describe('episodePeaks', () => {
  it('joins what is less than a rest apart', () => {
    const levels = Float64Array.of(0, 3, 0, 5, 0, 0, 0, 4, 0);
    expect(episodePeaks(levels, 2, 3)).toEqual([5, 4]);
    expect(episodePeaks(levels, 2, 1)).toEqual([3, 5, 4]);
    expect(episodePeaks(levels, 6, 1)).toEqual([]);
  });
});

describe('the Pareto tail', () => {
  it('finds scale 1 and shape near 0 in an exponential sample', () => {
    const { scale, shape } = fitGeneralizedPareto(exponential(5000).sort());
    expect(scale).toBeCloseTo(1, 1);
    expect(Math.abs(shape)).toBeLessThan(0.06);
  });

  it('sees a heavy tail: P(X > x) = (1 + 0.25 x)^-4', () => {
    const sample = Float64Array.from({ length: 5000 }, () => ((1 - random()) ** -0.25 - 1) / 0.25).sort();
    const { shape } = fitGeneralizedPareto(sample);
    expect(shape).toBeGreaterThan(0.17);
    expect(shape).toBeLessThanOrEqual(0.3);
  });

  it('inverts: the exponential quantile is −σ·ln share, the heavy one by hand', () => {
    expect(quantileOfPareto(2, 0, Math.exp(-3))).toBeCloseTo(6, 9);
    expect(quantileOfPareto(1, 0.25, 1 / 16)).toBeCloseTo(4, 9);
    expect(quantileOfPareto(1, 0.25, 1)).toBe(0);
  });
});

describe('calibrate', () => {
  /** Hours at one row a second of scores that wander: an exponential average of noise, squared. */
  const wander = (n: number) => {
    let mean = 0;
    return Float64Array.from({ length: n }, () => {
      mean += 0.1 * (random() - 0.5 - mean);
      return 400 * mean * mean;
    });
  };

  it('keeps the budget on driving it has not seen', () => {
    const hours = 40;
    const known = Array.from({ length: hours }, () => wander(3600));
    const fresh = Array.from({ length: hours }, () => wander(3600));
    const { threshold } = calibrate(known, HYSTERESIS, { alertsPerHour: 1, hours });
    const raised = fresh.reduce(
      (sum, s) => sum + risesOf(alertsOf(secondsOf(s), s, threshold, RULE)).length,
      0,
    );
    expect(raised / hours).toBeGreaterThan(0.3);
    expect(raised / hours).toBeLessThan(1.5);
  });

  it('takes all of a few hundred rows for one exponential tail', () => {
    const scores = Float64Array.from({ length: 400 }, (_, i) => 2 + Math.sin(i / 3));
    const { threshold, scale, base } = calibrate([scores], HYSTERESIS, {
      alertsPerHour: 0.5,
      hours: 400 / 3600,
      sameCars: true,
    });
    expect(base).toBe(0);
    // 400 / 22.5 stretches that could each begin an alert, 0.5 · 400 / 3600 of them may.
    expect(threshold).toBeCloseTo(scale * Math.log(400 / 22.5 / ((0.5 * 400) / 3600)), 6);
    expect(scale).toBeGreaterThan(1);
    expect(scale).toBeLessThan(3);
  });

  it('asks for more the smaller the budget, also beyond what was ever seen', () => {
    const known = Array.from({ length: 4 }, () => wander(3600));
    const at = (alertsPerHour: number) => calibrate(known, HYSTERESIS, { alertsPerHour, hours: 4 }).threshold;
    expect(at(0.1)).toBeGreaterThan(at(1));
    expect(at(0.001)).toBeGreaterThan(at(0.1));
    expect(Number.isFinite(at(1e-6))).toBe(true);
  });

  it('is not raised by faults nobody labelled', () => {
    const hours = 20;
    const known = Array.from({ length: hours }, () => wander(3600));
    const budget = { alertsPerHour: 0.5, hours };
    const clean = calibrate(known, HYSTERESIS, budget);
    // Six cars break for three minutes each, 3 hundredths of the hour, and score as faults do.
    const spoilt = known.map((scores, i) =>
      i < 6 ? scores.map((s, r) => (r > 900 && r < 1080 ? 60 + i : s)) : scores,
    );
    const found = calibrate(spoilt, HYSTERESIS, budget);
    expect(clean.faults).toBe(0);
    expect(found.faults).toBe(6);
    expect(Math.abs(found.threshold / clean.threshold - 1)).toBeLessThan(0.1);
  });

  it('keeps alerts rare on rows that come minutes apart, whatever the budget by the hour', () => {
    const known = Array.from({ length: 10 }, () => wander(3600));
    const fresh = Array.from({ length: 10 }, () => wander(3600));
    // Three minutes a row: 1,800 hours, 900 alerts allowed by the hour, 18 by the row.
    const budget = { alertsPerHour: 0.5, hours: 1800, keptBack: 0.6 };
    const { threshold } = calibrate(known, HYSTERESIS, budget);
    const alerts = fresh.map((scores) => alertsOf(secondsOf(scores), scores, threshold, RULE));
    const up = alerts.reduce((sum, one) => sum + one.reduce((a, b) => a + b, 0), 0);
    expect(up / 36_000).toBeLessThan(0.03);
    const raised = alerts.reduce((sum, one) => sum + risesOf(one).length, 0);
    expect(raised).toBeGreaterThan(3);
    expect(raised).toBeLessThan(36);
  });

  it('fits the tail where most episodes begin when there are never as many as wanted', () => {
    // Twenty episodes an hour apart over a floor that is one long episode itself.
    const known = [Float64Array.from({ length: 20_000 }, (_, i) => (i % 1000 < 30 ? 5 + (i % 7) / 10 : 1))];
    const { base, episodes } = calibrate(known, HYSTERESIS, { alertsPerHour: 100, hours: 5 });
    expect(base).toBeGreaterThan(1);
    expect(episodes).toBeGreaterThan(10);
  });

  it('is less careful when the cars to come are those held out', () => {
    const known = [wander(3600)];
    const budget = { alertsPerHour: 0.5, hours: 1 };
    const other = calibrate(known, HYSTERESIS, budget).threshold;
    const same = calibrate(known, HYSTERESIS, { ...budget, sameCars: true }).threshold;
    expect(same).toBeLessThan(other);
  });

  it('keeps more of the budget back the fewer cars were held out: 0.55 + 1/√cars, at most 0.8', () => {
    expect(keptBackOf(864)).toBeCloseTo(0.584, 3);
    expect(keptBackOf(27)).toBeCloseTo(0.742, 3);
    expect(keptBackOf(1)).toBe(0.8);
    const known = Array.from({ length: 4 }, () => wander(3600));
    const budget = { alertsPerHour: 0.5, hours: 4 };
    const few = calibrate(known, HYSTERESIS, budget);
    const many = calibrate(known, HYSTERESIS, { ...budget, cars: 100 });
    expect(few.allowed).toBeCloseTo(2 * 0.2, 9);
    expect(many.allowed).toBeCloseTo(2 * 0.35, 9);
    expect(few.threshold).toBeGreaterThan(many.threshold);
  });

  it('counts as many episodes as there are peaks', () => {
    const levels = wander(5000);
    for (const [base, rest] of [
      [0.5, 60],
      [2, 60],
      [2, 1],
      [0, 60],
      [1e9, 60],
    ] as const)
      expect(countEpisodes(levels, base, rest)).toBe(episodePeaks(levels, base, rest).length);
  });
});
