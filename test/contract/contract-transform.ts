// The contract, part three: groups. Consume, compute, produce as one.
import { describe, expect, it } from 'vitest';
import type { Log, OutputRecord, RecordBatch } from '../../core/log/log.ts';
import type { Bench } from './log-contract.ts';
import { bytes, event, numbered, plain, readAll, readUntil, record, textOf } from './log-under-test.ts';

const copyTo =
  (topic: string) =>
  (batch: RecordBatch): OutputRecord[] =>
    batch.records.map((one) => ({ topic, key: one.key, value: bytes(`copy ${textOf(one)}`) }));

/** Runs a transform until its group has no lag, then stops it. */
async function transformAll(log: Log, group: string, options: { readonly from?: 'earliest' | 'end' } = {}) {
  const stop = new AbortController();
  const { records } = await endOf(log);
  let seen = 0;
  await log.transform('in', { group, signal: stop.signal, ...options }, (batch) => {
    seen += batch.records.length;
    if (seen >= records) stop.abort();
    return copyTo('out')(batch);
  });
  return seen;
}

async function endOf(log: Log): Promise<{ readonly records: number }> {
  return { records: (await log.ranges('in')).reduce((sum, { end }) => sum + end, 0) };
}

async function makeTopics(log: Log, partitions = 3): Promise<void> {
  await log.createTopic(plain('in', partitions));
  await log.createTopic(plain('out', partitions));
}

