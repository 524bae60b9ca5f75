// Who gets how many of the rows that may be trained on. When there are too many, rows are thinned, not cars: every car
// keeps an equal part, in stretches long enough for averages, and what short cars leave goes to the others. Where equal
// parts would be too short for that, every car keeps a short one, which tells how cars differ, and cars drawn by the
// seed keep a long stretch besides, which tells how far long averages go. Decided from how many rows each car has,
// counted before they are read, so that it depends on the history and the seed only.
import { createHash } from 'node:crypto';
import { counted } from '../../core/counted.ts';

/**
 * Rows of a stretch: eight times the longest average of any head (200 events), so that training sees averages as they
 * are in the middle of a drive. Fewer where so long ones would be too few places, or more than a car's part.
 */
export const STRETCH_ROWS = 1600;
const LEAST_STRETCHES = 20;
/** Of equal parts too short for long averages, what every car keeps; the rest goes to the long stretches. */
const SHORT_PART = 1 / 3;
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
  readonly partOf: (car: string) => number;
  /** Cars of which nothing is kept, by name. */
  readonly leftOut: ReadonlySet<string>;
  /** What a person should know of it, a line each. */
  readonly remarks: readonly string[];
}

/** No more rows than may be kept: nobody gives up any. */
export const allRows = (rows: number): Shares => ({
  ...{ rowsOf: new Map(), stretchRows: stretchRows(rows), partOf: () => rows },
  ...{ leftOut: new Set<string>(), remarks: [] },
});

const sumOf = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);

/** The parts of cars, by how many rows they have: `part` of each, a whole stretch of those that were drawn. */
export interface Parts {
  readonly part: number;
  readonly drawn: ReadonlySet<string>;
}

export interface Dealing {
  readonly seed: number;
  readonly most: number;
  readonly stretch?: number;
  readonly least?: number;
}

/**
 * Deals out `most` rows: equal parts where these are no shorter than `stretch`, else short ones (no shorter than
 * `least`) and, by the draw, whole stretches.
 */
export function dealRows(
  rowsOf: ReadonlyMap<string, number>,
  { seed, most, stretch = STRETCH_ROWS, least = LEAST_STRETCH_ROWS }: Dealing,
): Parts {
  const equal = waterLevel([...rowsOf.values()], most);
  const drawn = new Set<string>();
  const longest = [...rowsOf.values()].reduce((a, b) => Math.max(a, b), 0);
  if (equal >= Math.min(stretch, longest)) return { part: equal, drawn };
  const short = Math.min(equal, Math.max(least, Math.floor(SHORT_PART * equal)));
  let left = most - sumOf([...rowsOf.values()].map((rows) => Math.min(rows, short)));
  for (const car of inDrawnOrder(rowsOf.keys(), seed, -4)) {
    const more = Math.min(rowsOf.get(car)!, stretch) - short;
    if (more <= 0) continue;
    if (more > left) break;
    left -= more;
    drawn.add(car);
  }
  const others = [...rowsOf].filter(([car]) => !drawn.has(car)).map(([, rows]) => rows);
  const taken = sumOf([...drawn].map((car) => Math.min(rowsOf.get(car)!, stretch)));
  return { part: waterLevel(others, most - taken), drawn };
}

const inDrawnOrder = (cars: Iterable<string>, seed: number, index: number): string[] =>
  [...cars]
    .map((car) => ({ car, priority: drawPriority(seed, car, index) }))
    .sort((a, b) => a.priority - b.priority || (a.car < b.car ? -1 : 1))
    .map(({ car }) => car);

/** @param rowsOf rows of each car that there are to read */
export function shareRows(rowsOf: ReadonlyMap<string, number>, seed: number, maxRows: number): Shares {
  const leftOut = carsTooMany(rowsOf, seed, maxRows);
  const kept = new Map([...rowsOf].filter(([car]) => !leftOut.has(car)));
  const stretch = stretchRows(maxRows);
  const { part, drawn } = dealRows(kept, { seed, most: maxRows, stretch });
  const partOf = (car: string) => (drawn.has(car) ? stretch : part);
  return {
    ...{ rowsOf, stretchRows: stretch, partOf, leftOut },
    remarks: [
      ...carsRemarks(rowsOf, leftOut, maxRows),
      ...rowsRemarks(kept, sumOf(rowsOf.values()), { drawn, part, partOf, maxRows }),
    ],
  };
}

const n = (value: number) => value.toLocaleString('en');

function carsRemarks(
  rowsOf: Shares['rowsOf'],
  leftOut: ReadonlySet<string>,
  maxRows: number,
): readonly string[] {
  if (leftOut.size === 0) return [];
  const rows = sumOf([...leftOut].map((car) => rowsOf.get(car)!));
  const names = [...leftOut].sort().slice(0, NAMED).join(', ');
  const more = leftOut.size > NAMED ? ', …' : '';
  return [
    `${n(leftOut.size)} of ${counted(rowsOf.size, 'car')} left out whole, ${counted(rows, 'row')}, drawn by the seed: ${n(maxRows)} rows are less than ${LEAST_STRETCH_ROWS} in a row for each, and fewer teach nothing; --max-rows ${n(LEAST_STRETCH_ROWS * rowsOf.size)} keeps every car (${names}${more})`,
  ];
}
function rowsRemarks(
  rowsOf: Shares['rowsOf'],
  all: number,
  { drawn, part, partOf, maxRows }: Parts & Pick<Shares, 'partOf'> & { readonly maxRows: number },
): readonly string[] {
  const cut = [...rowsOf].filter(([car, rows]) => rows > partOf(car)).length;
  if (cut === 0) return [];
  const others = counted(rowsOf.size - drawn.size, 'other');
  const parts =
    drawn.size === 0
      ? `${counted(cut, 'car')} of ${n(rowsOf.size)} keep ${counted(part, 'row')} each`
      : `of ${counted(rowsOf.size, 'car')} ${n(drawn.size)} keep a long stretch, ${n(stretchRows(maxRows))} rows or all they have, and ${others} ${counted(part, 'row')} each`;
  return [
    `${n(all)} rows are thinned to ${n(maxRows)}: ${parts}, drawn by the seed; --max-rows ${n(all)} would keep all`,
  ];
}

/** The cars there is no room for when each keeps its fewest rows: the last ones of a drawn order. */
function carsTooMany(rowsOf: ReadonlyMap<string, number>, seed: number, maxRows: number): Set<string> {
  const least = (rows: number) => Math.max(ROWS_OF_A_CAR, Math.min(LEAST_STRETCH_ROWS, rows));
  let needed = sumOf([...rowsOf.values()].map(least));
  const out = new Set<string>();
  if (needed <= maxRows) return out;
  for (const car of inDrawnOrder(rowsOf.keys(), seed, -1).reverse()) {
    if (needed <= maxRows || out.size === rowsOf.size - 1) break;
    needed -= least(rowsOf.get(car)!);
    out.add(car);
  }
  return out;
}
