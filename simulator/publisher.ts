// All cars' connections of one process: a ramp that admits so many new ones a second, a heartbeat that tends them, and
// the back-pressure a fast run waits on.
import { Warnings } from '../core/warnings.ts';
import { type Broker, CarLink, type LinkWorld } from './link.ts';
import { Stream } from './random.ts';
import type { QueuePolicy } from './scenario.ts';
import { type Counts, LatencyHistogram, zeroCounts } from './stats.ts';

export interface PublisherOptions {
  readonly brokers: readonly Broker[];
  readonly clientIds: readonly string[];
  readonly window: number;
  readonly queue: number;
  readonly policy: QueuePolicy;
  readonly connectPerSecond: number;
  readonly keepaliveS?: number;
  readonly silenceMs?: number;
  readonly username?: string;
  readonly password?: string;
  readonly seed: number;
  readonly warn: (line: string) => void;
}

const TICK_MS = 20;
const FEWEST_CONNECTING = 20;
const TEND_EVERY_MS = 1000;

export class Publisher {
  readonly counts: Counts = zeroCounts();
  readonly latency = new LatencyHistogram();
  readonly failures: Warnings;
  readonly links: readonly CarLink[];
  readonly #perTick: number;
  #credit = 0;
  #ramp: { go: (() => void) | null }[] = [];
  #rampTimer: NodeJS.Timeout | null = null;
  readonly #tendTimer: NodeJS.Timeout;
  #waiters: { readonly ready: () => boolean; readonly resolve: () => void }[] = [];

  constructor(options: PublisherOptions) {
    const now = () => performance.now();
    this.failures = new Warnings({ warn: options.warn, clock: now });
    this.#perTick = (options.connectPerSecond * TICK_MS) / 1000;
    const dice = new Stream(options.seed, 77);
    const world: LinkWorld = {
      counts: this.counts,
      latency: this.latency,
      failures: this.failures,
      window: options.window,
      queue: options.queue,
      policy: options.policy,
      keepaliveS: options.keepaliveS ?? 120,
      silenceMs: options.silenceMs ?? 120_000,
      ...(options.username === undefined ? {} : { username: options.username }),
      ...(options.password === undefined ? {} : { password: options.password }),
      now,
      jitter: () => dice.unit(),
      admit: (go) => this.#admit(go),
      onProgress: () => this.#wake(),
    };
    this.links = options.clientIds.map(
      (id, n) => new CarLink(id, options.brokers[n % options.brokers.length]!, world),
    );
    this.#tendTimer = setInterval(() => {
      for (const link of this.links) link.tend();
      this.#wake();
    }, TEND_EVERY_MS);
  }

  start(): void {
    for (const link of this.links) link.start();
  }

  /** Events that could be on their way and are not yet acknowledged; those of suspended cars are left out. */
  get pending(): number {
    const { offered, acknowledged, dropped, held } = this.counts;
    return offered - acknowledged - dropped - held;
  }

  /** Resolves when at most `limit` events are pending, or the signal aborts. */
  room(limit: number, signal?: AbortSignal): Promise<void> {
    return this.when(() => this.pending <= limit, signal);
  }

  /** Resolves when `count` connections are open, or the signal aborts. */
  connected(count: number, signal?: AbortSignal): Promise<void> {
    return this.when(() => this.counts.connected >= count, signal);
  }

  /** Closes every connection; returns the events that were never acknowledged. */
  stop(): number {
    clearInterval(this.#tendTimer);
    if (this.#rampTimer !== null) clearInterval(this.#rampTimer);
    this.#rampTimer = null;
    this.#ramp = [];
    const pending = this.pending + this.counts.held;
    for (const link of this.links) link.stop();
    for (const waiter of this.#waiters) waiter.resolve();
    this.#waiters = [];
    return pending;
  }

  /** Resolves when `ready` says so after some progress, or the signal aborts, or the publisher stops. */
  when(met: () => boolean, signal?: AbortSignal): Promise<void> {
    const ready = () => met() || signal?.aborted === true;
    if (ready()) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => this.#wake();
      signal?.addEventListener('abort', wake, { once: true });
      this.#waiters.push({
        ready,
        resolve: () => {
          signal?.removeEventListener('abort', wake);
          resolve();
        },
      });
    });
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const due = this.#waiters.filter((waiter) => waiter.ready());
    if (due.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => !due.includes(waiter));
    for (const waiter of due) waiter.resolve();
  }

  #admit(go: () => void): () => void {
    const place: { go: (() => void) | null } = { go };
    this.#ramp.push(place);
    this.#rampTimer ??= setInterval(() => this.#admitSome(), TICK_MS);
    return () => {
      place.go = null;
    };
  }

  #admitSome(): void {
    this.#credit = Math.min(this.#credit + this.#perTick, Math.max(1, this.#perTick * 2));
    let taken = 0;
    // A broker that is slow to welcome gets no more at its door than it should take in a second.
    const most = Math.max(FEWEST_CONNECTING, (this.#perTick * 1000) / TICK_MS);
    while (taken < this.#ramp.length && this.#credit >= 1 && this.counts.connecting < most) {
      const { go } = this.#ramp[taken]!;
      taken += 1;
      if (go === null) continue;
      this.#credit -= 1;
      go();
    }
    this.#ramp.splice(0, taken);
    if (this.#ramp.length > 0 || this.#rampTimer === null) return;
    clearInterval(this.#rampTimer);
    this.#rampTimer = null;
  }
}
