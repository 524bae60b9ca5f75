// Signals that are no levels: what counts (row numbers, odometers, running time, fuel used in all), whose reading of
// tomorrow is past all that was learnt, and what names a car (a device's number), which is new in each new car. Every
// car would be strange. Told while the history is read, of the log and of recordings alike.
//
// Rising alone does not tell a counter from an engine that warms up. One of these must hold as well: it rises by the
// same whole step in nearly every row; cars begin much further apart than any of them rises; it goes on after pauses;
// or every run begins at 0. What only falls (fuel, charge, range left) is a level and is watched, but for what falls by
// the same step in every row.
import type { Catalogue } from '../../core/catalogue.ts';
import { wordsOf } from '../../core/time-words.ts';
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
    'sample frame packet id uptime runtime laufzeit elapsed cumulative kumuliert epoch timestamp ticks trip distance km mi miles time clock'
  ).split(' '),
);
const EVEN_SHARE = 0.9;
/** How far apart cars begin, against how far they rise: the fewer they are, the further. Of one car: how far from 0. */
const APART = 5;
const APART_TWO = 100;
const APART_ONE = 1000;
const LEAST_CARS = 3;
/** Rows of a car in which a reading must be the same for it to name the car. */
const LEAST_SAME_ROWS = 30;
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
  /** Readings below the one before: drops in all, and of these the falls that are no beginning anew. */
  drops: number;
  falls: number;
  resets: number;
  /** Rows that move by the step of the row before, a whole number. */
  even: number;
  pauses: number;
  pauseFalls: number;
  /** Runs that have risen, and those of them that began at 0. */
  runs: number;
  fromZero: number;
}

/** Signals by their place in the catalogue. */
export interface Counters {
  readonly counting: readonly number[];
  /** The same in all rows of a car, another in nearly each car. */
  readonly naming: readonly number[];
  /** Never fell, in too little to tell a counter from a warm-up: watched. */
  readonly doubtful: readonly number[];
  /** Never rose: watched. */
  readonly falling: readonly number[];
}

/** Signals whose readings say nothing of a car's health. */
export const silenced = ({ counting, naming }: Counters): ReadonlySet<number> =>
  new Set([...counting, ...naming]);

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
      ...{ rows: 0, rises: 0, drops: 0, falls: 0, resets: 0, even: 0 },
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
    if (step > 0) moves.rises += 1;
    // Parts of a unit in each row may be a battery that is charged; whole ones are counted.
    if (step !== 0 && step === car.step[s] && Number.isInteger(step)) moves.even += 1;
    car.step[s] = step;
    if (step >= 0) return;
    moves.drops += 1;
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
    const found = {
      counting: [] as number[],
      naming: [] as number[],
      doubtful: [] as number[],
      falling: [] as number[],
    };
    for (let s = 0; s < this.#width; s += 1) {
      const { name, counter } = specs[s]!;
      const kind = counter === true ? 'counting' : counter === false ? null : this.#kindOf(s, name);
      if (kind !== null) found[kind].push(s);
    }
    return found;
  }

  #kindOf(s: number, name: string): keyof Counters | null {
    const { rows, rises, drops, even } = this.#moves[s]!;
    if (rows >= LEAST_EVEN_ROWS && even >= EVEN_SHARE * rows) return 'counting';
    if (rises + drops === 0) return this.#namesCars(s) ? 'naming' : null;
    if (drops >= LEAST_MOVES && rises <= FALLS_PER_MOVE * drops) return 'falling';
    if (!this.#neverFalls(s)) return null;
    if (wordsOf(name).some((word) => COUNTING.has(word))) return 'counting';
    if (rises < LEAST_MOVES) return null;
    return this.#counts(s) ? 'counting' : 'doubtful';
  }

  /** Whether a signal that never moves is another in nearly each car. */
  #namesCars(s: number): boolean {
    const values = [...this.#cars.values()]
      .filter(({ last }) => !Number.isNaN(last[s]!))
      .map(({ last }) => last[s]!);
    const different = new Set(values).size;
    return (
      different >= LEAST_CARS &&
      different > 0.5 * values.length &&
      this.#moves[s]!.rows >= LEAST_SAME_ROWS * values.length
    );
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
    if (moves.pauses >= LEAST_CARS && moves.pauseFalls === 0) return true;
    const fromZero = moves.runs >= LEAST_CARS && moves.fromZero === moves.runs;
    if (fromZero && moves.rises >= LEAST_MOVES * moves.runs) return true;
    if (firsts.length === 1) return Math.abs(firsts[0]!) >= APART_ONE * rises[0]!;
    if (firsts.length === 2) return Math.abs(firsts[0]! - firsts[1]!) >= APART_TWO * Math.max(...rises);
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
export function silence(series: readonly Series[], width: number, counters: Counters): void {
  const signals = [...silenced(counters)];
  for (const { tsMs, values } of series)
    for (let i = 0; i < tsMs.length; i += 1) for (const s of signals) values[i * width + s] = Number.NaN;
}

const WHERE = 'in a catalogue (--catalogue; catalogue.json beside the model is one to begin with)';
const REMARKS: readonly (readonly [kind: keyof Counters, what: string, next: string])[] = [
  ['counting', 'counters by how they rise, not watched', `to watch one, say "counter": false of it ${WHERE}`],
  [
    'naming',
    'the same in all rows of a car and another in each, not watched',
    `to watch one, say "counter": false of it ${WHERE}`,
  ],
  [
    'doubtful',
    'only rising here, which may be a counter or a warm-up, so watched',
    `if one counts, say "counter": true of it ${WHERE}`,
  ],
  [
    'falling',
    'only falling here, as fuel, charge and range do, so watched',
    `if one counts down, say "counter": true of it ${WHERE}`,
  ],
];

/** Lines for a person. */
export function counterRemarks(counters: Counters, catalogue: Catalogue): string[] {
  return REMARKS.flatMap(([kind, what, next]) => {
    const names = counters[kind].map((s) => catalogue.signals[s]!.name);
    return names.length > 0 ? [`${what}: ${names.join(', ')}; ${next}`] : [];
  });
}
