// What only the Kafka log does: topics' settings, aborted transactions and markers, requests within a broker's limits.
import { createRequire } from 'node:module';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { TelltaleError } from '../../../core/errors.ts';
import { openKafkaLog } from '../../../core/log/kafka.ts';
import { outside } from '../../../core/log/kafka-client.ts';
import { committedOf, type FetchedPartitionData, KafkaFetcher } from '../../../core/log/kafka-fetch.ts';
import { headCount, type Outgoing, outgoing } from '../../../core/log/kafka-messages.ts';
import { follow } from '../../../core/log/kafka-read.ts';
import { topicConfig } from '../../../core/log/kafka-topics.ts';
import type { Log } from '../../../core/log/log.ts';
import { numbered, plain, readAll, textOf } from '../../contract/log-under-test.ts';
import { kafkaForTests } from '../../support/kafka.ts';

const kafka = await kafkaForTests();

type Raw = FetchedPartitionData['messages'][number];

const raw = (offset: number, producerId: string, more: Partial<Raw> = {}): Raw => ({
  offset: String(offset),
  timestamp: '5',
  key: Buffer.from('k'),
  value: Buffer.from(`v${offset}`),
  batchContext: { producerId, inTransaction: true },
  ...more,
});
const marker = (offset: number, producerId: string, commit: boolean): Raw =>
  raw(offset, producerId, { isControlRecord: true, key: Buffer.of(0, 0, 0, commit ? 1 : 0) });

describe('committedOf', () => {
  it('leaves out aborted transactions and markers, and what comes before the offset asked for', () => {
    const data: FetchedPartitionData = {
      partition: 2,
      highWatermark: '12',
      lastStableOffset: '11',
      abortedTransactions: [
        { producerId: 'b', firstOffset: '6' },
        { producerId: 'a', firstOffset: '2' },
      ],
      messages: [
        raw(0, 'a'),
        marker(1, 'a', true),
        raw(2, 'a'),
        raw(3, 'b'),
        marker(4, 'a', false),
        marker(5, 'b', true),
        raw(6, 'b'),
        raw(7, 'a'),
        raw(8, '-1', { batchContext: { producerId: '-1', inTransaction: false } }),
        marker(9, 'b', false),
        marker(10, 'a', true),
      ],
    };
    expect(committedOf(data, 0)).toMatchObject({ partition: 2, next: 11, end: 11 });
    expect(committedOf(data, 0)?.records.map(({ offset }) => offset)).toEqual([0, 3, 7, 8]);
    expect(committedOf(data, 5)?.records.map(({ offset }) => offset)).toEqual([7, 8]);
  });

  it('steps over a batch that holds nothing any more, and says nothing at the end', () => {
    const empty = { partition: 0, highWatermark: '9', lastStableOffset: '9', messages: [] };
    expect(committedOf(empty, 7)).toEqual({ partition: 0, records: [], next: 8, end: 9 });
    expect(committedOf(empty, 9)).toBeUndefined();
  });
});

describe('headCount', () => {
  const of = (bytes: number, partition = 0): Outgoing => ({
    topic: 't',
    partition,
    message: { value: null },
    bytes,
  });

  it('keeps a partition within one record batch of the broker, and takes one record however large', () => {
    expect(headCount([of(600_000), of(300_000), of(200_000)])).toBe(2);
    expect(headCount([of(600_000), of(600_000, 1), of(600_000, 2)])).toBe(3);
    expect(headCount([of(1_000_020), of(10)])).toBe(1);
    expect(headCount([])).toBe(0);
    expect(headCount([of(1), of(2), of(3)], 2)).toBe(1);
  });

  it('keeps a request within its bytes and its records', () => {
    expect(headCount(Array.from({ length: 20 }, (_, p) => of(900_000, p)))).toBe(9);
    expect(headCount(Array.from({ length: 12_000 }, () => of(10)))).toBe(10_000);
  });
});

