// The other process of embedded-openers.test.ts: holds the store's lock until it is killed, or opens the log and says so.
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { openEmbeddedLog } from '../../../core/log/embedded.ts';
import { StoreLock } from '../../../core/log/embedded-lock.ts';

const [act, dir] = process.argv.slice(2) as ['hold' | 'open', string];
const say = (line: string) => writeSync(1, `${line}\n`);
if (act === 'hold')
  new StoreLock(join(dir, 'log')).hold(() => {
    say('holding');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
say('opening');
const log = openEmbeddedLog({ dir, prefix: '', clock: Date.now, warn: say });
say('opened');
await log.close();
