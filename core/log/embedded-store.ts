// The embedded log's tables in one lmdb environment, which several processes may have open: who opens or writes holds a lock
// (embedded-lock.ts), readers see the last commit. Everything above works through `write` (one durable transaction) and
// `fresh`.
//
//   records     (topic id, partition, offset) → header, key, value
//   partitions  (topic id, partition)         → next offset, earliest offset, greatest timestamp, bytes
//   index       (topic id, partition, key)    → offset, for compacted topics only
//   tombstones  (topic id, partition, offset) → nothing: which records are tombstones, to be removed in time
//   offsets     [group, topic id, partition]  → committed offset
//   members, leases, sessions: who works for which group, see embedded-members.ts
//   meta        topics by name, counters, topics whose records are still to be removed
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { messageOf, TelltaleError } from '../errors.ts';
import {
  corrupt,
  decodeState,
  FORMAT_VERSION,
  type PartitionState,
  partitionKey,
} from './embedded-format.ts';
import { StoreLock } from './embedded-lock.ts';

export interface TopicEntry {
  readonly id: number;
  readonly partitions: number;
  readonly retentionMs: number | null;
  readonly compacted: boolean;
}

/** [group, topic id, partition or member number] */
export type GroupKey = [group: string, topicId: number, number: number];

export interface Lease {
  readonly session: string;
  readonly member: number;
  /** Differs each time a partition is taken. */
  readonly epoch: number;
}

/** A process that works for groups; `beat` rises while it lives. */
export interface Session {
  readonly pid: number;
  /** Where the pid means something: host and pid namespace. */
  readonly place: string;
  /** Tells a process from a later one with the same pid; empty where the system does not say. */
  readonly started: string;
  readonly beat: number;
}

const RAW = { encoding: 'binary', keyEncoding: 'binary' } as const;
const JSON_VALUES = { encoding: 'json' } as const;
const PENDING_REMOVAL = 'removed/';
const TOPIC = 'topic/';
/** Above every character that a topic's name may have. */
const LAST = '\uffff';
/** lmdb's table of readers: one for each process and thread that reads at the same moment. */
const MAX_READERS = 512;

/** Write errors that mean no room; lmdb says EIO (5) for a write that was cut short by a full disk. */
const NO_ROOM = new Set<unknown>(['ENOSPC', 'EDQUOT', 'EFBIG', 28, 122, 27, -30792]);
const CUT_SHORT = 5;
const LITTLE_ROOM_BYTES = 32 * 2 ** 20;

export class EmbeddedStore {
  readonly dir: string;
  readonly #lock: StoreLock;
  readonly #env: RootDatabase;
  readonly records: Database<Buffer, Buffer>;
  readonly partitions: Database<Buffer, Buffer>;
  readonly index: Database<Buffer, Buffer>;
  readonly tombstones: Database<Buffer, Buffer>;
  readonly offsets: Database<number, GroupKey>;
  readonly members: Database<string, GroupKey>;
  readonly leases: Database<Lease, GroupKey>;
  readonly sessions: Database<Session, string>;
  readonly #meta: Database<unknown, string>;
  #closed = false;

