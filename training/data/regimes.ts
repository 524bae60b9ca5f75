// Rare driving must not drown in a long history: a stretch is far out when the average of some signal lies far from
// what the car's stretches before it had (a mountain, a trailer, a cold morning), and such stretches have a share of
// the places kept. A share and no more, because what is rare may be a fault.
//
// What is kept must not depend on when room was made. Places are dealt out in a fixed order, each place with fixed
// wishes, and each takes the best of what is left (a serial dictatorship): one stretch more can only push others to
// later places, so what was once given up would never have been wanted again.

/** Standard deviations of the car's earlier averages beyond which a stretch is far out, and how many there must have been. */
const FAR = 4;
const LEAST_BEFORE = 16;
/** One place in so many is for far-out stretches, while there are any. */
const PLACES_IN_TURN = 4;
/** Steps of this part of the circle of regimes never meet their beginning: all have their turn. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;
/** Averages closer than this, relative to their size, are the same but for rounding. */
const ROUNDING = 1e-6;

/** No regime of its own: driving as before. */
export const USUAL = -1;

/** Averages of one car's stretches so far (Welford's running mean and variance), signal by signal. */
export class RegimeFinder {
  readonly #width: number;
  readonly #count: Float64Array;
  readonly #mean: Float64Array;
  readonly #squares: Float64Array;

  constructor(width: number) {
    this.#width = width;
    this.#count = new Float64Array(width);
    this.#mean = new Float64Array(width);
    this.#squares = new Float64Array(width);
  }

  /**
   * The regime of the car's next stretch, from its own past alone: 2·signal for the signal that stands out furthest
   * when it lies low, 2·signal + 1 when it lies high; USUAL.
   * @param values rows × signals, NaN: missing
   */
  next(values: Float32Array, rows: number): number {
    let regime = USUAL;
    let furthest = FAR;
    for (let s = 0; s < this.#width; s += 1) {
      const average = averageOf(values, rows, s, this.#width);
      if (Number.isNaN(average)) continue;
      const before = this.#count[s]!;
      const distance = average - this.#mean[s]!;
      const usual = Math.sqrt(this.#squares[s]! / Math.max(1, before - 1));
      const spread = Math.max(usual, ROUNDING * Math.abs(average), Number.MIN_VALUE);
      if (before >= LEAST_BEFORE && Math.abs(distance) > furthest * spread) {
        furthest = Math.abs(distance) / spread;
        regime = 2 * s + (distance > 0 ? 1 : 0);
      }
      this.#count[s] = before + 1;
      this.#mean[s]! += distance / (before + 1);
      this.#squares[s]! += distance * (average - this.#mean[s]!);
    }
    return regime;
  }
}

function averageOf(values: Float32Array, rows: number, signal: number, width: number): number {
  let sum = 0;
  let count = 0;
  for (let r = 0; r < rows; r += 1) {
    const value = values[r * width + signal]!;
    if (Number.isNaN(value)) continue;
    sum += value;
    count += 1;
  }
  return count > 0 ? sum / count : Number.NaN;
}

export interface Placeable {
  readonly index: number;
  /** The lowest are kept first. */
  readonly priority: number;
  /** Of RegimeFinder. */
  readonly regime: number;
}

/**
 * The `most` stretches of one car that are kept, in the order of their places: three places in four go by priority
 * alone, the fourth to the regimes in turn.
 * @param phase 0..1, fixed for the car: which of the four is the regimes', so that a fleet of few stretches a car has
 * them too
 */
export function keepPlaced<T extends Placeable>(
  stretches: readonly T[],
  most: number,
  width: number,
  phase: number,
): T[] {
  const places = Math.min(most, stretches.length);
  const inOrder = [...stretches].sort((a, b) => a.priority - b.priority || a.index - b.index);
  const byRegime = new Map<number, T[]>();
  for (const one of inOrder) {
    if (one.regime === USUAL) continue;
    const same = byRegime.get(one.regime);
    if (same) same.push(one);
    else byRegime.set(one.regime, [one]);
  }
  const regimes = 2 * width;
  const kept = new Set<T>();
  let next = 0;
  let turn = 0;
  for (let place = 0; kept.size < places; place += 1) {
    let taken: T | undefined;
    if (place % PLACES_IN_TURN === Math.floor(phase * PLACES_IN_TURN)) {
      // A place wishes for each regime in turn, the first one another than the place before it.
      taken = nextOfRegimes(byRegime, Math.floor(((turn * GOLDEN) % 1) * regimes), regimes, kept);
      turn += 1;
    } else {
      while (kept.has(inOrder[next]!)) next += 1;
      taken = inOrder[next]!;
    }
    if (taken) kept.add(taken);
  }
  return [...kept];
}

function nextOfRegimes<T extends Placeable>(
  byRegime: ReadonlyMap<number, readonly T[]>,
  first: number,
  regimes: number,
  kept: ReadonlySet<T>,
): T | undefined {
  const turns = [...byRegime.keys()].sort(
    (a, b) => ((a - first + regimes) % regimes) - ((b - first + regimes) % regimes),
  );
  for (const regime of turns) {
    const free = byRegime.get(regime)!.find((one) => !kept.has(one));
    if (free) return free;
  }
  return undefined;
}
