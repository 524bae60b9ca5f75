import { afterEach, beforeEach, expect, it } from 'vitest';
import { twinStart } from '../../alerts/twin-start.ts';
import { topicSpec } from '../../core/log/create-topics.ts';
import { scoresTopic } from '../../core/topics.ts';
import { makeScore, type TempLog, tempLog } from './support.ts';

const topic = scoresTopic('m1');
let temp: TempLog;

beforeEach(async () => {
  temp = await tempLog(1);
  await temp.log.createTopic(topicSpec(topic, 1));
});
afterEach(() => temp.close());

/** Records of so many scores each, taken in at `timestampMs`. */
async function append(records: number, scores: number, timestampMs: number): Promise<void> {
  const one = {
    ...makeScore('CAR1', 0, 0.2, { values: [], expected: [], top: [] }),
    receivedTs: timestampMs,
  };
  const value = topic.encode(Array(scores).fill(one));
  await temp.log.append(topic.name, Array(records).fill({ key: 'CAR1', value, timestampMs }));
}

const NOW_MS = Date.now();
const LONG_AGO_MS = NOW_MS - 3_600_000;
const startOf = async () => (await twinStart(temp.log, topic.name, NOW_MS))[0]!.offset;

it('goes back to the first score of a small fleet', async () => {
  await append(10, 5, LONG_AGO_MS);
  expect(await startOf()).toBe(0);
});

it('goes back by 60,000 scores where nothing came for long, however many a record holds', async () => {
  await append(300, 1000, LONG_AGO_MS);
  expect(await startOf()).toBe(240);
});

it('goes back by the last minutes of a busy fleet', async () => {
  await append(100, 1000, LONG_AGO_MS);
  await append(200, 1000, NOW_MS - 1000);
  expect(await startOf()).toBe(100);
});

it('goes back by 300,000 scores at most', async () => {
  await append(400, 1000, NOW_MS - 1000);
  expect(await startOf()).toBe(100);
});
