// A fleet on the road: paces event time against the clock, drives the scenario, publishes through the cars' connections,
// obeys live commands. History first, as fast as the broker acknowledges; then at the scenario's speed.
import type { FleetCommand } from '../core/events.ts';
import { type Clock, pause, type Service } from '../core/service.ts';
import { FAULTS } from './faults.ts';
import { Fleet, type FleetRange } from './fleet.ts';
import type { Broker } from './link.ts';
import { Outages } from './outages.ts';
import { Publisher } from './publisher.ts';
import type { Scenario } from './scenario.ts';
import { Script } from './script.ts';
import type { Counts } from './stats.ts';
import { Telemeter } from './telemeter.ts';

export interface FleetOptions {
  readonly scenario: Scenario;
  readonly brokers: readonly Broker[];
  readonly clock: Clock;
  readonly warn: (line: string) => void;
  /** Event time of the start; default: the scenario's, else the clock's now. Processes of a split fleet share one. */
  readonly startMs?: number;
  /**
   * Event time since which the cars have been on the road. Up to the start they drive unseen, so that the fleet of a run that
   * was stopped goes on where it would be by now. Default: they set out at the start.
   */
  readonly sinceMs?: number;
  /** Part of the scenario's cars; default: all. */
  readonly range?: FleetRange;
  readonly username?: string;
  readonly password?: string;
}

export interface FleetStats {
  readonly cars: number;
  readonly counts: Readonly<Counts>;
  readonly pending: number;
  readonly faultsActive: number;
  readonly ackP50Ms: number;
  readonly ackP99Ms: number;
  /** Event time reached. */
  readonly eventTimeMs: number;
  /** How far event time is behind where the clock says it should be. */
  readonly behindMs: number;
  readonly failures: Readonly<Record<string, number>>;
}

/** A running fleet. `done` resolves when the scenario's duration is over and everything is acknowledged. */
export interface FleetRun extends Service {
  readonly vins: readonly string[];
  /** VINs of the cars with this kind of engine. */
  carsOf(kind: 'combustion' | 'electric'): readonly string[];
  /** Resolves when every car is connected. */
  readonly connected: Promise<void>;
  /** Resolves when the history has been driven and acknowledged and the fleet has caught up with the clock. */
  readonly caughtUp: Promise<void>;
  /** Obeys a command for the cars of this process; returns how many it changed. */
  command(command: FleetCommand): number;
  stats(): FleetStats;
  /** Counts of the acknowledgement latency, to add to other processes'. */
  latencies(): number[];
}

/** Phases of a second: each car measures in one of these. */
const SLICES = 20;
const SLICE_MS = 1000 / SLICES;
/** Events of a fast run that may be on their way at once, at least. */
const FAST_PENDING = 4000;
const FAST_CHUNK_S = 5;

const COMMANDED_RAMP_S = 30;

/** The longest that stopping waits for acknowledgements. */
const DRAIN_MS = 30_000;

export function startFleet(options: FleetOptions): FleetRun {
  const run = new Run(options);
  return run.service();
}

/** More than this is not driven unseen: a second of computing for a few hundred cars. */
const MOST_UNSEEN_MS = 6 * 3_600_000;

/** The fleet at an event time, having driven since the one it set out at. */
function onTheRoad({ scenario, range, sinceMs }: FleetOptions, beginMs: number): Fleet {
  const setOutMs = Math.max(beginMs - MOST_UNSEEN_MS, Math.min(beginMs, sinceMs ?? beginMs));
  const fleet = new Fleet(scenario, setOutMs, range);
  while (fleet.nowMs < beginMs) fleet.step();
  return fleet;
}

class Run {
  readonly #options: FleetOptions;
  readonly #fleet: Fleet;
  readonly #script: Script;
  readonly #telemeter: Telemeter;
  readonly #publisher: Publisher;
  readonly #slices: Int32Array[];
  readonly #startMs: number;
  readonly #stop = new AbortController();
  readonly #outages: Outages;
  #anchorClockMs = 0;
  #anchorEventMs = 0;
  #caughtUp: () => void = () => {};

