import { describe, expect, it } from 'vitest';
import { Extremes, fitReach } from '../../../../core/model/gauge/fit-reach.ts';
import { rarityOf } from '../../../../core/model/gauge/reach.ts';

/** Stretches in which channel 0 goes as far as `first` says, channel 1 as `second` does (NaN: not measured); every fifth is of fold 1. */
function extremesOf(first: readonly number[], second: (i: number) => number = () => 0): Extremes {
  const extremes = new Extremes(2, first.length);
  for (const [i, size] of first.entries()) {
    extremes.begin(i % 5 === 0 ? 1 : 0);
    // The furthest counts, on either side.
    for (const share of [0.5, -1, 0.1]) {
      const averages = Float32Array.of(share * size, share * second(i));
      extremes.take(averages, [1, Number.isNaN(second(i)) ? 0 : 1]);
    }
  }
  return extremes;
}
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

  it('does not let a channel that never went anywhere say how steep the others are', () => {
    const alone = new Extremes(1, exponential.length);
    for (const size of exponential) {
      alone.begin(0);
      alone.take(Float32Array.of(size), [1]);
    }
    const tails = fitReach(extremesOf(exponential), -1);
    const own = fitReach(alone, -1);
    expect([tails[0], tails[2], tails[4]]).toEqual([...own]);
  });

  it('knows a channel by the stretches in which it was measured', () => {
    const every = fitReach(
      extremesOf(exponential, (i) => exponential[i]!),
      -1,
    );
    const half = fitReach(
      extremesOf(exponential, (i) => (i % 2 === 0 ? exponential[i]! : Number.NaN)),
      -1,
    );
    expect(half[1]! / every[1]!).toBeGreaterThan(0.98);
    expect(half[1]! / every[1]!).toBeLessThan(1.02);
    expect(half[0]).toBe(every[0]);
  });

  it('does not believe a channel that was measured in a stretch or two', () => {
    const seldom = fitReach(
      extremesOf(exponential, (i) => (i === 3 ? 0.1 : Number.NaN)),
      -1,
    );
    const never = fitReach(
      extremesOf(exponential, () => Number.NaN),
      -1,
    );
    expect([...seldom]).toEqual([...never]);
  });

  it('of four cars goes the same way for all of them and without each', () => {
    const four = (folds: readonly number[]) => {
      const extremes = new Extremes(1, 4);
      for (const [i, fold] of folds.entries()) {
        extremes.begin(fold);
        extremes.take(Float32Array.of(0.1 + 0.02 * i), [1]);
      }
      return [-1, ...new Set(folds)].map((left) => fitReach(extremes, left)[0]);
    };
    // Nobody knows better than that averages go by two spreads; the final fit alone knew otherwise.
    expect(four([0, 1, 2, 3])).toEqual([2, 2, 2, 2, 2]);
  });

  it('without a stretch to go by calls nothing rare that is usual', () => {
    const none = fitReach(new Extremes(1, 1), -1);
    expect(rarityOf(none, 0, 2)).toBeLessThanOrEqual(1);
  });

  it('takes a channel never measured to go as far as the others', () => {
    const tails = fitReach(
      extremesOf(exponential, () => Number.NaN),
      -1,
    );
    expect(tails[1]).toBe(tails[0]);
    expect(rarityOf(tails, 1, 1e4)).toBeGreaterThan(100);
  });

  it('keeps an even choice of very many stretches', () => {
    const count = 100_000;
    const many = new Extremes(1, count);
    for (let i = 0; i < count; i += 1) {
      many.begin(i % 7);
      many.take(Float32Array.of(i / count), [1]);
    }
    const sizes = many.sizesOf(0, -1);
    expect(sizes.length).toBe(20_000);
    expect(sizes.at(-1)).toBeGreaterThan(0.9999);
    for (const left of [-1, 0, 6]) expect(fitReach(many, left)[0]).toBeCloseTo(0.9, 2);
  });
});
