// THE PORT: what telltale asks of a log, in Kafka's words, because Kafka is what it becomes past one machine.
// Two adapters stand behind it (embedded.ts, kafka.ts); one contract suite in test/contract holds both to this page.

/** Greatest size of one record, key and value together, in bytes: what a Kafka broker takes by default, less its headers. */
export const MAX_RECORD_BYTES = 1_000_000;

/** A record as it stands in the log. `value` null is a tombstone (compacted topics). */
export interface LogRecord {
  readonly offset: number;
  /** Ingest time, ms since the epoch. */
  readonly timestampMs: number;
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** A record to append. The partition follows from the key (murmur2, as kafkajs's default partitioner). */
export interface NewRecord {
  readonly key: string;
  readonly value: Uint8Array | null;
  /** Defaults to the log's clock. */
  readonly timestampMs?: number;
}

export interface OutputRecord extends NewRecord {
  readonly topic: string;
}

/** Consecutive records of one partition, in offset order, never empty. Offsets may have gaps (compaction, transaction markers). */
export interface RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly LogRecord[];
  /** Offset after the last record readable when the batch was fetched; `highWatermark - last offset - 1` is the lag. */
  readonly highWatermark: number;
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** null: kept for ever. */
  readonly retentionMs: number | null;
  readonly compacted: boolean;
}

export interface PartitionOffset {
  readonly partition: number;
  readonly offset: number;
}

/** Retained range of a partition: `earliest` is the first offset that can be read, `end` the next to be written. */
export interface PartitionRange {
  readonly partition: number;
  readonly earliest: number;
  readonly end: number;
}

/** Where reading starts or ends. A partition absent from `offsets` starts at its earliest / ends where it now ends. */
export type Position =
  | 'earliest'
  | 'end'
  | { readonly timestampMs: number }
  | { readonly offsets: readonly PartitionOffset[] };

export interface ReadOptions {
  /** Default: all. */
  readonly partitions?: readonly number[];
  /** Default 'earliest'. 'end' is the end at the time of the call. */
  readonly from?: Position;
  /** Exclusive. Default: none, the iteration follows the topic until `signal` aborts or the consumer breaks. */
  readonly to?: Position;
  /** Default 2,000 records a batch. */
  readonly maxBatch?: number;
  readonly signal?: AbortSignal;
}

/** What a member is told of a partition that it takes. */
export interface Assignment {
  /** No record before this offset comes: the group has committed it, or begins there. */
  readonly next: number;
  /** Aborts when the partition is to be given up: what is done for it is in vain, and no batch of it comes. */
  readonly signal: AbortSignal;
}

export interface TransformOptions {
  /** The consumer group; its committed offsets are where work resumes. */
  readonly group: string;
  /** Where a group without committed offsets starts. Default 'earliest'. */
  readonly from?: 'earliest' | 'end';
  /** Default 2,000. */
  readonly maxBatch?: number;
  readonly signal: AbortSignal;
  /**
   * Called before the first batch of a partition, when a former owner can no longer commit: restore per-car state here
   * by reading a state topic to its end. Called again when the partition comes back after a revocation or a fenced commit.
   */
  readonly onAssigned?: (partition: number, assignment: Assignment) => Promise<void>;
  /** The partition now belongs to another member: forget its state. */
  readonly onRevoked?: (partition: number) => void;
}

/** Computes the outputs of one batch. It must not have effects outside its outputs and its restorable state. */
export type TransformHandler = (
  batch: RecordBatch,
) => readonly OutputRecord[] | Promise<readonly OutputRecord[]>;

export interface Log {
  readonly kind: 'embedded' | 'kafka';

  /** Makes the topic if it is not there; an existing one keeps its partitions. */
  createTopic(spec: TopicSpec): Promise<void>;
  deleteTopic(name: string): Promise<void>;
  /** Names of all topics of this log, sorted. */
  topics(): Promise<readonly string[]>;

  /**
   * Resolves when all records are durable (embedded: committed to disk; Kafka: acks=all), rejects with none of them
   * readable or with a retryable error. Concurrent calls are batched; records of one call keep their order per key.
   * @throws TelltaleError LOG_TOPIC_UNKNOWN, LOG_RECORD_TOO_LARGE, LOG_FULL, LOG_UNAVAILABLE, LOG_REWOUND, LOG_CLOSED
   */
  append(topic: string, records: readonly NewRecord[]): Promise<void>;

  /** Reads committed records without a group. Order is kept within a partition. */
  read(topic: string, options?: ReadOptions): AsyncIterable<RecordBatch>;

  /**
   * Consume, compute, produce, until `signal` aborts: the outputs of a batch and the offset after it commit as one, so
   * each input record is answered exactly once whatever is killed when. Rejects when the log fails past its own bounded
   * retries, or when the handler throws (that batch is then not committed). The offset after batches without outputs may be
   * committed a little later, within a second: after a kill such a batch comes again, to the same nothing.
   */
  transform(topic: string, options: TransformOptions, handler: TransformHandler): Promise<void>;

  ranges(topic: string): Promise<readonly PartitionRange[]>;
  /** For each partition the first offset whose timestamp is at or after the time; its end when there is none. */
  offsetsAt(topic: string, timestampMs: number): Promise<readonly PartitionOffset[]>;
  /** Committed offsets of the group; partitions without one are absent. */
  committed(group: string, topic: string): Promise<readonly PartitionOffset[]>;
  /** Forgets (`null`) or moves the group's offsets; the group must have no running member. */
  seek(group: string, topic: string, offsets: readonly PartitionOffset[] | null): Promise<void>;
  /** Records between the group's offsets and the ends, summed. */
  lag(group: string, topic: string): Promise<number>;

  /** Waits for what is under way, then closes. */
  close(): Promise<void>;
}
