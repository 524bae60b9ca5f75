// The processes that bench/store-kill.ts starts and kills. A `writer` appends numbered records and says each number once it
// was acknowledged; an `opener` opens and closes the same log again and again, doing one thing or another between.
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { openEmbeddedLog } from '../core/log/embedded.ts';
import { EmbeddedStore } from '../core/log/embedded-store.ts';
import type { Log, TopicSpec } from '../core/log/log.ts';
import { pause } from '../core/service.ts';
import { hashUnit } from '../simulator/random.ts';

export interface ChildTask {
  readonly role: 'writer' | 'opener';
  readonly dir: string;
  readonly seed: number;
  /** Of a writer: its name in the records, and its first number. */
  readonly name: string;
  readonly from: number;
  /** Of an opener: waits between two openings, at most this, ms. */
  readonly restMs: number;
}

export const EVENTS: TopicSpec = { name: 'events', partitions: 3, retentionMs: null, compacted: false };
export const OTHER: TopicSpec = { name: 'other', partitions: 1, retentionMs: null, compacted: true };
const CARS = 20;
/** Records of one append, at most. */
const MOST_RECORDS = 8;

/** Said before anything is opened: from here on its life is counted. */
export const READY = 'ready';
const OPENED = 'opened';

/** Written at once: a line that was said was said before the kill. */
const say = (line: string) => writeSync(1, `${line}\n`);

/** `reads`: writes nothing by itself, so that it never waits for a process that it has frozen. */
export const openHere = (dir: string, reads = false): Log =>
  openEmbeddedLog({
    dir,
    prefix: '',
    clock: Date.now,
    warn: (line) => console.error(line),
    ...(reads ? { sweepEveryMs: 2 ** 31 - 1 } : {}),
  });

async function write({ dir, seed, name, from }: ChildTask): Promise<never> {
  const log = openHere(dir);
  await log.createTopic(EVENTS);
  for (let next = from, turn = 0; ; turn++) {
    const count = 1 + Math.floor(hashUnit(seed, turn) * MOST_RECORDS);
    const records = Array.from({ length: count }, (_, i) => ({
      key: `car-${(next + i) % CARS}`,
      value: Buffer.from(`${name}:${next + i}`),
    }));
    await log.append(EVENTS.name, records);
    next += count;
    say(`${next}`);
  }
}

/** Mostly the store alone, which is opened a thousand times a second; now and then the log, with something written. */
async function open({ dir, seed, restMs }: ChildTask): Promise<never> {
  for (let turn = 0; ; turn++) {
    if (hashUnit(seed, 2 * turn) < 0.9) await new EmbeddedStore(join(dir, 'log')).close();
    else {
      const log = openHere(dir);
      await log.createTopic(OTHER);
      await log.append(OTHER.name, [{ key: `${seed % 5}`, value: Buffer.from(`${turn}`) }]);
      await log.close();
    }
    say(OPENED);
    if (restMs > 0) await pause(hashUnit(seed, 2 * turn + 1) * restMs);
  }
}

if (process.argv[2]?.startsWith('{')) {
  const task = JSON.parse(process.argv[2]) as ChildTask;
  say(READY);
  await (task.role === 'writer' ? write(task) : open(task));
}
