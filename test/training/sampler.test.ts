import { describe, expect, it } from 'vitest';
import { Sampler, stretchRows } from '../../training/sampler.ts';
import { carsIn, rowsIn } from '../../training/series.ts';

/** Rows of several cars, in turn or car after car; the reading tells car and row. */
function fill(sampler: Sampler, cars: Readonly<Record<string, number>>, inTurn = true): Sampler {
  const names = Object.keys(cars);
  const row = (name: string, i: number) =>
    sampler.add(name, 1000 * i, Float64Array.of(names.indexOf(name) * 1e6 + i));
  if (inTurn) {
    const longest = Math.max(...Object.values(cars));
    for (let i = 0; i < longest; i += 1) for (const name of names) if (i < cars[name]!) row(name, i);
  } else for (const name of names) for (let i = 0; i < cars[name]!; i += 1) row(name, i);
  return sampler;
}

const rowsOf = (sampler: Sampler) =>
  sampler
    .series()
    .map(({ id, values, tsMs }) => ({ id, from: tsMs[0], count: values.length, last: values.at(-1) }));

describe('Sampler', () => {
  it('takes stretches of 1,600 rows, shorter ones where there would be fewer than twenty', () => {
    expect([300_000, 20_000, 100].map(stretchRows)).toEqual([1600, 1000, 60]);
  });

  it('keeps everything while it fits, a car in one piece', () => {
    const sampler = fill(new Sampler({ seed: 1, maxRows: 10_000, width: 1 }), { b: 700, a: 50 });
    expect(rowsOf(sampler)).toEqual([
      { id: 'a', from: 0, count: 50, last: 1e6 + 49 },
      { id: 'b', from: 0, count: 700, last: 699 },
    ]);
  });

  it('holds no more rows than asked for, the short car whole, the long ones in equal parts', () => {
    const sampler = fill(new Sampler({ seed: 1, maxRows: 6000, width: 1 }), {
      long: 30_000,
      longer: 60_000,
      short: 400,
    });
    const series = sampler.series();
    const count = (name: string) => rowsIn(series.filter(({ id }) => id === name));
    expect(rowsIn(series)).toBeLessThanOrEqual(6000);
    expect(rowsIn(series)).toBeGreaterThan(6000 - 3 * stretchRows(6000));
    expect(count('short')).toBe(400);
    expect(Math.abs(count('long') - count('longer'))).toBeLessThanOrEqual(stretchRows(6000));
    expect(carsIn(series)).toEqual(['long', 'longer', 'short']);
    // Stretches from all over the drive, each in order of time.
    const starts = series.filter(({ id }) => id === 'longer').map(({ tsMs }) => tsMs[0]!);
    expect(Math.max(...starts)).toBeGreaterThan(40_000_000);
    for (const { tsMs, values } of series)
      for (let i = 1; i < tsMs.length; i += 1) expect(values[i]! - values[i - 1]!).toBe(1);
  });

  it('keeps the same rows however the cars were interleaved, and others for another seed', () => {
    const cars = { a: 5000, b: 9000, c: 700 };
    const kept = (seed: number, inTurn: boolean) =>
      rowsOf(fill(new Sampler({ seed, maxRows: 3000, width: 1 }), cars, inTurn));
    expect(kept(1, true)).toEqual(kept(1, false));
    expect(kept(1, true)).not.toEqual(kept(2, true));
  });

  it('leaves rows out that are older than the one before, and counts them', () => {
    const sampler = new Sampler({ seed: 1, maxRows: 1000, width: 1 });
    for (const tsMs of [1000, 3000, 2000, 3000, 4000]) sampler.add('a', tsMs, Float64Array.of(tsMs));
    expect(sampler.outOfOrder).toBe(1);
    expect([...sampler.series()[0]!.tsMs]).toEqual([1000, 3000, 3000, 4000]);
  });

  it('begins another piece when time begins anew', () => {
    const sampler = new Sampler({ seed: 1, maxRows: 1000, width: 1 });
    for (let i = 0; i < 100; i += 1) sampler.add('a', 1000 * i, Float64Array.of(i));
    for (let i = 0; i < 50; i += 1) sampler.add('a', 1000 * i, Float64Array.of(i));
    expect(sampler.outOfOrder).toBe(9);
    expect(sampler.series().map(({ tsMs }) => [tsMs.length, tsMs[0]])).toEqual([
      [100, 0],
      [41, 9000],
    ]);
  });

  it('keeps whole cars of too many, the same ones in any order', () => {
    const names = Array.from({ length: 300 }, (_, i) => `car ${i}`);
    const kept = (order: readonly string[]) => {
      const cars = Object.fromEntries(order.map((name) => [name, 50]));
      return carsIn(fill(new Sampler({ seed: 1, maxRows: 1200, width: 1 }), cars).series());
    };
    expect(kept(names)).toHaveLength(20);
    expect(kept([...names].reverse())).toEqual(kept(names));
  });
});
