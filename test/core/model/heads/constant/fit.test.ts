import { describe, expect, it } from 'vitest';
import { constantHeads, constantSignals } from '../../../../../core/model/heads/constant/fit.ts';

const fitted = {
  leftOut: [
    { signal: 1, why: 'constant', measured: 1 },
    { signal: 3, why: 'rare' },
    { signal: 4, why: 'constant', measured: 0.2 },
    { signal: 5, why: 'missing' },
  ],
  medians: [0, 7, 0, 0, 1, null],
} as const;

describe('signals that stood still', () => {
  it('are all watched, as evidence, where the history says too little of them', () => {
    expect(constantSignals(fitted, 2.9)).toEqual({
      still: { signals: [1, 4], values: [7, 1] },
      known: false,
    });
  });

  it('are those it says enough of where it is long: three alerts may have come while they were measured', () => {
    expect(constantSignals(fitted, 3)).toEqual({ still: { signals: [1], values: [7] }, known: true });
    expect(constantSignals(fitted, 15)).toEqual({ still: { signals: [1, 4], values: [7, 1] }, known: true });
  });

  it('have no head where there are none', () => {
    const { still, known } = constantSignals({ leftOut: [], medians: [0] }, 100);
    expect(known).toBe(false);
    expect(constantHeads(still)).toEqual([]);
    expect(constantHeads({ signals: [2], values: [0] })).toMatchObject([{ kind: 'still', signals: 1 }]);
  });
});
