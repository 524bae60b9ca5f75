import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, MAX_GAPS, newSequence } from '../../scoring/sequence.ts';

describe('sequences', () => {
  it('remembers the gaps and admits what falls into them, once', () => {
    const state = newSequence();
    expect([5, 6, 9, 7, 7, 8, 8, 5, 2, 2].map((seq) => admit(state, seq))).toEqual([
      true,
      true,
      true,
      true,
      false,
      true,
      false,
      false,
      true,
      false,
    ]);
    expect(state).toEqual({ highest: 9, gaps: [0, 1, 3, 4] });
  });

  it('admits each number exactly once in any order, as long as the gaps fit', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60), { maxLength: 150 }), (numbers) => {
        const state = newSequence();
        const seen = new Set<number>();
        for (const seq of numbers) {
          expect(admit(state, seq)).toBe(!seen.has(seq));
          seen.add(seq);
        }
      }),
    );
  });

  it('forgets the oldest gap when there are too many', () => {
    const state = newSequence();
    for (let seq = 1; seq <= 2 * MAX_GAPS + 1; seq += 2) admit(state, seq);
    expect(state.gaps.length).toBe(2 * MAX_GAPS);
    expect(admit(state, 0)).toBe(false);
    expect(admit(state, 2)).toBe(true);
  });
});
