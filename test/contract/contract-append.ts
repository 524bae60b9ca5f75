// The contract, part one: topics, append, what is refused, closing.
import { describe, expect, it } from 'vitest';
import { MAX_RECORD_BYTES, type NewRecord } from '../../core/log/log.ts';
import { partitionOf } from '../../core/log/partitioner.ts';
import type { Bench } from './log-contract.ts';
import { bytes, compacted, nextBatch, numbered, plain, readAll, record, textOf } from './log-under-test.ts';

export function appendContract({ open, prefix, subject }: Bench): void {
  describe('topics', () => {
    it('are created once, listed sorted, and keep their partitions', async () => {
      const log = await open();
      await log.createTopic(plain('b', 4));
      await log.createTopic(plain('a', 2));
      await log.createTopic(plain('b', 9));
      expect(await log.topics()).toEqual(['a', 'b']);
      expect(await log.ranges('b')).toEqual(
        [0, 1, 2, 3].map((partition) => ({ partition, earliest: 0, end: 0 })),
      );
    });

    it('of another prefix are another fleet: neither seen nor read', async () => {
      const [one, two] = [await open(), await open()];
      await one.createTopic(plain('t', 1));
      await two.createTopic(plain('t', 1));
      await one.append('t', [record('k', 'mine')]);
      expect(await readAll(two, 't')).toEqual([]);
      expect(await two.topics()).toEqual(['t']);
      await two.deleteTopic('t');
      expect((await readAll(one, 't')).map(textOf)).toEqual(['mine']);
    });

    it('that were deleted are unknown, and empty when they come again', async () => {
      const log = await open();
      await log.createTopic(plain('t', 2));
      await log.append('t', numbered(50));
      await log.deleteTopic('t');
      expect(await log.topics()).toEqual([]);
      await expect(log.append('t', numbered(1))).rejects.toMatchObject({ code: 'LOG_TOPIC_UNKNOWN' });
      await log.createTopic(plain('t', 3));
      expect((await log.ranges('t')).map(({ end }) => end)).toEqual([0, 0, 0]);
      await log.append('t', numbered(5));
      expect(await readAll(log, 't')).toHaveLength(5);
    });

    it('that do not exist are named by a code that says retrying is useless', async () => {
      const log = await open();
      const unknown = { code: 'LOG_TOPIC_UNKNOWN', retryable: false };
      const { signal } = new AbortController();
      await expect(log.append('none', numbered(1))).rejects.toMatchObject(unknown);
      await expect(readAll(log, 'none')).rejects.toMatchObject(unknown);
      await expect(log.transform('none', { group: 'g', signal }, () => [])).rejects.toMatchObject(unknown);
      await expect(log.ranges('none')).rejects.toMatchObject(unknown);
      await expect(log.offsetsAt('none', 0)).rejects.toMatchObject(unknown);
      await expect(log.lag('g', 'none')).rejects.toMatchObject(unknown);
      await expect(log.deleteTopic('none')).rejects.toMatchObject(unknown);
    });
  });

  describe('append', () => {
    it("puts each key into one partition, kafkajs's own, and keeps its order", async () => {
      const log = await open();
      await log.createTopic(plain('t', 5));
      const records = numbered(2000, 40);
      const calls = Array.from({ length: 20 }, (_, i) =>
        log.append('t', records.slice(i * 100, i * 100 + 100)),
      );
      await Promise.all(calls);
      const all = await readAll(log, 't');
      expect(all).toHaveLength(2000);
      for (const one of all) expect(one.partition).toBe(partitionOf(one.key, 5));
      for (let key = 0; key < 40; key++) {
        const ofKey = all.filter((one) => one.key === `car-${key}`).map((one) => Number(textOf(one)));
        expect(ofKey).toEqual(
          records.filter((_, i) => i % 40 === key).map((one) => Number(String(one.value))),
        );
      }
    });

    it('numbers the records of a partition from 0 without gaps, and stamps them with the clock or as told', async () => {
      const clock = () => 1_700_000_000_123;
      const log = await open({ clock });
      await log.createTopic(plain('t', 1));
      await log.append('t', [record('a', '1'), record('a', '2', 1_600_000_000_000)]);
      await log.append('t', [record('b', '3')]);
      const all = await readAll(log, 't');
      expect(all.map(({ offset, timestampMs, key }) => [offset, timestampMs, key])).toEqual([
        [0, 1_700_000_000_123, 'a'],
        [1, 1_600_000_000_000, 'a'],
        [2, 1_700_000_000_123, 'b'],
      ]);
    });

    it('keeps keys and values byte for byte', async () => {
      const log = await open();
      await log.createTopic(plain('t', 1));
      const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      const view = new Uint8Array(every.buffer, every.byteOffset + 10, 20);
      const records: NewRecord[] = [
        { key: 'Straße/車-1 🚗', value: every },
        { key: '', value: Buffer.alloc(0) },
        { key: 'view', value: view },
      ];
      await log.append('t', records);
      const all = await readAll(log, 't');
      expect(all.map(({ key }) => key)).toEqual(['Straße/車-1 🚗', '', 'view']);
      expect(all.map(({ value }) => Buffer.from(value ?? []).toString('hex'))).toEqual([
        every.toString('hex'),
        '',
        every.subarray(10, 30).toString('hex'),
      ]);
    });

    it('takes an empty list, and does not touch what the caller owns afterwards', async () => {
      const log = await open();
      await log.createTopic(plain('t', 1));
      await log.append('t', []);
      const value = bytes('as appended');
      await log.append('t', [{ key: 'k', value }]);
      value.fill(0);
      expect((await readAll(log, 't')).map(textOf)).toEqual(['as appended']);
    });

    it('takes a record of the greatest size and refuses one byte more, writing nothing of that call', async () => {
      const log = await open();
      await log.createTopic(plain('t', 1));
      const largest: NewRecord = { key: 'k', value: Buffer.alloc(MAX_RECORD_BYTES - 1, 7) };
      const tooLarge: NewRecord = { key: 'k', value: Buffer.alloc(MAX_RECORD_BYTES, 8) };
      const calls = await Promise.allSettled([
        log.append('t', [record('k', 'first')]),
        log.append('t', [record('k', 'beside it'), tooLarge]),
        log.append('t', [largest, largest]),
      ]);
      expect(calls.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(calls[1]).toMatchObject({ reason: { code: 'LOG_RECORD_TOO_LARGE', retryable: false } });
      expect((await readAll(log, 't')).map(({ value }) => value?.length)).toEqual([
        5,
        MAX_RECORD_BYTES - 1,
        MAX_RECORD_BYTES - 1,
      ]);
    });

    it('in a compacted topic leaves the last value of each key to be read, and tells of deletions', async () => {
      const log = await open();
      await log.createTopic(compacted('t', 2));
      for (const round of [1, 2, 3])
        await log.append(
          't',
          ['a', 'b', 'c'].map((key) => record(key, `${key}${round}`)),
        );
      await log.append('t', [{ key: 'b', value: null }]);
      const all = await readAll(log, 't');
      const last = new Map(all.map((one) => [one.key, textOf(one)]));
      expect([...last].sort()).toEqual([
        ['a', 'a3'],
        ['b', 'null'],
        ['c', 'c3'],
      ]);
      if (subject().compactsAtOnce) expect(all).toHaveLength(3);
      await log.append('t', [record('b', 'again')]);
      expect(textOf((await readAll(log, 't')).findLast(({ key }) => key === 'b')!)).toBe('again');
    });
  });

  describe('close', () => {
    it('waits for what is under way, then refuses everything', async () => {
      const where = prefix();
      const log = await open({ prefix: where });
      await log.createTopic(plain('t', 1));
      const appending = log.append('t', numbered(200));
      await log.close();
      await appending;
      const closed = { code: 'LOG_CLOSED', retryable: false };
      await expect(log.append('t', numbered(1))).rejects.toMatchObject(closed);
      await expect(readAll(log, 't')).rejects.toMatchObject(closed);
      await expect(log.topics()).rejects.toMatchObject(closed);
      const again = await open({ prefix: where });
      expect(await readAll(again, 't')).toHaveLength(200);
    });

    it('wakes a waiting reader and ends a running transform, both with LOG_CLOSED', async () => {
      const log = await open();
      await log.createTopic(plain('t', 1));
      await log.append('t', numbered(1));
      const iterator = log.read('t')[Symbol.asyncIterator]();
      expect((await nextBatch(iterator)).records).toHaveLength(1);
      const reading = expect(iterator.next()).rejects.toMatchObject({ code: 'LOG_CLOSED' });
      const { signal } = new AbortController();
      const transforming = expect(log.transform('t', { group: 'g', signal }, () => [])).rejects.toMatchObject(
        { code: 'LOG_CLOSED' },
      );
      await log.close();
      await log.close();
      await reading;
      await transforming;
    });
  });
}