describe('outgoing', () => {
  it('passes a view on as its own bytes and a time as whole milliseconds', () => {
    const value = new TextEncoder().encode('abcdef').subarray(2, 4);
    const { message } = outgoing('t', 3, { key: 'ключ', value, timestampMs: 12.7 });
    expect(message).toMatchObject({ key: 'ключ', timestamp: '12' });
    expect(String(message.value)).toBe('cd');
    expect(outgoing('t', 3, { key: 'ключ', value: null }).message).not.toHaveProperty('timestamp');
  });
});

describe('topicConfig', () => {
  const config = (retentionMs: number | null, compacted: boolean, replication = 1) =>
    Object.fromEntries(
      topicConfig({ name: 't', partitions: 1, retentionMs, compacted }, replication).map((e) => [
        e.name,
        e.value,
      ]),
    );

  it('rolls segments often enough for the retention to be met', () => {
    expect(config(7 * 86_400_000, false)).toMatchObject({
      'retention.ms': '604800000',
      'segment.ms': '86400000',
    });
    expect(config(3_600_000, false)).toMatchObject({ 'segment.ms': '900000' });
    expect(config(null, false)).toMatchObject({ 'retention.ms': '-1' });
    expect(config(null, false)).not.toHaveProperty('cleanup.policy');
  });

  it('compacts state topics soon, and wants two copies in sync where there are three', () => {
    expect(config(null, true)).toMatchObject({
      'cleanup.policy': 'compact',
      'min.cleanable.dirty.ratio': '0.2',
    });
    expect(config(1000, true, 3)).toMatchObject({
      'cleanup.policy': 'compact,delete',
      'min.insync.replicas': '2',
    });
  });
});

describe('outside', () => {
  it('leaves a fault of the program as it is', () => {
    const fault = new TypeError('x is not a function');
    expect(outside(fault, 'append')).toBe(fault);
    expect(outside(Object.assign(new Error('refused'), { syscall: 'connect' }), 'append')).toMatchObject({
      code: 'LOG_UNAVAILABLE',
      message: 'append: refused',
    });
  });
});

describe('follow', () => {
  it('gives up, after a bound, a cursor behind the end of a topic that was made anew', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    let asked = 0;
    const cause = Object.assign(new Error('out of range'), { type: 'OFFSET_OUT_OF_RANGE' });
    const fetcher: Pick<KafkaFetcher, 'fetch' | 'earliest'> = {
      fetch: async () => {
        asked += 1;
        throw new TelltaleError('LOG_UNAVAILABLE', 'fetch', { cause });
      },
      earliest: async (partitions) => new Map(partitions.map((partition) => [partition, 0])),
    };
    const cursor = { partition: 0, next: 50, to: 100 };
    const ended = expect(follow(fetcher, 't', [cursor], {}).next()).rejects.toMatchObject({ cause });
    await vi.runAllTimersAsync();
    await ended;
    expect(asked).toBe(8);
  });
});

describe("kafkajs's queue of requests", () => {
  const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
    new (
      options: object,
    ): {
      push(request: object): void;
      checkPendingRequests(): void;
      maybeThrottle(ms: number): void;
      destroy(): void;
    };
  };
  const logger = { debug: () => undefined };

  it('sets no timer while nothing waits, and one ahead of now while something does', () => {
    const timers = vi.spyOn(globalThis, 'setTimeout');
    onTestFinished(() => timers.mockRestore());
    const queue = new RequestQueue({ logger, maxInFlightRequests: null, requestTimeout: 1000 });
    onTestFinished(() => queue.destroy());
    queue.checkPendingRequests();
    expect(timers).not.toHaveBeenCalled();
    queue.maybeThrottle(500);
    queue.push({ entry: { correlationId: 1 }, expectResponse: true, sendRequest: () => undefined });
    expect(timers).toHaveBeenCalledOnce();
    expect(timers.mock.calls[0]?.[1]).toBeGreaterThan(0);
  });
});

