// Writing to the embedded log: what happens inside a write transaction (append with its offsets, compaction by key,
// byte count) and the queue that gathers all calls of one turn of the event loop into one transaction (group commit).
import { TelltaleError } from '../errors.ts';
import type { Clock } from '../service.ts';
import type { Bell } from './embedded-bell.ts';
import { KnownEnds } from './embedded-ends.ts';
import {
  encodeRecord,
  encodeState,
  indexKey,
  keyBytesOf,
  MAX_HEADER_BYTES,
  type PartitionState,
  partitionKey,
  RECORD_KEY_BYTES,
  recordKey,
  writeRecordKey,
} from './embedded-format.ts';
import type { EmbeddedStore, TopicEntry } from './embedded-store.ts';
import { MAX_RECORD_BYTES, type NewRecord } from './log.ts';
import { partitionOfBytes } from './partitioner.ts';

const EMPTY = Buffer.alloc(0);
/** Records that one transaction takes before the next begins: bounds how long others wait for the write lock. */
const MAX_RECORDS_PER_COMMIT = 20_000;

interface OpenTopic {
  readonly name: string;
  readonly entry: TopicEntry;
  readonly states: (PartitionState | undefined)[];
}

/** One write transaction in the making. Jobs check everything before they write, so that each is done whole or not. */
export class Commit {
  readonly #store: EmbeddedStore;
  readonly #ends: KnownEnds;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #scratch: Buffer;
  readonly #key = Buffer.alloc(RECORD_KEY_BYTES);
  readonly #topics = new Map<string, OpenTopic>();
  #addedBytes = 0;
  readonly rung = new Set<number>();

  constructor(store: EmbeddedStore, ends: KnownEnds, clock: Clock, maxBytes: number, scratch: Buffer) {
    this.#store = store;
    this.#ends = ends;
    this.#clock = clock;
    this.#maxBytes = maxBytes;
    this.#scratch = scratch;
  }

