import { describe, expect, it } from 'vitest';
import { checkReach, rarityOf } from '../../../../core/model/gauge/reach.ts';

describe('the rarity of a size', () => {
  // Channel 0: exponential of scale 2. Channel 1: heavy, scale 1, shape 0.5.
  const tails = Float64Array.of(2, 2, 2, 1, 0, 0.5);

  it('rises in proportion to 1 where one stretch in ten goes further', () => {
    expect(rarityOf(tails, 0, 0)).toBe(0);
    expect(rarityOf(tails, 0, 1)).toBe(0.5);
    expect(rarityOf(tails, 0, 2)).toBe(1);
  });

  it('goes on in proportion where the tail is as wide as where it begins', () => {
    expect(rarityOf(tails, 0, 8)).toBe(4);
  });

  it('is −ln of what a generalised Pareto tail leaves: (1 + ξz)^(−1/ξ)', () => {
    // z = 6: (1 + 3)^−2 = 1/16 of what passes 2.
    expect(rarityOf(tails, 1, 8)).toBeCloseTo(1 + Math.log(16), 12);
  });

  it('is the same for a shape of nearly nothing as for none', () => {
    const nearly = Float64Array.of(1, 1, 1e-5);
    expect(rarityOf(nearly, 0, 3)).toBeCloseTo(rarityOf(Float64Array.of(1, 1, 0), 0, 3), 4);
  });

  it('refuses sizes and scales that are not positive, and falling shapes', () => {
    expect(() => checkReach(Float64Array.of(1, 1, 0), 'test')).not.toThrow();
    for (const bad of [
      [0, 1, 0],
      [1, 0, 0],
      [1, 1, -0.1],
    ])
      expect(() => checkReach(Float64Array.from(bad), 'test')).toThrow(/head test: a reach is not positive/);
  });
});