  constructor(options: FleetOptions) {
    const { scenario } = options;
    this.#options = options;
    this.#startMs = Math.floor((options.startMs ?? scenario.startMs ?? options.clock()) / 1000) * 1000;
    this.#fleet = onTheRoad(options, this.#startMs - scenario.historyMs);
    this.#script = new Script(this.#fleet, this.#startMs);
    this.#publisher = new Publisher({
      brokers: options.brokers,
      clientIds: this.#fleet.cars.map((car) => car.vin),
      window: scenario.network.window,
      queue: scenario.network.queue,
      policy: scenario.network.policy,
      connectPerSecond: scenario.network.connectPerSecond / (scenario.processes || 1),
      seed: scenario.seed + (options.range?.first ?? 0),
      warn: options.warn,
      ...(options.username === undefined ? {} : { username: options.username }),
      ...(options.password === undefined ? {} : { password: options.password }),
    });
    this.#telemeter = new Telemeter(this.#fleet, this.#script, this.#publisher.counts);
    this.#outages = new Outages(this.#fleet, this.#publisher.links);
    const slices: number[][] = Array.from({ length: SLICES }, () => []);
    for (const [i, car] of this.#fleet.cars.entries()) slices[Math.floor(car.phaseMs / SLICE_MS)]!.push(i);
    this.#slices = slices.map((cars) => Int32Array.from(cars));
  }

  service(): FleetRun {
    const { promise: caughtUp, resolve } = Promise.withResolvers<void>();
    this.#caughtUp = resolve;
    this.#publisher.start();
    const connected = this.#publisher.connected(this.#fleet.size, this.#stop.signal);
    const done = this.#drive().finally(() => {
      this.#publisher.stop();
      resolve();
    });
    return {
      name: 'simulator',
      vins: this.#fleet.cars.map((car) => car.vin),
      carsOf: (kind) => this.#fleet.cars.filter(({ model }) => model.kind === kind).map(({ vin }) => vin),
      done,
      connected,
      caughtUp,
      command: (command) => this.#obey(command),
      stats: () => this.#stats(),
      latencies: () => this.#publisher.latency.toJSON(),
      stop: async () => {
        this.#stop.abort();
        await done;
      },
    };
  }

  async #drive(): Promise<void> {
    const { scenario, clock } = this.#options;
    const { signal } = this.#stop;
    const live = scenario.startMs === null;
    const endMs =
      scenario.durationMs === null ? Number.POSITIVE_INFINITY : this.#startMs + scenario.durationMs;
    const fastUntil = () => {
      if (scenario.speed === Number.POSITIVE_INFINITY) return endMs;
      return Math.min(endMs, live && scenario.historyMs > 0 ? clock() - 500 : this.#startMs);
    };
    if (this.#fleet.nowMs < fastUntil()) await this.#driveFast(fastUntil);
    this.#caughtUp();
    await this.#drivePaced(endMs);
    this.#outages.endAll();
    await this.#drain(signal.aborted ? DRAIN_MS : null);
  }

  /** Waits for every acknowledgement; a stopped run waits no longer than `limitMs`. */
  async #drain(limitMs: number | null): Promise<void> {
    const limit = new AbortController();
    const timer = limitMs === null ? null : setTimeout(() => limit.abort(), limitMs);
    const onStop = () => setTimeout(() => limit.abort(), DRAIN_MS).unref();
    if (limitMs === null) this.#stop.signal.addEventListener('abort', onStop, { once: true });
    await this.#publisher.room(0, limit.signal);
    if (timer !== null) clearTimeout(timer);
    this.#stop.signal.removeEventListener('abort', onStop);
  }

  /** As fast as acknowledgements come: several seconds at a time, a bound on what is on its way. */
  async #driveFast(until: () => number): Promise<void> {
    const { signal } = this.#stop;
    const { queue } = this.#options.scenario.network;
    const batches: Buffer[][] = Array.from({ length: this.#fleet.size }, () => []);
    await this.#publisher.connected(this.#fleet.size, signal);
    while (!signal.aborted && this.#fleet.nowMs < until()) {
      for (let n = 0; n < FAST_CHUNK_S && this.#fleet.nowMs < until(); n += 1) {
        this.#second();
        for (let car = 0; car < this.#fleet.size; car += 1) {
          if (this.#telemeter.due(car)) batches[car]!.push(...this.#telemeter.packets(car));
        }
      }
      batches.forEach((packets, car) => {
        this.#publisher.links[car]!.offerAll(packets);
        packets.length = 0;
      });
      await this.#publisher.room(Math.max(FAST_PENDING, 2 * this.#fleet.size), signal);
      for (const link of this.#publisher.links) {
        if (link.pending > queue / 2 && !link.held)
          await this.#publisher.when(() => link.pending <= queue / 4, signal);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.#publisher.room(0, signal);
  }

  async #drivePaced(endMs: number): Promise<void> {
    const { clock, scenario } = this.#options;
    const { signal } = this.#stop;
    this.#anchorClockMs = clock();
    this.#anchorEventMs = scenario.startMs === null ? this.#anchorClockMs : this.#fleet.nowMs;
    // A live run's seconds are the clock's: never drive ahead of it, skip none.
    while (!signal.aborted && this.#fleet.nowMs < endMs) {
      await this.#waitFor(this.#fleet.nowMs + 1000);
      if (signal.aborted) return;
      this.#second();
      for (const [slice, cars] of this.#slices.entries()) {
        await this.#waitFor(this.#fleet.nowMs + (slice + 1) * SLICE_MS);
        for (const car of cars) {
          if (this.#telemeter.due(car)) this.#publisher.links[car]!.offerAll(this.#telemeter.packets(car));
        }
      }
    }
  }

  /** Waits until the clock has reached an event time. */
  async #waitFor(eventMs: number): Promise<void> {
    const { scenario, clock } = this.#options;
    const dueMs = this.#anchorClockMs + (eventMs - this.#anchorEventMs) / scenario.speed;
    const waitMs = dueMs - clock();
    if (waitMs > 1) await pause(waitMs, this.#stop.signal);
  }

  /** One second of physics and script, with what the network must do. */
  #second(): void {
    this.#fleet.step();
    const events = this.#script.apply();
    for (const record of this.#fleet.takeTruth()) {
      const car = this.#fleet.slotOf.get(record.vin)!;
      this.#publisher.links[car]!.offer(this.#telemeter.truth(record));
    }
    this.#outages.apply(events);
  }

  #obey(command: FleetCommand): number {
    let changed = 0;
    for (const vin of command.vins) {
      const car = this.#fleet.slotOf.get(vin);
      if (car === undefined) continue;
      if (command.action === 'slow') {
        this.#fleet.slow(car, command.speedFactor ?? 1);
        changed += 1;
      } else if (command.action === 'repair') {
        changed += this.#fleet.repair(car, command.fault) > 0 ? 1 : 0;
      } else if (command.fault !== undefined) {
        changed += this.#break(car, command.fault, command.severity ?? 1) ? 1 : 0;
      }
    }
    return changed;
  }

  /** A fault by command comes within half a minute, whatever its natural course: someone is watching. */
  #break(car: number, fault: string, severity: number): boolean {
    const natural = FAULTS.get(fault)?.course.rampS ?? 0;
    return this.#fleet.break(car, fault, { severity, rampS: Math.min(natural, COMMANDED_RAMP_S) });
  }

  #stats(): FleetStats {
    const { clock, scenario } = this.#options;
    const shouldBe = this.#anchorEventMs + (clock() - this.#anchorClockMs) * scenario.speed;
    return {
      cars: this.#fleet.size,
      counts: { ...this.#publisher.counts },
      pending: this.#publisher.pending,
      faultsActive: this.#fleet.faultsActive,
      ackP50Ms: this.#publisher.latency.quantile(0.5),
      ackP99Ms: this.#publisher.latency.quantile(0.99),
      eventTimeMs: this.#fleet.nowMs,
      behindMs: this.#anchorClockMs === 0 ? 0 : Math.max(0, shouldBe - this.#fleet.nowMs - 2000),
      failures: this.#publisher.failures.totals(),
    };
  }
}
