// Keeps memory bounded however long the history: rows come in car by car, are kept as short stretches in time order,
// and of a car that has more than its part (shares.ts) stretches are given up by a seeded draw, rare driving last
// (regimes.ts). What is kept depends on the rows and the seed only, not on how partitions were interleaved.
import { keepPlaced, type Placeable, RegimeFinder } from './regimes.ts';
import type { Series } from './series.ts';
import { drawPriority, LEAST_STRETCH_ROWS, type Shares, shareRows } from './shares.ts';

/** Rows there is room for when a car comes. */
const FIRST_ROWS = 64;
/** Older rows in a row after which a car's time is taken to begin anew. */
export const CLOCK_SET_BACK = 10;

/** Its priority is drawn from seed, car and index; those cut short, at the ends of a drive, come last. */
interface Stretch extends Placeable {
  readonly tsMs: Float64Array;
  readonly values: Float32Array;
  /** Only its beginning is left. */
  readonly cut?: boolean;
}

interface CarRows {
  /** Drawn from seed and car: whose turn it is among its places (keepPlaced). */
  readonly phase: number;
  /** Stretches closed so far, kept or not. */
  nextIndex: number;
  /** Rows in a row that were older than the newest. */
  older: number;
  stretches: Stretch[];
  readonly regimes: RegimeFinder;
  /** The stretch being filled: `filled` rows of it; the room grows, for most cars of a large fleet are short. */
  tsMs: Float64Array;
  values: Float32Array;
  filled: number;
  /** Rows at which it is closed. */
  closesAt: number;
  /** Rows of the car that are kept at most, and of a whole stretch of it. */
  readonly part: number;
  readonly stretch: number;
  rows: number;
  lastTsMs: number;
}

export interface SamplerOptions {
  readonly seed: number;
  /** Signals a row. */
  readonly width: number;
  readonly shares: Omit<Shares, 'remarks'>;
}

export class Sampler {
  readonly #options: SamplerOptions;
  readonly #cars = new Map<string, CarRows>();
  #seen = 0;
  #outOfOrder = 0;
  #begunAnew = 0;
  #twice = 0;

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  /** Rows added so far. */
  get seen(): number {
    return this.#seen;
  }

  /** Rows left out because they were older than the row before. */
  get outOfOrder(): number {
    return this.#outOfOrder;
  }

  /** How often the times of a car went back for good. */
  get begunAnew(): number {
    return this.#begunAnew;
  }

  /** Rows that say at the same time what the row before them says. */
  get twice(): number {
    return this.#twice;
  }

  add(car: string, tsMs: number, values: Float64Array): void {
    this.#seen += 1;
    if (this.#options.shares.leftOut.has(car)) return;
    const rows = this.#cars.get(car) ?? this.#begin(car);
    if (tsMs < rows.lastTsMs) {
      rows.older += 1;
      if (rows.older < CLOCK_SET_BACK) {
        this.#outOfOrder += 1;
        return;
      }
      // A clock that was set back, or time that counts from each start anew: what follows is another piece.
      this.#begunAnew += 1;
      if (rows.filled > 0) this.#close(car, rows);
      rows.nextIndex += 1;
    } else if (tsMs === rows.lastTsMs && isRowBefore(rows, values)) this.#twice += 1;
    rows.older = 0;
    rows.lastTsMs = tsMs;
    if (rows.filled === rows.tsMs.length) grow(rows);
    rows.tsMs[rows.filled] = tsMs;
    rows.values.set(values, rows.filled * values.length);
    rows.filled += 1;
    rows.rows += 1;
    if (rows.filled < rows.closesAt) return;
    this.#close(car, rows);
    if (rows.stretches.length > 1.25 * placesOf(rows) + 1) this.#thin(rows);
  }

  #begin(car: string): CarRows {
    const { seed, width, shares } = this.#options;
    const part = shares.partOf(car);
    const stretch = Math.min(shares.stretchRows, Math.max(LEAST_STRETCH_ROWS, part));
    const rows: CarRows = {
      phase: drawPriority(seed, car, -2),
      nextIndex: 0,
      older: 0,
      stretches: [],
      regimes: new RegimeFinder(width),
      tsMs: new Float64Array(FIRST_ROWS),
      values: new Float32Array(FIRST_ROWS * width),
      filled: 0,
      closesAt: this.#firstStretch(car, { part, stretch }),
      ...{ part, stretch },
      rows: 0,
      lastTsMs: Number.NEGATIVE_INFINITY,
    };
    this.#cars.set(car, rows);
    return rows;
  }

