// A Kafka of its own that is killed and comes back: what an append under way is told, and that the same log goes on.
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TelltaleError } from '../../core/errors.ts';
import { openKafkaLog } from '../../core/log/kafka.ts';
import type { Log } from '../../core/log/log.ts';
import { type RunningKafka, startKafka } from '../../scripts/kafka.ts';
import { kafkaMissingForTests } from '../support/kafka.ts';
import { event, nextBatch, numbered, plain, readAll, textOf } from './log-under-test.ts';

const missing = kafkaMissingForTests();

describe.skipIf(missing !== undefined)('a broker that goes away', () => {
  let dir: string;
  let kafka: RunningKafka;
  let log: Log;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'telltale-kafka-'));
    kafka = await startKafka({ dir });
    log = await openKafkaLog({
      brokers: [kafka.brokers],
      replication: 1,
      prefix: '',
      clock: Date.now,
      warn: () => undefined,
      sessionMs: 2500,
    });
  });
  afterAll(async () => {
    await log.close();
    await kafka.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  it('is told by a retryable code, loses nothing that was acknowledged, and is used again when it is back', async () => {
    await log.createTopic(plain('in', 2));
    await log.createTopic(plain('out', 2));
    const acknowledged: string[] = [];
    // Appends follow each other until one is refused; the broker is killed in the middle of them.
    const refused = event<unknown>();
    const going = event();
    const appending = (async () => {
      for (let at = 0; at < 100_000; at += 100) {
        const records = numbered(100, 7, at);
        try {
          await log.append('in', records);
        } catch (error) {
          refused.happens(error);
          return;
        }
        acknowledged.push(...records.map((one) => String(one.value)));
        if (at === 500) going.happens();
      }
    })();
    const iterator = log.read('in')[Symbol.asyncIterator]();
    await nextBatch(iterator);
    const stop = new AbortController();
    let answered = 0;
    const all = event();
    const transforming = log.transform('in', { group: 'g', signal: stop.signal }, (batch) => {
      answered += batch.records.length;
      all.happens();
      return batch.records.map((one) => ({ topic: 'out', key: one.key, value: one.value }));
    });
    await Promise.all([going.happened, all.happened]);
    await kafka.kill();
    const error = await refused.happened;
    await appending;
    expect(error).toBeInstanceOf(TelltaleError);
    expect(error).toMatchObject({ code: 'LOG_UNAVAILABLE', retryable: true });
    await expect(
      openKafkaLog({
        brokers: [kafka.brokers],
        replication: 1,
        prefix: '',
        clock: Date.now,
        warn: () => undefined,
      }),
    ).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE', retryable: true });

    kafka = await startKafka({ dir, port: kafka.port });
    const last = [{ key: 'car-0', value: Buffer.from('last') }];
    await expect.poll(() => log.append('in', last).then(() => 'there')).toBe('there');
    const inLog = (await readAll(log, 'in')).map(textOf);
    expect(inLog.filter((text) => text === 'last').length).toBeGreaterThanOrEqual(1);
    const present = new Set(inLog);
    expect(acknowledged.filter((text) => !present.has(text))).toEqual([]);
    // The reader and the transform that were at work go on by themselves.
    let followed = 0;
    while (followed < 1) {
      const batch = await nextBatch(iterator);
      followed += batch.records.filter((one) => textOf(one) === 'last').length;
    }
    await iterator.return?.();
    await expect.poll(() => log.lag('g', 'in')).toBe(0);
    stop.abort();
    await transforming;
    expect(answered).toBeGreaterThanOrEqual(inLog.length);
    expect((await readAll(log, 'out')).map(textOf).sort()).toEqual(inLog.sort());
  });
});
