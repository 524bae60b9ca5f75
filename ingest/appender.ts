// From single messages to batches in the log: what arrives within a tick after the last batch shares one append per
// topic. One batch is under way at a time, so the order of arrival is the order in the log; a failed append is tried again with backoff
// until a deadline, then its messages are given back unacknowledged. Nothing is ever half accepted. Messages for the topic
// aside (dead letters) never hold up the others: they have a lane of their own when their append is slow or fails.
import { isRetryable, messageOf, TelltaleError } from '../core/errors.ts';
import type { Log, NewRecord } from '../core/log/log.ts';
import { type Clock, pause } from '../core/service.ts';
import type { Warnings } from '../core/warnings.ts';
import { Aside } from './aside.ts';

/** A message on its way into the log. */
export interface Entry {
  readonly topic: string;
  readonly record: NewRecord;
  /** What it holds in memory, about. */
  readonly bytes: number;
}

/** Topic → null when the batch's messages for it are durable, or why they are not. */
export type Outcomes = ReadonlyMap<string, TelltaleError | null>;

export interface AsideTopic<E> {
  readonly topic: string;
  /** Bytes of it that may wait. Default 32 MiB. */
  readonly maxBytes?: number;
  /** Messages of it that are lost, and why. They have been settled as durable, or are about to be. */
  readonly onDropped: (entries: readonly E[], why: string) => void;
}

/** How long a batch waits for its messages of the topic aside once the others are durable, ms. */
const ASIDE_GRACE_MS = 50;
const ASIDE_MAX_BYTES = 32 * 1024 * 1024;

/** Since when no append of a topic has worked, and why. */
export interface Failing {
  readonly topic: string;
  readonly sinceMs: number;
  readonly why: string;
}

export interface AppenderOptions<E extends Entry> {
  readonly log: Pick<Log, 'append'>;
  readonly clock: Clock;
  readonly trouble: Warnings;
  /** The topic whose messages never hold up the others. */
  readonly aside?: AsideTopic<E>;
  /** Pause between two batches, in which messages gather, ms. Default 5. */
  readonly tickMs?: number;
  /** A batch this large goes at once. Default 1,000. */
  readonly fullBatch?: number;
  /** No batch is larger, however much waits. Default 5,000. */
  readonly maxBatch?: number;
  /** How long a failing append is tried again, ms. Default 30,000. */
  readonly retryMs?: number;
  /** Called with a batch in the order it came, and for each of its topics: durable (null) or refused (the error). Must not throw. */
  readonly onSettled: (entries: readonly E[], outcomes: Outcomes) => void;
  /** Called when the bytes held change, at most twice a batch. */
  readonly onLevel?: (heldBytes: number) => void;
  /** An append failed in a way that trying again cannot mend. */
  readonly onFatal: (error: unknown) => void;
}

/** An append under way for longer is told as failing. */
const STALLED_MS = 10_000;
const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 1000;

export class Appender<E extends Entry> {
  readonly #options: AppenderOptions<E>;
  readonly #tickMs: number;
  readonly #fullBatch: number;
  readonly #maxBatch: number;
  readonly #retryMs: number;
  readonly #halt = new AbortController();
  readonly #aside: Aside<E> | null;
  readonly #failing = new Map<string, Failing>();
  /** Topic → when its append began. */
  readonly #underWay = new Map<string, number>();
  #waiting: E[] = [];
  #heldBytes = 0;
  #held = 0;
  /** Runs for a tick after each batch; what comes meanwhile waits for it. */
  #tick: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;
  #flying = false;
  #idle: (() => void)[] = [];