  /** Rows before the first whole stretch of a car that is thinned, drawn among those that are over, or all would begin as drives do. */
  #firstStretch(car: string, { part, stretch }: Pick<CarRows, 'part' | 'stretch'>): number {
    const { seed, shares } = this.#options;
    const rows = shares.rowsOf.get(car) ?? 0;
    if (rows <= part) return stretch;
    const before = Math.floor(drawPriority(seed, car, -3) * ((rows % stretch) + 1));
    return before > 0 ? before : stretch;
  }

  #close(car: string, rows: CarRows): void {
    const index = rows.nextIndex;
    rows.nextIndex += 1;
    const values = rows.values.slice(0, rows.filled * this.#options.width);
    rows.stretches.push({
      index,
      priority:
        rows.filled === rows.stretch
          ? drawPriority(this.#options.seed, car, index)
          : 2 - rows.filled / rows.stretch,
      regime: rows.regimes.next(values, rows.filled),
      tsMs: rows.tsMs.slice(0, rows.filled),
      values,
    });
    rows.filled = 0;
    rows.closesAt = rows.stretch;
  }

  /** Gives up stretches of a car that has more rows than its part; early or late leaves the same ones. */
  #thin(rows: CarRows): void {
    if (rows.rows > rows.part)
      rows.stretches = keepPlaced(rows.stretches, placesOf(rows), this.#options.width, rows.phase);
  }

  /** The stretches of a car that are kept in the end: the last place has what the others leave of its part. */
  #kept(rows: CarRows): Stretch[] {
    if (rows.rows <= rows.part) return rows.stretches;
    this.#thin(rows);
    const { width } = this.#options;
    return rows.stretches.flatMap((stretch, place) => {
      const most = rows.part - place * rows.stretch;
      if (stretch.tsMs.length <= most) return [stretch];
      if (place > 0 && most < LEAST_STRETCH_ROWS) return [];
      const [tsMs, values] = [stretch.tsMs.subarray(0, most), stretch.values.subarray(0, most * width)];
      return [{ ...stretch, tsMs, values, cut: true }];
    });
  }

  /** What was kept: cars by name, stretches in time order, neighbouring ones joined. */
  series(): Series[] {
    for (const [car, rows] of this.#cars) if (rows.filled > 0) this.#close(car, rows);
    const names = [...this.#cars.keys()].sort();
    return names.flatMap((id) => joined(id, this.#kept(this.#cars.get(id)!), this.#options.width));
  }
}

/** Series that are in memory already, thinned as they would be from a log or a file. */
export function sampleSeries(
  series: readonly Series[],
  width: number,
  { seed, maxRows }: { readonly seed: number; readonly maxRows: number },
): Series[] {
  const rowsOf = new Map<string, number>();
  for (const { id, tsMs } of series) rowsOf.set(id, (rowsOf.get(id) ?? 0) + tsMs.length);
  const sampler = new Sampler({ seed, width, shares: shareRows(rowsOf, seed, maxRows) });
  for (const { id, tsMs, values } of series)
    for (const [i, ts] of tsMs.entries())
      sampler.add(id, ts, Float64Array.from(values.subarray(i * width, (i + 1) * width)));
  return sampler.series();
}

/** Places for stretches that a car has at most; the last of them may hold a part of one. */
const placesOf = ({ part, stretch }: CarRows): number => Math.ceil(part / stretch);

function grow(rows: CarRows): void {
  const [{ tsMs, values }, times] = [rows, 2];
  rows.tsMs = new Float64Array(times * tsMs.length);
  rows.tsMs.set(tsMs);
  rows.values = new Float32Array(times * values.length);
  rows.values.set(values);
}

function joined(id: string, stretches: readonly Stretch[], width: number): Series[] {
  const inOrder = [...stretches].sort((a, b) => a.index - b.index);
  const out: Series[] = [];
  for (let i = 0; i < inOrder.length; ) {
    let end = i + 1;
    while (end < inOrder.length && follows(inOrder[end]!, inOrder[end - 1]!)) end += 1;
    const run = inOrder.slice(i, end);
    const rows = run.reduce((sum, { tsMs }) => sum + tsMs.length, 0);
    const tsMs = new Float64Array(rows);
    const values = new Float32Array(rows * width);
    let at = 0;
    for (const stretch of run) {
      tsMs.set(stretch.tsMs, at);
      values.set(stretch.values, at * width);
      at += stretch.tsMs.length;
    }
    out.push({ id, tsMs, values });
    i = end;
  }
  return out;
}

const follows = (next: Stretch, one: Stretch) => next.index === one.index + 1 && one.cut !== true;

/** Whether a row's readings are those of the row before. */
function isRowBefore({ values: all, filled }: CarRows, values: Float64Array): boolean {
  const at = (filled - 1) * values.length;
  return filled > 0 && values.every((value, c) => Object.is(Math.fround(value), all[at + c]));
}
