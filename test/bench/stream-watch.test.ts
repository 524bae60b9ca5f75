import { expect, it } from 'vitest';
import { Lag } from '../../bench/stream-watch.ts';
import type { Log } from '../../core/log/log.ts';

it('tells how far a group is behind, in events and by when there was no more than it has consumed', async () => {
  let [end, committed, nowMs] = [0, 0, 1000];
  const log = {
    ranges: async () => [
      { partition: 0, earliest: 0, end },
      { partition: 1, earliest: 0, end: 5 },
    ],
    committed: async () => [{ partition: 0, offset: committed }],
  } as unknown as Log;
  const lag = new Lag(log, 'group', 'topic', () => nowMs);
  const look = async (seconds: number, next: { end: number; committed: number }) => {
    nowMs = 1000 + 1000 * seconds;
    ({ end, committed } = next);
    return lag.look();
  };
  // Five records of the other partition are consumed as well, so that the sums are equal when nothing is left.
  expect(await look(0, { end: 0, committed: 5 })).toEqual({ end: 5, lag: 0 });
  await look(2, { end: 10, committed: 5 });
  await look(4, { end: 20, committed: 5 });
  // What there was at second 2 has been consumed; what came since then waits.
  await look(5, { end: 30, committed: 16 });
  await look(6, { end: 30, committed: 35 });
  expect(lag.events).toEqual([0, 10, 20, 19, 0]);
  expect(lag.seconds).toEqual([0, 2, 4, 3, 0]);
  lag.forget();
  expect(lag.events).toEqual([]);
});
