// Asking a Kafka cluster about topics, offsets and groups: everything of the port that neither writes nor reads records.
import type { Admin, Kafka } from 'kafkajs';
import { isRetryable, TelltaleError } from '../errors.ts';
import { asking, partitionsOf } from './kafka-client.ts';
import { KafkaFetcher } from './kafka-fetch.ts';
import { sendOffsets, settled } from './kafka-group-offsets.ts';
import { offsetIn } from './kafka-read.ts';
import type { PartitionOffset, PartitionRange } from './log.ts';

/** A lag this small may be transaction markers only, which are offsets but no records: then it is counted, not reckoned. */
const COUNTED_LAG = 64;
/** Kafka keeps no offset below zero: this one means none. */
const NO_OFFSET = -1;

/** Names are full names here. */
export class KafkaOffsets {
  readonly #kafka: Kafka;
  readonly #admin: Admin;
  readonly #partitions = new Map<string, number>();
  /** For asking for offsets; reading has connections of its own, because a waiting fetch holds one. */
  readonly #askers = new Map<string, KafkaFetcher>();

  constructor(kafka: Kafka, admin: Admin) {
    this.#kafka = kafka;
    this.#admin = admin;
  }

  /** Partition count as last seen, asked for when it was never. @throws TelltaleError LOG_TOPIC_UNKNOWN */
  async partitions(topic: string): Promise<number> {
    return this.#partitions.get(topic) ?? (await this.askPartitions(topic));
  }

  /** Partition count as it is now. @throws TelltaleError LOG_TOPIC_UNKNOWN */
  async askPartitions(topic: string): Promise<number> {
    const count = (await asking(`${topic}: metadata`, () => partitionsOf(this.#admin, topic))).length;
    if (count === 0) {
      await this.forget(topic);
      throw new TelltaleError('LOG_TOPIC_UNKNOWN', `no topic "${topic}" in this cluster`);
    }
    this.#partitions.set(topic, count);
    return count;
  }

  /**
   * For offsets only: whoever follows a topic has a fetcher of its own. To be got anew for each question: one that was
   * forgotten meanwhile would connect again and be closed by nobody.
   */
  asker(topic: string): KafkaFetcher {
    const asker = this.#askers.get(topic) ?? new KafkaFetcher(this.#kafka, topic);
    this.#askers.set(topic, asker);
    return asker;
  }

  /** Whatever is remembered of a topic may no longer hold. */
  async forget(topic: string): Promise<void> {
    this.#partitions.delete(topic);
    const asker = this.#askers.get(topic);
    this.#askers.delete(topic);
    await asker?.close().catch(() => undefined);
  }

  async ranges(topic: string): Promise<PartitionRange[]> {
    const partitions = await this.#all(topic);
    const earliest = await asking(`${topic}: offsets`, () => this.asker(topic).earliest(partitions));
    const ends = await asking(`${topic}: offsets`, () => this.asker(topic).ends(partitions));
    return partitions.map((partition) => ({
      partition,
      earliest: earliest.get(partition) ?? 0,
      end: ends.get(partition) ?? 0,
    }));
  }

  /** Whether the leaders answer for their partitions; one that was chosen a moment ago may not know it yet. */
  async areServed(topic: string): Promise<boolean> {
    try {
      await this.ranges(topic);
      return true;
    } catch (error) {
      const unknown = error instanceof TelltaleError && error.code === 'LOG_TOPIC_UNKNOWN';
      if (unknown || isRetryable(error)) return false;
      throw error;
    }
  }

  async at(topic: string, timestampMs: number): Promise<PartitionOffset[]> {
    const partitions = await this.#all(topic);
    const found = await asking(`${topic}: offsets`, () => this.asker(topic).at(partitions, timestampMs));
    return partitions.map((partition) => ({ partition, offset: found.get(partition) ?? 0 }));
  }

  async committed(group: string, topic: string): Promise<PartitionOffset[]> {
    await this.askPartitions(topic);
    // Of all topics: when topics are named, kafkajs asks for their metadata from then on, and once one of them has been
    // deleted by another process, it can make no topic any more.
    const answer = await asking(`${group}: committed offsets`, () =>
      this.#admin.fetchOffsets({ groupId: group }),
    );
    return answer
      .flatMap((entry) => (entry.topic === topic ? entry.partitions : []))
      .map(({ partition, offset }) => ({ partition, offset: Number(offset) }))
      .filter(({ offset }) => offset >= 0)
      .sort((a, b) => a.partition - b.partition);
  }

  /** Commits offsets for a group without members, in a transaction of its own; null takes them away. */
  async seek(group: string, topic: string, offsets: readonly PartitionOffset[] | null): Promise<void> {
    const partitions = await this.#all(topic);
    const described = await asking(`${group}: describe`, () => this.#admin.describeGroups([group]));
    if (described.groups.some(({ members }) => members.length > 0))
      throw new TelltaleError('LOG_GROUP_ACTIVE', `group ${group} is at work on ${topic}; stop it first`);
    const moved = offsets ?? partitions.map((partition) => ({ partition, offset: NO_OFFSET }));
    if (moved.length === 0) return;
    const to = { group, topic, offsets: moved };
    await asking(`${group}: seek`, async () => {
      const producer = this.#kafka.producer({ transactionalId: `${group}.seek`, maxInFlightRequests: 1 });
      try {
        await producer.connect();
        const transaction = await producer.transaction();
        await sendOffsets(transaction, to);
        await transaction.commit();
        await settled(producer, to);
      } finally {
        await producer.disconnect();
      }
    });
  }

  async lag(group: string, topic: string): Promise<number> {
    const offsets = await this.committed(group, topic);
    let lag = 0;
    for (const { partition, earliest, end } of await this.ranges(topic)) {
      const from = Math.max(offsetIn(offsets, partition) ?? earliest, earliest);
      lag += end - from > COUNTED_LAG ? end - from : await this.#count(topic, partition, from, end);
    }
    return lag;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#askers.keys()].map((topic) => this.forget(topic)));
  }

  async #all(topic: string): Promise<number[]> {
    return Array.from({ length: await this.askPartitions(topic) }, (_, partition) => partition);
  }

  /** Records, not offsets, in a short stretch. */
  async #count(topic: string, partition: number, from: number, end: number): Promise<number> {
    let records = 0;
    for (let next = from; next < end; ) {
      const offset = next;
      const [fetched] = await asking(`${topic}: records`, () =>
        this.asker(topic).fetch([{ partition, offset }], 0),
      );
      if (fetched === undefined) return records;
      records += fetched.records.filter(({ offset }) => offset < end).length;
      next = fetched.next;
    }
    return records;
  }
}
