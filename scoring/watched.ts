// The cars that somebody looks at, as the servers tell it in the topic `watched`: their scores are told in full.
import { messageOf } from '../core/errors.ts';
import { topicSpec } from '../core/log/create-topics.ts';
import type { Log } from '../core/log/log.ts';
import { type Clock, supervise } from '../core/service.ts';
import { WATCHED_MS, watchedTopic } from '../core/topics.ts';

/** Of all servers together; past it, cars are scored as if nobody looked. */
const MAX_CARS = 20_000;

export interface WatchedOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly warn: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Watched {
  isWatched(vin: string): boolean;
  /** Rejects when the log fails for good; resolves after `signal`. */
  readonly done: Promise<void>;
}

/** Follows the topic from a while ago on: what was told before has run out. */
export function followWatched({ log, clock, warn, signal }: WatchedOptions): Watched {
  const until = new Map<string, number>();
  const forgetOld = () => {
    const nowMs = clock();
    for (const [vin, untilMs] of until) if (untilMs <= nowMs) until.delete(vin);
  };
  const take = (value: Uint8Array) => {
    try {
      const { vin, untilTs } = watchedTopic.decode(value);
      if (until.size >= MAX_CARS) forgetOld();
      // No server tells of more than this; one whose clock is ahead must not keep a car for good.
      if (until.size < MAX_CARS) until.set(vin, Math.min(untilTs, clock() + WATCHED_MS));
    } catch (error) {
      warn(`scorer: a watched car passed over: ${messageOf(error)}`);
    }
  };
  const done = supervise({ name: 'scorer: watched cars', signal, warn, clock }, async () => {
    await log.createTopic(topicSpec(watchedTopic, 1));
    const from = { timestampMs: clock() - WATCHED_MS };
    for await (const { records } of log.read(watchedTopic.name, { from, signal }))
      for (const { value } of records) if (value !== null) take(value);
  });
  return {
    isWatched: (vin) => {
      if (until.size === 0) return false;
      const untilMs = until.get(vin);
      if (untilMs === undefined) return false;
      if (untilMs > clock()) return true;
      until.delete(vin);
      return false;
    },
    done,
  };
}
