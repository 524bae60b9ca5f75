// Signals that only rise: row numbers, odometers, running time, fuel used in all. They are no levels: tomorrow's reading is past
// all that was learnt, and every car would be strange. Told while the history is read, of the log and of recordings alike.
//
// Rising alone does not tell a counter from an engine that warms up. One of these must hold as well: it rises by the same step
// in nearly every row; cars begin much further apart than any of them rises; it goes on after pauses; or every run begins at 0.
// What only falls (fuel, charge, range left) is a level and is watched.
import type { Catalogue } from '../core/catalogue.ts';
import { wordsOf } from '../core/time-words.ts';
import { CLOCK_SET_BACK } from './sampler.ts';
import type { Series } from './series.ts';

/** Readings that differ from the one before, over all cars, from which on a signal can be told to rise. */
const LEAST_MOVES = 20;
const LEAST_EVEN_ROWS = 100;
/** Falls in a thousand moves that broken readings may make. */
const FALLS_PER_MOVE = 0.001;
/** Falls back to the beginning (a trip begins, a device restarts), by row. */
const RESETS_PER_ROW = 1 / 200;
/** How low a fall must go to be one: the part of the way from the least reading of the car. */
const RESET_DEPTH = 0.05;
/** Names of what counts: with one, a signal that never falls is a counter, however little there is of it. */
const COUNTING = new Set(
  (
    'odometer odo mileage kilometerstand total totals gesamt count counter counts zähler index idx row rows line seq sequence ' +
    'sample frame packet id uptime runtime laufzeit elapsed cumulative kumuliert epoch timestamp ticks trip distance km mi miles'
  ).split(' '),
);
const EVEN_SHARE = 0.9;
const APART = 5;
const LEAST_CARS = 3;
const PAUSE_MS = 30 * 60_000;
/** Cars × signals remembered, at most; cars beyond are not looked at. */
const MOST_CELLS = 2_000_000;

interface CarReadings {
  tsMs: number;
  /** Rows in a row that were older than the newest. */
  older: number;
  readonly first: Float64Array;
  readonly least: Float64Array;
  readonly last: Float64Array;
  readonly step: Float64Array;
}

/** What is known of one signal over all cars. */
interface SignalMoves {
  rows: number;
  rises: number;
  falls: number;
  resets: number;
  /** Rows that rise by the step of the row before. */
  even: number;
  pauses: number;
  pauseFalls: number;
  /** Runs that have risen, and those of them that began at 0. */
  runs: number;
  fromZero: number;
}

export interface Counters {
  /** Signals that count, by their place in the catalogue. */
  readonly signals: readonly number[];
  /** Signals that never fell, in too little to tell a counter from a warm-up. */
  readonly doubtful: readonly number[];
}

export class CounterSurvey {
  readonly #width: number;
  /** −1: the rows come newest first. */
  readonly #direction: 1 | -1;
  readonly #cars = new Map<string, CarReadings>();
  readonly #moves: readonly SignalMoves[];

