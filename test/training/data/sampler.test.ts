import { describe, expect, it } from 'vitest';
import { normal, seededRandom } from '../../../core/model/random.ts';
import { Sampler, sampleSeries } from '../../../training/data/sampler.ts';
import { carsIn, rowsIn } from '../../../training/data/series.ts';
import { dealRows, shareRows, stretchRows } from '../../../training/data/shares.ts';

interface Room {
  readonly seed: number;
  readonly maxRows: number;
  readonly width: number;
}

/** A sampler for cars of so many rows. */
const samplerOf = (cars: Readonly<Record<string, number>>, { seed, maxRows, width }: Room): Sampler =>
  new Sampler({ seed, width, shares: shareRows(new Map(Object.entries(cars)), seed, maxRows) });

/** Rows of several cars, in turn or car after car; the reading tells car and row. */
function fill(cars: Readonly<Record<string, number>>, room: Room, inTurn = true): Sampler {
  const sampler = samplerOf(cars, room);
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
    const sampler = fill({ b: 700, a: 50 }, { seed: 1, maxRows: 10_000, width: 1 });
    expect(rowsOf(sampler)).toEqual([
      { id: 'a', from: 0, count: 50, last: 1e6 + 49 },
      { id: 'b', from: 0, count: 700, last: 699 },
    ]);
  });

  it('holds no more rows than asked for, the short car whole, the long ones in equal parts', () => {
    const sampler = fill(
      {
        long: 30_000,
        longer: 60_000,
        short: 400,
      },
      { seed: 1, maxRows: 6000, width: 1 },
    );
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
      rowsOf(fill(cars, { seed, maxRows: 3000, width: 1 }, inTurn));
    expect(kept(1, true)).toEqual(kept(1, false));
    expect(kept(1, true)).not.toEqual(kept(2, true));
  });

  it('keeps a floor of rare driving, regime by regime, and no more than a quarter of it', () => {
    // 400 stretches of 300 rows of noise about 0; in some of them one signal lies elsewhere.
    const random = seededRandom(3);
    const rare = new Map<number, readonly [number, number]>();
    for (const at of [150, 250, 350]) rare.set(at, [1, 5]);
    for (let at = 40; at < 400; at += 9) rare.set(at, [0, -5]);
    const sampler = samplerOf({ a: 120_000 }, { seed: 1, maxRows: 6000, width: 2 });
    for (let stretch = 0; stretch < 400; stretch += 1) {
      for (let r = 0; r < 300; r += 1) {
        const row = Float64Array.of(normal(random), normal(random));
        const [signal, shift] = rare.get(stretch) ?? [0, 0];
        row[signal]! += shift;
        sampler.add('a', 1000 * (300 * stretch + r), row);
      }
    }
    const kept = sampler.series().flatMap(({ tsMs }) => {
      const first = tsMs[0]! / 300_000;
      return Array.from({ length: tsMs.length / 300 }, (_, i) => first + i);
    });
    expect(kept).toHaveLength(20);
    const of = (signal: number) => kept.filter((stretch) => rare.get(stretch)?.[0] === signal).length;
    // Drawn by time alone, 0.15 of the first and 2 of the second would be among the 20.
    expect(of(1)).toBeGreaterThanOrEqual(2);
    expect(of(0)).toBeGreaterThanOrEqual(2);
    expect(of(0) + of(1)).toBeLessThanOrEqual(5 + 4);
  });

  it('keeps the same rows, rare ones too, in whatever order the cars came', () => {
    const random = seededRandom(8);
    for (let round = 0; round < 12; round += 1) {
      const cars = Array.from({ length: 1 + Math.floor(5 * random()) }, (_, c) => ({
        name: `car ${c}`,
        readings: Array.from({ length: 60 * (5 + Math.floor(90 * random())) }, (_, i) => {
          const elsewhere = Math.floor(i / 60) % 23 === 11 ? 9 * (1 + (Math.floor(i / 1380) % 2)) : 0;
          return Float64Array.of(normal(random) + elsewhere, normal(random) - elsewhere / 2);
        }),
      }));
      const keptOf = (turns: (left: number) => number) => {
        const rows = Object.fromEntries(cars.map(({ name, readings }) => [name, readings.length]));
        const sampler = samplerOf(rows, { seed: round, maxRows: 1200, width: 2 });
        const open = cars.map(({ name, readings }) => ({ name, readings, at: 0 }));
        while (open.length > 0) {
          const which = turns(open.length);
          const car = open[which]!;
          for (let n = 0; n < 100 && car.at < car.readings.length; n += 1, car.at += 1)
            sampler.add(car.name, 1000 * car.at, car.readings[car.at]!);
          if (car.at === car.readings.length) open.splice(which, 1);
        }
        return rowsOf(sampler);
      };
      const first = keptOf(() => 0);
      expect(keptOf((left) => left - 1)).toEqual(first);
      expect(keptOf((left) => Math.floor(left * random()))).toEqual(first);
    }
  });

  it('leaves rows out that are older than the one before, and counts them', () => {
    const sampler = samplerOf({ a: 150 }, { seed: 1, maxRows: 1000, width: 1 });
    for (const tsMs of [1000, 3000, 2000, 3000, 4000]) sampler.add('a', tsMs, Float64Array.of(tsMs));
    expect(sampler.outOfOrder).toBe(1);
    expect([...sampler.series()[0]!.tsMs]).toEqual([1000, 3000, 3000, 4000]);
  });

  it('begins another piece when time begins anew', () => {
    const sampler = samplerOf({ a: 150 }, { seed: 1, maxRows: 1000, width: 1 });
    for (let i = 0; i < 100; i += 1) sampler.add('a', 1000 * i, Float64Array.of(i));
    for (let i = 0; i < 50; i += 1) sampler.add('a', 1000 * i, Float64Array.of(i));
    expect(sampler.outOfOrder).toBe(9);
    expect(sampler.series().map(({ tsMs }) => [tsMs.length, tsMs[0]])).toEqual([
      [100, 0],
      [41, 9000],
    ]);
  });

  it('thins rows, not cars: every car of many keeps a part in one piece, and some, drawn, all of a drive', () => {
    const cars = Object.fromEntries(Array.from({ length: 864 }, (_, i) => [`car ${i}`, 1500]));
    const room = { seed: 1, maxRows: 300_000, width: 1 };
    const series = fill(cars, room).series();
    expect(series).toHaveLength(864);
    expect(carsIn(series)).toHaveLength(864);
    const whole = series.filter(({ tsMs }) => tsMs.length === 1500);
    const short = series.filter(({ tsMs }) => tsMs.length !== 1500);
    // An equal part were 300,000 / 864 = 347: a third of it for each are 115; 200,640 rows are left, 144 times 1,385 and 1,200 over.
    expect(whole).toHaveLength(144);
    expect(new Set(short.map(({ tsMs }) => tsMs.length))).toEqual(new Set([116]));
    // Short ones begin anywhere in a drive; whole ones are anywhere among the cars.
    const early = short.filter(({ tsMs }) => tsMs[0]! < 375_000).length / short.length;
    expect(early).toBeGreaterThan(0.2);
    expect(early).toBeLessThan(0.4);
    const places = whole.map(({ id }) => Number(id.slice('car '.length)));
    expect(places.filter((place) => place < 432).length / 144).toBeCloseTo(0.5, 0);
    expect(shareRows(new Map(Object.entries(cars)), 1, 300_000).remarks).toEqual([
      '1,296,000 rows are thinned to 300,000: of 864 cars 144 keep a long stretch, 1,600 rows or all they have, and 720 others 116 rows each, drawn by the seed; --max-rows 1,296,000 would keep all',
    ]);
  });

  it('keeps the same parts in any order of the cars, other long ones for another seed', () => {
    const names = Array.from({ length: 300 }, (_, i) => `car ${i}`);
    const dealt = (order: readonly string[], seed: number) => {
      const { part, drawn } = dealRows(new Map(order.map((name) => [name, 2000])), { seed, most: 90_000 });
      return { part, drawn: [...drawn].sort() };
    };
    const one = dealt(names, 1);
    // 100 each are 30,000; 60,000 are left for 40 times 1,500 more.
    expect(one).toMatchObject({ part: 100 });
    expect(one.drawn).toHaveLength(40);
    expect(dealt([...names].reverse(), 1)).toEqual(one);
    expect(dealt(names, 2).drawn).not.toEqual(one.drawn);
  });

  it('deals equal parts where these are long enough, and no car less than 60 rows for the sake of another', () => {
    const rowsOf = (cars: number, rows: number) =>
      new Map(Array.from({ length: cars }, (_, i) => [`car ${i}`, rows]));
    expect(dealRows(rowsOf(100, 9000), { seed: 1, most: 160_000 })).toEqual({ part: 1600, drawn: new Set() });
    expect(dealRows(rowsOf(100, 500), { seed: 1, most: 60_000 })).toEqual({ part: 500, drawn: new Set() });
    const { part, drawn } = dealRows(rowsOf(1000, 1500), { seed: 1, most: 75_000 });
    // 60 each, 15,000 left: ten times 1,440 more, and 600 for the other 990.
    expect(drawn.size).toBe(10);
    expect(part).toBe(60);
    // What is all a car has is not drawn for.
    const mixed = new Map([...rowsOf(50, 40), ['long a', 5000], ['long b', 5000]]);
    const of = dealRows(mixed, { seed: 1, most: 4200 });
    expect([...of.drawn].every((car) => car.startsWith('long'))).toBe(true);
    expect(of.drawn.size).toBe(1);
    expect(2000 + 1600 + of.part).toBe(4200);
  });

  it('holds all of its rows in the room it is given, cars of any length', () => {
    const random = seededRandom(12);
    for (let round = 0; round < 200; round += 1) {
      const cars = new Map(
        Array.from({ length: 1 + Math.floor(80 * random()) }, (_, i) => [
          `car ${i}`,
          1 + Math.floor(10 ** (4 * random())),
        ]),
      );
      const all = [...cars.values()].reduce((a, b) => a + b, 0);
      const maxRows = 60 * cars.size + Math.floor(random() * all);
      const { partOf, leftOut } = shareRows(cars, round, maxRows);
      expect(leftOut.size).toBe(0);
      const kept = [...cars].map(([car, rows]) => Math.min(rows, partOf(car)));
      const sum = kept.reduce((a, b) => a + b, 0);
      expect(sum).toBeLessThanOrEqual(maxRows);
      // Less than a row each is lost to rounding.
      expect(sum).toBeGreaterThan(Math.min(all, maxRows) - cars.size);
      for (const [i, rows] of [...cars.values()].entries())
        expect(kept[i]!).toBeGreaterThanOrEqual(Math.min(rows, 60));
    }
  });

  it('uses the room there is: cars of a stretch and a bit lose no more than their part asks for', () => {
    const cars = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`car ${i}`, 1806]));
    expect(rowsIn(fill(cars, { seed: 1, maxRows: 200_000, width: 1 }).series())).toBe(180_600);
    const half = fill(cars, { seed: 1, maxRows: 90_000, width: 1 }).series();
    expect(carsIn(half)).toHaveLength(100);
    // 900 each were too short: 300 each and 46 whole, what is left of them for the others.
    expect(half.filter(({ tsMs }) => tsMs.length > 1500).length).toBe(46);
    expect(rowsIn(half)).toBe(46 * 1600 + 54 * 303);
    const most = fill(cars, { seed: 1, maxRows: 170_000, width: 1 }).series();
    expect(carsIn(most)).toHaveLength(100);
    expect(rowsIn(most)).toBeGreaterThan(0.96 * 170_000);
    expect(rowsIn(most)).toBeLessThanOrEqual(170_000);
  });

  it('gives what short cars leave to the others, and is the same for series in memory', () => {
    const cars = { short: 30, other: 900, long: 9000 };
    const series = fill(cars, { seed: 1, maxRows: 3000, width: 1 }).series();
    const of = (name: string) => rowsIn(series.filter(({ id }) => id === name));
    expect([of('short'), of('other')]).toEqual([30, 900]);
    expect(of('long')).toBeGreaterThan(1900);
    expect(of('long')).toBeLessThanOrEqual(2070);
    const whole = fill(cars, { seed: 1, maxRows: 100_000, width: 1 }).series();
    expect(sampleSeries(whole, 1, { seed: 1, maxRows: 3000 })).toEqual(series);
  });

  it('leaves whole cars out only where each would have less than 60 rows, says how many, and the same ones in any order', () => {
    const names = Array.from({ length: 300 }, (_, i) => `car ${i}`);
    const kept = (order: readonly string[]) => {
      const cars = Object.fromEntries(order.map((name) => [name, 500]));
      return carsIn(fill(cars, { seed: 1, maxRows: 1200, width: 1 }).series());
    };
    expect(kept(names)).toHaveLength(20);
    expect(kept([...names].reverse())).toEqual(kept(names));
    const shares = shareRows(new Map(names.map((name) => [name, 500])), 1, 1200);
    expect(shares.leftOut.size).toBe(280);
    expect(shares.remarks[0]).toMatch(
      /^280 of 300 cars left out whole, 140,000 rows, drawn by the seed: 1,200 rows are less than 60 in a row for each, .* --max-rows 18,000 keeps every car \(car \d+, .*, …\)$/,
    );
    // Short cars need no more than they have.
    expect(shareRows(new Map(names.map((name) => [name, 20])), 1, 6000).leftOut.size).toBe(0);
  });
});
