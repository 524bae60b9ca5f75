import { expect, it } from 'vitest';
import { TelltaleError } from '../../core/errors.ts';
import { healthOf, healthOfAll, httpStatusOf } from '../../core/health.ts';
import { LagWatch } from '../../core/log/lag-watch.ts';

it('several services are as bad as the worst of them, each reason under its name', () => {
  const [ready, degraded, down] = [healthOf([]), healthOf([], ['slow']), healthOf(['full'], ['slow'])];
  expect([ready, degraded, down].map(httpStatusOf)).toEqual([200, 200, 503]);
  expect(healthOfAll({ a: ready })).toEqual({ status: 'ready', why: [] });
  expect(healthOfAll({ a: ready, b: degraded })).toEqual({ status: 'degraded', why: ['b: slow'] });
  expect(healthOfAll({ a: degraded, b: down, c: ready })).toEqual({
    status: 'down',
    why: ['a: slow', 'b: full', 'b: slow'],
  });
});

/** A group on one partition, and the log behind it, both moved by hand. */
function watched() {
  const at = { end: 0, offset: 0, nowMs: Date.UTC(2026, 0, 1), error: null as Error | null };
  const watch = new LagWatch({
    log: {
      ranges: async () => {
        if (at.error) throw at.error;
        return [{ partition: 0, earliest: 0, end: at.end }];
      },
      committed: async () => [{ partition: 0, offset: at.offset }],
    },
    target: () => ({ group: 'g', topic: 't' }),
    clock: () => at.nowMs,
    what: 'events wait',
  });
  const look = async (end: number, offset: number, afterMs = 5000) => {
    Object.assign(at, { end, offset, nowMs: at.nowMs + afterMs });
    await watch.look();
    return watch.health;
  };
  return { at, look };
}

it('a group that keeps up is well, and one that stands still says since when', async () => {
  const { look } = watched();
  expect(await look(10, 10)).toEqual({ status: 'ready', why: [] });
  expect(await look(20, 10)).toEqual({ status: 'ready', why: [] });
  expect(await look(30, 10, 20_000)).toEqual({ status: 'ready', why: [] });
  expect(await look(40, 10, 10_000)).toEqual({
    status: 'down',
    why: ['30 events wait, and none since 2026-01-01T00:00:10Z'],
  });
  expect(await look(40, 11)).toEqual({ status: 'ready', why: [] });
});

it('a heap that grows each time is told, one that shrinks is not', async () => {
  const { look } = watched();
  let health = await look(1000, 0);
  for (let n = 2; n <= 8; n += 1) health = await look(n * 1000, n);
  expect(health).toEqual({ status: 'degraded', why: ['7,992 events wait, and more each time'] });
  expect(await look(8000, 4000)).toEqual({ status: 'ready', why: [] });
});

it('a log that cannot be asked is told; a topic that is not there yet is nothing to watch', async () => {
  const { at, look } = watched();
  at.error = new TelltaleError('LOG_UNAVAILABLE', 'broker away');
  expect(await look(0, 0)).toEqual({ status: 'down', why: ['the log cannot be asked: broker away'] });
  at.error = new TelltaleError('LOG_TOPIC_UNKNOWN', 'no topic');
  expect(await look(0, 0)).toEqual({ status: 'ready', why: [] });
});
