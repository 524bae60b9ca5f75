// The embedded log: the port on lmdb, for one machine. Several processes may open the same folder.
// What stands where: embedded-store.ts (tables), -format (bytes), -write (appending), -read, -members (groups),
// -transform, -sweep (retention), -bell (waking readers).
import { join } from 'node:path';
import { messageOf, TelltaleError } from '../errors.ts';
import type { Clock } from '../service.ts';
import { Bell, GROUPS } from './embedded-bell.ts';
import { encodeState, partitionKey } from './embedded-format.ts';
import { DEFAULT_SESSION_MS, EmbeddedMembers } from './embedded-members.ts';
import { EmbeddedReader, offsetIn, partitionsOf } from './embedded-read.ts';
import { EmbeddedStore, type GroupKey, type TopicEntry } from './embedded-store.ts';
import { EmbeddedSweep } from './embedded-sweep.ts';
import { EmbeddedTransform } from './embedded-transform.ts';
import { WriteQueue } from './embedded-write.ts';
import { checkGroupName, checkSizes, checkTopicSpec } from './limits.ts';
import type {
  Log,
  NewRecord,
  PartitionOffset,
  PartitionRange,
  ReadOptions,
  RecordBatch,
  TopicSpec,
  TransformHandler,
  TransformOptions,
} from './log.ts';

export interface EmbeddedLogOptions {
  /** The log is in its subfolder `log`. */
  readonly dir: string;
  /** Put before every topic and group name. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly warn: (line: string) => void;
  /** Greatest sum of all retained records in bytes; beyond it appends are refused with LOG_FULL. Default: none. */
  readonly maxBytes?: number;
  /** How often retention is applied. Default one minute. */
  readonly sweepEveryMs?: number;
  /** A process that lives but shows no sign of it for so long loses its partitions. Default 10 s. */
  readonly sessionMs?: number;
}

/** Opens or makes the log in a folder. @throws TelltaleError LOG_UNAVAILABLE, LOG_CORRUPT */
export function openEmbeddedLog(options: EmbeddedLogOptions): Log {
  return new EmbeddedLog(options);
}

class EmbeddedLog implements Log {
  readonly kind = 'embedded';
  readonly #prefix: string;
  readonly #store: EmbeddedStore;
  readonly #bell: Bell;
  readonly #queue: WriteQueue;
  readonly #reader: EmbeddedReader;
  readonly #members: EmbeddedMembers;
  readonly #sweep: EmbeddedSweep;
  /** Transforms and other work that closing waits for. */
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();

