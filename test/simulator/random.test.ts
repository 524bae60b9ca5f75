import { describe, expect, it } from 'vitest';
import { hash32, mix32, nextBits, noiseOf, Stream, seedStream } from '../../simulator/random.ts';

describe('the random streams', () => {
  it('mix 32 bits without collisions', () => {
    const seen = new Set<number>();
    for (let n = 0; n < 100_000; n += 1) seen.add(mix32(n));
    expect(seen.size).toBe(100_000);
  });

  it('are uniform: sixteen buckets within five sigma', () => {
    const stream = new Stream(1, 2);
    const buckets = new Float64Array(16);
    for (let n = 0; n < 160_000; n += 1) buckets[Math.floor(stream.unit() * 16)]! += 1;
    for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(5 * Math.sqrt(10_000));
  });

  it('give noise of mean 0 and variance 1 within its bounds', () => {
    const stream = new Stream(3);
    const values = Array.from({ length: 100_000 }, () => noiseOf(stream.bits()));
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((a, b) => a + b * b, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.02);
    expect(Math.max(...values)).toBeLessThanOrEqual(2.45);
  });

  it('of neighbouring cars are unrelated', () => {
    const columns = { state: new Uint32Array(2), gamma: new Uint32Array(2) };
    seedStream(columns, 0, 9, 100);
    seedStream(columns, 1, 9, 101);
    let product = 0;
    for (let n = 0; n < 20_000; n += 1)
      product += noiseOf(nextBits(columns, 0)) * noiseOf(nextBits(columns, 1));
    expect(Math.abs(product / 20_000)).toBeLessThan(0.035);
  });

  it('depend on every part of a seed', () => {
    expect(hash32(1, 2, 3)).not.toBe(hash32(1, 3, 2));
    expect(hash32(1, 2)).not.toBe(hash32(1, 2, 0));
    expect(hash32(2 ** 40, 1)).not.toBe(hash32(0, 1));
  });

  it('pick by weight', () => {
    const stream = new Stream(4);
    const counts = { a: 0, b: 0, c: 0 };
    for (let n = 0; n < 30_000; n += 1) counts[stream.pick({ a: 1, b: 2, c: 0 })] += 1;
    expect(counts.c).toBe(0);
    expect(counts.b / counts.a).toBeGreaterThan(1.9);
    expect(counts.b / counts.a).toBeLessThan(2.1);
  });
});