export function transformContract({ open, prefix }: Bench): void {
  describe('transform', () => {
    it('answers every record once, in the order of its key, and leaves no lag', async () => {
      const log = await open();
      await makeTopics(log);
      await log.append('in', numbered(1000));
      expect(await transformAll(log, 'g')).toBe(1000);
      const out = await readAll(log, 'out');
      for (let key = 0; key < 7; key++) {
        expect(out.filter((one) => one.key === `car-${key}`).map(textOf)).toEqual(
          numbered(1000)
            .filter((one) => one.key === `car-${key}`)
            .map((one) => `copy ${String(one.value)}`),
        );
      }
      expect(await log.lag('g', 'in')).toBe(0);
      // Its outputs are a topic like any other: a next group reads them to the end, markers and all.
      const stop = new AbortController();
      let next = 0;
      await log.transform('out', { group: 'next', signal: stop.signal }, (batch) => {
        next += batch.records.length;
        if (next >= 1000) stop.abort();
        return [];
      });
      expect(next).toBe(1000);
      expect(await log.lag('next', 'out')).toBe(0);
    });

    it('resumes from the committed offsets, in batches of at most so many', async () => {
      const where = prefix();
      const log = await open({ prefix: where });
      await makeTopics(log, 1);
      await log.append('in', numbered(100));
      const stop = new AbortController();
      await log.transform('in', { group: 'g', signal: stop.signal, maxBatch: 30 }, (batch) => {
        expect(batch.records).toHaveLength(30);
        stop.abort();
        return copyTo('out')(batch);
      });
      expect(await log.committed('g', 'in')).toEqual([{ partition: 0, offset: 30 }]);
      expect(await log.lag('g', 'in')).toBe(70);
      const again = await open({ prefix: where });
      const first = event<number>();
      const rest = new AbortController();
      let seen = 0;
      await again.transform('in', { group: 'g', signal: rest.signal }, (batch) => {
        first.happens(batch.records[0]!.offset);
        seen += batch.records.length;
        if (seen === 70) rest.abort();
        return copyTo('out')(batch);
      });
      expect(await first.happened).toBe(30);
      expect((await readAll(log, 'out')).map(textOf)).toEqual(
        numbered(100).map((one) => `copy ${String(one.value)}`),
      );
    });

    it('tells with a partition where its records begin, and lets go of one that is still being restored', async () => {
      const where = prefix();
      const log = await open({ prefix: where });
      await makeTopics(log, 1);
      await log.append('in', numbered(30));
      await transformAll(log, 'g');
      await log.append('in', numbered(5));
      const again = await open({ prefix: where });
      const stop = new AbortController();
      let next = -1;
      let calls = 0;
      await again.transform(
        'in',
        {
          group: 'g',
          signal: stop.signal,
          onAssigned: async (_, assignment) => {
            next = assignment.next;
            expect(assignment.signal.aborted).toBe(false);
            setTimeout(() => stop.abort(), 10);
            await new Promise<void>((resolve) => {
              assignment.signal.addEventListener('abort', () => resolve(), { once: true });
            });
          },
        },
        () => {
          calls += 1;
          return [];
        },
      );
      expect(next).toBe(30);
      expect(calls).toBe(0);
      expect(await log.lag('g', 'in')).toBe(5);
    });

    it('commits where it stands soon after batches that come to nothing, and where one that comes to something ends', async () => {
      const log = await open();
      await makeTopics(log, 1);
      await log.append('in', numbered(40));
      const stop = new AbortController();
      const seen: number[] = [];
      const running = log.transform('in', { group: 'g', signal: stop.signal, maxBatch: 10 }, (batch) => {
        const { offset } = batch.records[0]!;
        seen.push(offset);
        return offset === 20 ? copyTo('out')(batch) : [];
      });
      await expect.poll(() => log.lag('g', 'in'), { timeout: 30_000 }).toBe(0);
      await log.append('in', numbered(10));
      await expect.poll(() => log.lag('g', 'in'), { timeout: 30_000 }).toBe(0);
      stop.abort();
      await running;
      expect(await log.committed('g', 'in')).toEqual([{ partition: 0, offset: 50 }]);
      expect(seen).toEqual([0, 10, 20, 30, 40]);
      expect(await readAll(log, 'out')).toHaveLength(10);
    });

    it('commits neither output nor offset of a batch whose handler throws, and throws what it threw', async () => {
      const log = await open();
      await makeTopics(log, 1);
      await log.append('in', numbered(40));
      const { signal } = new AbortController();
      let batches = 0;
      const failing = log.transform('in', { group: 'g', signal, maxBatch: 10 }, (batch) => {
        batches += 1;
        if (batches === 3) throw new RangeError('no such thing');
        return copyTo('out')(batch);
      });
      await expect(failing).rejects.toThrow(new RangeError('no such thing'));
      expect(await log.committed('g', 'in')).toEqual([{ partition: 0, offset: 20 }]);
      expect(await readAll(log, 'out')).toHaveLength(20);
      expect(await transformAll(log, 'other')).toBe(40);
    });

    it('ends with the code when an output has no topic or is too large, committing nothing', async () => {
      const log = await open();
      await makeTopics(log, 1);
      await log.append('in', numbered(10));
      const { signal } = new AbortController();
      await expect(log.transform('in', { group: 'g', signal }, copyTo('none'))).rejects.toMatchObject({
        code: 'LOG_TOPIC_UNKNOWN',
      });
      const large = log.transform('in', { group: 'g', signal }, () => [
        { topic: 'out', key: 'k', value: bytes('fits') },
        { topic: 'out', key: 'k', value: Buffer.alloc(1_000_001) },
      ]);
      await expect(large).rejects.toMatchObject({ code: 'LOG_RECORD_TOO_LARGE' });
      expect(await log.committed('g', 'in')).toEqual([]);
      expect(await readAll(log, 'out')).toEqual([]);
    });

    it('starts at the end when it is told so, and resumes there though nothing was committed by a batch', async () => {
      const log = await open();
      await makeTopics(log, 2);
      await log.append('in', numbered(20));
      for (const round of ['first', 'second']) {
        const stop = new AbortController();
        const assigned = event();
        let partitions = 0;
        const run = log.transform(
          'in',
          {
            group: 'late',
            from: 'end',
            signal: stop.signal,
            onAssigned: async () => {
              partitions += 1;
              if (partitions === 2) assigned.happens();
            },
          },
          (batch) => {
            expect(batch.records.map(textOf)).toEqual(['between']);
            stop.abort();
            return copyTo('out')(batch);
          },
        );
        await assigned.happened;
        if (round === 'first') stop.abort();
        await run;
        if (round === 'first') await log.append('in', [record('k', 'between')]);
      }
      expect((await readAll(log, 'out')).map(textOf)).toEqual(['copy between']);
    });

    it('shares the partitions among the members of a group; who stays takes over what a leaver had', async () => {
      const where = prefix();
      const [one, two] = [await open({ prefix: where }), await open({ prefix: where })];
      await makeTopics(one, 4);
      const stops = [new AbortController(), new AbortController()] as const;
      const held = [new Set<number>(), new Set<number>()] as const;
      // Asked for at the moment and not remembered: whoever joins first holds all of them for a while.
      const shares = () => held.map(({ size }) => size);
      const member = (log: Log, which: 0 | 1) =>
        log.transform(
          'in',
          {
            group: 'g',
            signal: stops[which].signal,
            onAssigned: async (partition) => void held[which].add(partition),
            onRevoked: (partition) => void held[which].delete(partition),
          },
          copyTo('out'),
        );
      const first = member(one, 0);
      const second = member(two, 1);
      await expect.poll(shares).toEqual([2, 2]);
      await one.append('in', numbered(200, 30));
      await readUntil(one, 'out', (all) => all.length >= 200);
      stops[0].abort();
      await first;
      await expect.poll(shares).toEqual([0, 4]);
      await one.append('in', numbered(200, 30, 200));
      const out = await readUntil(two, 'out', (all) => all.length >= 400);
      expect(new Set(out.map(textOf)).size).toBe(400);
      stops[1].abort();
      await second;
      expect(await readAll(one, 'out')).toHaveLength(400);
    });

    it('of a slow group holds nobody back: neither writers nor readers nor other groups', async () => {
      const log = await open();
      await makeTopics(log, 1);
      await log.append('in', numbered(10));
      const stop = new AbortController();
      const [entered, released] = [event(), event()];
      const slow = log.transform('in', { group: 'slow', signal: stop.signal }, async (batch) => {
        entered.happens();
        await released.happened;
        return copyTo('out')(batch);
      });
      await entered.happened;
      await log.append('in', numbered(500, 7, 10));
      expect(await readAll(log, 'in')).toHaveLength(510);
      expect(await transformAll(log, 'quick')).toBe(510);
      expect(await log.lag('slow', 'in')).toBe(510);
      stop.abort();
      released.happens();
      await slow;
      expect(await log.lag('slow', 'in')).toBe(500);
      expect(await readAll(log, 'out')).toHaveLength(520);
    });

    it('finishes the batch under way when it is told to stop', async () => {
      const log = await open();
      await makeTopics(log, 1);
      await log.append('in', numbered(10));
      const stop = new AbortController();
      await log.transform('in', { group: 'g', signal: stop.signal }, async (batch) => {
        stop.abort();
        await log.ranges('in');
        return copyTo('out')(batch);
      });
      expect(await log.lag('g', 'in')).toBe(0);
      expect(await readAll(log, 'out')).toHaveLength(10);
      let calls = 0;
      await log.transform('in', { group: 'g', signal: stop.signal }, () => {
        calls += 1;
        return [];
      });
      expect(calls).toBe(0);
    });

    it('lets a stopped group be moved: forward, back, and to no offset at all; never a running one', async () => {
      const log = await open();
      await makeTopics(log, 1);
      await log.append('in', numbered(50));
      await transformAll(log, 'g');
      await log.seek('g', 'in', [{ partition: 0, offset: 40 }]);
      expect(await log.committed('g', 'in')).toEqual([{ partition: 0, offset: 40 }]);
      expect(await log.lag('g', 'in')).toBe(10);
      await log.seek('g', 'in', null);
      expect(await log.committed('g', 'in')).toEqual([]);
      expect(await transformAll(log, 'g')).toBe(50);
      const stop = new AbortController();
      const assigned = event();
      const running = log.transform(
        'in',
        { group: 'g', signal: stop.signal, onAssigned: async () => assigned.happens() },
        () => [],
      );
      await assigned.happened;
      await expect(log.seek('g', 'in', null)).rejects.toMatchObject({
        code: 'LOG_GROUP_ACTIVE',
        retryable: true,
      });
      stop.abort();
      await running;
      await expect(log.seek('g', 'none', null)).rejects.toMatchObject({ code: 'LOG_TOPIC_UNKNOWN' });
    });

    it('carries large outputs: more bytes for one partition than one request takes', async () => {
      const log = await open();
      await makeTopics(log, 1);
      await log.append('in', numbered(6));
      const stop = new AbortController();
      await log.transform('in', { group: 'g', signal: stop.signal }, (batch) => {
        stop.abort();
        return batch.records.map((one) => ({ topic: 'out', key: one.key, value: Buffer.alloc(400_000, 1) }));
      });
      expect((await readAll(log, 'out')).map(({ value }) => value?.length)).toEqual(
        Array.from({ length: 6 }, () => 400_000),
      );
    });
  });
}
