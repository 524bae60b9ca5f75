import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFixedTopics } from '../../../core/log/create-topics.ts';
import { openEmbeddedLog } from '../../../core/log/embedded.ts';
import type { Log } from '../../../core/log/log.ts';
import { telemetryTopic } from '../../../core/topics.ts';
import { chooses, parseOffsets, readHistory, resolveRanges } from '../../../training/data/history.ts';
import { appendCars, drive, recordOf, SMALL_CATALOGUE } from '../../support/small-fleet.ts';

const T0 = 1_700_000_000_000;
let dir: string;
let log: Log;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'telltale-history-'));
  log = openEmbeddedLog({ dir, prefix: '', clock: () => T0, warn: () => {} });
  await createFixedTopics(log, 3);
  await appendCars(
    log,
    ['A1', 'A2', 'B1', 'B2'].map((vin) => ({ vin, rows: 100 })),
  );
});

afterAll(async () => {
  await log.close();
  rmSync(dir, { recursive: true, force: true });
});

const read = async (
  over: { offsets?: string; cars?: readonly string[]; fromMs?: number; toMs?: number } = {},
) => {
  const { offsets = '', cars = [], fromMs = null, toMs = null } = over;
  const ranges = await resolveRanges(log, { fromMs, toMs, offsets });
  const signal = new AbortController().signal;
  const history = await readHistory({
    log,
    catalogue: SMALL_CATALOGUE,
    ranges,
    cars,
    seed: 1,
    maxRows: 10_000,
    signal,
  });
  return {
    ...history,
    ranges,
    rows: Object.fromEntries(history.series.map(({ id, tsMs }) => [id, tsMs.length])),
  };
};

describe('history', () => {
  it('reads everything, to the end as it was, with readings in catalogue order', async () => {
    const { rows, ranges, series } = await read();
    expect(rows).toEqual({ A1: 100, A2: 100, B1: 100, B2: 100 });
    expect(ranges.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(400);
    const [first] = drive({ vin: 'A1', rows: 1 });
    expect([...series[0]!.values.subarray(0, 6)]).toEqual(
      SMALL_CATALOGUE.signals.map(({ name }) => Math.fround(first!.signals[name]!)),
    );
  });

  it('takes the cars asked for, by name or prefix', async () => {
    expect((await read({ cars: ['A*', 'B2'] })).rows).toEqual({ A1: 100, A2: 100, B2: 100 });
    await expect(read({ cars: ['C'] })).rejects.toMatchObject({ code: 'TRAINING_DATA' });
    expect(['A1', 'B'].map(chooses(['A1', 'C*']))).toEqual([true, false]);
  });

  it('takes a stretch of time, and exactly its offsets again', async () => {
    const stretch = await read({ fromMs: T0 + 20_000, toMs: T0 + 50_000 });
    expect(stretch.rows).toEqual({ A1: 30, A2: 30, B1: 30, B2: 30 });
    const offsets = stretch.ranges.map(({ partition, from, to }) => `${partition}:${from}-${to}`).join(',');
    const again = await read({ offsets });
    expect(again.ranges).toEqual(stretch.ranges);
    expect(again.series).toEqual(stretch.series);
  });

  it('refuses an empty stretch and offsets that are not in the log', async () => {
    await expect(read({ fromMs: T0 + 1e9 })).rejects.toMatchObject({ code: 'TRAINING_DATA' });
    await expect(read({ offsets: '0:0-999999' })).rejects.toThrow(
      /offsets 0 to 999999 of partition 0 are not all in the log/,
    );
    await expect(read({ offsets: '9:0-1' })).rejects.toMatchObject({ code: 'TRAINING_DATA' });
  });

  it('reads offset lists, and says what is none', () => {
    expect(parseOffsets('0:5-10, 2:0-7')).toEqual([
      { partition: 0, from: 5, to: 10 },
      { partition: 2, from: 0, to: 7 },
    ]);
    for (const wrong of ['0:10-5', '0', 'a:1-2', '0:1-2,,'])
      expect(() => parseOffsets(wrong)).toThrow(/is not PARTITION:FROM-TO/);
  });

  it('leaves redelivered and unreadable records out, and says so', async () => {
    const [event] = drive({ vin: 'A1', rows: 1 });
    const before = (await log.ranges(telemetryTopic.name)).map(({ partition, end }) => ({ partition, end }));
    await log.append(telemetryTopic.name, [recordOf(event!), { key: 'A1', value: Buffer.from('{') }]);
    const { rows, leftOut, remarks } = await read();
    expect(rows).toEqual({ A1: 100, A2: 100, B1: 100, B2: 100 });
    expect(leftOut).toBe(2);
    expect(remarks).toEqual([
      '1 record of which no event can be read, left out',
      '1 redelivered event left out: each is taken once',
    ]);
    const earlier = before.filter(({ end }) => end > 0).map(({ partition, end }) => `${partition}:0-${end}`);
    expect(await read({ offsets: earlier.join(',') })).toMatchObject({ leftOut: 0, remarks: [] });
  });

  it('says of events that come late, and of a clock that went back', async () => {
    const minutes = [...drive({ vin: 'E1', rows: 90 })];
    // Three events wait in the car and come behind newer ones; from the 60th on the clock is an hour behind.
    const late = minutes.toSpliced(20, 3).toSpliced(27, 0, ...minutes.slice(20, 23));
    const sent = late.map((event, i) => (i < 60 ? event : { ...event, ts: event.ts - 3_600_000 }));
    await log.append(
      telemetryTopic.name,
      sent.map((event) => recordOf(event)),
    );
    const { rows, leftOut, remarks, series } = await read({ cars: ['E1'] });
    // Nine of the hour behind are taken for late ones, the tenth is followed.
    expect(leftOut).toBe(12);
    expect(remarks).toEqual([
      '12 events older than the one before of the same car, left out',
      '1 time the clock of a car went back for good: what follows is taken as a drive of its own',
    ]);
    expect(series.map(({ tsMs }) => tsMs.length)).toEqual([57, 21]);
    expect(rows).toEqual({ E1: 21 });
  });

  it('tells signals that count from levels, as in a recording', async () => {
    for (const [c, vin] of ['D1', 'D2', 'D3'].entries()) {
      const events = [...drive({ vin, rows: 100 })].map((event, i) => ({
        ...event,
        signals: { ...event.signals, speedKmh: 20_000 + 5000 * c * c + Math.floor(i / 3) * 0.1 },
      }));
      await log.append(
        telemetryTopic.name,
        events.map((event) => recordOf(event)),
      );
    }
    expect((await read({ cars: ['D*'] })).counters.counting).toEqual([0]);
    expect((await read({ cars: ['A*', 'B*'] })).counters.counting).toEqual([]);
  });
});
