// The digital twin of each car: its newest score, readings and expectations, and the last minutes of them for the charts.
// Memory is bounded: the newest state of every car (up to a number of cars), minutes for as many cars as a budget allows;
// when it is used up, the car that has been calm and unwatched for longest gives its minutes to one that is not.
import type { Catalogue } from '../core/catalogue.ts';
import type { Score, SignalShare } from '../core/events.ts';
import { ratioOf } from './ratio.ts';
import { round, SampleRing } from './sample-ring.ts';

export interface TwinOptions {
  readonly catalogue: Catalogue;
  readonly model: string;
  /** Samples kept of a car. Default 300: five minutes at one a second. */
  readonly samples?: number;
  /** Bytes for minutes of all cars together. Default 192 MB. */
  readonly historyBytes?: number;
  /** Cars at most; the one heard of longest ago makes room. Default 250,000. */
  readonly maxCars?: number;
}

interface Car {
  ts: number;
  score: number;
  threshold: number;
  /** The score's ratio (ratio.ts), smoothed over about 8 events: what a tile shows, so that it does not flicker. */
  level: number;
  top: readonly SignalShare[];
  values: readonly (number | null)[];
  expected: readonly (number | null)[];
}

const LEVEL_ALPHA = 2 / 9;
/** Below this level a car is calm: its residuals teach what is usual. */
const CALM = 0.5;
/** Weight of one event in the fleet's usual residual: an average over some 20,000 events. */
const USUAL_ALPHA = 1 / 20_000;
const ORDER_MAX_AGE_MS = 1000;
/** Levels are ordered up to here, in steps of a millionth; times 250,000 cars that stays an exact integer. */
const MAX_LEVEL = 10_000;
const LEVEL_STEPS = 1e6;

/** One car as a tile. */
export interface CarTile {
  readonly vin: string;
  readonly ts: number;
  readonly level: number;
}

