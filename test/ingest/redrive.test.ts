import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Catalogue } from '../../core/catalogue.ts';
import type { DeadLetter } from '../../core/events.ts';
import { createFixedTopics } from '../../core/log/create-topics.ts';
import type { Log } from '../../core/log/log.ts';
import { deadLettersTopic } from '../../core/topics.ts';
import { type Choice, describeLetter, readLetters } from '../../ingest/dead-letters.ts';
import { redrive } from '../../ingest/redrive.ts';
import { CATALOGUE, eventOf, recordsOf, temporaryLog, topicOf } from './rig.ts';

let log: Log;
let close: () => Promise<void>;
beforeEach(async () => {
  ({ log, close } = temporaryLog());
  await createFixedTopics(log, 3);
});
afterEach(() => close());

const withSignal = (name: string): Catalogue => ({
  ...CATALOGUE,
  signals: [...CATALOGUE.signals, { name, unit: '', min: 0, max: 10 }],
});

/** Puts a letter where ingest would: this car, this payload, refused for this reason at this time. */
async function refuse(client: string, payload: Buffer, reason: DeadLetter['reason'], receivedTs = 1000) {
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

const run = (catalogue: Catalogue, choice: Choice = {}, dryRun = false) =>
  redrive({ log, catalogue, choice, dryRun, signal: new AbortController().signal });

async function telemetry(): Promise<readonly string[]> {
  return (await recordsOf(log, 'telemetry')).map(({ value }) => Buffer.from(value!).toString()).sort();
}

async function open(): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const { letter } of readLetters(log, 'open')) letters.push(letter);
  return letters;
}

const flux = eventOf('CAR1', 1, { flux: 1 });
const spin = eventOf('CAR2', 2, { spin: 2 });
const hot = eventOf('CAR3', 3, { coolantC: 500 });

describe('redrive', () => {
  beforeEach(async () => {
    await refuse('CAR1', flux, 'unknown-signal', 1000);
    await refuse('CAR3', hot, 'impossible-value', 2000);
    await refuse('CAR2', spin, 'unknown-signal', 3000);
  });

  it('writes nothing while nothing was mended', async () => {
    const report = await run(CATALOGUE);
    expect(report).toEqual({
      sent: 0,
      failing: new Map([
        ['unknown-signal', 2],
        ['impossible-value', 1],
      ]),
      leftOut: 0,
    });
    expect(await telemetry()).toEqual([]);
    expect(await recordsOf(log, deadLettersTopic.name)).toHaveLength(3);
    expect(await log.committed('redrive', deadLettersTopic.name)).toEqual([]);
  });

  it('sends after each mend exactly what was not sent yet, with its original bytes', async () => {
    expect(await run(withSignal('spin'))).toMatchObject({ sent: 1 });
    expect(await telemetry()).toEqual([spin.toString()]);
    expect(await run(withSignal('spin'))).toMatchObject({ sent: 0 });
    expect((await open()).map(({ client }) => client).sort()).toEqual(['CAR1', 'CAR3']);
    expect(await run(withSignal('flux'))).toMatchObject({ sent: 1 });
    expect(await telemetry()).toEqual([flux.toString(), spin.toString()].sort());
    const hotter = { ...CATALOGUE, signals: CATALOGUE.signals.map((signal) => ({ ...signal, max: 1000 })) };
    expect(await run(hotter)).toEqual({ sent: 1, failing: new Map(), leftOut: 0 });
    expect(await telemetry()).toEqual([flux.toString(), spin.toString(), hot.toString()].sort());
    expect(await open()).toEqual([]);
    expect(await run(hotter)).toEqual({ sent: 0, failing: new Map(), leftOut: 0 });
  });

  it('keeps what a letter was, and says what is wrong with it now', async () => {
    await run(withSignal('spin'));
    const letter = (await open()).find(({ client }) => client === 'CAR1');
    expect(letter).toEqual({
      reason: 'unknown-signal',
      detail: 'not in the catalogue: flux',
      topic: topicOf('CAR1'),
      client: 'CAR1',
      receivedTs: 1000,
      payloadBase64: flux.toString('base64'),
    });
  });

  it('sends only what is chosen and leaves the rest open', async () => {
    const both = {
      ...withSignal('flux'),
      signals: [...withSignal('flux').signals, ...withSignal('spin').signals.slice(-1)],
    };
    expect(await run(both, { reason: 'impossible-value' })).toMatchObject({ sent: 0, leftOut: 2 });
    expect(await run(both, { fromMs: 3000 })).toMatchObject({ sent: 1, leftOut: 2 });
    expect(await telemetry()).toEqual([spin.toString()]);
    expect(await run(both, { toMs: 1000 })).toMatchObject({ sent: 0, leftOut: 2 });
    expect(await run(both, { reason: 'unknown-signal', toMs: 1001 })).toMatchObject({ sent: 1, leftOut: 1 });
    expect(await open()).toMatchObject([{ client: 'CAR3', reason: 'impossible-value' }]);
  });

  it('only says so in a dry run', async () => {
    expect(await run(withSignal('flux'), {}, true)).toEqual({
      sent: 1,
      failing: new Map([
        ['unknown-signal', 1],
        ['impossible-value', 1],
      ]),
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
      catalogue: withSignal('flux'),
      choice: {},
      dryRun: false,
      signal: stop.signal,
    });
    await expect(attempt).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await run(withSignal('flux'))).toMatchObject({ sent: 1 });
  });

  it('two at once send each letter once', async () => {
    for (let seq = 10; seq < 200; seq++)
      await refuse('CAR1', eventOf('CAR1', seq, { flux: 1 }), 'unknown-signal');
    await Promise.allSettled([run(withSignal('flux')), run(withSignal('flux'))]);
    await run(withSignal('flux'));
    const sent = await telemetry();
    expect(sent).toHaveLength(191);
    expect(new Set(sent).size).toBe(191);
  });
});

it('letters of a topic of ground truth go back to that topic', async () => {
  const truth = { vin: 'CAR1', ts: 1, faultId: 'f', fault: 'leak', severity: 1, phase: 'started' };
  const letter = {
    reason: 'wrong-schema',
    detail: '',
    topic: 'cars/CAR1/ground-truth',
    client: 'CAR1',
    receivedTs: 1,
    payloadBase64: Buffer.from(JSON.stringify(truth)).toString('base64'),
  } as const;
  await log.append(deadLettersTopic.name, [{ key: 'CAR1', value: deadLettersTopic.encode(letter) }]);
  expect(await run(CATALOGUE)).toMatchObject({ sent: 1 });
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
    `1970-01-01T00:00:00.000Z not-json         CAR\\n1  bad\\x1b[2Jtoken  \\x07{"a":${'9'.repeat(74)}…`,
  );
});