describe.skipIf('missing' in kafka)('on a real broker', () => {
  const brokers = 'missing' in kafka ? '' : kafka.brokers;
  const prefix = `kafka-test-${process.pid}-${Date.now()}.`;
  const patience = { connectionTimeout: 60_000, requestTimeout: 240_000 };
  const client = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING, ...patience });
  const admin = client.admin();
  let log: Log;
  beforeAll(async () => {
    await admin.connect();
    log = await openKafkaLog({
      brokers: [brokers],
      replication: 1,
      prefix,
      clock: Date.now,
      warn: (line) => console.warn(line),
    });
  });
  afterAll(async () => {
    await log.close();
    await admin.disconnect();
  });

  it('sets a topic up as its specification says', async () => {
    await log.createTopic({ name: 'state', partitions: 4, retentionMs: null, compacted: true });
    const { topics } = await admin.fetchTopicMetadata({ topics: [`${prefix}state`] });
    expect(topics[0]?.partitions).toHaveLength(4);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: `${prefix}state` }],
    });
    const entries = new Map(resources[0]?.configEntries.map((e) => [e.configName, e.configValue]));
    expect(entries.get('cleanup.policy')).toBe('compact');
    expect(entries.get('retention.ms')).toBe('-1');
  });

  it('reads on at what retention has left', async () => {
    await log.createTopic(plain('short', 1));
    await log.append('short', numbered(10));
    const reading = log.read('short', { from: { offsets: [{ partition: 0, offset: 0 }] }, to: 'end' });
    expect(await log.ranges('short')).toEqual([{ partition: 0, earliest: 0, end: 10 }]);
    // kafkajs finds the leader in what it was told of the topic last.
    await admin.fetchTopicOffsets(`${prefix}short`);
    await admin.deleteTopicRecords({
      topic: `${prefix}short`,
      partitions: [{ partition: 0, offset: '6' }],
    });
    const texts: string[] = [];
    for await (const { records } of reading) texts.push(...records.map(textOf));
    expect(texts).toEqual(['6', '7', '8', '9']);
  });

  it('closes its connections also after a failure', async () => {
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    const before = sockets();
    const fetcher = new KafkaFetcher(client, `${prefix}none`);
    await expect(fetcher.ends([0])).rejects.toMatchObject({ code: 'LOG_TOPIC_UNKNOWN' });
    expect(sockets()).toBeGreaterThan(before);
    await fetcher.close();
    await expect.poll(sockets).toBeLessThanOrEqual(before);
  });

  it('makes topics although another process deleted one whose offsets were asked for', async () => {
    await log.createTopic(plain('gone', 2));
    expect(await log.committed('nobody', 'gone')).toEqual([]);
    await admin.deleteTopics({ topics: [`${prefix}gone`] });
    await expect.poll(() => log.topics()).not.toContain('gone');
    await log.createTopic(plain('next', 2));
    expect(await log.ranges('next')).toHaveLength(2);
  });

  it("reads past another's aborted transaction and ends exactly at the end, though markers are last", async () => {
    await log.createTopic(plain('t', 1));
    await log.append('t', numbered(5));
    const producer = client.producer({ transactionalId: `${prefix}other`, maxInFlightRequests: 1 });
    await producer.connect();
    const send = async (value: string, commit: boolean) => {
      const transaction = await producer.transaction();
      await transaction.send({ topic: `${prefix}t`, messages: [{ key: 'k', value }] });
      await (commit ? transaction.commit() : transaction.abort());
    };
    await send('aborted', false);
    await send('committed', true);
    await send('aborted too', false);
    await producer.disconnect();
    // The broker writes the last marker after it has answered.
    await expect.poll(async () => (await log.ranges('t'))[0]?.end).toBe(11);
    expect((await readAll(log, 't')).map(textOf)).toEqual(['0', '1', '2', '3', '4', 'committed']);
    expect(await log.lag('nobody', 't')).toBe(6);
  });
});
