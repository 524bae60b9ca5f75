import { describe, expect, it } from 'vitest';
import { createFusion, planFusion } from '../../../core/model/fusion.ts';
import type { Head } from '../../../core/model/heads/head.ts';

/** One level a unit. */
const TAIL = { at: [0, 1], levels: [0, 1], slope: 1 };
const head = (statistics: number, alone?: readonly number[]): Head => ({
  name: 'made-up',
  statistics: Array.from({ length: statistics }, (_, i) => `s${i}`),
  ...(alone ? { alone } : {}),
  stateSize: 0,
  step: () => {},
  blame: () => {},
});

describe('the formula of the score', () => {
  it('adds the logarithms of levels and the length of their vector, fourth powers for those heard alone', () => {
    const shares = Float64Array.of(1, 0.5, 1);
    const fusion = createFusion({ tails: [TAIL, TAIL, TAIL], shares, alone: Uint8Array.of(0, 0, 1) });
    const raw = Float64Array.of(3, 4, 2);
    const length = ((3 ** 2 + 2 ** 2) ** 2 + 2 ** 4) ** 0.25;
    expect(fusion.lengthOf(raw)).toBeCloseTo(length, 12);
    const logs = Math.log(1 + 3) + 0.5 * Math.log(1 + 4) + Math.log(1 + 2);
    expect(fusion.strangenessOf(raw)).toBeCloseTo(length + logs, 12);
    expect([...fusion.levels]).toEqual([3, 2, 2]);
    const parts = [0, 1, 2].map(fusion.partOf);
    expect(parts.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    expect(parts[0]! / parts[1]!).toBeCloseTo(9 / 4, 12);
    expect(parts[2]!).toBeCloseTo(2 ** 4 / length ** 4, 12);
  });

  it('gives a voice beyond its limit nearly all of an alert, and the part to whose voice it is', () => {
    const voices = { limits: [null, 2], strangeness: 10 };
    const plan = { tails: [TAIL, TAIL], shares: Float64Array.of(1, 1), alone: Uint8Array.of(0, 1), voices };
    const fusion = createFusion(plan);
    const together = createFusion({ ...plan, voices: undefined }).strangenessOf(Float64Array.of(0, 4));
    const voice = 10 * (1 + Math.log(2));
    const score = fusion.strangenessOf(Float64Array.of(0, 4));
    expect(score).toBeCloseTo((together ** 8 + voice ** 8) ** (1 / 8), 9);
    expect(fusion.partOf(0)).toBe(0);
    expect(fusion.partOf(1)).toBeCloseTo(1, 12);
  });

  it('refuses tails and limits that do not fit the statistics', () => {
    const heads = [{ kind: 'made-up', name: 'made-up', share: 0.5 }];
    const plan = planFusion({ heads, tails: [TAIL, TAIL] }, [head(2, [0, 1])]);
    expect([...plan.shares]).toEqual([0.5, 0.5]);
    expect([...plan.alone]).toEqual([0, 1]);
    expect(() => planFusion({ heads, tails: [TAIL] }, [head(2)])).toThrow('1 tails for 2 statistics');
    const voices = { limits: [null], strangeness: 1 };
    expect(() => planFusion({ heads, tails: [TAIL, TAIL], voices }, [head(2)])).toThrow(
      'limits of 1 voices for 2 statistics',
    );
  });
});
