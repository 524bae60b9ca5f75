// What a writer does when the store ends before what it acknowledged, whatever took the records away.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../../core/log/embedded.ts';
import { KnownEnds, MAX_ENDS } from '../../../core/log/embedded-ends.ts';
import { encodeState, partitionKey } from '../../../core/log/embedded-format.ts';
import { EmbeddedStore } from '../../../core/log/embedded-store.ts';
import type { Log } from '../../../core/log/log.ts';
import { numbered, plain, readAll, record, textOf } from '../../contract/log-under-test.ts';

let dir: string;
let opened: Log[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'telltale-ends-'));
});
afterEach(async () => {
  await Promise.all(opened.map((log) => log.close()));
  opened = [];
  rmSync(dir, { recursive: true, force: true });
});
const open = (): Log => {
  const log = openEmbeddedLog({ dir, prefix: '', clock: Date.now, warn: () => undefined });
  opened.push(log);
  return log;
};

/** Takes the last records of a topic's only partition away, as a lost commit does. */
async function rewind(topic: string, end: number): Promise<void> {
  const store = new EmbeddedStore(join(dir, 'log'));
  store.write(() => {
    const { id } = store.knownTopic(topic);
    store.partitions.putSync(partitionKey(id, 0), encodeState({ ...store.state(id, 0)!, next: end }));
  });
  await store.close();
}

it('says LOG_REWOUND, and does not give the offsets of acknowledged records away', async () => {
  const log = open();
  await log.createTopic(plain('in', 1));
  await log.createTopic(plain('out', 1));
  await log.append('in', numbered(10));
  await rewind('in', 9);
  const calls = await Promise.allSettled([
    log.append('out', [record('k', 'beside')]),
    log.append('in', [record('k', 'over it')]),
  ]);
  for (const call of calls)
    expect(call).toMatchObject({ status: 'rejected', reason: { code: 'LOG_REWOUND', retryable: false } });
  expect(calls[1]).toMatchObject({
    reason: {
      message: expect.stringMatching(/partition 0 of in in .* ends before offset 9, but records before 10 /),
    },
  });
  await expect(log.append('in', [record('k', 'again')])).rejects.toMatchObject({ code: 'LOG_REWOUND' });
  expect((await log.ranges('in'))[0]?.end).toBe(9);
  // Elsewhere it still writes.
  await log.append('out', [record('k', 'alone')]);
  expect((await readAll(log, 'out')).map(textOf)).toEqual(['alone']);
});

it('a transform that finds its outputs gone ends with the error, its offset not committed', async () => {
  const log = open();
  await log.createTopic(plain('in', 1));
  await log.createTopic(plain('out', 1));
  await log.append('in', numbered(1));
  const stop = new AbortController();
  let calls = 0;
  const running = log.transform('in', { group: 'g', signal: stop.signal }, (batch) => {
    calls += 1;
    return batch.records.map(({ key, value }) => ({ topic: 'out', key, value }));
  });
  await expect.poll(async () => (await log.ranges('out'))[0]?.end).toBe(1);
  await rewind('out', 0);
  await log.append('in', numbered(1, 7, 1));
  await expect(running).rejects.toMatchObject({ code: 'LOG_REWOUND' });
  expect(calls).toBe(2);
  expect(await log.lag('g', 'in')).toBe(1);
});

it('a program that starts again goes on from where the store ends', async () => {
  const first = open();
  await first.createTopic(plain('in', 1));
  await first.append('in', numbered(10));
  await first.close();
  await rewind('in', 9);
  const again = open();
  await again.append('in', [record('k', 'goes on')]);
  expect((await readAll(again, 'in')).at(-1)).toMatchObject({ offset: 9, key: 'k' });
});

it('records that others appended meanwhile are no reason', async () => {
  const log = open();
  await log.createTopic(plain('in', 1));
  await log.append('in', numbered(1));
  await rewind('in', 50);
  await log.append('in', numbered(1));
  expect((await log.ranges('in'))[0]?.end).toBe(51);
});

it('remembers a bounded number of partitions, those written last', () => {
  const ends = new KnownEnds(dir);
  for (let id = 1; id <= MAX_ENDS + 5; id++) {
    ends.remember(id, 0, 7);
    ends.remember(1, 3, id);
  }
  expect(ends.size).toBe(MAX_ENDS);
  expect(() => ends.check('old', 2, 0, 0)).not.toThrow();
  expect(() => ends.check('often', 1, 3, MAX_ENDS)).toThrow(expect.objectContaining({ code: 'LOG_REWOUND' }));
  expect(() => ends.check('new', MAX_ENDS + 5, 0, 6)).toThrow(
    expect.objectContaining({ code: 'LOG_REWOUND' }),
  );
});
