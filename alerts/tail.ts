// The shared live tail of the `alerts` topic: one reader per process folds every record into the index and hands it to
// whoever listens (feed sessions, the twin). However many phones hang on a server, the log is read once.

import { messageOf } from '../core/errors.ts';
import type { Alert } from '../core/events.ts';
import type { Log } from '../core/log/log.ts';
import { type Clock, supervise } from '../core/service.ts';
import { alertsTopic } from '../core/topics.ts';
import { AlertIndex } from './alert-index.ts';

export interface TailEntry {
  readonly alert: Alert;
  readonly partition: number;
  readonly offset: number;
}

export interface TailOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly warn: (line: string) => void;
  readonly signal: AbortSignal;
  /** How many of the newest records are folded at start; an alert open for longer than they reach back is not listed. */
  readonly foldRecords?: number;
}

export class AlertTail {
  readonly index = new AlertIndex();
  /** Next offset of each partition: everything before it has been folded and handed out. */
  readonly #next: number[] = [];
  readonly #listeners = new Set<(entry: TailEntry) => void>();
  readonly #options: TailOptions;
  readonly #ready = Promise.withResolvers<void>();
  /** Settles when the tail ends: resolves after the signal, rejects when the log failed past the bound. */
  readonly done: Promise<void>;
  #goal: readonly { readonly partition: number; readonly offset: number }[] = [];

  constructor(options: TailOptions) {
    this.#options = options;
    const { signal, warn, clock } = options;
    this.done = supervise({ name: 'alerts: tail', signal, warn, clock }, () => this.#follow());
    this.done.then(
      () => this.#ready.resolve(),
      (error: unknown) => this.#ready.reject(error),
    );
    // Whoever needs readiness awaits it; nobody doing so must not end the process a second time.
    this.#ready.promise.catch(() => undefined);
  }

  /** Resolves when everything that was in the log at the start is folded. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** A copy of the positions; valid until the next await. */
  positions(): number[] {
    return [...this.#next];
  }

  listen(listener: (entry: TailEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #start(): Promise<void> {
    const { log, foldRecords = 500_000 } = this.#options;
    const ranges = await log.ranges(alertsTopic.name);
    const each = Math.ceil(foldRecords / ranges.length);
    for (const { partition, earliest, end } of ranges) this.#next[partition] = Math.max(earliest, end - each);
    this.#goal = ranges.map(({ partition, end }) => ({ partition, offset: end }));
  }

  async #catchUp(): Promise<void> {
    await this.#read({ offsets: this.#goal });
    // Where the last offsets hold no record (transaction markers) no record moves the position; the goal does.
    for (const { partition, offset } of this.#goal)
      this.#next[partition] = Math.max(this.#next[partition] ?? 0, offset);
    this.#goal = [];
    this.#ready.resolve();
  }

  async #follow(): Promise<void> {
    if (this.#next.length === 0) await this.#start();
    if (this.#goal.length > 0) await this.#catchUp();
    await this.#read();
  }

  async #read(to?: { readonly offsets: readonly { partition: number; offset: number }[] }): Promise<void> {
    const { log, signal } = this.#options;
    const from = { offsets: this.#next.map((offset, partition) => ({ partition, offset })) };
    for await (const batch of log.read(alertsTopic.name, { from, ...(to ? { to } : {}), signal })) {
      for (const { offset, value } of batch.records) {
        this.#next[batch.partition] = offset + 1;
        if (value !== null) this.#take(batch.partition, offset, value);
      }
    }
  }

  #take(partition: number, offset: number, value: Uint8Array): void {
    let alert: Alert;
    try {
      alert = alertsTopic.decode(value);
    } catch (error) {
      // One record that another version wrote must not keep all others from the phones.
      this.#options.warn(`alerts: record ${partition}-${offset} passed over: ${messageOf(error)}`);
      return;
    }
    this.index.apply(alert);
    for (const listener of this.#listeners) listener({ alert, partition, offset });
  }
}
