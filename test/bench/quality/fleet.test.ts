import { describe, expect, it } from 'vitest';
import { driveFleet, ODDITY_KINDS, oddAmong, planBreaks } from '../../../bench/quality/fleet.ts';
import { delayOf, driveTest } from '../../../bench/quality/fleet-judge.ts';
import { sensorIndex } from '../../../simulator/sensors.ts';

const SIZE = { seed: 3, trainCars: 4, trainS: 60, wholeCars: 17, perFamily: 2, testS: 1000 };
const FAMILIES = ['alternator', 'misfire'];
const test = driveTest(SIZE, FAMILIES);

const ofKind = (kind: (typeof test.whole)[number]['kind']) => {
  const found = test.whole.find((one) => one.kind === kind);
  if (!found) throw new Error(`no ${kind}`);
  return found.series;
};
const steps = (tsMs: Float64Array) => [...tsMs.subarray(1)].map((ts, i) => ts - tsMs[i]!);

describe('the bench fleet', () => {
  it('makes every second whole car odd, all kinds in turn', () => {
    expect(test.whole.filter(({ kind }) => kind === 'plain')).toHaveLength(9);
    expect(new Set(test.whole.map(({ kind }) => kind))).toEqual(new Set(['plain', ...ODDITY_KINDS]));
    expect(oddAmong([5, 6, 7, 8]).map(({ car }) => car)).toEqual([6, 8]);
  });

  it('breaks other cars than those it keeps whole, and says from when each fault can be seen', () => {
    const whole = new Set(test.whole.map(({ series }) => series.id));
    expect(whole.size).toBe(SIZE.wholeCars);
    expect(test.broken.map(({ fault }) => fault).sort()).toEqual([...FAMILIES, ...FAMILIES].sort());
    for (const { series, atS } of test.broken) {
      expect(whole.has(series.id)).toBe(false);
      const visibleMs = test.visibleMs(series.id)!;
      expect(visibleMs).toBeGreaterThan(series.tsMs[atS]!);
      expect(visibleMs).toBeLessThanOrEqual(series.tsMs.at(-1)!);
    }
  });

  it('has an event a second of a plain car', () => {
    const { tsMs } = ofKind('plain');
    expect(tsMs).toHaveLength(SIZE.testS);
    expect(new Set(steps(tsMs))).toEqual(new Set([1000]));
  });

  it('hears nothing of a car in a tunnel', () => {
    const pauses = steps(ofKind('tunnel').tsMs).filter((ms) => ms !== 1000);
    expect(pauses).toEqual([181_000]);
  });

  it('sets a clock off for a minute and back', () => {
    const jumps = steps(ofKind('clock-jump').tsMs).filter((ms) => ms !== 1000);
    expect(jumps).toHaveLength(2);
    expect(jumps[0]! - 1000).toBe(1000 - jumps[1]!);
    expect(Math.abs(jumps[0]!)).toBeGreaterThan(1000);
  });

  it('bends the physics: a cold start is cold, a hot day hot', () => {
    const first = (kind: 'cold-start' | 'hot-day' | 'plain', signal: string) =>
      ofKind(kind).values[2 * sensorIndex.size + sensorIndex.get(signal)!]!;
    expect(first('hot-day', 'ambientC')).toBeGreaterThan(first('plain', 'ambientC') + 5);
    expect(first('cold-start', 'coolantC')).toBeLessThan(35);
  });

  it('counts an alert from the moment the fault can be seen; one that was up before the fault is none', () => {
    const tsMs = Float64Array.from({ length: 10 }, (_, i) => 1000 * i);
    const delay = (...alerts: number[]) => delayOf(tsMs, Uint8Array.from(alerts), 2000, 5000);
    expect(delay(0, 0, 0, 0, 0, 0, 0, 1, 1, 1)).toBe(2);
    expect(delay(0, 0, 0, 1, 1, 1, 0, 0, 0, 0)).toBe(0);
    expect(delay(0, 0, 0, 1, 0, 0, 0, 0, 1, 1)).toBe(3);
    expect(delay(0, 0, 0, 1, 0, 0, 0, 0, 0, 0)).toBeNull();
    expect(delay(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)).toBeNull();
  });

  it('gives the same drive again from the same seed', () => {
    const plan = { seed: 5, cars: 6, seconds: 40, breaks: planBreaks(5, 6, 1, ['misfire']) };
    expect(driveFleet(plan).series).toEqual(driveFleet(plan).series);
  });
});
