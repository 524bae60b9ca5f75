import { describe, expect, it } from 'vitest';
import { BASELINE_STATE, lessBaseline } from '../../../core/model/car-baseline.ts';

const USUAL = { typical: 2, most: 4 };

function follow(scores: readonly number[]): { last: number; state: Float32Array } {
  const state = new Float32Array(BASELINE_STATE);
  let last = Number.NaN;
  scores.forEach((score, i) => {
    last = lessBaseline(USUAL, score, state, 0, i === 0);
  });
  return { last, state };
}

describe("a car's usual strangeness", () => {
  it('leaves a typical car as it is', () => {
    expect(follow(new Array(500).fill(2)).last).toBeCloseTo(2, 5);
  });

  it('takes off what a car always exceeds the fleet by, once it has been seen long enough', () => {
    const odd = new Array<number>(3000).fill(3);
    expect(follow(odd.slice(0, 1)).last).toBe(3);
    expect(follow(odd).last).toBeCloseTo(2, 1);
    expect(lessBaseline(USUAL, 10, follow(odd).state, 0, false)).toBeCloseTo(9, 1);
  });

  it('takes no more off than healthy cars reach: a fault that lasts stays one', () => {
    expect(follow(new Array(20_000).fill(12)).last).toBeCloseTo(12 - (4 - 2), 4);
  });

  it('learns slowly: an hour of calm is not undone by a minute of strangeness', () => {
    const calm = new Array<number>(3600).fill(2);
    const after = follow([...calm, ...new Array<number>(60).fill(12)]);
    expect(after.last).toBeGreaterThan(11.7);
  });

  it('makes a car that is quieter than the fleet stand out sooner', () => {
    const { state } = follow(new Array(3000).fill(1));
    expect(lessBaseline(USUAL, 3, state, 0, false)).toBeCloseTo(4, 1);
  });

  it('gives no negative score', () => {
    const { state } = follow(new Array(3000).fill(4));
    expect(lessBaseline(USUAL, 0.5, state, 0, false)).toBe(0);
  });

  it('remembers the car over a pause, but learns of the new drive faster', () => {
    const { state } = follow(new Array(3000).fill(4));
    const paused = state.slice();
    expect(lessBaseline(USUAL, 4, paused, 0, true)).toBeLessThan(2.5);
    /** How far one calm event moves what is usual. */
    const moved = (from: Float32Array) => {
      const to = from.slice();
      lessBaseline(USUAL, 0, to, 0, false);
      return from[1]! - to[1]!;
    };
    expect(moved(paused)).toBeGreaterThan(5 * moved(state));
  });
});
