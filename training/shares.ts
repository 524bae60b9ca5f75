// Who gets how many of the rows that may be trained on. When there are too many, rows are thinned, not cars: every car keeps an equal
// part, in stretches long enough for averages, and what short cars leave goes to the others. Decided from how many rows each car has,
// counted before they are read, so that it depends on the history and the seed only.
import { createHash } from 'node:crypto';
import { counted } from '../core/counted.ts';

/**
 * Rows of a stretch: eight times the longest average of any head (200 events), so that training sees averages as they are in
 * the middle of a drive. Fewer where so long ones would be too few places, or more than a car's part.
 */
const STRETCH_ROWS = 1600;
const LEAST_STRETCHES = 20;
/** Fewer rows in a row teach no average and no alert: where even that is too much for each car, cars are left out. */
export const LEAST_STRETCH_ROWS = 60;
/** A car costs memory of its own, as much as so many rows. */
const ROWS_OF_A_CAR = 15;
const NAMED = 5;

/** Rows of a stretch when `maxRows` may be kept. */
export const stretchRows = (maxRows: number): number =>
  Math.max(LEAST_STRETCH_ROWS, Math.min(STRETCH_ROWS, Math.floor(maxRows / LEAST_STRETCHES)));

/** A number in [0, 1) that only seed, car and index decide. */
export function drawPriority(seed: number, car: string, index: number): number {
  const digest = createHash('sha256').update(`${seed}/${index}/${car}`).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

/** The level L with Σ min(countᵢ, L) ≤ most, at least 1; the largest count when all fit. */
export function waterLevel(counts: readonly number[], most: number): number {
  const sorted = [...counts].sort((a, b) => a - b);
  let left = most;
  for (const [i, count] of sorted.entries()) {
    const cars = sorted.length - i;
    if (count * cars > left) return Math.max(1, Math.floor(left / cars));
    left -= count;
  }
  return sorted.at(-1) ?? 0;
}

export interface Shares {
  /** Rows of each car that there are to read. */
  readonly rowsOf: ReadonlyMap<string, number>;
  readonly stretchRows: number;
  /** Rows that a car keeps at most. */
  readonly quota: number;
  /** Cars of which nothing is kept, by name. */
  readonly leftOut: ReadonlySet<string>;
  /** What a person should know of it, a line each. */
  readonly remarks: readonly string[];
}

/** No more rows than may be kept: nobody gives up any. */
export const allRows = (rows: number): Shares => ({
  rowsOf: new Map(),
  ...{ stretchRows: stretchRows(rows), quota: rows, leftOut: new Set<string>(), remarks: [] },
});

/** @param rowsOf rows of each car that there are to read */
export function shareRows(rowsOf: ReadonlyMap<string, number>, seed: number, maxRows: number): Shares {
  const leftOut = carsTooMany(rowsOf, seed, maxRows);
  const kept = [...rowsOf].filter(([car]) => !leftOut.has(car)).map(([, rows]) => rows);
  const quota = waterLevel(kept, maxRows);
  const all = [...rowsOf.values()].reduce((a, b) => a + b, 0);
  const n = (value: number) => value.toLocaleString('en');
  const remarks: string[] = [];
  if (leftOut.size > 0) {
    const rows = [...leftOut].reduce((sum, car) => sum + rowsOf.get(car)!, 0);
    const names = [...leftOut].sort().slice(0, NAMED).join(', ');
    const more = leftOut.size > NAMED ? ', …' : '';
    remarks.push(
      `${n(leftOut.size)} of ${counted(rowsOf.size, 'car')} left out whole, ${counted(rows, 'row')}, drawn by the seed: ${n(maxRows)} rows are less than ${LEAST_STRETCH_ROWS} in a row for each, and fewer teach nothing; --max-rows ${n(LEAST_STRETCH_ROWS * rowsOf.size)} keeps every car (${names}${more})`,
    );
  }
  if (kept.some((rows) => rows > quota)) {
    const cut = kept.filter((rows) => rows > quota).length;
    remarks.push(
      `${n(all)} rows are thinned to ${n(maxRows)}: ${counted(cut, 'car')} of ${n(kept.length)} keep ${counted(quota, 'row')} each, drawn by the seed; --max-rows ${n(all)} would keep all`,
    );
  }
  return {
    rowsOf,
    stretchRows: Math.min(stretchRows(maxRows), Math.max(LEAST_STRETCH_ROWS, quota)),
    quota,
    leftOut,
    remarks,
  };
}

/** The cars there is no room for when each keeps its fewest rows: the last ones of a drawn order. */
function carsTooMany(rowsOf: ReadonlyMap<string, number>, seed: number, maxRows: number): Set<string> {
  const least = (rows: number) => Math.max(ROWS_OF_A_CAR, Math.min(LEAST_STRETCH_ROWS, rows));
  let needed = 0;
  for (const rows of rowsOf.values()) needed += least(rows);
  if (needed <= maxRows) return new Set();
  const drawn = [...rowsOf.keys()]
    .map((car) => ({ car, priority: drawPriority(seed, car, -1) }))
    .sort((a, b) => b.priority - a.priority || (a.car < b.car ? 1 : -1));
  const out = new Set<string>();
  for (const { car } of drawn) {
    if (needed <= maxRows || out.size === rowsOf.size - 1) break;
    needed -= least(rowsOf.get(car)!);
    out.add(car);
  }
  return out;
}