  constructor(width: number, direction: 1 | -1 = 1) {
    this.#width = width;
    this.#direction = direction;
    this.#moves = Array.from({ length: width }, () => ({
      ...{ rows: 0, rises: 0, falls: 0, resets: 0, even: 0 },
      ...{ pauses: 0, pauseFalls: 0, runs: 0, fromZero: 0 },
    }));
  }

  /** One row; a car's rows in the order in which they are trained on. */
  add(id: string, tsMs: number, values: Float64Array): void {
    const car = this.#cars.get(id) ?? this.#admit(id);
    if (car === null) return;
    car.older = tsMs < car.tsMs ? car.older + 1 : 0;
    if (car.older > 0 && car.older < CLOCK_SET_BACK) return;
    const paused = car.older > 0 || tsMs - car.tsMs > PAUSE_MS;
    car.older = 0;
    car.tsMs = tsMs;
    for (let s = 0; s < this.#width; s += 1) {
      const value = this.#direction * values[s]!;
      if (Number.isNaN(value)) continue;
      const last = car.last[s]!;
      if (Number.isNaN(last)) {
        car.first[s] = value;
        car.least[s] = value;
      } else this.#compare(car, s, value, paused);
      car.last[s] = value;
    }
  }

  #admit(id: string): CarReadings | null {
    if ((this.#cars.size + 1) * this.#width > MOST_CELLS) return null;
    const empty = () => new Float64Array(this.#width).fill(Number.NaN);
    const car = {
      tsMs: Number.NEGATIVE_INFINITY,
      older: 0,
      first: empty(),
      least: empty(),
      last: empty(),
      step: empty(),
    };
    this.#cars.set(id, car);
    return car;
  }

  #compare(car: CarReadings, s: number, value: number, paused: boolean): void {
    const moves = this.#moves[s]!;
    const last = car.last[s]!;
    const step = value - last;
    moves.rows += 1;
    if (paused) {
      moves.pauses += 1;
      if (step < 0) moves.pauseFalls += 1;
    }
    if (step > 0) {
      moves.rises += 1;
      // Decimal figures differ in their last bits.
      if (Math.abs(step - car.step[s]!) <= 1e-3 * step) moves.even += 1;
    }
    car.step[s] = step;
    if (step >= 0) return;
    const least = car.least[s]!;
    if (paused || value <= least + RESET_DEPTH * (last - least)) {
      moves.resets += 1;
      endRun(moves, car.first[s]!, last);
      car.first[s] = value;
      car.least[s] = Math.min(least, value);
    } else moves.falls += 1;
  }

  /** What the rows so far say; the catalogue may say otherwise. */
  counters({ signals: specs }: Catalogue): Counters {
    const signals: number[] = [];
    const doubtful: number[] = [];
    for (let s = 0; s < this.#width; s += 1) {
      const said = specs[s]!.counter;
      if (said === true) signals.push(s);
      if (said !== undefined) continue;
      if (wordsOf(specs[s]!.name).some((word) => COUNTING.has(word)) && this.#neverFalls(s)) signals.push(s);
      else if (this.#neverFalls(s) && this.#moves[s]!.rises >= LEAST_MOVES)
        (this.#counts(s) ? signals : doubtful).push(s);
    }
    return { signals, doubtful };
  }

  #neverFalls(s: number): boolean {
    const { rows, rises, falls, resets } = this.#moves[s]!;
    return (
      rises > 0 &&
      falls <= FALLS_PER_MOVE * rises &&
      resets <= Math.max(this.#cars.size, RESETS_PER_ROW * rows)
    );
  }

  /** Whether a signal that only rises counts. */
  #counts(s: number): boolean {
    const moves = { ...this.#moves[s]! };
    const firsts: number[] = [];
    const rises: number[] = [];
    for (const { first, last } of this.#cars.values()) {
      if (!(last[s]! > first[s]!)) continue;
      endRun(moves, first[s]!, last[s]!);
      firsts.push(first[s]!);
      rises.push(last[s]! - first[s]!);
    }
    if (moves.rows >= LEAST_EVEN_ROWS && moves.even >= EVEN_SHARE * moves.rows) return true;
    if (moves.pauses >= LEAST_CARS && moves.pauseFalls === 0) return true;
    const fromZero = moves.runs >= LEAST_CARS && moves.fromZero === moves.runs;
    if (fromZero && moves.rises >= LEAST_MOVES * moves.runs) return true;
    if (firsts.length < LEAST_CARS) return false;
    const middle = median(firsts);
    return median(firsts.map((first) => Math.abs(first - middle))) >= APART * median(rises);
  }
}

function endRun(moves: SignalMoves, first: number, last: number): void {
  if (!(last > first)) return;
  moves.runs += 1;
  if (Math.abs(first) <= 0.01 * (last - first)) moves.fromZero += 1;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Takes the readings of counters out of what is trained on: like a signal that is not measured they say nothing. */
export function silence(series: readonly Series[], width: number, { signals }: Counters): void {
  for (const { tsMs, values } of series)
    for (let i = 0; i < tsMs.length; i += 1) for (const s of signals) values[i * width + s] = Number.NaN;
}

/** Lines for a person. */
export function counterRemarks({ signals, doubtful }: Counters, catalogue: Catalogue): string[] {
  const names = (list: readonly number[]) => list.map((s) => catalogue.signals[s]!.name).join(', ');
  const catalogued = 'in a catalogue (--catalogue; catalogue.json beside the model is one to begin with)';
  return [
    ...(signals.length > 0
      ? [
          `only rising, so counters and not watched: ${names(signals)}; to watch one, say "counter": false of it ${catalogued}`,
        ]
      : []),
    ...(doubtful.length > 0
      ? [
          `only rising here, which may be a counter or a warm-up, so watched: ${names(doubtful)}; if one counts, say "counter": true of it ${catalogued}`,
        ]
      : []),
  ];
}
