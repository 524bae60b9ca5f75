// A past defect: an acknowledged batch was gone, and the next took its offsets. Opening lmdb beside a writer wrote the number
// of an older transaction over that of the last one (embedded-lock.ts), so opening and writing exclude each other now.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { hammer } from '../../../bench/store-kill-run.ts';

/** In memory, where there is such a file system: commits are quicker there, so more of them meet an opening. */
const QUICK = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const CHILD = join(import.meta.dirname, 'lock-child.ts');
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(QUICK, 'telltale-openers-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function start(act: 'hold' | 'open', where: string) {
  const child = spawn(process.execPath, [CHILD, act, where], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  return {
    lines,
    kill: () => child.kill('SIGKILL'),
    until: async (word: string) => {
      while (!lines.includes(word)) await once(reader, 'line');
    },
  };
}

it('who opens the log waits for the lock, and gets it when its holder is killed', async () => {
  const holder = start('hold', dir);
  await holder.until('holding');
  const waiting = start('open', dir);
  await waiting.until('opening');
  // Another log, opened from beginning to end meanwhile: time enough for this one too, if it did not wait.
  await start('open', join(dir, 'another')).until('opened');
  expect(waiting.lines).toEqual(['opening']);
  holder.kill();
  await waiting.until('opened');
});

it('what was acknowledged stays, whatever opens and closes the log beside its writer, is frozen or is killed', async () => {
  const atLeast = { openings: 50, freezes: 100, acknowledged: 200 };
  const result = await hammer({
    dir,
    seconds: 10,
    atLeast,
    writers: 1,
    openers: 3,
    writerLifeMs: null,
    openerLifeMs: [500, 5000],
    freezeMs: 4,
    restMs: 0,
    follow: true,
    seed: 1,
  });
  expect(result).toMatchObject({ lost: [], moved: [], failures: [] });
  expect(result.openings).toBeGreaterThanOrEqual(atLeast.openings);
  expect(result.freezes).toBeGreaterThanOrEqual(atLeast.freezes);
  expect(result.acknowledged).toBeGreaterThanOrEqual(atLeast.acknowledged);
});
