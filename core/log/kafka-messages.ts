// Records as kafkajs's messages, and how many of them go into one request.
import type { Message, RecordMetadata } from 'kafkajs';
import { TelltaleError } from '../errors.ts';
import type { NewRecord, OutputRecord } from './log.ts';
import { partitionOf } from './partitioner.ts';

/** A partition's share of one request is one record batch, which a broker takes up to 1,048,588 bytes (message.max.bytes). */
const MAX_BATCH_BYTES = 1_000_000;
export const MAX_REQUEST_BYTES = 8 * 2 ** 20;
export const MAX_REQUEST_RECORDS = 10_000;
/** What a record costs besides key and value, at most: lengths, offset and timestamp deltas. */
const RECORD_OVERHEAD_BYTES = 24;

export interface Outgoing {
  readonly topic: string;
  readonly partition: number;
  readonly message: Message;
  readonly bytes: number;
}

/** A record on its way to a topic (full name) of so many partitions. */
export function outgoing(topic: string, partitions: number, record: NewRecord | OutputRecord): Outgoing {
  const { key, value, timestampMs } = record;
  const partition = partitionOf(key, partitions);
  const plain: Message = { key, value: value === null ? null : asBuffer(value), partition };
  const message =
    timestampMs === undefined ? plain : { ...plain, timestamp: String(Math.max(0, Math.trunc(timestampMs))) };
  return {
    topic,
    partition,
    message,
    bytes: Buffer.byteLength(key) + (value?.length ?? 0) + RECORD_OVERHEAD_BYTES,
  };
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** How many from the head of a queue fit one request: at least one of a queue that is not empty. */
export function headCount(queue: readonly Outgoing[], from = 0): number {
  const perPartition = new Map<string, number>();
  let bytes = 0;
  let count = 0;
  for (let at = from; at < queue.length; at++) {
    const next = queue[at]!;
    const where = `${next.topic}/${next.partition}`;
    const inBatch = (perPartition.get(where) ?? 0) + next.bytes;
    const full =
      count >= MAX_REQUEST_RECORDS ||
      (count > 0 && bytes + next.bytes > MAX_REQUEST_BYTES) ||
      (inBatch > MAX_BATCH_BYTES && inBatch > next.bytes);
    if (full) break;
    perPartition.set(where, inBatch);
    bytes += next.bytes;
    count += 1;
  }
  return count;
}

/** Messages by topic, as kafkajs wants them. */
export function byTopic(messages: readonly Outgoing[]): { topic: string; messages: Message[] }[] {
  const topics = new Map<string, Message[]>();
  for (const { topic, message } of messages) {
    const known = topics.get(topic);
    if (known === undefined) topics.set(topic, [message]);
    else known.push(message);
  }
  return [...topics].map(([topic, list]) => ({ topic, messages: list }));
}

/**
 * kafkajs leaves out, without a word, what goes to a partition that its metadata does not know (a topic that was made
 * anew with more of them). @throws TelltaleError LOG_UNAVAILABLE when the broker has not answered for every partition
 */
export function checkAnswered(request: readonly Outgoing[], answer: readonly RecordMetadata[]): void {
  const answered = new Set(answer.map(({ topicName, partition }) => `${topicName}/${partition}`));
  for (const { topic, partition } of request)
    if (!answered.has(`${topic}/${partition}`))
      throw new TelltaleError(
        'LOG_UNAVAILABLE',
        `${topic}: partition ${partition} was not yet known; send again`,
      );
}
