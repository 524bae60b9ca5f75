// Drives a recording again: a CSV file or a stretch of the log, each id a car with a connection of its own. At full speed
// rows stream from the file; at a pace they are held in memory (bounded), so that all cars drive side by side.

import { fitsAsVin } from '../core/car-ids.ts';
import { counted } from '../core/counted.ts';
import { TelltaleError } from '../core/errors.ts';
import { type Clock, pause, type Service } from '../core/service.ts';
import { mqttTopics } from '../core/topics.ts';
import { encodePublish } from './encode.ts';
import type { Broker } from './link.ts';
import { Publisher } from './publisher.ts';
import type { Counts } from './stats.ts';
import { shiftOf, type TapeTimes, withTime } from './tape-times.ts';

/** One event of a tape; `fault` says why it cannot be driven. */
export interface TapeRow {
  readonly id: string;
  readonly tsMs: number;
  readonly signals: Readonly<Record<string, number | null>>;
  readonly fault: string | null;
}

export interface Tape {
  readonly name: string;
  readonly ids: readonly string[];
  /** The car that drives for an id where it is another: ids of a recording may hold what no topic can. */
  readonly vins?: ReadonlyMap<string, string>;
  /** Events in all, as far as known; bounds the memory of a paced replay before it is used. */
  readonly rowCount: number;
  rows(): AsyncIterable<TapeRow>;
}

export interface ReplayOptions {
  readonly tape: Tape;
  /** Which ids drive; default: all. */
  readonly ids?: readonly string[];
  /** Event time against real time; Infinity: as fast as the broker takes it. */
  readonly speed: number;
  readonly brokers: readonly Broker[];
  readonly clock: Clock;
  readonly warn: (line: string) => void;
  /** Added to event times; default: 0 for absolute times, the clock's now for times that count from a start. */
  readonly shiftMs?: number;
  /**
   * How far back ingest takes event times. Absolute ones that reach further, or ahead of the clock, are moved to end now, and
   * those from a start end no later; default: it takes any time, ms.
   */
  readonly recentMs?: number;
  /** First sequence number of every car; default: the clock's now in ms. */
  readonly firstSeq?: number;
  readonly window?: number;
  readonly username?: string;
  readonly password?: string;
}

export interface ReplayStats {
  readonly cars: number;
  readonly counts: Readonly<Counts>;
  readonly rows: number;
  readonly brokenRows: number;
  /** The first broken rows by name. */
  readonly brokenSamples: readonly string[];
  readonly ackP50Ms: number;
  readonly ackP99Ms: number;
  readonly failures: Readonly<Record<string, number>>;
}

export interface Replay extends Service {
  readonly vins: readonly string[];
  /** Publishing has ended and all is acknowledged; alias of `done` that never rejects late. */
  stats(): ReplayStats;
}

const MAX_HELD_ROWS = 5_000_000;
const BROKEN_SAMPLES = 10;
/** Events on their way at once, at most, and how many are handed over together. */
const FAST_PENDING = 4000;
const FAST_BATCH = 1000;
/** A file holds one car after another: its events fly together or the round trip sets the pace. */
const FAST_WINDOW = 500;

/** The car that drives for an id; undefined: none can. */
const vinOf = (tape: Tape, id: string): string | undefined =>
  tape.vins?.get(id) ?? (fitsAsVin(id) ? id : undefined);

/**
 * Starts driving a tape. `done` resolves when every row has been published and acknowledged.
 * @throws TelltaleError RECORDING_INVALID when a paced replay would hold more than 5,000,000 rows, or no id can drive
 */
export function startReplay(options: ReplayOptions): Replay {
  const wanted = new Set(options.ids ?? options.tape.ids);
  const drivers = options.tape.ids.filter((id) => wanted.has(id) && vinOf(options.tape, id) !== undefined);
  if (drivers.length === 0)
    throw new TelltaleError('RECORDING_INVALID', `${options.tape.name}: no car to drive among its ids`);
  if (options.speed !== Number.POSITIVE_INFINITY && options.tape.rowCount > MAX_HELD_ROWS)
    throw new TelltaleError(
      'RECORDING_INVALID',
      `${options.tape.name}: ${counted(options.tape.rowCount, 'row')} are too many to drive at a pace; use the speed max`,
    );
  return new TapeRun(options, drivers, wanted).service();
}

class TapeRun {
  readonly #options: ReplayOptions;
  readonly #vins: readonly string[];
  readonly #wanted: ReadonlySet<string>;
  readonly #slotOf: ReadonlyMap<string, number>;
  readonly #publisher: Publisher;
  readonly #seq: Float64Array;
  readonly #stop = new AbortController();
  readonly #batches = new Map<number, Buffer[]>();
  #collected = 0;
  #rows = 0;
  #broken = 0;
  readonly #samples: string[] = [];
  #shiftMs: number;

