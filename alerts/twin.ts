// The digital twin of each car: its newest score, readings and expectations, and the last minutes of them for the charts.
// A car that is not heard of any more keeps its last state, marked by when it was last heard: it is neither forgotten nor well.
// Memory is bounded: the newest state of every car (up to a number of cars), minutes for as many cars as a budget allows;
// when it is used up, the car that has been calm and unwatched for longest gives its minutes to one that is not.
import type { Catalogue } from '../core/catalogue.ts';
import type { Score, SignalShare } from '../core/events.ts';
import { ALL_CARS, type CarFilter, seesCar } from './car-filter.ts';
import { strangestFirst } from './car-order.ts';
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
  /** How often a car usually speaks, ms of event time. Default 1,000. */
  readonly stepMs?: number;
}

/** What is known of a car that has sent no score to this twin: from an alert, or from the twin of a former model. */
export interface RememberedCar {
  readonly ts: number;
  readonly heardMs: number;
  readonly score: number;
  readonly threshold: number;
  readonly level: number;
  readonly top: readonly SignalShare[];
  readonly values: readonly (number | null)[];
  readonly expected: readonly (number | null)[];
}

interface Car extends RememberedCar {
  /** Event time of the last reading of each signal that was measured and is not any more; null while none is. */
  readonly lost: ReadonlyMap<number, number> | null;
}

const LEVEL_ALPHA = 2 / 9;
/** Below this level a car is calm: its residuals teach what is usual. */
const CALM = 0.5;
/** Weight of one event in the fleet's usual residual: an average over some 20,000 events. */
const USUAL_ALPHA = 1 / 20_000;
const ORDER_MAX_AGE_MS = 1000;
/** No score of any car for this long, or five usual steps: nothing comes. */
const STALE_MS = 10_000;
/** No word of a car for this long, or five usual steps: the car is silent. */
const SILENT_MS = 30_000;

/** One car as a tile. */
export interface CarTile {
  readonly vin: string;
  readonly ts: number;
  readonly level: number;
  /** When it was last heard, by the log's clock. */
  readonly heardMs: number;
}

/** The cars that may be seen, strangest first, and how many of them are silent. */
interface Order {
  readonly atMs: number;
  readonly size: number;
  readonly vins: readonly string[];
  readonly silent: number;
  readonly newestMs: number | null;
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
  #newestMs: number | null = null;
  /** By who may see them: the filter of a token stays the same object for as long as the token grants the same. */
  readonly #orders = new WeakMap<CarFilter, Order>();

