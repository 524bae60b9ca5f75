// What the embedded log clears away in the background: records past their topic's retention, tombstones that everyone
// has had time to read, records of deleted topics. In steps of one short transaction each, so that nobody waits long.
import type { Clock } from '../service.ts';
import { offsetOfKey, partitionKey, recordKey, timestampOf } from './embedded-format.ts';
import type { EmbeddedStore } from './embedded-store.ts';
import type { Commit, WriteQueue } from './embedded-write.ts';

const STEP_RECORDS = 2000;
/** How long a tombstone stays readable: Kafka's delete.retention.ms. */
const TOMBSTONE_MS = 86_400_000;

export class EmbeddedSweep {
  readonly #store: EmbeddedStore;
  readonly #queue: WriteQueue;
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(
    store: EmbeddedStore,
    queue: WriteQueue,
    clock: Clock,
    everyMs: number,
    warn: (error: unknown) => void,
  ) {
    this.#store = store;
    this.#queue = queue;
    this.#clock = clock;
    this.#timer = setInterval(() => this.sweep().catch(warn), everyMs).unref();
  }

  /** One pass over everything; passes never overlap. */
  sweep(): Promise<void> {
    this.#running = this.#running.catch(() => undefined).then(() => this.#pass());
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running.catch(() => undefined);
  }

  async #pass(): Promise<void> {
    if (this.#stopped) return;
    this.#store.forgetDeadReaders();
    this.#store.fresh();
    for (const id of this.#store.pendingRemovals()) await this.#removeTopic(id);
    for (const [name, topic] of this.#store.topics('')) {
      const { retentionMs } = topic;
      for (let partition = 0; partition < topic.partitions; partition++) {
        if (retentionMs !== null)
          await this.#steps(name, topic.id, (commit) => this.#expire(commit, name, partition, retentionMs));
        if (topic.compacted)
          await this.#steps(name, topic.id, (commit) => this.#forget(commit, name, partition));
      }
    }
  }

  /** Repeats a step until it finds less than a step's worth. A topic that was deleted meanwhile has no more steps. */
  async #steps(name: string, topicId: number, step: (commit: Commit) => number): Promise<void> {
    let removed = STEP_RECORDS;
    while (removed === STEP_RECORDS && !this.#stopped) {
      await this.#queue.run(STEP_RECORDS, (commit) => {
        removed = this.#store.topic(name)?.id === topicId ? step(commit) : 0;
      });
    }
  }

  /** Removes records from the head while they are older than the retention time. */
  #expire(commit: Commit, name: string, partition: number, retentionMs: number): number {
    const topic = commit.topic(name);
    const { id } = topic.entry;
    const state = this.#store.state(id, partition);
    if (state === undefined) return 0;
    const limitMs = this.#clock() - retentionMs;
    const old: { offset: number; stored: Buffer }[] = [];
    const range = this.#store.records.getRange({
      start: recordKey(id, partition, state.earliest),
      end: recordKey(id, partition, state.next),
      limit: STEP_RECORDS,
    });
    for (const { key, value } of range) {
      if (timestampOf(value) >= limitMs) break;
      old.push({ offset: offsetOfKey(key), stored: value });
    }
    for (const { offset, stored } of old) commit.remove(topic, partition, offset, stored);
    const last = old.at(-1);
    if (last !== undefined) commit.startAt(topic, partition, last.offset + 1);
    return old.length;
  }

  /** Removes old tombstones of a compacted topic. */
  #forget(commit: Commit, name: string, partition: number): number {
    const topic = commit.topic(name);
    const { id } = topic.entry;
    const limitMs = this.#clock() - TOMBSTONE_MS;
    const old: { offset: number; stored: Buffer }[] = [];
    const keys = this.#store.tombstones.getKeys({
      start: recordKey(id, partition, 0),
      end: recordKey(id, partition + 1, 0),
      limit: STEP_RECORDS,
    });
    for (const key of keys) {
      const stored = this.#store.records.get(key);
      if (stored === undefined || timestampOf(stored) >= limitMs) break;
      old.push({ offset: offsetOfKey(key), stored });
    }
    for (const { offset, stored } of old) commit.remove(topic, partition, offset, stored);
    return old.length;
  }

  /** Removes what a deleted topic left. */
  async #removeTopic(id: number): Promise<void> {
    const { records, index, tombstones } = this.#store;
    const range = { start: partitionKey(id, 0), end: partitionKey(id + 1, 0), limit: STEP_RECORDS };
    for (const table of [records, index, tombstones]) {
      let removed = STEP_RECORDS;
      while (removed === STEP_RECORDS && !this.#stopped) {
        await this.#queue.run(STEP_RECORDS, () => {
          const keys = [...table.getKeys(range)];
          for (const key of keys) table.removeSync(key);
          removed = keys.length;
        });
      }
    }
    if (this.#stopped) return;
    await this.#queue.run(0, () => this.#store.removalDone(id));
  }
}
