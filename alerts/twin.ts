// The digital twin of each car: its newest score, readings and expectations, and the last minutes of them for the charts.
// A car that is not heard of any more keeps its last state, marked by when it was last heard: it is neither forgotten nor well.
// Memory is bounded: the newest state of every car (up to a number of cars), minutes for as many cars as a budget allows;
// when it is used up, the car that has been calm and unwatched for longest gives its minutes to one that is not.
import type { Catalogue } from '../core/catalogue.ts';
import type { Score } from '../core/events.ts';
import { ALL_CARS, type CarFilter, seesCar } from './car-filter.ts';
import { strangestFirst } from './car-order.ts';
import { ratioOf } from './ratio.ts';
import { round, SampleRing } from './sample-ring.ts';
import { type Car, lostOf, newCar, type RememberedCar, rememberedCar } from './twin-car.ts';

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
  readonly #cars = new Map<string, Car>();
  /** In order of interest, least interesting first. */
  readonly #rings = new Map<string, SampleRing>();
  readonly #maxRings: number;
  /** The readings of a car that has told none. */
  readonly #nothing: readonly null[];
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
    this.#nothing = Array.from({ length: signals }, () => null);
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

  /**
   * Takes in a score; of one that is not told in full, how strange the car is and that it was heard.
   * @param heardMs when the scored event came in, by the log's clock
   */
  apply(score: Score, heardMs: number): void {
    const { vin } = score;
    this.#applied += 1;
    this.#newestMs = Math.max(this.#newestMs ?? 0, heardMs);
    const ratio = ratioOf(score);
    const known = this.#cars.get(vin);
    // What comes late says that the car speaks, not how it is now.
    if (known && score.late) {
      known.heardMs = Math.max(known.heardMs, heardMs);
      known.heardAt = this.#applied;
      return;
    }
    const car = known ?? this.#begin(vin, ratio);
    car.level += LEVEL_ALPHA * (ratio - car.level);
    car.ts = score.ts;
    car.heardMs = heardMs;
    car.heardAt = this.#applied;
    car.score = score.score;
    car.threshold = score.threshold;
    const { values, expected } = score;
    if (values.length === 0) return;
    car.lost = lostOf(car, values);
    car.toldTs = score.ts;
    car.values = values;
    car.expected = expected;
    car.top = score.top;
    if (!score.late) this.#ringOf(vin, ratio >= 1)?.push(score.ts, ratio, values, expected);
    if (car.level < CALM && ratio < CALM) this.#learn(values, expected);
  }

  /** A car never heard of; it has measured nothing yet. */
  #begin(vin: string, level: number): Car {
    const car = newCar(this.#nothing, level);
    car.heardAt = this.#applied;
    this.#cars.set(vin, car);
    if (this.#cars.size > this.#options.maxCars) this.#forgetOldest();
    return car;
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
    this.#cars.set(vin, rememberedCar(car, this.#cars.size - this.#options.maxCars));
  }

  /** The cars of the twin of a former model: one that fell silent before this model began is still a car. */
  inherit(former: Twin): void {
    const places = this.catalogue.signals.map(({ name }) =>
      former.catalogue.signals.findIndex((signal) => signal.name === name),
    );
    const here = (column: readonly (number | null)[]) => places.map((place) => column[place] ?? null);
    for (const [vin, car] of former.#cars)
      this.recall(vin, { ...car, values: here(car.values), expected: here(car.expected) });
    if (former.#newestMs !== null) this.#newestMs = Math.max(this.#newestMs ?? 0, former.#newestMs);
  }

  /** The cars silent for longest go, a hundredth of all at once: looking for them takes a while. */
  #forgetOldest(): void {
    const heard = Float64Array.from(this.#cars.values(), ({ heardAt }) => heardAt).sort();
    const last = heard[Math.floor((heard.length - 1) / 100)]!;
    for (const [vin, { heardAt }] of this.#cars) {
      if (heardAt > last) continue;
      this.#cars.delete(vin);
      this.#rings.delete(vin);
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
