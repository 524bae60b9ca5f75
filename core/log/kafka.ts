// The Kafka log: the port on Apache Kafka, by kafkajs. What stands where: kafka-client.ts (limits, errors),
// -append (the idempotent producer), -fetch and -read (reading without a group), -transform and -partition (groups),
// -offsets (questions about topics, offsets and groups), -topics (retention as Kafka's settings).
import type { Admin, Kafka } from 'kafkajs';
import { TelltaleError } from '../errors.ts';
import { type Clock, pause } from '../service.ts';
import { KafkaAppender } from './kafka-append.ts';
import { asking, calling, kafkaClient, partitionsOf, protocolType } from './kafka-client.ts';
import { KafkaFetcher } from './kafka-fetch.ts';
import { type Outgoing, outgoing } from './kafka-messages.ts';
import { KafkaOffsets } from './kafka-offsets.ts';
import { cursorsOf, follow, offsetIn } from './kafka-read.ts';
import { topicConfig } from './kafka-topics.ts';
import { KafkaTransform } from './kafka-transform.ts';
import { checkGroupName, checkSizes, checkTopicSpec } from './limits.ts';
import type {
  Log,
  NewRecord,
  OutputRecord,
  PartitionOffset,
  PartitionRange,
  ReadOptions,
  RecordBatch,
  TopicSpec,
  TransformHandler,
  TransformOptions,
} from './log.ts';

const CHECKS = 100;
const CHECK_MS = 100;

export interface KafkaLogOptions {
  /** `host:port` of some brokers of the cluster. */
  readonly brokers: readonly string[];
  /** Replication factor of topics that are created. */
  readonly replication: number;
  /** Put before every topic and group name. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly warn: (line: string) => void;
  /** After this long without a heartbeat a member's partitions go to others. Default 10 s. */
  readonly sessionMs?: number;
}

/** Connects to a cluster. @throws TelltaleError LOG_UNAVAILABLE */
export async function openKafkaLog(options: KafkaLogOptions): Promise<Log> {
  const kafka = kafkaClient({ brokers: options.brokers, clientId: 'telltale' });
  const admin = kafka.admin();
  try {
    await calling(`Kafka at ${options.brokers.join(', ')}`, () => admin.connect());
  } catch (error) {
    await admin.disconnect().catch(() => undefined);
    throw error;
  }
  return new KafkaLog(kafka, admin, options);
}

class KafkaLog implements Log {
  readonly kind = 'kafka';
  readonly #kafka: Kafka;
  readonly #admin: Admin;
  readonly #options: KafkaLogOptions;
  readonly #appender: KafkaAppender;
  readonly #offsets: KafkaOffsets;
  /** Reads that have not yet learned where 'end' was when they were called: appends of this log wait for them. */
  readonly #positioning = new Set<Promise<unknown>>();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();

  constructor(kafka: Kafka, admin: Admin, options: KafkaLogOptions) {
    this.#kafka = kafka;
    this.#admin = admin;
    this.#options = options;
    this.#appender = new KafkaAppender(kafka);
    this.#offsets = new KafkaOffsets(kafka, admin);
  }

  async createTopic(spec: TopicSpec): Promise<void> {
    checkTopicSpec(spec, this.#options.prefix);
    const topic = this.#full(spec.name);
    // A topic that a lost answer has made already is no fault: kafkajs says false and goes on.
    await asking(`${topic}: create`, () =>
      this.#admin.createTopics({
        waitForLeaders: false,
        topics: [
          {
            topic,
            numPartitions: spec.partitions,
            replicationFactor: this.#options.replication,
            configEntries: topicConfig(spec, this.#options.replication),
          },
        ],
      }),
    );
    await this.#led(topic);
  }

