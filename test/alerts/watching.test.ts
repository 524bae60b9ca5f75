// From a look at a car to its scores being told in full, through the log: the server tells, whoever scores hears of it.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MAX_WATCHED, Watching } from '../../alerts/watching.ts';
import { TelltaleError } from '../../core/errors.ts';
import type { Log, NewRecord } from '../../core/log/log.ts';
import { WATCHED_MS, watchedTopic } from '../../core/topics.ts';
import { followWatched } from '../../scoring/watched.ts';
import { type TempLog, tempLog } from './support.ts';

let temp: TempLog;
let nowMs = 0;
const clock = () => nowMs;
const stop = { now: new AbortController() };

beforeEach(async () => {
  temp = await tempLog();
  nowMs = Date.now();
  stop.now = new AbortController();
});

afterEach(async () => {
  stop.now.abort();
  await temp.close();
});

const warn = (line: string) => void temp.warnings.push(line);

/** A log that keeps what is appended, or refuses it. */
function appended(refuse = false) {
  const records: NewRecord[] = [];
  const log = {
    append: async (_topic: string, list: readonly NewRecord[]) => {
      if (refuse) throw new TelltaleError('LOG_UNAVAILABLE', 'away');
      records.push(...list);
    },
  } as unknown as Log;
  return { log, records };
}

it('holds for a minute after the last look, in whatever process scores', async () => {
  const before = new Watching({ log: temp.log, clock, warn });
  before.look('CAR1');
  const watched = followWatched({ log: temp.open(), clock, warn, signal: stop.now.signal });
  await expect.poll(() => watched.isWatched('CAR1')).toBe(true);
  before.look('CAR2');
  await expect.poll(() => watched.isWatched('CAR2')).toBe(true);
  expect(watched.isWatched('CAR3')).toBe(false);
  nowMs += WATCHED_MS;
  expect([watched.isWatched('CAR1'), watched.isWatched('CAR2')]).toEqual([false, false]);
  stop.now.abort();
  await watched.done;
});

it('is not told to scoring for ever by a server whose clock is ahead, and damage is passed over', async () => {
  await temp.log.append(watchedTopic.name, [
    { key: 'X', value: Buffer.from('{') },
    { key: 'CAR1', value: watchedTopic.encode({ vin: 'CAR1', untilTs: nowMs + 1e9 }) },
  ]);
  const watched = followWatched({ log: temp.log, clock, warn, signal: stop.now.signal });
  await expect.poll(() => watched.isWatched('CAR1')).toBe(true);
  expect(temp.warnings.join()).toMatch(/a watched car passed over/);
  nowMs += WATCHED_MS;
  expect(watched.isWatched('CAR1')).toBe(false);
});

it('is told once in half a minute, however often somebody looks', () => {
  const { log, records } = appended();
  const watching = new Watching({ log, clock, warn });
  for (let second = 0; second < 100; second += 1, nowMs += 1000) watching.look('CAR1');
  // At 0, 30, 60 and 90 seconds.
  expect(records.length).toBe(4);
});

it('is bounded, and makes room for others when looks have run out', () => {
  const { log, records } = appended();
  const watching = new Watching({ log, clock, warn });
  for (let i = 0; i < MAX_WATCHED + 50; i += 1) watching.look(`CAR${i}`);
  expect(records.length).toBe(MAX_WATCHED);
  nowMs += WATCHED_MS;
  watching.look('CAR-NEW');
  expect(records.at(-1)?.key).toBe('CAR-NEW');
});

it('is tried again when the log was away', async () => {
  const { log } = appended(true);
  const watching = new Watching({ log, clock, warn });
  watching.look('CAR1');
  await expect.poll(() => temp.warnings.length).toBe(1);
  watching.look('CAR1');
  await expect.poll(() => temp.warnings.length).toBe(2);
  expect(temp.warnings[0]).toMatch(/not told in full: .*away/);
});
