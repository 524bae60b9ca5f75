// What bench/whole-stream.ts sees of the stream while it runs, from outside: how far each consumer is behind in events
// and in time, how old an event is when its score can be read, and how old the event of an alert is when a phone has
// it.
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Log } from '../core/log/log.ts';
import { scoresIn } from '../core/score-cursor.ts';
import { scoreCursor, scoresTopic } from '../core/topics.ts';

const LOOK_MS = 500;
/** Scores that are read to see how old they are: those of one partition, one in so many. */
const WATCHED_PARTITION = 0;
const ONE_IN = 10;

const sumOf = (list: readonly { readonly offset: number }[]) =>
  list.reduce((sum, { offset }) => sum + offset, 0);

/** How far a group is behind a topic, over time. */
export class Lag {
  readonly events: number[] = [];
  readonly seconds: number[] = [];
  readonly #log: Log;
  readonly #group: string;
  readonly #topic: string;
  /** When the topic had how many records, as far as they are not consumed yet. */
  #ends: { readonly atMs: number; readonly end: number }[] = [];

  readonly #clock: () => number;

  constructor(log: Log, group: string, topic: string, clock = () => performance.now()) {
    this.#clock = clock;
    this.#log = log;
    this.#group = group;
    this.#topic = topic;
  }

  /** The end of the topic, summed over its partitions. */
  async look(): Promise<{ readonly end: number; readonly lag: number }> {
    const ranges = await this.#log.ranges(this.#topic);
    const end = ranges.reduce((sum, range) => sum + range.end, 0);
    const committed = sumOf(await this.#log.committed(this.#group, this.#topic));
    const atMs = this.#clock();
    this.#ends.push({ atMs, end });
    // The newest look at which all there was has been consumed by now.
    const reached = this.#ends.findLastIndex((one) => one.end <= committed);
    if (reached > 0) this.#ends = this.#ends.slice(reached);
    const oldest = this.#ends[0]!;
    this.events.push(Math.max(0, end - committed));
    this.seconds.push(oldest.end >= end ? 0 : (atMs - oldest.atMs) / 1000);
    return { end, lag: Math.max(0, end - committed) };
  }

  /** From here on. */
  forget(): void {
    this.events.length = 0;
    this.seconds.length = 0;
  }
}

/** Looks at all of them twice a second until the signal aborts. */
export function lookAt(lags: readonly Lag[], signal: AbortSignal): void {
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void Promise.all(lags.map((lag) => lag.look()))
      .catch((error: unknown) => console.error(`a look at the lag failed: ${String(error)}`))
      .finally(() => {
        looking = false;
      });
  }, LOOK_MS);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}

/**
 * Ages of events when their score can be read, by the car's clock, which is this machine's; of those measured from now on,
 * as cars that had to wait for their connection send what they kept.
 */
export async function watchScores(log: Log, version: string, signal: AbortSignal, agesMs: number[]) {
  const fromMs = Date.now();
  const score = scoreCursor();
  let count = 0;
  const options = { from: 'end', partitions: [WATCHED_PARTITION], signal } as const;
  for await (const { records } of log.read(scoresTopic(version).name, options)) {
    const nowMs = Date.now();
    for (const { value, timestampMs } of records) {
      if (value === null) continue;
      score.open(value, timestampMs);
      while (score.next()) {
        count += 1;
        if (count % ONE_IN === 0 && score.ts >= fromMs) agesMs.push(nowMs - score.ts);
      }
    }
  }
}

/** A phone that may see every car: ages of the raising events when their alert arrives. */
export async function watchAlerts(url: string, token: string, agesMs: number[]): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/feed`, {
    headers: { authorization: `Bearer ${token}` },
  });
  socket.on('message', (data) => {
    const nowMs = Date.now();
    const message = JSON.parse(String(data));
    if (message.type === 'alert' && message.alert.phase === 'raised')
      agesMs.push(nowMs - message.alert.raisedTs);
    if (message.type === 'ping') socket.send('{"type":"pong"}');
  });
  await once(socket, 'open');
  return socket;
}

/** Bytes of a record of a topic, key and value, on average over the newest of each partition. */
export async function recordBytes(log: Log, topic: string, newest = 2000): Promise<number> {
  const ranges = await log.ranges(topic);
  const offsets = ranges.map(({ partition, earliest, end }) => ({
    partition,
    offset: Math.max(earliest, end - newest),
  }));
  let [bytes, records] = [0, 0];
  for await (const batch of log.read(topic, { from: { offsets }, to: 'end' })) {
    for (const { key, value } of batch.records) bytes += key.length + (value?.length ?? 0);
    records += batch.records.length;
  }
  return records === 0 ? 0 : bytes / records;
}

/** Records that were ever written to a topic; on Kafka those that stand there, as transactions take offsets of their own. */
export async function written(log: Log, topic: string): Promise<number> {
  if (log.kind === 'embedded') return (await log.ranges(topic)).reduce((sum, { end }) => sum + end, 0);
  let count = 0;
  for await (const { records } of log.read(topic, { to: 'end' })) count += records.length;
  return count;
}

/** Scores that stand in a topic. */
export async function countScores(log: Log, version: string): Promise<number> {
  let count = 0;
  for await (const { records } of log.read(scoresTopic(version).name, { to: 'end' }))
    for (const { value } of records) if (value !== null) count += scoresIn(value);
  return count;
}
