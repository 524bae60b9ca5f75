// Reading the embedded log: one batch of one partition, positions by time, and the iteration that `read` gives out.
import { TelltaleError } from '../errors.ts';
import type { Bell } from './embedded-bell.ts';
import { decodeRecord, maxTimestampOf, offsetOfKey, recordKey, timestampOf } from './embedded-format.ts';
import type { EmbeddedStore, TopicEntry } from './embedded-store.ts';
import type {
  LogRecord,
  PartitionOffset,
  PartitionRange,
  Position,
  ReadOptions,
  RecordBatch,
} from './log.ts';

export const DEFAULT_MAX_BATCH = 2000;
/** A batch ends after the record that passes this, so that large records do not fill the memory. */
const MAX_BATCH_BYTES = 8 * 2 ** 20;
/** How long a reader sleeps at most when no notification comes. */
export const LOOK_AGAIN_MS = 1000;
/** A reader that never waits lets the rest of the process go on after this. */
const BREATHE_MS = 10;

export interface Fetched {
  readonly records: readonly LogRecord[];
  /** Where to read next, also when nothing was left between (compaction, retention). */
  readonly next: number;
  readonly end: number;
}

export class EmbeddedReader {
  readonly #store: EmbeddedStore;
  readonly #bell: Bell;

  constructor(store: EmbeddedStore, bell: Bell) {
    this.#store = store;
    this.#bell = bell;
  }

  /** Records of a partition from an offset, below `to`. @throws TelltaleError LOG_TOPIC_UNKNOWN when it was deleted */
  fetch(topicId: number, partition: number, from: number, to: number, maxRecords: number): Fetched {
    this.#store.fresh();
    const { next: end } = this.#state(topicId, partition);
    const stop = Math.min(end, to);
    if (from >= stop) return { records: [], next: from, end };
    const records: LogRecord[] = [];
    let bytes = 0;
    let cut = false;
    const range = this.#store.records.getRange({
      start: recordKey(topicId, partition, from),
      end: recordKey(topicId, partition, stop),
      limit: maxRecords,
    });
    for (const { key, value } of range) {
      records.push(decodeRecord(value, offsetOfKey(key)));
      bytes += value.length;
      if (bytes < MAX_BATCH_BYTES) continue;
      cut = true;
      break;
    }
    const last = records.at(-1);
    const more = cut || records.length === maxRecords;
    return { records, next: more && last !== undefined ? last.offset + 1 : stop, end };
  }

  ranges(topic: TopicEntry): PartitionRange[] {
    this.#store.fresh();
    return partitionsOf(topic).map((partition) => {
      const { earliest, next } = this.#state(topic.id, partition);
      return {
        partition,
        earliest: this.#first(topic.id, partition, earliest, next)?.offset ?? next,
        end: next,
      };
    });
  }

  /** First offset at or after a time, by halves over the greatest timestamp so far, which never falls. */
  offsetAt(topicId: number, partition: number, timestampMs: number): number {
    this.#store.fresh();
    const { earliest, next } = this.#state(topicId, partition);
    let low = earliest;
    let high = next;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const found = this.#first(topicId, partition, middle, high);
      if (found === undefined || maxTimestampOf(found.stored) >= timestampMs) high = middle;
      else low = found.offset + 1;
    }
    const range = this.#store.records.getRange({
      start: recordKey(topicId, partition, low),
      end: recordKey(topicId, partition, next),
    });
    for (const { key, value } of range) if (timestampOf(value) >= timestampMs) return offsetOfKey(key);
    return next;
  }

  /** Offsets of a position, one for each partition of the topic; `absent` says where unnamed partitions stand. */
  resolve(topic: TopicEntry, position: Position, absent: 'earliest' | 'end'): number[] {
    this.#store.fresh();
    const at = (where: 'earliest' | 'end', partition: number) => {
      const state = this.#state(topic.id, partition);
      return where === 'end' ? state.next : state.earliest;
    };
    return partitionsOf(topic).map((partition) => {
      if (typeof position === 'string') return at(position, partition);
      if ('timestampMs' in position) return this.offsetAt(topic.id, partition, position.timestampMs);
      return offsetIn(position.offsets, partition) ?? at(absent, partition);
    });
  }

  /** See Log.read; batches bear `name`. Positions are resolved now, not when the iteration begins. */
  read(fullName: string, name: string, options: ReadOptions): AsyncIterable<RecordBatch> {
    try {
      this.#store.fresh();
      const topic = this.#store.knownTopic(fullName);
      const from = this.resolve(topic, options.from ?? 'earliest', 'earliest');
      const to = options.to === undefined ? undefined : this.resolve(topic, options.to, 'end');
      const cursors = (options.partitions ?? partitionsOf(topic)).map((partition) => {
        const start = from[partition];
        if (start === undefined)
          throw new RangeError(`topic ${name} has ${topic.partitions} partitions, no ${partition}`);
        return { partition, next: start, to: to?.[partition] ?? Number.MAX_SAFE_INTEGER };
      });
      return this.#iterate(name, topic, cursors, options);
    } catch (error) {
      return rejectedIteration(error);
    }
  }

  async *#iterate(
    name: string,
    topic: TopicEntry,
    cursors: { readonly partition: number; next: number; readonly to: number }[],
    { maxBatch = DEFAULT_MAX_BATCH, signal: asked }: ReadOptions,
  ): AsyncGenerator<RecordBatch, void, undefined> {
    // A signal of its own: many readers may share the caller's, and Node takes many listeners for a leak.
    const signal = asked === undefined ? undefined : AbortSignal.any([asked]);
    let breathedMs = performance.now();
    while (!signal?.aborted) {
      const ticket = this.#bell.ticket(topic.id);
      let idle = true;
      for (const cursor of cursors) {
        if (cursor.next >= cursor.to || signal?.aborted) continue;
        const { records, next, end } = this.fetch(
          topic.id,
          cursor.partition,
          cursor.next,
          Math.min(cursor.to, MAX_OFFSET),
          maxBatch,
        );
        cursor.next = next;
        if (records.length === 0) continue;
        idle = false;
        yield { topic: name, partition: cursor.partition, records, highWatermark: end };
      }
      if (cursors.every((cursor) => cursor.next >= cursor.to)) return;
      if (idle) await this.#bell.wait(ticket, LOOK_AGAIN_MS, signal);
      else if (performance.now() - breathedMs > BREATHE_MS) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        breathedMs = performance.now();
      }
    }
  }

  #state(topicId: number, partition: number) {
    const state = this.#store.state(topicId, partition);
    if (state === undefined)
      throw new TelltaleError('LOG_TOPIC_UNKNOWN', 'the topic was deleted while it was read');
    return state;
  }

  #first(topicId: number, partition: number, from: number, to: number) {
    const range = this.#store.records.getRange({
      start: recordKey(topicId, partition, from),
      end: recordKey(topicId, partition, to),
      limit: 1,
    });
    for (const { key, value } of range) return { offset: offsetOfKey(key), stored: value };
    return undefined;
  }
}

const MAX_OFFSET = 2 ** 48 - 1;

export function partitionsOf(topic: Pick<TopicEntry, 'partitions'>): number[] {
  return Array.from({ length: topic.partitions }, (_, partition) => partition);
}

export function offsetIn(offsets: readonly PartitionOffset[], partition: number): number | undefined {
  return offsets.find((entry) => entry.partition === partition)?.offset;
}

/** An iteration that fails at its first step: `read` itself never throws. */
function rejectedIteration(error: unknown): AsyncIterable<RecordBatch> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
}
