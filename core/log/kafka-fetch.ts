// Fetching from Kafka without a group. kafkajs's consumer always joins a group, hides control records and aborted
// transactions with their offsets, and so cannot end exactly at an offset; its cluster object can: one Fetch request at a
// time, at offsets of our choice. That object is reached through the symbol under which kafkajs 2.2.4 keeps its maker
// (the version is pinned; openCluster says so clearly if it ever differs).
import type { Kafka } from 'kafkajs';
import { invariant, TelltaleError } from '../errors.ts';
import { calling, FETCH_WAIT_MS } from './kafka-client.ts';
import type { LogRecord } from './log.ts';

const READ_COMMITTED = 1;
const LATEST = -1;
const EARLIEST = -2;
/** Bytes of one answer and of one partition in it. */
const MAX_BYTES = 8 * 2 ** 20;
const MAX_PARTITION_BYTES = 2 * 2 ** 20;
/** A control record's key of an abort: version 0, type 0. */
const ABORT_KEY = Buffer.of(0, 0, 0, 0);

interface RawMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly isControlRecord?: boolean;
  readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean };
}

export interface FetchedPartitionData {
  readonly partition: number;
  readonly highWatermark: string;
  readonly lastStableOffset?: string;
  readonly abortedTransactions?:
    | readonly { readonly producerId: string; readonly firstOffset: string }[]
    | null;
  readonly messages: readonly RawMessage[];
}

interface Broker {
  fetch(request: {
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    isolationLevel: number;
    topics: { topic: string; partitions: { partition: number; fetchOffset: string; maxBytes: number }[] }[];
  }): Promise<{ responses: { topicName: string; partitions: FetchedPartitionData[] }[] }>;
}

interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  findBroker(node: { nodeId: string }): Promise<Broker>;
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Record<string, number[]>;
  fetchTopicsOffset(
    topics: { topic: string; partitions: { partition: number }[]; fromTimestamp: number }[],
  ): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]>;
}

type ClusterMaker = (options: {
  readonly allowAutoTopicCreation: boolean;
  readonly metadataMaxAge: number;
  readonly maxInFlightRequests: number | null;
  readonly isolationLevel: number;
}) => Cluster;

function openCluster(kafka: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  invariant(symbol !== undefined, 'this version of kafkajs keeps its cluster elsewhere; 2.2.4 is needed');
  const make = (kafka as unknown as Record<symbol, ClusterMaker>)[symbol];
  invariant(
    typeof make === 'function',
    'this version of kafkajs makes its cluster otherwise; 2.2.4 is needed',
  );
  return make({
    allowAutoTopicCreation: false,
    metadataMaxAge: 300_000,
    maxInFlightRequests: null,
    isolationLevel: READ_COMMITTED,
  });
}

export interface Wanted {
  readonly partition: number;
  readonly offset: number;
}

export interface FetchedPartition {
  readonly partition: number;
  readonly records: LogRecord[];
  /** Where to fetch next: behind control records and aborted transactions too. */
  readonly next: number;
  /** Offset after the last committed record. */
  readonly end: number;
}

/** A connection that fetches one topic's partitions; used by one loop at a time, because a fetch holds the connection. */
export class KafkaFetcher {
  readonly #cluster: Cluster;
  readonly #topic: string;
  #connected: Promise<void> | undefined;
  /** Whether there may be sockets to close: also after a failure, which makes `#connected` be asked anew. */
  #opened = false;

  constructor(kafka: Kafka, topic: string) {
    this.#cluster = openCluster(kafka);
    this.#topic = topic;
  }

  /** Fetches from several partitions at once; those with nothing new are absent. Waits up to FETCH_WAIT_MS for the first. */
  async fetch(wanted: readonly Wanted[], waitMs = FETCH_WAIT_MS): Promise<FetchedPartition[]> {
    return this.#calling('fetch', async () => {
      const leaders = this.#leaders(wanted.map(({ partition }) => partition));
      const answers = await Promise.all(
        [...leaders].map(async ([nodeId, partitions]) => {
          const broker = await this.#cluster.findBroker({ nodeId });
          const asked = wanted.filter(({ partition }) => partitions.includes(partition));
          // With several leaders each waits its share, so that none holds back what another has.
          const data = await this.#ask(broker, asked, Math.ceil(waitMs / leaders.size));
          // One answer has a limit of bytes: a partition that got nothing although it has something is asked alone.
          const unanswered = asked.length > 1 ? asked.filter((w) => isSilent(data, w)) : [];
          const alone = await Promise.all(unanswered.map((w) => this.#ask(broker, [w], 0)));
          const asAlone = new Set(unanswered.map(({ partition }) => partition));
          return [...data.filter(({ partition }) => !asAlone.has(partition)), ...alone.flat()];
        }),
      );
      const offsets = new Map(wanted.map(({ partition, offset }) => [partition, offset]));
      return answers.flat().flatMap((data) => {
        const fetched = committedOf(data, offsets.get(data.partition) ?? 0);
        return fetched === undefined ? [] : [fetched];
      });
    });
  }

