import { describe, expect, it } from 'vitest';
import { rarityOf } from '../../../core/model/heads/reach.ts';
import { type Extremes, fitReach } from '../../../training/heads/reach.ts';

/** Stretches in which channel 0 goes as far as `first` says, channel 1 nowhere; every fifth is of fold 1. */
const extremesOf = (first: readonly number[], second: (i: number) => number = () => 0): Extremes => ({
  channels: 2,
  sizes: first.map((size, i) => Float32Array.of(size, second(i))),
  folds: first.map((_, i) => (i % 5 === 0 ? 1 : 0)),
});
const shares = Array.from({ length: 1000 }, (_, i) => (i + 0.5) / 1000);
const exponential = shares.map((share) => -Math.log(1 - share));

describe('the reach of a channel', () => {
  it('begins where the furthest tenth of the stretches do, and goes on by their tail', () => {
    const tails = fitReach(
      extremesOf(exponential, (i) => exponential[i]!),
      -1,
    );
    expect(tails[0]).toBeGreaterThan(0.97 * Math.LN10);
    expect(tails[0]).toBeLessThan(1.03 * Math.LN10);
    // Both channels are alike, so both go on in proportion.
    expect(rarityOf(tails, 0, 4 * Math.LN10)).toBeGreaterThan(3.8);
    expect(rarityOf(tails, 0, 4 * Math.LN10)).toBeLessThan(4.2);
  });

  it('calls a size rarer where the tail is lighter', () => {
    const heavy = (share: number) => 0.2 * (1 - share) ** -0.5;
    const tails = fitReach(
      extremesOf(shares, (i) => heavy(shares[i]!)),
      -1,
    );
    expect(tails[5]).toBeGreaterThan(0);
    expect(rarityOf(tails, 0, 2 * tails[0]!)).toBeGreaterThan(2 * rarityOf(tails, 1, 2 * tails[1]!));
  });

  it('lets all channels say how steep the tail of one is where stretches are few', () => {
    const ratioOf = (cars: number) => {
      const own = Array.from({ length: cars }, (_, i) => -Math.log(1 - (i + 0.5) / cars));
      const tails = fitReach(
        extremesOf(own, (i) => 5 + own[i]!),
        -1,
      );
      return rarityOf(tails, 1, 2 * tails[1]!) / rarityOf(tails, 0, 2 * tails[0]!);
    };
    // Twice as far out as one in ten is rarer for the channel that hardly differs, plainly so once it is known.
    expect(ratioOf(40)).toBeGreaterThan(1);
    expect(ratioOf(4000)).toBeGreaterThan(1.3 * ratioOf(40));
  });

  it('does not see the fold that is left out', () => {
    const sizes = exponential.map((size, i) => (i % 5 === 0 ? 100 : size));
    expect(fitReach(extremesOf(sizes), 1)[0]).toBeLessThan(3);
    expect(fitReach(extremesOf(sizes), -1)[0]).toBeGreaterThan(50);
  });

  it('of a channel that never went anywhere is a hair, and finite', () => {
    const tails = fitReach(extremesOf(exponential), -1);
    expect(tails[1]).toBeCloseTo(1e-3, 6);
    expect([...tails].every((value) => Number.isFinite(value))).toBe(true);
  });

  it('needs stretches', () => {
    expect(() => fitReach({ channels: 1, sizes: [], folds: [] }, -1)).toThrow(/stretches/);
  });
});