  /** Opens or makes the store in `dir`. @throws TelltaleError LOG_UNAVAILABLE, LOG_CORRUPT */
  constructor(dir: string) {
    this.dir = dir;
    try {
      this.#lock = new StoreLock(dir);
      const tables = this.#lock.hold(() => openTables(join(dir, 'store')));
      this.#env = tables.env;
      this.records = tables.records;
      this.partitions = tables.partitions;
      this.index = tables.index;
      this.tombstones = tables.tombstones;
      this.offsets = tables.offsets;
      this.members = tables.members;
      this.leases = tables.leases;
      this.sessions = tables.sessions;
      this.#meta = tables.meta;
    } catch (cause) {
      throw new TelltaleError('LOG_UNAVAILABLE', `the log in ${dir} cannot be opened: ${messageOf(cause)}`, {
        cause,
      });
    }
    const format = this.write(() => this.#meta.get('format')) ?? this.setFormat(FORMAT_VERSION);
    if (format !== FORMAT_VERSION)
      throw corrupt(`${dir} has format ${String(format)}, this version knows ${FORMAT_VERSION}`);
  }

  /** Writes down how the tables are laid out. */
  setFormat(version: number): number {
    this.write(() => this.#meta.putSync('format', version));
    return version;
  }

  /** Runs `work` in one transaction, on disk when this returns; an exception undoes all of it. */
  write<T>(work: () => T): T {
    this.assertOpen();
    try {
      return this.#lock.hold(() => this.#env.transactionSync(work));
    } catch (error) {
      throw this.#outside(error);
    }
  }

  /** To be called before reading outside `write`: makes the newest commit visible, of whatever process. */
  fresh(): void {
    this.assertOpen();
    this.#env.resetReadTxn();
  }

  assertOpen(): void {
    if (this.#closed) throw new TelltaleError('LOG_CLOSED', `the log in ${this.dir} has been closed`);
  }

  topic(name: string): TopicEntry | undefined {
    return this.#meta.get(TOPIC + name) as TopicEntry | undefined;
  }

  /** @throws TelltaleError LOG_TOPIC_UNKNOWN */
  knownTopic(name: string): TopicEntry {
    const topic = this.topic(name);
    if (topic === undefined)
      throw new TelltaleError('LOG_TOPIC_UNKNOWN', `no topic "${name}" in ${this.dir}`);
    return topic;
  }

  /** Name and entry of each topic whose name begins with `prefix`, sorted by name. */
  topics(prefix: string): [name: string, TopicEntry][] {
    const range = this.#meta.getRange({ start: TOPIC + prefix, end: TOPIC + prefix + LAST });
    return [...range].map(({ key, value }) => [key.slice(TOPIC.length), value as TopicEntry]);
  }

  /** In a write. */
  putTopic(name: string, topic: TopicEntry): void {
    this.#meta.putSync(TOPIC + name, topic);
  }

  /** In a write: takes the topic's name away; its records go later, see embedded-sweep.ts. */
  forgetTopic(name: string, topic: TopicEntry): void {
    this.#meta.removeSync(TOPIC + name);
    this.#meta.putSync(PENDING_REMOVAL + topic.id, true);
    for (let p = 0; p < topic.partitions; p++) {
      this.addBytes(-(this.state(topic.id, p)?.bytes ?? 0));
      this.partitions.removeSync(partitionKey(topic.id, p));
    }
  }

  /** Ids of topics that are gone but have records left. */
  pendingRemovals(): number[] {
    const range = this.#meta.getKeys({ start: PENDING_REMOVAL, end: PENDING_REMOVAL + LAST });
    return [...range].map((key) => Number(key.slice(PENDING_REMOVAL.length)));
  }

  /** In a write. */
  removalDone(topicId: number): void {
    this.#meta.removeSync(PENDING_REMOVAL + topicId);
  }

  /** In a write: a number from 1 that was never given before. */
  nextNumber(): number {
    const next = ((this.#meta.get('number') as number | undefined) ?? 0) + 1;
    this.#meta.putSync('number', next);
    return next;
  }

  /** Bytes of all records that are retained. */
  totalBytes(): number {
    return (this.#meta.get('bytes') as number | undefined) ?? 0;
  }

  /** In a write. */
  addBytes(bytes: number): void {
    if (bytes !== 0) this.#meta.putSync('bytes', this.totalBytes() + bytes);
  }

  /** A process killed while it read would keep old pages from being used again: lets go of the readers of the dead. */
  forgetDeadReaders(): void {
    this.assertOpen();
    this.#env.readerCheck();
  }

  /** undefined: there is no such partition, or its topic is gone. */
  state(topicId: number, partition: number): PartitionState | undefined {
    const stored = this.partitions.get(partitionKey(topicId, partition));
    return stored === undefined ? undefined : decodeState(stored);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // The last one to close makes the file of locks unusable, until the next makes it anew: nobody may open meanwhile.
    const closed = this.#lock.hold(() => ({ env: this.#env.close() }));
    await closed.env;
    await this.#lock.close();
  }

  /** An error of lmdb as one of telltale's. */
  #outside(error: unknown): unknown {
    if (error instanceof TelltaleError) return error;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === undefined) return error;
    const full = NO_ROOM.has(code) || (code === CUT_SHORT && this.#freeBytes() < LITTLE_ROOM_BYTES);
    const what = full ? 'there is no room left for the log' : 'the log cannot be written';
    return new TelltaleError(
      full ? 'LOG_FULL' : 'LOG_UNAVAILABLE',
      `${what} in ${this.dir}: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }

  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.dir);
    return bavail * bsize;
  }
}

function openTables(path: string) {
  // A commit is on disk when it returns.
  const env = open({ path, maxDbs: 16, maxReaders: MAX_READERS, overlappingSync: false });
  return {
    env,
    records: env.openDB<Buffer, Buffer>('records', RAW),
    partitions: env.openDB<Buffer, Buffer>('partitions', RAW),
    index: env.openDB<Buffer, Buffer>('index', RAW),
    tombstones: env.openDB<Buffer, Buffer>('tombstones', RAW),
    offsets: env.openDB<number, GroupKey>('offsets', JSON_VALUES),
    members: env.openDB<string, GroupKey>('members', JSON_VALUES),
    leases: env.openDB<Lease, GroupKey>('leases', JSON_VALUES),
    sessions: env.openDB<Session, string>('sessions', JSON_VALUES),
    meta: env.openDB<unknown, string>('meta', JSON_VALUES),
  };
}
