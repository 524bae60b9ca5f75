// One partition of a transform on Kafka, from taking it over to giving it back; see kafka-transform.ts.
import type { Kafka, Producer, RetryOptions } from 'kafkajs';
import { isRetryable, messageOf } from '../errors.ts';
import { pause } from '../service.ts';
import { calling } from './kafka-client.ts';
import { KafkaFetcher } from './kafka-fetch.ts';
import { type GroupOffsets, sendOffsets, settled } from './kafka-group-offsets.ts';
import { byTopic, checkAnswered, headCount, type Outgoing } from './kafka-messages.ts';
import { isOutOfRange } from './kafka-read.ts';
import type { LogRecord, OutputRecord, RecordBatch, TransformHandler, TransformOptions } from './log.ts';

const DEFAULT_MAX_BATCH = 2000;
/** After this the broker itself ends a transaction that a killed process left open; until then its readers wait. */
const TRANSACTION_MS = 15_000;
/**
 * A next transaction meets the last one's markers still being written and must ask again at once: kafkajs's default
 * first pause of 300 ms would cost a third of the throughput.
 */
const TRANSACTION_RETRY: RetryOptions = {
  initialRetryTime: 10,
  factor: 0,
  multiplier: 1.2,
  maxRetryTime: 500,
  retries: 40,
};
const MAX_FETCH_FAILURES = 8;

export interface Commit {
  /** Checks outputs, chooses their partitions and names their topics in full. */
  readonly outputs: (records: readonly OutputRecord[]) => Promise<readonly Outgoing[]>;
}

export interface PartitionParts extends Commit {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly group: string;
  readonly name: string;
  readonly partition: number;
  readonly committed: (partition: number) => Promise<number | undefined>;
  readonly warn: (line: string) => void;
}

export class KafkaPartition {
  readonly #parts: PartitionParts;
  readonly #options: TransformOptions;
  readonly #handler: TransformHandler;
  readonly #progress: () => void;
  readonly #stop = new AbortController();
  readonly #fetcher: KafkaFetcher;
  #producer: Producer | undefined;
  #lastCommitted: number | undefined;
  /** Rejects when the partition is lost or the handler fails; resolves after `stop`. */
  readonly done: Promise<void>;
  /** Whether onAssigned has been called. */
  assigned = false;
  /** Whether `done` rejected with what the handler threw: that ends the transform, whatever it is. */
  handlerFailed = false;

  constructor(
    parts: PartitionParts,
    options: TransformOptions,
    handler: TransformHandler,
    progress: () => void,
  ) {
    this.#parts = parts;
    this.#options = options;
    this.#handler = handler;
    this.#progress = progress;
    this.#fetcher = new KafkaFetcher(parts.kafka, parts.topic);
    this.done = this.#run();
  }

