import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeadLetter } from '../../core/events.ts';
import { createFixedTopics } from '../../core/log/create-topics.ts';
import type { Log } from '../../core/log/log.ts';
import { deadLettersTopic } from '../../core/topics.ts';
import { type Choice, describeLetter, readLetters } from '../../ingest/dead-letters.ts';
import { ANY_TIME, TIME_BOUNDS, type TimeBounds } from '../../ingest/plausible-time.ts';
import { redrive } from '../../ingest/redrive.ts';
import { CATALOGUE, eventOf, recordsOf, temporaryLog, topicOf } from './rig.ts';

let log: Log;
let close: () => Promise<void>;
beforeEach(async () => {
  ({ log, close } = temporaryLog());
  await createFixedTopics(log, 3);
});
afterEach(() => close());

const DAY_MS = 86_400_000;
/** When letters came in, about. */
const R = 1_700_000_000_000;
/** Mends: older events are taken, events further ahead are, and any are. */
const OLDER: TimeBounds = { ...TIME_BOUNDS, maxAgeMs: 600 * DAY_MS };
const AHEAD: TimeBounds = { ...TIME_BOUNDS, maxAheadMs: DAY_MS };

/** Puts a letter where ingest would: this car, this payload, refused for this reason at this time. */
async function refuse(client: string, payload: Buffer, reason: DeadLetter['reason'], receivedTs = R) {
  const letter: DeadLetter = {
    reason,
    detail: 'as it was judged then',
    topic: topicOf(client),
    client,
    receivedTs,
    payloadBase64: payload.toString('base64'),
  };
  await log.append(deadLettersTopic.name, [{ key: client, value: deadLettersTopic.encode(letter) }]);
}

const run = (timeBounds: TimeBounds, choice: Choice = {}, dryRun = false) =>
  redrive({
    ...{ log, timeBounds, choice, dryRun },
    catalogue: CATALOGUE,
    signal: new AbortController().signal,
  });

async function telemetry(): Promise<readonly string[]> {
  return (await recordsOf(log, 'telemetry')).map(({ value }) => Buffer.from(value!).toString()).sort();
}

async function open(): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const { letter } of readLetters(log, 'open')) letters.push(letter);
  return letters;
}

const at = (vin: string, seq: number, ts: number) =>
  Buffer.from(JSON.stringify({ vin, seq, ts, signals: { speedKmh: 50 } }, null, 1));
const old = at('CAR1', 1, R - 500 * DAY_MS);
const ahead = at('CAR2', 2, R + 7_200_000);
const far = at('CAR3', 3, R + 9000 * DAY_MS);