  constructor(options: AppenderOptions<E>) {
    this.#options = options;
    this.#tickMs = options.tickMs ?? 5;
    this.#fullBatch = options.fullBatch ?? 1000;
    this.#maxBatch = options.maxBatch ?? 5000;
    this.#retryMs = options.retryMs ?? 30_000;
    const { aside } = options;
    this.#aside =
      aside === undefined
        ? null
        : new Aside<E>({
            append: (entries) =>
              this.#append(
                aside.topic,
                entries.map(({ record }) => record),
              ),
            graceMs: ASIDE_GRACE_MS,
            clock: options.clock,
            maxBytes: aside.maxBytes ?? ASIDE_MAX_BYTES,
            onDropped: aside.onDropped,
          });
  }

  /** Messages and bytes taken and not yet settled. */
  get held(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#held, bytes: this.#heldBytes };
  }

  /** The topics whose appends fail now, or have not returned for long. */
  failing(): readonly Failing[] {
    const nowMs = this.#options.clock();
    const stalled = [...this.#underWay]
      .filter(([topic, sinceMs]) => !this.#failing.has(topic) && nowMs - sinceMs >= STALLED_MS)
      .map(([topic, sinceMs]) => ({ topic, sinceMs, why: 'an append does not return' }));
    return [...this.#failing.values(), ...stalled];
  }

  push(entry: E): void {
    this.#waiting.push(entry);
    this.#held += 1;
    this.#heldBytes += entry.bytes;
    if (this.#flying) return;
    if (this.#waiting.length >= this.#fullBatch) this.#start();
    // A rare message need not wait for company: only what this turn of the event loop still brings.
    else if (this.#tick === undefined) this.#soon ??= setImmediate(this.#start);
  }

  /** Resolves when everything taken so far and meanwhile is settled. */
  async drained(): Promise<void> {
    if (this.#held > 0) {
      if (!this.#flying) this.#start();
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
    await this.#aside?.drained();
  }

  /** No more trying again: appends that fail from now on are given back at once. */
  giveUp(): void {
    this.#halt.abort();
  }

  readonly #start = (): void => {
    clearTimeout(this.#tick);
    clearImmediate(this.#soon);
    this.#tick = undefined;
    this.#soon = undefined;
    this.#flying = true;
    // #flight never rejects: each append's failure is settled, and anything else is a broken invariant.
    void this.#flight();
  };

  async #flight(): Promise<void> {
    const batch = this.#take();
    this.#options.onLevel?.(this.#heldBytes);
    const outcomes = new Map<string, TelltaleError | null>();
    const { aside } = this.#options;
    const letters = aside === undefined ? [] : batch.filter(({ topic }) => topic === aside.topic);
    // Started beside the others; waited for in addition only as long as the grace.
    const asided = this.#aside?.take(letters);
    await Promise.all(
      Array.from(groupByTopic(batch), async ([topic, records]) => {
        if (topic !== aside?.topic) outcomes.set(topic, await this.#append(topic, records));
      }),
    );
    await asided;
    this.#held -= batch.length;
    for (const entry of batch) this.#heldBytes -= entry.bytes;
    this.#flying = false;
    this.#options.onSettled(batch, outcomes);
    this.#options.onLevel?.(this.#heldBytes);
    if (this.#flying) return;
    if (this.#held === 0) for (const resolve of this.#idle.splice(0)) resolve();
    if (this.#waiting.length >= this.#fullBatch || this.#idle.length > 0) this.#start();
    else {
      this.#tick = setTimeout(() => {
        this.#tick = undefined;
        if (this.#waiting.length > 0) this.#start();
      }, this.#tickMs);
    }
  }

  #take(): readonly E[] {
    const all = this.#waiting;
    if (all.length <= this.#maxBatch) {
      this.#waiting = [];
      return all;
    }
    this.#waiting = all.slice(this.#maxBatch);
    return all.slice(0, this.#maxBatch);
  }

  /** Appends until it worked (null) or trying again is over (the error). */
  async #append(topic: string, records: readonly NewRecord[]): Promise<TelltaleError | null> {
    const { log, clock, trouble, onFatal, aside } = this.#options;
    const startedMs = clock();
    for (let failures = 0; ; ) {
      try {
        this.#underWay.set(topic, clock());
        await log.append(topic, records);
        this.#underWay.delete(topic);
        this.#failing.delete(topic);
        if (failures > 0)
          trouble.report(
            `back ${topic}`,
            `ingest: ${topic}: the log accepts again after ${failures} failures`,
          );
        return null;
      } catch (error) {
        this.#underWay.delete(topic);
        failures += 1;
        const wrapped = asTelltaleError(error);
        const sinceMs = this.#failing.get(topic)?.sinceMs ?? clock();
        this.#failing.set(topic, { topic, sinceMs, why: `${wrapped.code}: ${wrapped.message}` });
        if (!isRetryable(error)) {
          // A letter too many for the log is no reason to end what acknowledges events.
          if (topic !== aside?.topic) onFatal(error);
          return wrapped;
        }
        const over = clock() - startedMs >= this.#retryMs || this.#halt.signal.aborted;
        trouble.report(
          `${wrapped.code} ${topic}`,
          `ingest: ${topic}: ${wrapped.code}: ${messageOf(error)}; ${over ? (topic === aside?.topic ? 'giving up' : 'giving messages back unacknowledged') : 'trying again'}`,
        );
        if (over) return wrapped;
        await pause(
          Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 10)),
          this.#halt.signal,
        );
      }
    }
  }
}

function asTelltaleError(error: unknown): TelltaleError {
  return error instanceof TelltaleError
    ? error
    : new TelltaleError('LOG_UNAVAILABLE', messageOf(error), { cause: error });
}

/** The records of a batch by topic, each in order. */
function groupByTopic(batch: readonly Entry[]): ReadonlyMap<string, readonly NewRecord[]> {
  const groups = new Map<string, NewRecord[]>();
  for (const { topic, record } of batch) {
    const group = groups.get(topic);
    if (group) group.push(record);
    else groups.set(topic, [record]);
  }
  return groups;
}