  async #ask(broker: Broker, wanted: readonly Wanted[], waitMs: number): Promise<FetchedPartitionData[]> {
    const partitions = wanted.map(({ partition, offset }) => ({
      partition,
      fetchOffset: String(offset),
      maxBytes: MAX_PARTITION_BYTES,
    }));
    const { responses } = await broker.fetch({
      maxWaitTime: waitMs,
      minBytes: 1,
      maxBytes: MAX_BYTES,
      isolationLevel: READ_COMMITTED,
      topics: [{ topic: this.#topic, partitions }],
    });
    return responses.flatMap((response) => response.partitions);
  }

  earliest(partitions: readonly number[]): Promise<Map<number, number>> {
    return this.#offsets(partitions, EARLIEST);
  }

  /** Offsets after the last committed record (the last stable offsets). */
  ends(partitions: readonly number[]): Promise<Map<number, number>> {
    return this.#offsets(partitions, LATEST);
  }

  /** First offsets at or after a time; a partition without one has its end. */
  async at(partitions: readonly number[], timestampMs: number): Promise<Map<number, number>> {
    const found = await this.#offsets(partitions, Math.max(0, Math.trunc(timestampMs)));
    const ends = await this.ends(partitions);
    return new Map(partitions.map((p) => [p, Math.min(orEnd(found.get(p)), ends.get(p) ?? 0)]));
  }

  async close(): Promise<void> {
    if (!this.#opened) return;
    await this.#connected?.catch(() => undefined);
    await this.#cluster.disconnect();
  }

  async #offsets(partitions: readonly number[], timestamp: number): Promise<Map<number, number>> {
    return this.#calling('offsets', async () => {
      const answer = await this.#cluster.fetchTopicsOffset([
        {
          topic: this.#topic,
          partitions: partitions.map((partition) => ({ partition })),
          fromTimestamp: timestamp,
        },
      ]);
      return new Map(answer.flatMap((entry) => entry.partitions.map((p) => [p.partition, Number(p.offset)])));
    });
  }

  #leaders(partitions: readonly number[]): Map<string, number[]> {
    const leaders = new Map(Object.entries(this.#cluster.findLeaderForPartitions(this.#topic, partitions)));
    if (leaders.size === 0)
      throw new TelltaleError('LOG_UNAVAILABLE', `${this.#topic}: no leader for its partitions`);
    return leaders;
  }

  /** Connects first when needed; after a failure the metadata is asked for anew, because a leader may have moved. */
  async #calling<T>(doing: string, call: () => Promise<T>): Promise<T> {
    return calling(`${this.#topic}: ${doing}`, async () => {
      this.#connected ??= this.#connect();
      try {
        await this.#connected;
        return await call();
      } catch (error) {
        this.#connected = undefined;
        throw error;
      }
    });
  }

  async #connect(): Promise<void> {
    this.#opened = true;
    await this.#cluster.connect();
    await this.#cluster.addTargetTopic(this.#topic);
    await this.#cluster.refreshMetadata();
  }
}

const orEnd = (offset: number | undefined): number =>
  offset === undefined || offset < 0 ? Number.MAX_SAFE_INTEGER : offset;

const endOf = (data: FetchedPartitionData): number => Number(data.lastStableOffset ?? data.highWatermark);

function isSilent(answer: readonly FetchedPartitionData[], { partition, offset }: Wanted): boolean {
  const data = answer.find((candidate) => candidate.partition === partition);
  return data !== undefined && data.messages.length === 0 && offset < endOf(data);
}

/** What a reader of committed records sees of an answer; undefined when the answer says nothing new. */
export function committedOf(data: FetchedPartitionData, from: number): FetchedPartition | undefined {
  const end = endOf(data);
  const last = data.messages.at(-1);
  // Data was there but held no record at all: an emptied batch that the broker keeps for its producer. Step over it.
  if (last === undefined)
    return from < end ? { partition: data.partition, records: [], next: from + 1, end } : undefined;
  const records: LogRecord[] = [];
  const pending = [...(data.abortedTransactions ?? [])].sort(
    (a, b) => Number(a.firstOffset) - Number(b.firstOffset),
  );
  const aborted = new Set<string>();
  for (const message of data.messages) {
    const offset = Number(message.offset);
    while (pending[0] !== undefined && Number(pending[0].firstOffset) <= offset)
      aborted.add(pending.shift()?.producerId ?? '');
    const producer = message.batchContext?.producerId ?? '';
    if (message.isControlRecord === true) {
      if (message.key !== null && ABORT_KEY.equals(message.key)) aborted.delete(producer);
      continue;
    }
    if (message.batchContext?.inTransaction === true && aborted.has(producer)) continue;
    // A fetch gives whole batches: the first may begin before the offset asked for.
    if (offset < from) continue;
    records.push({
      offset,
      timestampMs: Number(message.timestamp),
      key: message.key?.toString() ?? '',
      value: message.value,
    });
  }
  return { partition: data.partition, records, next: Math.max(from, Number(last.offset) + 1), end };
}