  constructor(options: ReplayOptions, drivers: readonly string[], wanted: ReadonlySet<string>) {
    this.#options = options;
    const vins = drivers.map((id) => vinOf(options.tape, id)!);
    this.#vins = vins;
    this.#wanted = wanted;
    this.#slotOf = new Map(drivers.map((id, i) => [id, i]));
    this.#seq = new Float64Array(vins.length).fill(options.firstSeq ?? options.clock());
    this.#shiftMs = options.shiftMs ?? 0;
    this.#publisher = new Publisher({
      brokers: options.brokers,
      clientIds: vins,
      window: options.window ?? FAST_WINDOW,
      // Bounded by the reader, which waits: a recording has no reason to lose events.
      queue: Number.MAX_SAFE_INTEGER,
      policy: 'drop-newest',
      connectPerSecond: 1000,
      seed: 1,
      warn: options.warn,
      ...(options.username === undefined ? {} : { username: options.username }),
      ...(options.password === undefined ? {} : { password: options.password }),
    });
  }

  service(): Replay {
    this.#publisher.start();
    const done = this.#drive().finally(() => this.#publisher.stop());
    done.catch(() => undefined);
    return {
      name: 'replay',
      vins: this.#vins,
      done,
      stats: () => this.#stats(),
      stop: async () => {
        this.#stop.abort();
        await done.catch(() => undefined);
      },
    };
  }

  async #drive(): Promise<void> {
    const { signal } = this.#stop;
    await this.#publisher.connected(this.#vins.length, signal);
    if (this.#options.speed === Number.POSITIVE_INFINITY) await this.#stream();
    else await this.#pace();
    await this.#publisher.room(0, signal);
  }

  #move(times: TapeTimes | null): void {
    const { clock, recentMs = Number.POSITIVE_INFINITY, shiftMs, tape, warn } = this.#options;
    if (times === null || shiftMs !== undefined) return;
    const moved = shiftOf(times, clock(), recentMs);
    this.#shiftMs = moved.shiftMs;
    if (moved.says !== undefined) warn(`${tape.name}: ${moved.says}`);
  }

  /** The rows that can be driven; the others are counted and named. */
  async *#good(): AsyncGenerator<TapeRow> {
    for await (const row of this.#options.tape.rows()) {
      if (row.fault !== null || vinOf(this.#options.tape, row.id) === undefined) {
        this.#broken += 1;
        if (this.#samples.length < BROKEN_SAMPLES)
          this.#samples.push(row.fault ?? `id "${row.id}" cannot name a car`);
      } else if (this.#wanted.has(row.id)) {
        this.#rows += 1;
        yield row;
      }
    }
  }

  /** Puts a row into its car's batch; `#flush` sends the batches, each as one write. */
  #collect(row: TapeRow): void {
    const slot = this.#slotOf.get(row.id)!;
    const seq = this.#seq[slot]!;
    this.#seq[slot] = seq + 1;
    const vin = this.#vins[slot]!;
    const event = { vin, seq, ts: row.tsMs + this.#shiftMs, signals: row.signals };
    const packet = encodePublish(mqttTopics.telemetry(vin), Buffer.from(JSON.stringify(event)));
    const batch = this.#batches.get(slot);
    if (batch) batch.push(packet);
    else this.#batches.set(slot, [packet]);
    this.#collected += 1;
  }

  /** Sends what was collected, then waits while too much is on its way. */
  async #flush(): Promise<void> {
    for (const [slot, packets] of this.#batches) this.#publisher.links[slot]!.offerAll(packets);
    this.#batches.clear();
    this.#collected = 0;
    await this.#publisher.room(FAST_PENDING, this.#stop.signal);
  }

  /** The times of a tape whose rows are not held, by a pass of its own; null: they stay as they are. */
  async #times(): Promise<TapeTimes | null> {
    const { recentMs, shiftMs, tape } = this.#options;
    if (shiftMs !== undefined) return null;
    let times: TapeTimes | null = null;
    for await (const { fault, id, tsMs } of tape.rows()) {
      if (this.#stop.signal.aborted) return null;
      if (fault !== null || !this.#slotOf.has(id)) continue;
      times = withTime(times, tsMs, 0);
      // The first row tells all where any time is taken.
      if (recentMs === undefined) return times;
    }
    return times;
  }

  async #stream(): Promise<void> {
    this.#move(await this.#times());
    for await (const row of this.#good()) {
      if (this.#stop.signal.aborted) return;
      this.#collect(row);
      if (this.#collected >= FAST_BATCH) await this.#flush();
    }
    await this.#flush();
  }

  /** All cars side by side: each one's first event at once, the others as far behind it as they were. */
  async #pace(): Promise<void> {
    const { clock, speed } = this.#options;
    const { signal } = this.#stop;
    const rows: TapeRow[] = [];
    const firstMs = new Map<string, number>();
    for await (const row of this.#good()) {
      if (signal.aborted) return;
      rows.push(row);
      firstMs.set(row.id, Math.min(firstMs.get(row.id) ?? row.tsMs, row.tsMs));
    }
    const age = (row: TapeRow) => row.tsMs - firstMs.get(row.id)!;
    rows.sort((a, b) => age(a) - age(b));
    this.#move(rows.reduce<TapeTimes | null>((all, row) => withTime(all, row.tsMs, age(row) / speed), null));
    const startMs = clock();
    for (const row of rows) {
      const waitMs = startMs + age(row) / speed - clock();
      if (waitMs > 4 || this.#collected >= FAST_BATCH) await this.#flush();
      if (waitMs > 4) await pause(waitMs, signal);
      if (signal.aborted) return;
      this.#collect(row);
    }
    await this.#flush();
  }

  #stats(): ReplayStats {
    const { counts, latency, failures } = this.#publisher;
    return {
      cars: this.#vins.length,
      counts: { ...counts },
      rows: this.#rows,
      brokenRows: this.#broken,
      brokenSamples: this.#samples,
      ackP50Ms: latency.quantile(0.5),
      ackP99Ms: latency.quantile(0.99),
      failures: failures.totals(),
    };
  }
}
