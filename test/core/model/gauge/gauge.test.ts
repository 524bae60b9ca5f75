import { describe, expect, it } from 'vitest';
import { createAverage, createGauge, FRESH_SPAN } from '../../../../core/model/gauge/gauge.ts';
import type { HeadInput } from '../../../../core/model/heads/head.ts';
import { encodeFloats } from '../../../../core/model/numbers.ts';

const input = (restart: boolean, steps = 1): HeadInput => ({
  features: new Float64Array(2),
  present: Uint8Array.of(1, 1),
  reconstruction: new Float64Array(2),
  restart,
  steps,
});

const spec = {
  span: 3,
  // Inverse covariance diag(4, 1).
  precision: encodeFloats([4, 0, 0, 1]),
};

describe('a gauge', () => {
  it('averages from 0 and gives the Mahalanobis distance per channel', () => {
    const gauge = createGauge(spec, 2, 'test');
    const state = new Float32Array(2);
    // Span 3 weighs the newest by 1/2: averages 2/2 = 1 and 2/2 = 1.
    const first = gauge.step(Float32Array.of(2, 2), input(true), state, 0);
    expect([...state]).toEqual([1, 1]);
    // 4·1 + 1·1 = 5, over 2 channels.
    expect(first).toBeCloseTo(Math.sqrt(5 / 2), 6);
    const parts = new Float64Array(2);
    gauge.blame(parts);
    expect([...parts]).toEqual([4, 1]);
  });

  it('holds the average of a channel that was not measured', () => {
    const gauge = createGauge(spec, 2, 'test');
    const state = new Float32Array(2);
    gauge.step(Float32Array.of(2, 2), input(true), state, 0);
    gauge.step(Float32Array.of(Number.NaN, 2), input(false), state, 0);
    expect([...state]).toEqual([1, 1.5]);
  });

  it('forgets more over a longer step', () => {
    const gauge = createGauge(spec, 2, 'test');
    const state = new Float32Array(2);
    gauge.step(Float32Array.of(0, 0), input(true), state, 0);
    gauge.step(Float32Array.of(0, 8), input(false, 2), state, 0);
    expect(state[1]).toBe(6);
  });

  it('scores by the strangest channels when it has tails: the largest level and half the second', () => {
    const tail = { at: [0, 1], levels: [0, 1], slope: 1 };
    const gauge = createGauge({ ...spec, tails: [tail, tail] }, 2, 'test');
    // Averages 2 and 1: |4·2|/2 = 4 → level 4, |1·1|/1 = 1 → level 1.
    expect(gauge.step(Float32Array.of(4, 2), input(true), new Float32Array(2), 0)).toBeCloseTo(4.5, 6);
  });

  it('by reach is the rarity of the channel that is furthest out for its kind, which is blamed', () => {
    // One stretch in ten goes further than 4 and 0.5; beyond, it goes on by 2 and 0.25.
    const reach = encodeFloats([4, 0.5, 2, 0.25, 0, 0]);
    const gauge = createGauge({ span: 3, reach }, 2, 'test');
    const state = new Float32Array(2);
    // Averages of 1: a quarter of what one in ten passes; two scales beyond that.
    expect(gauge.step(Float32Array.of(2, 2), input(true), state, 0)).toBeCloseTo(3, 5);
    expect([...state]).toEqual([1, 1]);
    const parts = new Float64Array(2);
    gauge.blame(parts);
    expect(parts[0]).toBeCloseTo(0.25 ** 4, 6);
    expect(parts[1]).toBeCloseTo(81, 3);
    expect(gauge.step(Float32Array.of(Number.NaN, 2), input(false), state, 0)).toBeCloseTo(5, 5);
    expect(state[0]).toBe(1);
    expect(() => createGauge({ span: 3, reach: encodeFloats([1, 0, 1, 1, 0, 0]) }, 2, 'test')).toThrow(
      /reach is not positive/,
    );
  });

  describe('that lets go', () => {
    /** The averages over 100 events of `fault` events of 3 and then `after` of 0. */
    const averageAfter = (release: number | undefined, fault: number, after: number): number => {
      const average = createAverage({ span: 100, release }, 1);
      const freshen = createAverage({ span: FRESH_SPAN }, 1);
      const state = new Float32Array(1);
      const fresh = new Float32Array(1);
      for (let i = 0; i < fault + after; i += 1) {
        const stream = Float32Array.of(i < fault ? 3 : 0);
        freshen(stream, input(i === 0), fresh, 0);
        average(stream, input(i === 0), state, 0, fresh);
      }
      return state[0]!;
    };

    it('is not moved while the fault lasts', () => {
      expect(averageAfter(1, 300, 0)).toBe(averageAfter(undefined, 300, 0));
    });

    it('follows the newest events when they are nearer to the usual, up to where that is plain', () => {
      expect(averageAfter(undefined, 300, 20)).toBeGreaterThan(1.9);
      expect(averageAfter(1, 300, 20)).toBeLessThan(1.1);
      expect(averageAfter(1, 300, 20)).toBeGreaterThan(0.8);
    });

    it('refuses a release below 0', () => {
      expect(() => createGauge({ ...spec, release: -1 }, 2, 'test')).toThrow(/release -1/);
    });
  });

  it('refuses a precision that is not positive', () => {
    expect(() => createGauge({ ...spec, precision: encodeFloats([0, 0, 0, 1]) }, 2, 'test')).toThrow(
      /not positive/,
    );
  });
});
