// The contract, part two: reading without a group, positions and times.
import { describe, expect, it } from 'vitest';
import type { Bench } from './log-contract.ts';
import { nextBatch, numbered, plain, readAll, readUntil, record, textOf } from './log-under-test.ts';

const T0 = 1_700_000_000_000;

export function readContract({ open, prefix }: Bench): void {
  describe('read', () => {
    it('goes from the beginning to the end as it was at the call', async () => {
      const log = await open();
      await log.createTopic(plain('t', 3));
      await log.append('t', numbered(300));
      const iteration = log.read('t', { to: 'end' });
      // The positions are fixed when ranges has answered, which asks after them.
      await log.ranges('t');
      await log.append('t', numbered(50, 7, 300));
      let seen = 0;
      for await (const batch of iteration) seen += batch.records.length;
      expect(seen).toBe(300);
      expect(await readAll(log, 't')).toHaveLength(350);
    });

    it('of an empty topic ends at once, as does one from the end to the end', async () => {
      const log = await open();
      await log.createTopic(plain('t', 3));
      expect(await readAll(log, 't')).toEqual([]);
      await log.append('t', numbered(10));
      expect(await readAll(log, 't', { from: 'end', to: 'end' })).toEqual([]);
      expect(await readAll(log, 't', { from: 'earliest', to: 'earliest' })).toEqual([]);
    });

    it('follows the topic: what comes later is delivered, whoever appends it', async () => {
      const where = prefix();
      const [log, other] = [await open({ prefix: where }), await open({ prefix: where })];
      await log.createTopic(plain('t', 2));
      await log.append('t', numbered(5));
      const iterator = log.read('t', { from: 'end' })[Symbol.asyncIterator]();
      const first = iterator.next();
      await log.ranges('t');
      await log.append('t', [record('k', 'own')]);
      expect((await first).value.records.map(textOf)).toEqual(['own']);
      const second = iterator.next();
      await other.append('t', [record('k', 'of another')]);
      expect((await second).value.records.map(textOf)).toEqual(['of another']);
      await iterator.return?.();
    });

    it('ends when its signal aborts, also while it waits', async () => {
      const log = await open();
      await log.createTopic(plain('t', 1));
      await log.append('t', numbered(3));
      const stop = new AbortController();
      const iterator = log.read('t', { signal: stop.signal })[Symbol.asyncIterator]();
      await nextBatch(iterator);
      const waiting = iterator.next();
      stop.abort();
      expect(await waiting).toMatchObject({ done: true });
      expect(await readAll(log, 't', { signal: stop.signal })).toEqual([]);
    });

    it('takes some partitions, from offsets to offsets, in batches of at most so many', async () => {
      const log = await open();
      await log.createTopic(plain('t', 3));
      await log.append('t', numbered(600, 30));
      const ends = (await log.ranges('t')).map(({ end }) => end);
      const sizes: number[] = [];
      const offsets: number[] = [];
      const iteration = log.read('t', {
        partitions: [1],
        from: { offsets: [{ partition: 1, offset: 5 }] },
        to: { offsets: [{ partition: 1, offset: 45 }] },
        maxBatch: 12,
      });
      for await (const batch of iteration) {
        expect(batch).toMatchObject({ topic: 't', partition: 1, highWatermark: ends[1] });
        sizes.push(batch.records.length);
        offsets.push(...batch.records.map(({ offset }) => offset));
      }
      expect(offsets).toEqual(Array.from({ length: 40 }, (_, i) => i + 5));
      expect(Math.max(...sizes)).toBe(12);
      const rest = await readAll(log, 't', {
        from: { offsets: [{ partition: 0, offset: ends[0]! - 1 }] },
        to: { offsets: [{ partition: 2, offset: 3 }] },
      });
      const count = (partition: number) => rest.filter((one) => one.partition === partition).length;
      expect([count(0), count(1), count(2)]).toEqual([1, ends[1], 3]);
    });

    it('and offsetsAt find a time: the first record at or after it', async () => {
      const log = await open();
      await log.createTopic(plain('t', 1));
      for (let i = 0; i < 100; i++) await log.append('t', [record('k', String(i), T0 + i * 1000)]);
      const at = async (timestampMs: number) => (await log.offsetsAt('t', timestampMs))[0]?.offset;
      expect(await at(0)).toBe(0);
      expect(await at(T0)).toBe(0);
      expect(await at(T0 + 1)).toBe(1);
      expect(await at(T0 + 42_000)).toBe(42);
      expect(await at(T0 + 42_001)).toBe(43);
      expect(await at(T0 + 99_001)).toBe(100);
      const stretch = await readAll(log, 't', {
        from: { timestampMs: T0 + 10_000 },
        to: { timestampMs: T0 + 20_000 },
      });
      expect(stretch.map(textOf)).toEqual(Array.from({ length: 10 }, (_, i) => String(i + 10)));
    });

    it('finds a time also where records came out of order', async () => {
      const log = await open();
      await log.createTopic(plain('t', 1));
      const seconds = [5, 1, 2, 9, 3, 4, 12];
      for (const second of seconds) await log.append('t', [record('k', String(second), T0 + second * 1000)]);
      const at = async (second: number) => (await log.offsetsAt('t', T0 + second * 1000))[0]?.offset;
      expect([await at(1), await at(5), await at(6), await at(10), await at(13)]).toEqual([0, 0, 3, 6, 7]);
    });

    it('tells ranges, and the lag of a group that has not begun', async () => {
      const log = await open();
      await log.createTopic(plain('t', 2));
      await log.append('t', numbered(100, 20));
      const ranges = await log.ranges('t');
      expect(ranges.map(({ earliest }) => earliest)).toEqual([0, 0]);
      expect(ranges.reduce((sum, { end }) => sum + end, 0)).toBe(100);
      expect(await log.lag('nobody', 't')).toBe(100);
      expect(await log.committed('nobody', 't')).toEqual([]);
    });

    it('serves many readers at once, each at its own pace', async () => {
      const log = await open();
      await log.createTopic(plain('t', 2));
      await log.append('t', numbered(400));
      const slow = log.read('t', { maxBatch: 10 })[Symbol.asyncIterator]();
      await nextBatch(slow);
      const whole = await Promise.all([1, 2, 3].map(() => readUntil(log, 't', (all) => all.length >= 400)));
      expect(whole.map((all) => all.length)).toEqual([400, 400, 400]);
      expect((await nextBatch(slow)).records).toHaveLength(10);
      await slow.return?.();
    });
  });
}