describe('redrive', () => {
  beforeEach(async () => {
    await refuse('CAR1', old, 'implausible-time', R + 1000);
    // As an earlier program refused it, for another reason than today's.
    await refuse('CAR3', far, 'wrong-schema', R + 2000);
    await refuse('CAR2', ahead, 'implausible-time', R + 3000);
  });

  it('writes nothing while nothing was mended', async () => {
    const report = await run(TIME_BOUNDS);
    expect(report).toEqual({
      sent: 0,
      missing: 0,
      failing: new Map([['implausible-time', 3]]),
      leftOut: 0,
    });
    expect(await telemetry()).toEqual([]);
    expect(await recordsOf(log, deadLettersTopic.name)).toHaveLength(3);
    expect(await log.committed('redrive', deadLettersTopic.name)).toEqual([]);
  });

  it('sends after each mend exactly what was not sent yet, with its original bytes', async () => {
    expect(await run(AHEAD)).toMatchObject({ sent: 1 });
    expect(await telemetry()).toEqual([ahead.toString()]);
    expect(await run(AHEAD)).toMatchObject({ sent: 0 });
    expect((await open()).map(({ client }) => client).sort()).toEqual(['CAR1', 'CAR3']);
    expect(await run(OLDER)).toMatchObject({ sent: 1 });
    expect(await telemetry()).toEqual([old.toString(), ahead.toString()].sort());
    expect(await run(ANY_TIME)).toEqual({ sent: 1, missing: 0, failing: new Map(), leftOut: 0 });
    expect(await telemetry()).toEqual([old.toString(), ahead.toString(), far.toString()].sort());
    expect(await open()).toEqual([]);
    expect(await run(ANY_TIME)).toEqual({ sent: 0, missing: 0, failing: new Map(), leftOut: 0 });
  });

  it('keeps what a letter was, and says what is wrong with it now', async () => {
    await run(AHEAD);
    const letter = (await open()).find(({ client }) => client === 'CAR1');
    expect(letter).toEqual({
      reason: 'implausible-time',
      detail: expect.stringMatching(
        /^1656800000000 is 2022-07-02, 500 days before its receipt, at most 400 days/,
      ),
      topic: topicOf('CAR1'),
      client: 'CAR1',
      receivedTs: R + 1000,
      payloadBase64: old.toString('base64'),
    });
  });

  it('sends only what is chosen and leaves the rest open', async () => {
    const both = { ...OLDER, maxAheadMs: AHEAD.maxAheadMs };
    expect(await run(both, { reason: 'wrong-schema' })).toMatchObject({ sent: 0, leftOut: 2 });
    expect(await run(both, { fromMs: R + 3000 })).toMatchObject({ sent: 1, leftOut: 2 });
    expect(await telemetry()).toEqual([ahead.toString()]);
    expect(await run(both, { toMs: R + 1000 })).toMatchObject({ sent: 0, leftOut: 2 });
    expect(await run(both, { reason: 'implausible-time', toMs: R + 1001 })).toMatchObject({
      sent: 1,
      leftOut: 1,
    });
    expect(await open()).toMatchObject([{ client: 'CAR3', reason: 'wrong-schema' }]);
  });

  it('counts the readings that go along and that nobody will use', async () => {
    const signals = { speedKmh: 5000, coolantC: 'hot', fuel: 3 };
    const odd = Buffer.from(
      JSON.stringify({ vin: 'CAR4', seq: 4, ts: R - 500 * DAY_MS, signals, note: 'x' }),
    );
    await refuse('CAR4', odd, 'wrong-schema');
    const twoOfThem = { sent: 2, missing: 3, failing: new Map([['implausible-time', 2]]), leftOut: 0 };
    expect(await run(OLDER, {}, true)).toEqual(twoOfThem);
    expect(await run(OLDER)).toEqual(twoOfThem);
    expect(await telemetry()).toEqual([odd.toString(), old.toString()].sort());
  });

  it('only says so in a dry run', async () => {
    expect(await run(OLDER, {}, true)).toEqual({
      sent: 1,
      missing: 0,
      failing: new Map([['implausible-time', 2]]),
      leftOut: 0,
    });
    expect(await telemetry()).toEqual([]);
    expect(await open()).toHaveLength(3);
  });

  it('stopped before its end says so, and the next run sends the rest', async () => {
    const stop = new AbortController();
    stop.abort();
    const attempt = redrive({
      log,
      catalogue: CATALOGUE,
      timeBounds: OLDER,
      choice: {},
      dryRun: false,
      signal: stop.signal,
    });
    await expect(attempt).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await run(OLDER)).toMatchObject({ sent: 1 });
  });

  it('two at once send each letter once', async () => {
    for (let seq = 10; seq < 200; seq++)
      await refuse('CAR1', at('CAR1', seq, R - 500 * DAY_MS), 'implausible-time');
    await Promise.allSettled([run(OLDER), run(OLDER)]);
    await run(OLDER);
    const sent = await telemetry();
    expect(sent).toHaveLength(191);
    expect(new Set(sent).size).toBe(191);
  });
});

it('what an earlier program refused for a reading or a name passes now, as it came', async () => {
  const hot = eventOf('CAR1', 1, { speedKmh: 50, coolantC: 65_535 });
  const flux = eventOf('CAR2', 2, { flux: 1 });
  await refuse('CAR1', hot, 'impossible-value', Date.now());
  await refuse('CAR2', flux, 'unknown-signal', Date.now());
  expect(await run(TIME_BOUNDS)).toEqual({ sent: 2, missing: 2, failing: new Map(), leftOut: 0 });
  expect(await telemetry()).toEqual([hot.toString(), flux.toString()].sort());
});

it('a letter of three years ago with a time of then is plausible', async () => {
  const receivedTs = Date.now() - 1100 * DAY_MS;
  await refuse('CAR1', at('CAR1', 1, receivedTs - 1000), 'unknown-signal', receivedTs);
  await refuse('CAR1', at('CAR1', 2, Date.now()), 'unknown-signal', receivedTs);
  expect(await run(TIME_BOUNDS)).toMatchObject({ sent: 1, failing: new Map([['implausible-time', 1]]) });
});

it('letters of a topic of ground truth go back to that topic', async () => {
  const truth = { vin: 'CAR1', ts: R, faultId: 'f', fault: 'leak', severity: 1, phase: 'started' };
  const letter = {
    reason: 'wrong-schema',
    detail: '',
    topic: 'cars/CAR1/ground-truth',
    client: 'CAR1',
    receivedTs: R,
    payloadBase64: Buffer.from(JSON.stringify(truth)).toString('base64'),
  } as const;
  await log.append(deadLettersTopic.name, [{ key: 'CAR1', value: deadLettersTopic.encode(letter) }]);
  expect(await run(TIME_BOUNDS)).toMatchObject({ sent: 1 });
  expect(await recordsOf(log, 'ground-truth')).toHaveLength(1);
});

it('a letter is listed in one line that plays no tricks with the terminal', () => {
  const letter: DeadLetter = {
    reason: 'not-json',
    detail: 'bad\u001b[2Jtoken',
    topic: 't',
    client: 'CAR\n1',
    receivedTs: 0,
    payloadBase64: Buffer.from(`\u0007{"a":${'9'.repeat(200)}`).toString('base64'),
  };
  expect(describeLetter({ offset: 0, letter })).toBe(
    `1970-01-01T00:00:00.000Z not-json         CAR\\n1  bad\\u001b[2Jtoken  \\u0007{"a":${'9'.repeat(74)}…`,
  );
});
