// Variants of vehicle in a history: cars that measure the same signals. Each gets heads of its own
// (core/model/heads/variant/reference.ts), fitted on its rows and channels only. A history of one variant is fitted as
// a whole, without any of this.
import type { Prepared, Variant } from '../../core/model/prepared.ts';
import type { Series } from './series.ts';

/** A channel is measured by a car when it is in this share of its rows. */
const MEASURED = 0.2;

/** Cars and rows that make a variant; fewer are counted with the variant they resemble most. */
const LEAST_CARS = 8;

const LEAST_ROWS = 2000;

const MOST_VARIANTS = 4;

/** Cars that measure the same and make a kind: what they lack is not lost, they never had it. */
const LEAST_OF_KIND = 2;

const MOST_KINDS = 8;

interface Car {
  readonly measured: Float64Array;
  rows: number;
}

/** Channels differing between two patterns. */
const distance = (a: string, b: string): number =>
  [...a].reduce((sum, c, i) => sum + (c === b[i] ? 0 : 1), 0);

const channelsOf = (pattern: string): number[] => [...pattern].flatMap((c, k) => (c === '1' ? [k] : []));

function countCars({ channels, present }: Prepared, series: readonly Series[]): Map<string, Car> {
  const cars = new Map<string, Car>();
  let row = 0;
  for (const { id, tsMs } of series) {
    let car = cars.get(id);
    if (!car) {
      car = { measured: new Float64Array(channels), rows: 0 };
      cars.set(id, car);
    }
    for (let i = 0; i < tsMs.length; i += 1, row += 1)
      for (let k = 0; k < channels; k += 1) car.measured[k]! += present[row * channels + k]!;
    car.rows += tsMs.length;
  }
  return cars;
}

export interface FoundVariants {
  /** The one with most rows first; one with all channels when the cars are of one kind. */
  readonly variants: readonly Variant[];
  /** The variants, and behind them what other cars measure that are too few for heads of their own. */
  readonly kinds: readonly Variant[];
  /** The place among them of a car's variant. */
  readonly variantOf: (car: string) => number;
}

/** The variants there are among the cars of `series`, whose rows `prepared` holds. */
export function findVariants(prepared: Prepared, series: readonly Series[]): FoundVariants {
  const { channels, count } = prepared;
  const whole = [
    { channels: Array.from({ length: channels }, (_, k) => k), rows: new Uint8Array(count).fill(1) },
  ];
  const patterns = new Map<string, { cars: number; rows: number }>();
  const patternOf = new Map<string, string>();
  for (const [id, { measured, rows }] of countCars(prepared, series)) {
    const pattern = [...measured].map((n) => (n >= MEASURED * rows ? '1' : '0')).join('');
    patternOf.set(id, pattern);
    const seen = patterns.get(pattern) ?? { cars: 0, rows: 0 };
    patterns.set(pattern, { cars: seen.cars + 1, rows: seen.rows + rows });
  }
  const kept = [...patterns]
    .filter(([pattern, { cars, rows }]) => cars >= LEAST_CARS && rows >= LEAST_ROWS && pattern.includes('1'))
    .sort(([a, x], [b, y]) => y.rows - x.rows || (a < b ? -1 : 1))
    .slice(0, MOST_VARIANTS)
    .map(([pattern]) => pattern);
  const rowsLike = (like: (pattern: string) => boolean): Uint8Array => {
    const rows = new Uint8Array(count);
    let row = 0;
    for (const { id, tsMs } of series) {
      if (like(patternOf.get(id)!)) rows.fill(1, row, row + tsMs.length);
      row += tsMs.length;
    }
    return rows;
  };
  const kindsBeside = (variants: readonly Variant[]): Variant[] => {
    const known = new Set(variants.map((variant) => variant.channels.join()));
    const others = [...patterns]
      .filter(([pattern, { cars }]) => cars >= LEAST_OF_KIND && !known.has(channelsOf(pattern).join()))
      .filter(([pattern]) => pattern.includes('1'))
      .sort(([a, x], [b, y]) => y.rows - x.rows || (a < b ? -1 : 1))
      .slice(0, MOST_KINDS)
      .map(([pattern]) => ({ channels: channelsOf(pattern), rows: rowsLike((one) => one === pattern) }));
    return [...variants, ...others];
  };
  if (kept.length < 2) return { variants: whole, kinds: kindsBeside(whole), variantOf: () => 0 };
  const nearest = (pattern: string) =>
    kept.reduce((best, one) => (distance(one, pattern) < distance(best, pattern) ? one : best));
  const variants = kept.map((pattern) => ({
    channels: channelsOf(pattern),
    rows: rowsLike((one) => nearest(one) === pattern),
  }));
  return {
    variants,
    kinds: kindsBeside(variants),
    variantOf: (car) => kept.indexOf(nearest(patternOf.get(car)!)),
  };
}

/** The variants among the rows that `keep` says. */
export const variantsAmong = (variants: readonly Variant[], keep: (row: number) => boolean): Variant[] =>
  variants.map(({ channels, rows }) => ({ channels, rows: rows.filter((_, r) => keep(r)) }));
