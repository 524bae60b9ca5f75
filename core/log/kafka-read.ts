// `read` on Kafka: positions resolved at the call, then fetches until every partition has reached its end.
import { isRetryable, TelltaleError } from '../errors.ts';
import { pause } from '../service.ts';
import { protocolType } from './kafka-client.ts';
import type { KafkaFetcher } from './kafka-fetch.ts';
import type { PartitionOffset, Position, ReadOptions, RecordBatch } from './log.ts';

const DEFAULT_MAX_BATCH = 2000;
/** Fetches that may fail in a row, 100 ms doubling to 2 s apart, besides kafkajs's own retries. */
const MAX_FAILURES = 8;

export interface Cursor {
  readonly partition: number;
  next: number;
  readonly to: number;
}

/** Offsets of a position for these partitions; `absent` says where unnamed ones stand. */
async function resolvePosition(
  fetcher: KafkaFetcher,
  partitions: readonly number[],
  position: Position,
  absent: 'earliest' | 'end',
): Promise<Map<number, number>> {
  if (position === 'earliest') return fetcher.earliest(partitions);
  if (position === 'end') return fetcher.ends(partitions);
  if ('timestampMs' in position) return fetcher.at(partitions, position.timestampMs);
  const rest = absent === 'earliest' ? await fetcher.earliest(partitions) : await fetcher.ends(partitions);
  return new Map(partitions.map((p) => [p, offsetIn(position.offsets, p) ?? rest.get(p) ?? 0]));
}

export function offsetIn(offsets: readonly PartitionOffset[], partition: number): number | undefined {
  return offsets.find((entry) => entry.partition === partition)?.offset;
}

export async function cursorsOf(
  fetcher: KafkaFetcher,
  all: number,
  { partitions, from = 'earliest', to }: ReadOptions,
): Promise<Cursor[]> {
  const chosen = partitions ?? Array.from({ length: all }, (_, p) => p);
  for (const partition of chosen)
    if (partition < 0 || partition >= all)
      throw new RangeError(`the topic has ${all} partitions, no ${partition}`);
  const starts = await resolvePosition(fetcher, chosen, from, 'earliest');
  const ends = to === undefined ? undefined : await resolvePosition(fetcher, chosen, to, 'end');
  return chosen.map((partition) => ({
    partition,
    next: starts.get(partition) ?? 0,
    to: ends?.get(partition) ?? Number.MAX_SAFE_INTEGER,
  }));
}

/** Batches of the cursors' partitions until all are at their end or the signal aborts. */
export async function* follow(
  fetcher: Pick<KafkaFetcher, 'fetch' | 'earliest'>,
  topic: string,
  cursors: readonly Cursor[],
  { maxBatch = DEFAULT_MAX_BATCH, signal }: ReadOptions,
): AsyncGenerator<RecordBatch, void, undefined> {
  let failures = 0;
  while (!signal?.aborted) {
    const open = cursors.filter((cursor) => cursor.next < cursor.to);
    if (open.length === 0) return;
    let fetched: Awaited<ReturnType<KafkaFetcher['fetch']>>;
    try {
      fetched = await fetcher.fetch(open.map(({ partition, next }) => ({ partition, offset: next })));
      failures = 0;
    } catch (error) {
      failures += 1;
      if (isOutOfRange(error) && failures < MAX_FAILURES && (await skipsToEarliest(fetcher, open))) continue;
      if (!isRetryable(error) || failures >= MAX_FAILURES) throw error;
      await pause(Math.min(2000, 50 * 2 ** failures), signal);
      continue;
    }
    for (const { partition, records, next, end } of fetched) {
      const cursor = open.find((candidate) => candidate.partition === partition);
      if (cursor === undefined) continue;
      cursor.next = next;
      const wanted = records.filter(({ offset }) => offset < cursor.to);
      for (let at = 0; at < wanted.length; at += maxBatch) {
        if (signal?.aborted) return;
        yield { topic, partition, records: wanted.slice(at, at + maxBatch), highWatermark: end };
      }
    }
  }
}

export function isOutOfRange(error: unknown): boolean {
  return error instanceof TelltaleError && protocolType(error.cause) === 'OFFSET_OUT_OF_RANGE';
}

/** Retention has passed a cursor: it goes on at what is left. False when it has passed none, or could not be asked. */
async function skipsToEarliest(
  fetcher: Pick<KafkaFetcher, 'earliest'>,
  cursors: readonly Cursor[],
): Promise<boolean> {
  const partitions = cursors.map(({ partition }) => partition);
  const earliest = await fetcher.earliest(partitions).catch((error: unknown) => {
    if (!isRetryable(error)) throw error;
    return new Map<number, number>();
  });
  const passed = cursors.filter(({ partition, next }) => next < (earliest.get(partition) ?? 0));
  for (const cursor of passed) cursor.next = earliest.get(cursor.partition) ?? cursor.next;
  return passed.length > 0;
}