  constructor(options: TwinOptions) {
    const { samples = 300, historyBytes = 192 * 1024 * 1024, maxCars = 250_000, stepMs = 1000 } = options;
    this.#options = { ...options, samples, historyBytes, maxCars, stepMs };
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

  /** When the newest scored event came in, by the log's clock; null: none has. */
  get newestMs(): number | null {
    return this.#newestMs;
  }

  get staleMs(): number {
    return Math.max(STALE_MS, 5 * this.#options.stepMs);
  }

  /** A car of which nothing has been heard for this long is silent. */
  get silentMs(): number {
    return Math.max(SILENT_MS, 5 * this.#options.stepMs);
  }

  get model(): string {
    return this.#options.model;
  }

  get catalogue(): Catalogue {
    return this.#options.catalogue;
  }

  /** @param heardMs when the scored event came in, by the log's clock */
  apply(score: Score, heardMs: number): void {
    const { vin, ts, threshold, top, values, expected } = score;
    this.#applied += 1;
    this.#newestMs = Math.max(this.#newestMs ?? 0, heardMs);
    const ratio = ratioOf(score);
    const known = this.#cars.get(vin);
    const level = known ? known.level + LEVEL_ALPHA * (ratio - known.level) : ratio;
    // What comes late says that the car speaks, not how it is now.
    const car: Car =
      score.late && known
        ? { ...known, heardMs: Math.max(known.heardMs, heardMs) }
        : {
            ...{ ts, heardMs, score: score.score, threshold, level, top, values, expected },
            lost: known ? lostOf(known, values) : null,
          };
    if (known) this.#cars.delete(vin);
    this.#cars.set(vin, car);
    if (this.#cars.size > this.#options.maxCars) this.#forgetOldest();
    if (!score.late) this.#ringOf(vin, ratio >= 1)?.push(ts, ratio, values, expected);
    if (level < CALM && ratio < CALM) this.#learn(values, expected);
  }

  has(vin: string): boolean {
    return this.#cars.has(vin);
  }

  /** Signals that the car measures or has measured, as far as its scores were seen here; null: no such car. */
  measured(vin: string): string[] | null {
    const car = this.#cars.get(vin);
    if (!car) return null;
    return this.catalogue.signals
      .filter((_, i) => typeof car.values[i] === 'number' || car.lost?.has(i))
      .map(({ name }) => name);
  }

  /** Takes in a car as something else remembers it, unless its own scores have been seen. */
  recall(vin: string, car: RememberedCar): void {
    if (this.#cars.has(vin) || this.#cars.size >= this.#options.maxCars) return;
    this.#cars.set(vin, { ...car, lost: null });
  }

  /** The cars of the twin of a former model: one that fell silent before this model began is still a car. */
  inherit(former: Twin): void {
    const places = this.catalogue.signals.map(({ name }) =>
      former.catalogue.signals.findIndex((signal) => signal.name === name),
    );
    const here = (column: readonly (number | null)[]) => places.map((place) => column[place] ?? null);
    for (const [vin, { lost: _lost, ...car }] of former.#cars)
      this.recall(vin, { ...car, values: here(car.values), expected: here(car.expected) });
    if (former.#newestMs !== null) this.#newestMs = Math.max(this.#newestMs ?? 0, former.#newestMs);
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

  /** Cars by level, strangest first, at most a second old in their order; how many of them are silent. */
  tiles(
    nowMs: number,
    filter: CarFilter,
    offset: number,
    limit: number,
  ): { total: number; silent: number; newestMs: number | null; tiles: CarTile[] } {
    const { vins, silent, newestMs } = this.#orderOf(nowMs, filter);
    const tiles = vins.slice(offset, offset + limit).flatMap((vin) => {
      const car = this.#cars.get(vin);
      return car ? [{ vin, ts: car.ts, level: round(car.level) ?? 0, heardMs: car.heardMs }] : [];
    });
    return { total: vins.length, silent, newestMs, tiles };
  }

  /** Cars whose name is the text, ends in it, or else has it in it, case aside; `total` may be more than are named. */
  find(nowMs: number, filter: CarFilter, text: string, limit: number): { total: number; vins: string[] } {
    const wanted = text.toLowerCase();
    const { vins } = this.#orderOf(nowMs, filter);
    const those = (fits: (vin: string) => boolean) => vins.filter((vin) => fits(vin.toLowerCase()));
    const exact = those((vin) => vin === wanted);
    const ending = exact.length > 0 ? exact : those((vin) => vin.endsWith(wanted));
    const found = ending.length > 0 ? ending : those((vin) => vin.includes(wanted));
    return { total: found.length, vins: found.slice(0, limit) };
  }

  #orderOf(nowMs: number, wanted: CarFilter): Order {
    const filter = wanted.vins === null ? ALL_CARS : wanted;
    const known = this.#orders.get(filter);
    if (known && nowMs - known.atMs < ORDER_MAX_AGE_MS && known.size === this.#cars.size) return known;
    const { vins, prefixes } = filter;
    const all = vins !== null && prefixes.length === 0 ? vins : this.#cars.keys();
    const seen = prefixes.length === 0 ? all : [...all].filter((vin) => seesCar(filter, vin));
    const ordered = strangestFirst(seen, (vin) => this.#cars.get(vin)?.level);
    let silent = 0;
    let newestMs: number | null = null;
    for (const vin of ordered) {
      const { heardMs } = this.#cars.get(vin)!;
      if (nowMs - heardMs > this.silentMs) silent += 1;
      newestMs = Math.max(newestMs ?? 0, heardMs);
    }
    const order = { atMs: nowMs, size: this.#cars.size, vins: ordered, silent, newestMs };
    this.#orders.set(filter, order);
    return order;
  }

  /** Everything about one car; its samples later than `afterMs`. Asking for a car makes it one of interest. */
  car(vin: string, afterMs: number) {
    const car = this.#cars.get(vin);
    if (!car) return null;
    const history = this.#ringOf(vin, true)?.since(afterMs);
    const { ts, heardMs, score, threshold, level, top, values, expected, lost } = car;
    return {
      ...{ vin, ts, heardMs, score, threshold, level: round(level) ?? 0, top, values, expected },
      lost: this.catalogue.signals.map((_, i) => lost?.get(i) ?? null),
      history: history ?? { ts: [], ratio: [], values: [], expected: [] },
    };
  }
}

/** When each signal that is not measured now was last measured: most often none is lost, and there is nothing to keep. */
function lostOf(before: Car, values: readonly (number | null)[]): ReadonlyMap<number, number> | null {
  let lost: Map<number, number> | null = null;
  for (let i = 0; i < values.length; i += 1) {
    if (values[i] !== null) continue;
    const sinceMs = typeof before.values[i] === 'number' ? before.ts : before.lost?.get(i);
    if (sinceMs === undefined) continue;
    lost ??= new Map();
    lost.set(i, sinceMs);
  }
  return lost;
}