  /** @throws TelltaleError LOG_TOPIC_UNKNOWN */
  topic(name: string): OpenTopic {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const opened = { name, entry: this.#store.knownTopic(name), states: [] };
    this.#topics.set(name, opened);
    return opened;
  }

  /** @throws TelltaleError LOG_FULL when the records do not fit under the store's limit */
  checkRoom(records: readonly NewRecord[]): void {
    if (this.#maxBytes === Number.POSITIVE_INFINITY) return;
    let bytes = this.#store.totalBytes() + this.#addedBytes;
    for (const { key, value } of records)
      bytes += RECORD_KEY_BYTES + MAX_HEADER_BYTES + Buffer.byteLength(key) + (value?.length ?? 0);
    if (bytes > this.#maxBytes)
      throw new TelltaleError(
        'LOG_FULL',
        `the log in ${this.#store.dir} would pass its limit of ${this.#maxBytes} bytes`,
      );
  }

  /** Appends after all checks have passed. */
  append(topic: OpenTopic, records: readonly NewRecord[]): void {
    const nowMs = this.#clock();
    for (const record of records) this.#appendOne(topic, record, nowMs);
    this.rung.add(topic.entry.id);
  }

  /** Writes what was counted on the way; the last thing in the transaction. */
  finish(): void {
    for (const { entry, states } of this.#topics.values()) {
      states.forEach((state, partition) => {
        if (state !== undefined)
          this.#store.partitions.putSync(partitionKey(entry.id, partition), encodeState(state));
      });
    }
    this.#store.addBytes(this.#addedBytes);
  }

  /** Once all of it is on disk. */
  done(): void {
    for (const { entry, states } of this.#topics.values()) {
      states.forEach((state, partition) => {
        if (state !== undefined) this.#ends.remember(entry.id, partition, state.next);
      });
    }
  }

  /** @throws TelltaleError LOG_REWOUND, which undoes the transaction */
  #state(topic: OpenTopic, partition: number): PartitionState {
    const known = topic.states[partition];
    if (known !== undefined) return known;
    const stored = this.#store.state(topic.entry.id, partition);
    const state = stored ?? { next: 0, earliest: 0, maxTimestampMs: 0, bytes: 0 };
    this.#ends.check(topic.name, topic.entry.id, partition, state.next);
    topic.states[partition] = state;
    return state;
  }

  #appendOne(topic: OpenTopic, record: NewRecord, nowMs: number): void {
    const { id, partitions, compacted } = topic.entry;
    const key = Buffer.from(record.key);
    const partition = partitionOfBytes(key, 0, key.length, partitions);
    const state = this.#state(topic, partition);
    const timestampMs = Math.max(0, Math.trunc(record.timestampMs ?? nowMs));
    const offset = state.next;
    const length = encodeRecord(this.#scratch, key, record.value, timestampMs, state.maxTimestampMs);
    this.#store.records.putSync(
      writeRecordKey(this.#key, id, partition, offset),
      this.#scratch.subarray(0, length),
    );
    state.next += 1;
    state.maxTimestampMs = Math.max(state.maxTimestampMs, timestampMs);
    this.#count(state, length + RECORD_KEY_BYTES);
    if (compacted) this.#compact(topic, partition, state, key, offset, record.value === null);
  }

  /** Removes the record that this one supersedes and remembers where the key now stands. */
  #compact(
    topic: OpenTopic,
    partition: number,
    state: PartitionState,
    key: Buffer,
    offset: number,
    tombstone: boolean,
  ): void {
    const { index, records, tombstones } = this.#store;
    const { id } = topic.entry;
    const at = indexKey(id, partition, key);
    const former = index.get(at);
    if (former !== undefined) {
      const formerKey = recordKey(id, partition, former.readUIntBE(0, 6));
      const stored = records.get(formerKey);
      if (stored !== undefined) {
        records.removeSync(formerKey);
        tombstones.removeSync(formerKey);
        this.#count(state, -(stored.length + RECORD_KEY_BYTES));
      }
    }
    const value = Buffer.allocUnsafe(6);
    value.writeUIntBE(offset, 0, 6);
    index.putSync(at, value);
    if (tombstone) tombstones.putSync(recordKey(id, partition, offset), EMPTY);
  }

  /** Removes a retained record (retention, tombstones); `stored` is its value. */
  remove(topic: OpenTopic, partition: number, offset: number, stored: Buffer): void {
    const key = recordKey(topic.entry.id, partition, offset);
    this.#store.records.removeSync(key);
    this.#count(this.#state(topic, partition), -(stored.length + RECORD_KEY_BYTES));
    if (!topic.entry.compacted) return;
    this.#store.tombstones.removeSync(key);
    const at = indexKey(topic.entry.id, partition, keyBytesOf(stored));
    if (this.#store.index.get(at)?.readUIntBE(0, 6) === offset) this.#store.index.removeSync(at);
  }

  /** Nothing below `offset` is retained any more. */
  startAt(topic: OpenTopic, partition: number, offset: number): void {
    const state = this.#state(topic, partition);
    state.earliest = Math.max(state.earliest, offset);
  }

  #count(state: PartitionState, bytes: number): void {
    state.bytes += bytes;
    this.#addedBytes += bytes;
  }
}

interface Job {
  readonly records: number;
  readonly work: (commit: Commit) => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  failure: TelltaleError | undefined;
}

export interface WriteQueueOptions {
  readonly store: EmbeddedStore;
  readonly bell: Bell;
  readonly clock: Clock;
  /** Greatest sum of all retained records, keys and headers included. */
  readonly maxBytes: number;
}

/**
 * Gathers jobs and commits them together. It needs no bound of its own: all that one turn of the event loop queued is
 * on disk before the next turn's input is read.
 */
export class WriteQueue {
  readonly #options: WriteQueueOptions;
  /** Where each record is put together; lmdb copies it. */
  readonly #scratch = Buffer.alloc(MAX_RECORD_BYTES + MAX_HEADER_BYTES);
  readonly #ends: KnownEnds;
  #jobs: Job[] = [];
  #scheduled = false;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
    this.#ends = new KnownEnds(options.store.dir);
  }

  /**
   * Runs `work` in a transaction with others. Its TelltaleErrors must come before its first write: they reject this
   * job alone; LOG_REWOUND rejects all. Resolves when all is on disk.
   */
  run(records: number, work: (commit: Commit) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#options.store.assertOpen();
      this.#jobs.push({ records, work, resolve, reject, failure: undefined });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.flush());
    });
  }

  /** Commits what is queued, now. */
  flush(): void {
    this.#scheduled = false;
    const jobs = this.#jobs;
    this.#jobs = [];
    let from = 0;
    while (from < jobs.length) {
      let to = from;
      let records = 0;
      while (to < jobs.length && (to === from || records + jobs[to]!.records <= MAX_RECORDS_PER_COMMIT)) {
        records += jobs[to]!.records;
        to += 1;
      }
      this.#commit(jobs.slice(from, to));
      from = to;
    }
  }

  #commit(jobs: readonly Job[]): void {
    const { store, bell, clock, maxBytes } = this.#options;
    const commit = new Commit(store, this.#ends, clock, maxBytes, this.#scratch);
    try {
      store.write(() => {
        for (const job of jobs) {
          try {
            job.work(commit);
          } catch (error) {
            if (!(error instanceof TelltaleError) || error.code === 'LOG_REWOUND') throw error;
            job.failure = error;
          }
        }
        commit.finish();
      });
    } catch (error) {
      for (const job of jobs) job.reject(error);
      return;
    }
    commit.done();
    if (commit.rung.size > 0) bell.ring(commit.rung);
    for (const job of jobs) {
      if (job.failure === undefined) job.resolve();
      else job.reject(job.failure);
    }
  }
}