export class Twin {
  readonly #options: Required<TwinOptions>;
  /** In order of the last word from the car, oldest first. */
  readonly #cars = new Map<string, Car>();
  /** In order of interest, least interesting first. */
  readonly #rings = new Map<string, SampleRing>();
  readonly #maxRings: number;
  /** Mean squared residual of calm cars, per signal. */
  readonly #usual: Float64Array;
  #usualWeight = 0;
  #applied = 0;
  #order: { readonly atMs: number; readonly vins: readonly string[] } = {
    atMs: Number.NEGATIVE_INFINITY,
    vins: [],
  };

  constructor(options: TwinOptions) {
    const { samples = 300, historyBytes = 192 * 1024 * 1024, maxCars = 250_000 } = options;
    this.#options = { ...options, samples, historyBytes, maxCars };
    const signals = options.catalogue.signals.length;
    this.#maxRings = Math.max(1, Math.floor(historyBytes / SampleRing.bytes(signals, samples)));
    this.#usual = new Float64Array(signals);
  }

  get size(): number {
    return this.#cars.size;
  }

  /** Scores taken in so far. */
  get applied(): number {
    return this.#applied;
  }

  get model(): string {
    return this.#options.model;
  }

  get catalogue(): Catalogue {
    return this.#options.catalogue;
  }

  apply(score: Score): void {
    const { vin, ts, threshold, top, values, expected } = score;
    this.#applied += 1;
    const ratio = ratioOf(score);
    const known = this.#cars.get(vin);
    const level = known ? known.level + LEVEL_ALPHA * (ratio - known.level) : ratio;
    if (known) this.#cars.delete(vin);
    this.#cars.set(vin, { ts, score: score.score, threshold, level, top, values, expected });
    if (this.#cars.size > this.#options.maxCars) this.#forgetOldest();
    if (!score.late) this.#ringOf(vin, ratio >= 1)?.push(ts, ratio, values, expected);
    if (level < CALM && ratio < CALM) this.#learn(values, expected);
  }

  #forgetOldest(): void {
    for (const vin of this.#cars.keys()) {
      this.#cars.delete(vin);
      this.#rings.delete(vin);
      return;
    }
  }

  /** The car's minutes; a car of interest is moved to the end of the queue for giving them up, or takes another's. */
  #ringOf(vin: string, interesting: boolean): SampleRing | undefined {
    const known = this.#rings.get(vin);
    if (known && !interesting) return known;
    if (!known && !interesting && this.#rings.size >= this.#maxRings) return undefined;
    const ring = known ?? new SampleRing(this.#usual.length, this.#options.samples);
    this.#rings.delete(vin);
    this.#rings.set(vin, ring);
    if (this.#rings.size > this.#maxRings) {
      const [calmest] = this.#rings.keys();
      if (calmest !== undefined) this.#rings.delete(calmest);
    }
    return ring;
  }

  #learn(values: readonly (number | null)[], expected: readonly (number | null)[]): void {
    this.#usualWeight += USUAL_ALPHA * (1 - this.#usualWeight);
    for (let i = 0; i < this.#usual.length; i += 1) {
      const residual = (values[i] ?? Number.NaN) - (expected[i] ?? Number.NaN);
      if (Number.isFinite(residual))
        this.#usual[i] = this.#usual[i]! + USUAL_ALPHA * (residual * residual - this.#usual[i]!);
    }
  }

  /** Root mean square of each signal's residual among calm cars, in its unit: the width of the band of what is usual. */
  usual(): number[] {
    const weight = this.#usualWeight || 1;
    return [...this.#usual].map((square) => round(Math.sqrt(square / weight)) ?? 0);
  }

  /**
   * Cars by level, strangest first, at most a second old in their order.
   * @param vins the cars that may be seen; null: all
   */
  tiles(
    nowMs: number,
    vins: ReadonlySet<string> | null,
    offset: number,
    limit: number,
  ): { total: number; tiles: CarTile[] } {
    const seen = vins === null ? this.#allByLevel(nowMs) : this.#byLevel(vins);
    const tiles = seen.slice(offset, offset + limit).flatMap((vin) => {
      const car = this.#cars.get(vin);
      return car ? [{ vin, ts: car.ts, level: round(car.level) ?? 0 }] : [];
    });
    return { total: seen.length, tiles };
  }

  #allByLevel(nowMs: number): readonly string[] {
    if (nowMs - this.#order.atMs >= ORDER_MAX_AGE_MS || this.#order.vins.length !== this.#cars.size)
      this.#order = { atMs: nowMs, vins: this.#byLevel(this.#cars.keys()) };
    return this.#order.vins;
  }

  /** Sorted as numbers that hold level and place together: tens of ms for 100,000 cars, where comparing pairs takes near a second. */
  #byLevel(vins: Iterable<string>): string[] {
    const known: string[] = [];
    const levels: number[] = [];
    for (const vin of vins) {
      const car = this.#cars.get(vin);
      if (!car) continue;
      known.push(vin);
      levels.push(Math.round(Math.min(MAX_LEVEL, Math.max(0, car.level)) * LEVEL_STEPS));
    }
    const places = known.length;
    const keys = new Float64Array(places);
    for (let place = 0; place < places; place += 1) keys[place] = place - levels[place]! * places;
    keys.sort();
    const ordered: string[] = [];
    for (const key of keys) ordered.push(known[key - Math.floor(key / places) * places]!);
    return ordered;
  }

  /** Everything about one car; its samples later than `afterMs`. Asking for a car makes it one of interest. */
  car(vin: string, afterMs: number) {
    const car = this.#cars.get(vin);
    if (!car) return null;
    const history = this.#ringOf(vin, true)?.since(afterMs);
    const { ts, score, threshold, level, top, values, expected } = car;
    return {
      ...{ vin, ts, score, threshold, level: round(level) ?? 0, top, values, expected },
      history: history ?? { ts: [], ratio: [], values: [], expected: [] },
    };
  }
}