  constructor({ dir, prefix, clock, warn, maxBytes, sweepEveryMs, sessionMs }: EmbeddedLogOptions) {
    this.#prefix = prefix;
    const folder = join(dir, 'log');
    const store = new EmbeddedStore(folder);
    this.#store = store;
    this.#bell = new Bell(join(folder, 'bells'), `${process.pid}-${++opened}`, warn);
    const bell = this.#bell;
    this.#queue = new WriteQueue({ store, bell, clock, maxBytes: maxBytes ?? Number.POSITIVE_INFINITY });
    this.#reader = new EmbeddedReader(store, bell);
    this.#members = new EmbeddedMembers(store, this.#queue, sessionMs ?? DEFAULT_SESSION_MS);
    this.#sweep = new EmbeddedSweep(store, this.#queue, clock, sweepEveryMs ?? 60_000, (error) =>
      warn(`log: retention could not be applied: ${messageOf(error)}`),
    );
  }

  createTopic(spec: TopicSpec): Promise<void> {
    checkTopicSpec(spec, this.#prefix);
    return this.#queue.run(0, (commit) => {
      const name = this.#prefix + spec.name;
      if (this.#store.topic(name) !== undefined) return;
      const { partitions, retentionMs, compacted } = spec;
      const id = this.#store.nextNumber();
      this.#store.putTopic(name, { id, partitions, retentionMs, compacted });
      const state = encodeState({ next: 0, earliest: 0, maxTimestampMs: 0, bytes: 0 });
      for (let p = 0; p < partitions; p++) this.#store.partitions.putSync(partitionKey(id, p), state);
      commit.rung.add(GROUPS);
    });
  }

  async deleteTopic(name: string): Promise<void> {
    await this.#queue.run(0, (commit) => {
      const topic = this.#store.knownTopic(this.#prefix + name);
      this.#store.forgetTopic(this.#prefix + name, topic);
      for (const key of [...this.#store.offsets.getKeys({})])
        if (key[1] === topic.id) this.#store.offsets.removeSync(key);
      commit.rung.add(GROUPS).add(topic.id);
    });
    await this.#track(this.#sweep.sweep());
  }

  async topics(): Promise<readonly string[]> {
    this.#store.fresh();
    return this.#store.topics(this.#prefix).map(([name]) => name.slice(this.#prefix.length));
  }

  async append(name: string, records: readonly NewRecord[]): Promise<void> {
    this.#assertOpen();
    checkSizes(name, records);
    await this.#queue.run(records.length, (commit) => {
      const topic = commit.topic(this.#prefix + name);
      commit.checkRoom(records);
      commit.append(topic, records);
    });
  }

  read(name: string, options: ReadOptions = {}): AsyncIterable<RecordBatch> {
    return this.#reader.read(this.#prefix + name, name, options);
  }

  async transform(name: string, options: TransformOptions, handler: TransformHandler): Promise<void> {
    this.#assertOpen();
    checkGroupName(options.group, this.#prefix);
    const signal = AbortSignal.any([options.signal, this.#closing.signal]);
    const run = new EmbeddedTransform(
      {
        store: this.#store,
        reader: this.#reader,
        queue: this.#queue,
        members: this.#members,
        bell: this.#bell,
        fullName: (topic) => this.#prefix + topic,
      },
      name,
      this.#topic(name),
      { ...options, group: this.#prefix + options.group, signal },
      handler,
    );
    await this.#track(run.run());
    if (this.#closing.signal.aborted && !options.signal.aborted) this.#assertOpen();
  }

  async ranges(name: string): Promise<readonly PartitionRange[]> {
    return this.#reader.ranges(this.#topic(name));
  }

  async offsetsAt(name: string, timestampMs: number): Promise<readonly PartitionOffset[]> {
    const topic = this.#topic(name);
    return partitionsOf(topic).map((partition) => ({
      partition,
      offset: this.#reader.offsetAt(topic.id, partition, timestampMs),
    }));
  }

  async committed(group: string, name: string): Promise<readonly PartitionOffset[]> {
    const topic = this.#topic(name);
    return partitionsOf(topic).flatMap((partition) => {
      const offset = this.#store.offsets.get(this.#groupKey(group, topic, partition));
      return offset === undefined ? [] : [{ partition, offset }];
    });
  }

  async seek(group: string, name: string, offsets: readonly PartitionOffset[] | null): Promise<void> {
    checkGroupName(group, this.#prefix);
    await this.#queue.run(0, () => {
      const topic = this.#store.knownTopic(this.#prefix + name);
      if (this.#members.active(this.#prefix + group, topic.id))
        throw new TelltaleError('LOG_GROUP_ACTIVE', `group ${group} is at work on ${name}; stop it first`);
      for (const partition of partitionsOf(topic)) {
        const key = this.#groupKey(group, topic, partition);
        const offset = offsets === null ? undefined : offsetIn(offsets, partition);
        if (offset !== undefined) this.#store.offsets.putSync(key, offset);
        else if (offsets === null) this.#store.offsets.removeSync(key);
      }
    });
  }

  async lag(group: string, name: string): Promise<number> {
    const topic = this.#topic(name);
    let lag = 0;
    for (const partition of partitionsOf(topic)) {
      const state = this.#store.state(topic.id, partition);
      const offset = this.#store.offsets.get(this.#groupKey(group, topic, partition)) ?? 0;
      if (state !== undefined) lag += state.next - Math.min(state.next, Math.max(offset, state.earliest));
    }
    return lag;
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) {
      await Promise.allSettled(this.#underWay);
      return;
    }
    this.#closing.abort();
    await Promise.allSettled(this.#underWay);
    await this.#sweep.stop();
    this.#queue.flush();
    this.#members.stop();
    await this.#store.close();
    // Last: waiting readers wake up and find the log closed.
    this.#bell.close();
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw new TelltaleError('LOG_CLOSED', 'the log has been closed');
  }

  #topic(name: string): TopicEntry {
    this.#store.fresh();
    return this.#store.knownTopic(this.#prefix + name);
  }

  #groupKey(group: string, topic: TopicEntry, partition: number): GroupKey {
    return [this.#prefix + group, topic.id, partition];
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const forget = () => this.#underWay.delete(work);
    work.then(forget, forget);
    return work;
  }
}

/** Tells the logs that one process opens from each other. */
let opened = 0;