  /** Finishes the batch under way. Never rejects. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.done.catch(() => undefined);
  }

  async #run(): Promise<void> {
    try {
      const start = await this.#begin();
      this.assigned = true;
      // The transform's own end reaches this partition's `stop` a few turns later: no batch may come in between.
      const signal = AbortSignal.any([this.#stop.signal, this.#options.signal]);
      await this.#options.onAssigned?.(this.#parts.partition, { next: start, signal });
      if (!signal.aborted) await this.#work(start);
      await this.#settle();
    } catch (error) {
      // The handler's own failure leaves the commits before it good.
      if (this.handlerFailed) await this.#settle();
      throw error;
    } finally {
      await Promise.all([
        this.#producer?.disconnect().catch(() => undefined),
        this.#fetcher.close().catch(() => undefined),
      ]);
    }
  }

  /** Fences the former owner and says where to go on. */
  async #begin(): Promise<number> {
    const { kafka, group, topic, partition, committed } = this.#parts;
    const producer = kafka.producer({
      transactionalId: `${group}.${topic}.${partition}`,
      maxInFlightRequests: 1,
      transactionTimeout: TRANSACTION_MS,
      allowAutoTopicCreation: false,
      retry: TRANSACTION_RETRY,
    });
    this.#producer = producer;
    await calling(`${group}: taking partition ${partition} of ${topic}`, async () => {
      await producer.connect();
      // kafkajs asks for the transactional producer id, which is what fences, with the first transaction only.
      const first = await producer.transaction();
      await first.abort();
    });
    const offset = await committed(partition);
    const earliest = (await this.#fetcher.earliest([partition])).get(partition) ?? 0;
    if (offset !== undefined) return Math.max(offset, earliest);
    if (this.#options.from !== 'end') return earliest;
    // A group that starts at the end starts at this end, whatever comes before its first commit.
    const end = (await this.#fetcher.ends([partition])).get(partition) ?? 0;
    await this.#commit([], end);
    return end;
  }

  async #work(start: number): Promise<void> {
    const { partition, name } = this.#parts;
    const { maxBatch = DEFAULT_MAX_BATCH } = this.#options;
    let next = start;
    while (!this.#stop.signal.aborted) {
      const fetched = await this.#fetch(next);
      if (fetched === undefined) continue;
      const { records, end } = fetched;
      for (let at = 0; at < records.length && !this.#stop.signal.aborted; at += maxBatch) {
        const slice = records.slice(at, at + maxBatch);
        const outputs = await this.#handle({ topic: name, partition, records: slice, highWatermark: end });
        const after = at + maxBatch < records.length ? offsetAfter(slice) : fetched.next;
        await this.#commit(outputs, after);
        this.#progress();
      }
      next = fetched.next;
    }
  }

  async #handle(batch: RecordBatch): Promise<readonly OutputRecord[]> {
    try {
      return await this.#handler(batch);
    } catch (error) {
      this.handlerFailed = true;
      throw error;
    }
  }

  /** Who gives the partition back waits until what was committed is there for whoever looks next. */
  async #settle(): Promise<void> {
    const offset = this.#lastCommitted;
    if (offset === undefined) return;
    try {
      await settled(this.#connected(), this.#at(offset));
    } catch (error) {
      // Nothing is lost: the commit stands, and whoever takes the partition next waits for it by itself.
      this.#parts.warn(`${this.#parts.group}: giving back: ${messageOf(error)}`);
    }
  }

  async #fetch(offset: number) {
    const { partition } = this.#parts;
    for (let failures = 1; !this.#stop.signal.aborted; failures++) {
      try {
        const [fetched] = await this.#fetcher.fetch([{ partition, offset }]);
        return fetched;
      } catch (error) {
        if (isOutOfRange(error)) {
          const earliest = (await this.#fetcher.earliest([partition])).get(partition) ?? offset;
          if (earliest > offset) return { records: [], next: earliest, end: earliest, partition };
        }
        if (!isRetryable(error) || failures >= MAX_FETCH_FAILURES) throw error;
        await pause(Math.min(2000, 50 * 2 ** failures), this.#stop.signal);
      }
    }
    return undefined;
  }

  /** Outputs and offset in one transaction; any failure means that this producer must not be used again. */
  async #commit(outputs: readonly OutputRecord[], offset: number): Promise<void> {
    const { group, topic, partition } = this.#parts;
    const messages = await this.#parts.outputs(outputs);
    await calling(`${group}: commit of partition ${partition} of ${topic}`, async () => {
      const transaction = await this.#connected().transaction();
      try {
        for (let at = 0; at < messages.length; ) {
          const count = headCount(messages, at);
          const request = messages.slice(at, at + count);
          checkAnswered(request, await transaction.sendBatch({ topicMessages: byTopic(request), acks: -1 }));
          at += count;
        }
        await sendOffsets(transaction, this.#at(offset));
        await transaction.commit();
        this.#lastCommitted = offset;
      } catch (error) {
        if (transaction.isActive()) await transaction.abort().catch(() => undefined);
        throw error;
      }
    });
  }

  #at(offset: number): GroupOffsets {
    const { group, topic, partition } = this.#parts;
    return { group, topic, offsets: [{ partition, offset }] };
  }

  #connected(): Producer {
    if (this.#producer === undefined) throw new Error('the partition has no producer');
    return this.#producer;
  }
}

const offsetAfter = (records: readonly LogRecord[]): number => (records.at(-1)?.offset ?? -1) + 1;
