// Keeps memory bounded however long the history: rows come in car by car, are kept as short stretches in time order, and when
// there are too many, stretches are given up by a seeded draw, the cars with the most rows first, rare driving last
// (regimes.ts). What is kept depends on the rows and the seed only, not on how partitions were interleaved.
import { createHash } from 'node:crypto';
import { keepPlaced, type Placeable, RegimeFinder } from './regimes.ts';
import type { Series } from './series.ts';

/**
 * Rows of a stretch: eight times the longest average of any head (200 events), so that training sees averages as they are in
 * the middle of a drive. Fewer where so long ones would be too few places.
 */
const STRETCH_ROWS = 1600;
const LEAST_STRETCHES = 20;
const LEAST_STRETCH_ROWS = 60;

/** Rows of a stretch when `maxRows` may be kept. */
export const stretchRows = (maxRows: number): number =>
  Math.max(LEAST_STRETCH_ROWS, Math.min(STRETCH_ROWS, Math.floor(maxRows / LEAST_STRETCHES)));

/** Older rows in a row after which a car's time is taken to begin anew. */
export const CLOCK_SET_BACK = 10;

/** Its priority is drawn from seed, car and index. */
interface Stretch extends Placeable {
  readonly tsMs: Float64Array;
  readonly values: Float32Array;
}

interface CarRows {
  /** Drawn from seed and car: of too many cars the lowest are kept. */
  readonly priority: number;
  /** Drawn from seed and car: whose turn it is among its places (keepPlaced). */
  readonly phase: number;
  /** Stretches closed so far, kept or not. */
  nextIndex: number;
  /** Rows in a row that were older than the newest. */
  older: number;
  stretches: Stretch[];
  readonly regimes: RegimeFinder;
  /** The stretch being filled: `filled` rows of it. */
  readonly tsMs: Float64Array;
  readonly values: Float32Array;
  filled: number;
  lastTsMs: number;
}

export interface SamplerOptions {
  readonly seed: number;
  readonly maxRows: number;
  /** Signals a row. */
  readonly width: number;
}

export class Sampler {
  readonly #options: SamplerOptions;
  readonly #stretch: number;
  readonly #cars = new Map<string, CarRows>();
  /** The car drawn last, known while there is no room for another. */
  #last: readonly [string, CarRows] | null = null;
  #held = 0;
  #seen = 0;
  #outOfOrder = 0;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#stretch = stretchRows(options.maxRows);
  }

  /** Rows added so far. */
  get seen(): number {
    return this.#seen;
  }

  /** Rows left out because they were older than the row before. */
  get outOfOrder(): number {
    return this.#outOfOrder;
  }

  add(car: string, tsMs: number, values: Float64Array): void {
    this.#seen += 1;
    const rows = this.#cars.get(car) ?? this.#admit(car);
    if (rows === null) return;
    if (tsMs < rows.lastTsMs) {
      rows.older += 1;
      if (rows.older < CLOCK_SET_BACK) {
        this.#outOfOrder += 1;
        return;
      }
      // A clock that was set back, or time that counts from each start anew: what follows is another piece.
      if (rows.filled > 0) this.#close(car, rows);
      rows.nextIndex += 1;
    }
    rows.older = 0;
    rows.lastTsMs = tsMs;
    rows.tsMs[rows.filled] = tsMs;
    rows.values.set(values, rows.filled * values.length);
    rows.filled += 1;
    if (rows.filled < this.#stretch) return;
    this.#close(car, rows);
    if (this.#held > 1.25 * this.#most()) this.#thin();
  }

  /** Makes room for a car, null when the cars that are there were drawn before it. Each car has at least one stretch. */
  #admit(car: string): CarRows | null {
    const { seed, width } = this.#options;
    const priority = drawPriority(seed, car, -1);
    if (this.#cars.size >= this.#most()) {
      this.#last ??= [...this.#cars].reduce((a, b) => (b[1].priority > a[1].priority ? b : a));
      const [last, given] = this.#last;
      if (given.priority < priority) return null;
      this.#cars.delete(last);
      this.#held -= given.stretches.length;
      this.#last = null;
    }
    const rows: CarRows = {
      priority,
      phase: drawPriority(seed, car, -2),
      nextIndex: 0,
      older: 0,
      stretches: [],
      regimes: new RegimeFinder(width),
      tsMs: new Float64Array(this.#stretch),
      values: new Float32Array(this.#stretch * width),
      filled: 0,
      lastTsMs: Number.NEGATIVE_INFINITY,
    };
    this.#cars.set(car, rows);
    return rows;
  }

  /** Stretches that may be kept in the end. */
  #most(): number {
    return Math.max(1, Math.floor(this.#options.maxRows / this.#stretch));
  }

  #close(car: string, rows: CarRows): void {
    const index = rows.nextIndex;
    rows.nextIndex += 1;
    this.#held += 1;
    const values = rows.values.slice(0, rows.filled * this.#options.width);
    rows.stretches.push({
      index,
      priority: drawPriority(this.#options.seed, car, index),
      regime: rows.regimes.next(values, rows.filled),
      tsMs: rows.tsMs.slice(0, rows.filled),
      values,
    });
    rows.filled = 0;
  }

  /**
   * Brings the stretches held down to what may be kept, by one cap for every car. The cap depends on how many stretches each
   * car has had so far and only falls, so thinning early or late leaves the same ones.
   */
  #thin(): void {
    const cap = waterLevel(
      [...this.#cars.values()].map(({ nextIndex }) => nextIndex),
      this.#most(),
    );
    for (const rows of this.#cars.values()) {
      if (rows.stretches.length <= cap) continue;
      this.#held -= rows.stretches.length - cap;
      rows.stretches = keepPlaced(rows.stretches, cap, this.#options.width, rows.phase);
    }
  }

  /** What was kept: cars by name, stretches in time order, neighbouring ones joined. */
  series(): Series[] {
    for (const [car, rows] of this.#cars) if (rows.filled > 0) this.#close(car, rows);
    this.#thin();
    const names = [...this.#cars.keys()].sort();
    return names.flatMap((id) => joined(id, this.#cars.get(id)!.stretches, this.#options.width));
  }
}

/** A number in [0, 1) that only seed, car and index decide. */
function drawPriority(seed: number, car: string, index: number): number {
  const digest = createHash('sha256').update(`${seed}/${index}/${car}`).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

/** The level L with Σ min(countᵢ, L) = most; the largest count when all fit. */
function waterLevel(counts: readonly number[], most: number): number {
  const sorted = [...counts].sort((a, b) => a - b);
  let left = most;
  for (const [i, count] of sorted.entries()) {
    const cars = sorted.length - i;
    if (count * cars > left) return Math.max(1, Math.floor(left / cars));
    left -= count;
  }
  return sorted.at(-1) ?? 0;
}

function joined(id: string, stretches: readonly Stretch[], width: number): Series[] {
  const inOrder = [...stretches].sort((a, b) => a.index - b.index);
  const out: Series[] = [];
  for (let i = 0; i < inOrder.length; ) {
    let end = i + 1;
    while (end < inOrder.length && inOrder[end]!.index === inOrder[end - 1]!.index + 1) end += 1;
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
