// The contract, part four: real processes that are killed, stopped and started beside each other.
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Log, LogRecord } from '../../core/log/log.ts';
import { Counter } from './child.ts';
import type { Bench } from './log-contract.ts';
import {
  type Child,
  CRASH_SESSION_MS,
  compacted,
  countTurns,
  event,
  numbered,
  plain,
  readAll,
  readUntil,
  startChild,
  type Task,
  textOf,
} from './log-under-test.ts';

const KILLS = 6;

async function makeTopics(log: Log): Promise<void> {
  await log.createTopic(plain('in', 3));
  await log.createTopic(plain('out', 3));
  await log.createTopic(compacted('state', 3));
}

/** What counting without any fault would have made of the first `count` numbered records. */
function expected(count: number): string[] {
  const counts = new Map<string, number>();
  return numbered(count).map((one) => {
    const next = (counts.get(one.key) ?? 0) + 1;
    counts.set(one.key, next);
    return `${String(one.value)}:${next}`;
  });
}

const sorted = (records: readonly LogRecord[]): string[] => records.map(textOf).sort();

export function crashContract({ open, prefix, subject }: Bench): void {
  const child = (task: Omit<Task, 'where'>): Child => {
    const started = startChild({ where: subject().where, ...task });
    onTestFinished(() => started.kill('SIGKILL'));
    return started;
  };

  /** Counts in this process until `out` has so many records. */
  const countHere = async (log: Log, total: number) => {
    const counter = new Counter();
    const stop = new AbortController();
    const running = log.transform(
      'in',
      {
        group: 'counter',
        signal: stop.signal,
        onAssigned: (partition) => counter.restore(log, partition),
        onRevoked: (partition) => counter.forget(partition),
      },
      (batch) => counter.outputs(batch),
    );
    await Promise.race([running, readUntil(log, 'out', (all) => all.length >= total)]);
    stop.abort();
    await running;
  };

  describe('processes', () => {
    it('one killed inside transform leaves neither output nor offset; another takes over with its state', async () => {
      const where = prefix();
      const log = await open({ prefix: where, sessionMs: CRASH_SESSION_MS });
      await makeTopics(log);
      await log.append('in', numbered(60));
      await countHere(log, 60);
      await log.append('in', numbered(60, 7, 60));
      const hanging = child({ prefix: where, act: 'hang' });
      await hanging.said('handling');
      hanging.kill('SIGKILL');
      expect(await hanging.ended).toMatchObject({ signal: 'SIGKILL' });
      expect(await readAll(log, 'out')).toHaveLength(60);
      expect(await log.lag('counter', 'in')).toBe(60);
      const takenMs = countTurns();
      await countHere(log, 120);
      expect(takenMs()).toBeLessThan(subject().takeOverMs);
      expect(sorted(await readAll(log, 'out'))).toEqual(expected(120).sort());
    });

    it(`${KILLS} kills at any moment: every record is answered exactly once, with the right count`, async () => {
      const where = prefix();
      const log = await open({ prefix: where, sessionMs: CRASH_SESSION_MS });
      await makeTopics(log);
      let total = 0;
      const append = async () => {
        await log.append('in', numbered(300, 7, total));
        total += 300;
      };
      await append();
      for (let kill = 0; kill < KILLS; kill++) {
        const counting = child({ prefix: where, act: 'count' });
        await counting.said('handling');
        const done = (await readAll(log, 'out')).length;
        await append();
        // Killed after a few more commits, a different number each time, in the middle of whatever it does.
        await readUntil(log, 'out', (all) => all.length > done + 40 * kill);
        counting.kill('SIGKILL');
        await counting.ended;
      }
      await countHere(log, total);
      expect(sorted(await readAll(log, 'out'))).toEqual(expected(total).sort());
      expect(await log.lag('counter', 'in')).toBe(0);
    });

    it('one that was suspended while another took over cannot commit what it still held', async () => {
      const where = prefix();
      const log = await open({ prefix: where, sessionMs: CRASH_SESSION_MS });
      await makeTopics(log);
      await log.append('in', numbered(200));
      const suspended = child({ prefix: where, act: 'suspend' });
      await suspended.said('handling');
      suspended.kill('SIGSTOP');
      await countHere(log, 200);
      suspended.kill('SIGCONT');
      // It goes on, and answers new records; what it held is not answered twice.
      await log.append('in', numbered(100, 7, 200));
      await readUntil(log, 'out', (all) => all.length >= 300);
      suspended.kill('SIGKILL');
      await suspended.ended;
      expect(sorted(await readAll(log, 'out'))).toEqual(expected(300).sort());
    });

    it('two write and a third reads at the same time; what was acknowledged outlives a kill', async () => {
      const where = prefix();
      const log = await open({ prefix: where, sessionMs: CRASH_SESSION_MS });
      await makeTopics(log);
      const reading = readUntil(log, 'in', (all) => all.length >= 3000);
      const whole = child({ prefix: where, act: 'append', records: 1500, keyPrefix: 'a-' });
      const other = child({ prefix: where, act: 'append', records: 1500, keyPrefix: 'b-' });
      const killed = child({ prefix: where, act: 'append', records: 1_000_000, keyPrefix: 'c-' });
      await killed.said('appended 500');
      killed.kill('SIGKILL');
      await Promise.all([whole.said('done'), other.said('done'), reading, killed.ended]);
      const all = await readAll(log, 'in');
      for (const key of ['a', 'b']) {
        const mine = all.filter((one) => one.key.startsWith(`${key}-`));
        expect(
          mine
            .map(textOf)
            .map(Number)
            .sort((x, y) => x - y),
        ).toEqual(Array.from({ length: 1500 }, (_, i) => i));
      }
      const acknowledged = all.filter((one) => one.key.startsWith('c-')).map((one) => Number(textOf(one)));
      expect(acknowledged.length).toBeGreaterThanOrEqual(500);
      expect(acknowledged.sort((x, y) => x - y)).toEqual(acknowledged.map((_, i) => i));
    });

    it('a second one of the group stands by and takes over when the first is killed', async () => {
      const where = prefix();
      const log = await open({ prefix: where, sessionMs: CRASH_SESSION_MS });
      await makeTopics(log);
      await log.append('in', numbered(30));
      const first = child({ prefix: where, act: 'count' });
      await readUntil(log, 'out', (all) => all.length >= 30);
      const all = event();
      const counter = new Counter();
      const stop = new AbortController();
      const owned = new Set<number>();
      const running = log.transform(
        'in',
        {
          group: 'counter',
          signal: stop.signal,
          onAssigned: async (partition) => {
            await counter.restore(log, partition);
            owned.add(partition);
            if (owned.size === 3) all.happens();
          },
          onRevoked: (partition) => {
            owned.delete(partition);
            counter.forget(partition);
          },
        },
        (batch) => counter.outputs(batch),
      );
      first.kill('SIGKILL');
      const takenMs = countTurns();
      await Promise.race([running, all.happened]);
      expect(takenMs()).toBeLessThan(subject().takeOverMs);
      await log.append('in', numbered(30, 7, 30));
      await readUntil(log, 'out', (records) => records.length >= 60);
      stop.abort();
      await running;
      expect(sorted(await readAll(log, 'out'))).toEqual(expected(60).sort());
    });
  });
}
