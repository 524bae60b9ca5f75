// `transform` on Kafka. kafkajs's consumer only keeps the membership (all its topics are paused, so that it heartbeats
// and fetches nothing); fetching and committing are ours. A partition is taken in this order: a transactional producer
// named after group, topic and partition is initialised, which ends whatever a former owner had open and fences it for
// good; then the committed offset is read; then the state is restored. From there on outputs and offset commit in one
// transaction, and any doubt (a failed commit, a fence) throws the partition away and takes it anew by the same steps.
import { setMaxListeners } from 'node:events';
import type { Consumer, Kafka } from 'kafkajs';
import { isRetryable } from '../errors.ts';
import { pause } from '../service.ts';
import { outside, RETRY } from './kafka-client.ts';
import { type Commit, KafkaPartition, type PartitionParts } from './kafka-partition.ts';
import type { TransformHandler, TransformOptions } from './log.ts';

/** Losses of a partition or of the membership in a row, without any commit between, before the transform gives up. */
const MAX_LOSSES = 12;
const HEARTBEAT_MS = 1000;
const REBALANCE_MS = 30_000;

export interface TransformParts {
  readonly kafka: Kafka;
  /** Full names. */
  readonly topic: string;
  readonly group: string;
  /** The topic's name as the caller uses it. */
  readonly name: string;
  readonly sessionMs: number;
  readonly committed: (partition: number) => Promise<number | undefined>;
  readonly warn: (line: string) => void;
  readonly outputs: Commit['outputs'];
}

export class KafkaTransform {
  readonly #parts: TransformParts;
  readonly #options: TransformOptions;
  readonly #handler: TransformHandler;
  readonly #owned = new Map<number, KafkaPartition>();
  readonly #end = new AbortController();
  #consumer: Consumer | undefined;
  #memberId = '';
  /** Assignments are worked off one after another. */
  #assigning: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #losses = 0;
  #finished: () => void = () => undefined;

  constructor(parts: TransformParts, options: TransformOptions, handler: TransformHandler) {
    this.#parts = parts;
    this.#options = options;
    this.#handler = handler;
    // Every partition may wait on it at once: their number is no leak.
    setMaxListeners(0, this.#end.signal);
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    if (signal.aborted) return;
    const stop = () => this.#stop();
    signal.addEventListener('abort', stop, { once: true });
    const finished = new Promise<void>((resolve) => {
      this.#finished = resolve;
    });
    await this.#join().catch((error: unknown) => this.#lost(error));
    await finished;
    signal.removeEventListener('abort', stop);
    await this.#assigning;
    await Promise.all([...this.#owned.keys()].map((partition) => this.#revoke(partition)));
    await this.#consumer?.disconnect().catch(() => undefined);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #stop(): void {
    this.#end.abort();
    this.#finished();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stop();
  }

  /** Joins the group with a new consumer. */
  async #join(): Promise<void> {
    const { kafka, group, topic, sessionMs } = this.#parts;
    const consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: sessionMs,
      heartbeatInterval: Math.min(HEARTBEAT_MS, Math.floor(sessionMs / 3)),
      rebalanceTimeout: REBALANCE_MS,
      // While all is paused this is how often kafkajs looks whether a heartbeat is due.
      maxWaitTimeInMs: 100,
      allowAutoTopicCreation: false,
      retry: { ...RETRY, restartOnFailure: async () => false },
    });
    this.#consumer = consumer;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      // A membership that was given up may still be answered: its partitions are the new one's to be told of.
      if (consumer !== this.#consumer) return;
      consumer.pause([{ topic }]);
      this.#assign(payload.memberId, payload.memberAssignment[topic] ?? []);
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (consumer === this.#consumer) void this.#lost(outside(payload.error, `${group}: membership`));
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const joined = consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: () => Promise.resolve(),
    });
    consumer.pause([{ topic }]);
    await joined;
  }

  /** Membership is gone (session expired while the process stood still, broker away): give all up and join anew. */
  async #lost(cause: unknown): Promise<void> {
    if (this.#end.signal.aborted) return;
    const error = outside(cause, `${this.#parts.group}: membership`);
    this.#losses += 1;
    if (!isRetryable(error) || this.#losses >= MAX_LOSSES) return this.#fail(error);
    const former = this.#consumer;
    this.#consumer = undefined;
    this.#assign('', []);
    await former?.disconnect().catch(() => undefined);
    await pause(Math.min(5000, 100 * 2 ** this.#losses), this.#end.signal);
    if (!this.#end.signal.aborted) await this.#join().catch((again: unknown) => this.#lost(again));
  }

  #assign(memberId: string, partitions: readonly number[]): void {
    const work = async () => {
      // Under a new member id this process was out of the group for a while: nothing it holds is certain.
      const same = memberId === this.#memberId;
      this.#memberId = memberId;
      const leaving = [...this.#owned.keys()].filter((p) => !same || !partitions.includes(p));
      await Promise.all(leaving.map((partition) => this.#revoke(partition)));
      if (this.#end.signal.aborted) return;
      for (const partition of partitions) if (!this.#owned.has(partition)) this.#take(partition);
    };
    this.#assigning = this.#assigning.then(work).catch((error: unknown) => this.#fail(error));
  }

  #take(partition: number): void {
    const { kafka, topic, group, name, committed, outputs, warn } = this.#parts;
    const parts: PartitionParts = { kafka, topic, group, name, partition, committed, outputs, warn };
    const owned = new KafkaPartition(parts, this.#options, this.#handler, () => {
      this.#losses = 0;
    });
    this.#owned.set(partition, owned);
    owned.done.catch((error: unknown) => this.#partitionLost(partition, owned, error));
  }

  /** Takes a partition anew after a retryable failure, as long as it is still assigned. */
  #partitionLost(partition: number, owned: KafkaPartition, error: unknown): void {
    if (this.#owned.get(partition) !== owned) return;
    this.#losses += 1;
    if (owned.handlerFailed || !isRetryable(error) || this.#losses >= MAX_LOSSES) {
      this.#fail(error);
      return;
    }
    const again = async () => {
      if (this.#owned.get(partition) !== owned) return;
      await this.#revoke(partition);
      await pause(Math.min(2000, 50 * 2 ** this.#losses), this.#end.signal);
      if (!this.#end.signal.aborted && this.#memberId !== '') this.#take(partition);
    };
    this.#assigning = this.#assigning.then(again).catch((failure: unknown) => this.#fail(failure));
  }

  async #revoke(partition: number): Promise<void> {
    const owned = this.#owned.get(partition);
    if (owned === undefined) return;
    this.#owned.delete(partition);
    await owned.stop();
    if (owned.assigned) this.#options.onRevoked?.(partition);
  }
}
