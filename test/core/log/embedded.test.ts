// What only the embedded log promises: limits of room, retention and compaction at once, bounded work, format.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type EmbeddedLogOptions, openEmbeddedLog } from '../../../core/log/embedded.ts';
import { EmbeddedStore } from '../../../core/log/embedded-store.ts';
import type { Log } from '../../../core/log/log.ts';
import {
  compacted,
  event,
  numbered,
  plain,
  readAll,
  readUntil,
  record,
  startChild,
  textOf,
} from '../../contract/log-under-test.ts';

const T0 = 1_700_000_000_000;
const DAY_MS = 86_400_000;

describe('the embedded log', () => {
  let dir: string;
  let nowMs = T0;
  let opened: Log[] = [];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'telltale-log-'));
    nowMs = T0;
  });
  afterEach(async () => {
    await Promise.all(opened.map((log) => log.close()));
    opened = [];
    rmSync(dir, { recursive: true, force: true });
  });
  const open = (options: Partial<EmbeddedLogOptions> = {}): Log => {
    const log = openEmbeddedLog({ dir, prefix: '', clock: () => nowMs, warn: () => undefined, ...options });
    opened.push(log);
    return log;
  };

  describe('without room', () => {
    it('refuses what would pass its limit with LOG_FULL, whole calls only, and goes on when there is room', async () => {
      const log = open({ maxBytes: 50_000, sweepEveryMs: 10 });
      await log.createTopic({ ...plain('t', 1), retentionMs: 60_000 });
      const kilobytes = (n: number) => Array.from({ length: n }, () => record('k', 'x'.repeat(1000)));
      await log.append('t', kilobytes(40));
      const calls = await Promise.allSettled([
        log.append('t', kilobytes(20)),
        log.append('t', [record('k', 'small')]),
      ]);
      expect(calls[0]).toMatchObject({ status: 'rejected', reason: { code: 'LOG_FULL', retryable: true } });
      expect(calls[1].status).toBe('fulfilled');
      expect(await readAll(log, 't')).toHaveLength(41);
      nowMs += 61_000;
      await expect.poll(async () => (await log.ranges('t'))[0]?.earliest).toBe(41);
      await log.append('t', kilobytes(40));
      expect(await readAll(log, 't')).toHaveLength(40);
    });

    it('keeps a transform waiting, which commits once there is room', async () => {
      const log = open({ maxBytes: 20_000 });
      await log.createTopic(plain('in', 1));
      await log.createTopic(plain('ballast', 1));
      await log.createTopic(plain('out', 1));
      await log.append('in', [record('k', 'x'.repeat(8000))]);
      await log.append('ballast', [record('k', 'x'.repeat(8000))]);
      const stop = new AbortController();
      const handled = event();
      let calls = 0;
      const running = log.transform('in', { group: 'g', signal: stop.signal }, (batch) => {
        calls += 1;
        handled.happens();
        return batch.records.map(({ key, value }) => ({ topic: 'out', key, value }));
      });
      await handled.happened;
      expect(await log.lag('g', 'in')).toBe(1);
      await log.deleteTopic('ballast');
      await readUntil(log, 'out', (all) => all.length === 1);
      stop.abort();
      await running;
      expect(calls).toBe(1);
      expect(await log.lag('g', 'in')).toBe(0);
    });

    it('of the disk itself says LOG_FULL or LOG_UNAVAILABLE, keeps what was acknowledged, writes nothing in half', async () => {
      const log = open();
      await log.createTopic(plain('in', 3));
      await log.append('in', numbered(1000));
      // A process whose files may not grow past 2 MB: the kernel refuses its writes as a full disk does.
      const child = startChild(
        { where: { kind: 'embedded', dir }, prefix: '', act: 'append', records: 200_000 },
        (command) => `ulimit -f 4096; exec ${command}`,
      );
      onTestFinished(() => child.kill('SIGKILL'));
      expect(await child.said('failed')).toMatch(/^failed LOG_(FULL|UNAVAILABLE) /);
      expect(await child.ended).toMatchObject({ code: 3 });
      const texts = (await readAll(log, 'in')).slice().map(textOf);
      expect(texts.length % 100).toBe(0);
      expect(texts.length).toBeGreaterThan(1000);
      // This process has no such limit and goes on.
      await log.append('in', numbered(10));
      expect(await readAll(log, 'in')).toHaveLength(texts.length + 10);
    });
  });

  describe('in time', () => {
    it('removes records older than the retention, from the head of each partition, and moves the beginning', async () => {
      const log = open({ sweepEveryMs: 10 });
      await log.createTopic({ ...plain('t', 2), retentionMs: DAY_MS });
      await log.createTopic(plain('kept', 1));
      await log.append('kept', [record('k', 'old')]);
      await log.append('t', numbered(5000, 50));
      nowMs += DAY_MS / 2;
      await log.append('t', numbered(10, 50, 5000));
      nowMs += DAY_MS / 2 + 1;
      await expect.poll(async () => (await readAll(log, 't')).length).toBe(10);
      const ranges = await log.ranges('t');
      expect(ranges.reduce((sum, { earliest }) => sum + earliest, 0)).toBe(5000);
      expect(ranges.reduce((sum, { end }) => sum + end, 0)).toBe(5010);
      expect(await log.lag('nobody', 't')).toBe(10);
      expect(await readAll(log, 'kept')).toHaveLength(1);
      // A reader that asks for what is gone starts at what is left.
      const from = { offsets: [{ partition: 0, offset: 0 }] };
      expect((await readAll(log, 't', { partitions: [0], from, to: 'end' }))[0]?.offset).toBe(
        ranges[0]?.earliest,
      );
    });

    it('removes tombstones once a day has passed, and what a deleted topic left', async () => {
      const log = open({ sweepEveryMs: 10 });
      await log.createTopic(compacted('c', 1));
      await log.append('c', [record('a', '1'), record('b', '1')]);
      await log.append('c', [{ key: 'a', value: null }]);
      expect((await readAll(log, 'c')).map(textOf)).toEqual(['1', 'null']);
      nowMs += DAY_MS + 1;
      await expect.poll(async () => (await readAll(log, 'c')).length).toBe(1);
      await log.append('c', [record('a', '2')]);
      expect((await readAll(log, 'c')).map(textOf)).toEqual(['1', '2']);
      await log.deleteTopic('c');
      await log.close();
      const store = new EmbeddedStore(join(dir, 'log'));
      onTestFinished(() => store.close());
      store.fresh();
      expect(store.records.getCount({})).toBe(0);
      expect(store.index.getCount({})).toBe(0);
      expect(store.tombstones.getCount({})).toBe(0);
      expect([store.totalBytes(), store.pendingRemovals()]).toEqual([0, []]);
    });

    it('keeps one record for each key of a compacted topic however often it is written, and its size', async () => {
      const log = open();
      await log.createTopic(compacted('c', 2));
      const long = `${'k'.repeat(2000)}é`;
      const write = (value: string) =>
        log.append('c', [record('a', value), record('b', value), record(long, value)]);
      await write('00');
      await log.close();
      const sizeOf = async () => {
        const store = new EmbeddedStore(join(dir, 'log'));
        store.fresh();
        const size = [store.records.getCount({}), store.index.getCount({}), store.totalBytes()];
        await store.close();
        return size;
      };
      const size = await sizeOf();
      expect(size.slice(0, 2)).toEqual([3, 3]);
      const again = open();
      for (let round = 10; round < 40; round++)
        await again.append('c', [
          record('a', String(round)),
          record('b', String(round)),
          record(long, String(round)),
        ]);
      expect((await readAll(again, 'c')).map(textOf)).toEqual(['39', '39', '39']);
      await again.close();
      expect(await sizeOf()).toEqual(size);
    });
  });

  it('has a batch end before it holds more than some megabytes', async () => {
    const log = open();
    await log.createTopic(plain('t', 1));
    for (let i = 0; i < 24; i++) await log.append('t', [{ key: 'k', value: Buffer.alloc(900_000, i) }]);
    const sizes: number[] = [];
    for await (const batch of log.read('t', { to: 'end' })) sizes.push(batch.records.length);
    expect(sizes).toEqual([10, 10, 4]);
  });

  it('lets the rest of the process run while it reads', async () => {
    const log = open();
    await log.createTopic(plain('t', 1));
    const value = Buffer.alloc(200);
    for (let i = 0; i < 50; i++)
      await log.append(
        't',
        Array.from({ length: 2000 }, () => ({ key: 'k', value })),
      );
    let turns = 0;
    let reading = true;
    const turn = () => {
      turns += 1;
      if (reading) setImmediate(turn);
    };
    setImmediate(turn);
    for await (const _ of log.read('t', { to: 'end', maxBatch: 100 }));
    reading = false;
    expect(turns).toBeGreaterThan(3);
  });

  it('is opened twice in one process: one handle closed leaves the other at work', async () => {
    const [one, two] = [open(), open()];
    await one.createTopic(plain('t', 1));
    const following = readUntil(two, 't', (all) => all.length === 20);
    await one.append('t', numbered(10));
    await one.close();
    await two.append('t', numbered(10));
    expect(await following).toHaveLength(20);
  });

  it('serves many partitions and many readers under one signal without a warning', async () => {
    const warnings: string[] = [];
    const warned = (warning: Error) => warnings.push(warning.name);
    process.on('warning', warned);
    onTestFinished(() => void process.off('warning', warned));
    const log = open();
    await log.createTopic(plain('in', 64));
    await log.createTopic(plain('out', 1));
    const stop = new AbortController();
    const copying = log.transform('in', { group: 'g', signal: stop.signal }, (batch) =>
      batch.records.map(({ key, value }) => ({ topic: 'out', key, value })),
    );
    const readers = Array.from({ length: 30 }, () => {
      const done = event();
      const reading = readUntil(
        log,
        'out',
        (all) => {
          if (all.length === 500) done.happens();
          return false;
        },
        { signal: stop.signal },
      );
      return { done: done.happened, reading };
    });
    await log.append('in', numbered(500, 500));
    await Promise.all(readers.map(({ done }) => done));
    stop.abort();
    await copying;
    for (const { reading } of readers) expect(await reading).toHaveLength(500);
    expect(warnings).toEqual([]);
  });

  it('leaves nothing of its own behind in the folder of bells, and resumes where it was', async () => {
    const log = open();
    await log.createTopic(plain('t', 1));
    await log.append('t', numbered(10));
    expect(readdirSync(join(dir, 'log', 'bells'))).toHaveLength(1);
    await log.close();
    expect(readdirSync(join(dir, 'log', 'bells'))).toEqual([]);
    const again = open();
    await again.append('t', numbered(1));
    expect((await readAll(again, 't')).at(-1)?.offset).toBe(10);
  });

  it('says so when the folder cannot be used or is of another format', async () => {
    mkdirSync(join(dir, 'log'));
    const store = new EmbeddedStore(join(dir, 'log'));
    store.setFormat(99);
    await store.close();
    expect(() => open()).toThrowError(expect.objectContaining({ code: 'LOG_CORRUPT' }));
    writeFileSync(join(dir, 'file'), '');
    expect(() => open({ dir: join(dir, 'file') })).toThrowError(
      expect.objectContaining({ code: 'LOG_UNAVAILABLE', retryable: true }),
    );
  });
});