  /** Waits until every partition has a leader that serves it: a broker answers a creation before it knows the topic itself. */
  async #led(topic: string): Promise<void> {
    for (let check = 0; check < CHECKS; check++) {
      const partitions = await asking(`${topic}: create`, () => partitionsOf(this.#admin, topic));
      const led = partitions.length > 0 && partitions.every(({ leader }) => leader >= 0);
      if (led && (await this.#offsets.areServed(topic))) return;
      await pause(CHECK_MS, this.#closing.signal);
    }
    throw new TelltaleError('LOG_UNAVAILABLE', `${topic}: created, but its partitions have no leaders yet`);
  }

  async deleteTopic(name: string): Promise<void> {
    const topic = this.#full(name);
    await this.#offsets.askPartitions(topic);
    let again = false;
    await asking(`${topic}: delete`, async () => {
      try {
        await this.#admin.deleteTopics({ topics: [topic] });
      } catch (error) {
        // The answer to the first try was lost, not the try.
        if (again && protocolType(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return;
        again = true;
        throw error;
      }
    });
    await this.#offsets.forget(topic);
    await this.#appender.renew();
    for (let check = 0; check < CHECKS; check++) {
      const names = await asking(`${topic}: delete`, () => this.#admin.listTopics());
      if (!names.includes(topic)) return;
      await pause(CHECK_MS, this.#closing.signal);
    }
    throw new TelltaleError('LOG_UNAVAILABLE', `${topic}: the broker has not deleted it yet`);
  }

  async topics(): Promise<readonly string[]> {
    this.#assertOpen();
    const { prefix } = this.#options;
    const names = await asking('topics', () => this.#admin.listTopics());
    return names
      .filter((name) => name.startsWith(prefix) && !name.startsWith('__'))
      .map((name) => name.slice(prefix.length))
      .sort();
  }

  async append(name: string, records: readonly NewRecord[]): Promise<void> {
    this.#assertOpen();
    checkSizes(name, records);
    await this.#track(this.#append(this.#full(name), records));
  }

  read(name: string, options: ReadOptions = {}): AsyncIterable<RecordBatch> {
    // Positions are those of the call; a failure is told by the iteration.
    const ready = this.#positions(name, options);
    const settled = () => this.#positioning.delete(ready);
    this.#positioning.add(ready);
    ready.then(settled, settled);
    return this.#iterate(name, ready, options);
  }

  async transform(name: string, options: TransformOptions, handler: TransformHandler): Promise<void> {
    this.#assertOpen();
    checkGroupName(options.group, this.#options.prefix);
    const [topic, group] = [this.#full(name), this.#full(options.group)];
    const signal = AbortSignal.any([options.signal, this.#closing.signal]);
    await this.#track(
      this.#offsets.askPartitions(topic).then(() => {
        const parts = {
          kafka: this.#kafka,
          topic,
          group,
          name,
          sessionMs: this.#options.sessionMs ?? 10_000,
          committed: async (partition: number) =>
            offsetIn(await this.#offsets.committed(group, topic), partition),
          outputs: (outputs: readonly OutputRecord[]) => this.#outgoing(outputs),
          warn: this.#options.warn,
        };
        return new KafkaTransform(parts, { ...options, signal }, handler).run();
      }),
    );
    if (!options.signal.aborted) this.#assertOpen();
  }

  async ranges(name: string): Promise<readonly PartitionRange[]> {
    this.#assertOpen();
    return this.#offsets.ranges(this.#full(name));
  }

  async offsetsAt(name: string, timestampMs: number): Promise<readonly PartitionOffset[]> {
    this.#assertOpen();
    return this.#offsets.at(this.#full(name), timestampMs);
  }

  async committed(group: string, name: string): Promise<readonly PartitionOffset[]> {
    this.#assertOpen();
    return this.#offsets.committed(this.#full(group), this.#full(name));
  }

  async seek(group: string, name: string, offsets: readonly PartitionOffset[] | null): Promise<void> {
    this.#assertOpen();
    checkGroupName(group, this.#options.prefix);
    await this.#offsets.seek(this.#full(group), this.#full(name), offsets);
  }

  async lag(group: string, name: string): Promise<number> {
    this.#assertOpen();
    return this.#offsets.lag(this.#full(group), this.#full(name));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#underWay);
    await this.#appender.close();
    await this.#offsets.close();
    await this.#admin.disconnect().catch(() => undefined);
  }

  async #append(topic: string, records: readonly NewRecord[]): Promise<void> {
    const timestampMs = this.#options.clock();
    const stamped = records.map((record) =>
      record.timestampMs === undefined ? { ...record, timestampMs } : record,
    );
    if (this.#positioning.size > 0) await Promise.allSettled(this.#positioning);
    try {
      await this.#appender.append(topic, await this.#offsets.partitions(topic), stamped);
    } catch (error) {
      // The topic may be gone: the next call asks again.
      await this.#offsets.forget(topic);
      throw error;
    }
  }

  async #positions(name: string, options: ReadOptions) {
    this.#assertOpen();
    const topic = this.#full(name);
    const all = await this.#offsets.askPartitions(topic);
    return cursorsOf(this.#offsets.asker(topic), all, options);
  }

  async *#iterate(
    name: string,
    ready: ReturnType<typeof cursorsOf>,
    options: ReadOptions,
  ): AsyncGenerator<RecordBatch, void, undefined> {
    const cursors = await ready;
    const signals = [this.#closing.signal, ...(options.signal === undefined ? [] : [options.signal])];
    const fetcher = new KafkaFetcher(this.#kafka, this.#full(name));
    try {
      yield* follow(fetcher, name, cursors, { ...options, signal: AbortSignal.any(signals) });
    } finally {
      await fetcher.close().catch(() => undefined);
    }
    if (!options.signal?.aborted && cursors.some(({ next, to }) => next < to)) this.#assertOpen();
  }

  async #outgoing(outputs: readonly OutputRecord[]): Promise<readonly Outgoing[]> {
    const timestampMs = this.#options.clock();
    const out: Outgoing[] = [];
    for (const record of outputs) {
      checkSizes(record.topic, [record]);
      const topic = this.#full(record.topic);
      const partitions = await this.#offsets.partitions(topic);
      const stamped = record.timestampMs === undefined ? { ...record, timestampMs } : record;
      out.push(outgoing(topic, partitions, stamped));
    }
    return out;
  }

  #full(name: string): string {
    return this.#options.prefix + name;
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw new TelltaleError('LOG_CLOSED', 'the log has been closed');
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const forget = () => this.#underWay.delete(work);
    work.then(forget, forget);
    return work;
  }
}
