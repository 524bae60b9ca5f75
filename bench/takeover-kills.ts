// Two scorers share a log and one of them, drawn by a seed, is killed again and again at random moments, while a fleet so wide that
// no batch has a car twice goes on sending. Afterwards the scores on the log are compared with those of one scorer that was never
// disturbed, byte for byte, partition by partition. For bench/takeover.ts, and smaller for a test.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { topicSpec } from '../core/log/create-topics.ts';
import { openEmbeddedLog } from '../core/log/embedded.ts';
import { openKafkaLog } from '../core/log/kafka.ts';
import type { Log, NewRecord, RecordBatch } from '../core/log/log.ts';
import type { ModelBundle } from '../core/model/bundle.ts';
import { createDetector } from '../core/model/detector.ts';
import { seededRandom } from '../core/model/random.ts';
import { ScoreCursor } from '../core/score-cursor.ts';
import { scorerStateTopic, scoresTopic, telemetryTopic } from '../core/topics.ts';
import { createScoreTopics, scorerGroup } from '../scoring/loop.ts';
import { Scorer } from '../scoring/scorer.ts';

export const VERSION = 'takeover';
/** A car speaks each ten seconds. */
const EVERY_MS = 10_000;
/** A while ago, but nothing that retention would take away. */
const T0 = EVERY_MS * Math.floor(Date.now() / EVERY_MS) - 3_600_000;
/** Where processes are killed, members of a Kafka group are missed after this. */
const SESSION_MS = 1500;
/** So long a scorer may take to begin, on a machine that has other work. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 20;
const CHILD = new URL('./takeover-child.ts', import.meta.url).pathname;

/** How another process opens the same log. */
export type Place =
  | { readonly kind: 'embedded'; readonly dir: string }
  | { readonly kind: 'kafka'; readonly brokers: string; readonly prefix: string };

export interface ScorerTask {
  readonly place: Place;
  readonly bundleFile: string;
  /** As the setting of that name. */
  readonly stateBytes: number;
}

export function openPlace(place: Place): Promise<Log> {
  const common = { clock: Date.now, warn: (line: string) => console.error(line) };
  if (place.kind === 'kafka')
    return openKafkaLog({
      ...common,
      ...{ brokers: [place.brokers], prefix: place.prefix, replication: 1, sessionMs: SESSION_MS },
    });
  return Promise.resolve(openEmbeddedLog({ ...common, dir: place.dir, prefix: '' }));
}

/** What a car measures in a round. */
export type Readings = (car: number, round: number) => Readonly<Record<string, number | null>>;

const vinOf = (car: number) => `WVWZZZ1KZ${String(car).padStart(8, '0')}`;

/**
 * An event of each car. Some come again in place of a new one, some are half a minute late and more, some cars' counters begin
 * anew.
 */
export function roundOf(readings: Readings, cars: number, round: number, seed = 1): NewRecord[] {
  const random = seededRandom(seed, `round ${round}`);
  return Array.from({ length: cars }, (_, car) => {
    const draw = random();
    let of = round;
    let seq = 2 * round;
    if (draw < 0.02 && round > 0) {
      of -= 1;
      seq -= 2;
    } else if (draw < 0.04 && round > 5) {
      of -= 5;
      seq -= 9;
    } else if (draw < 0.045) seq = round % 3;
    const ts = T0 + EVERY_MS * of + (car % EVERY_MS);
    const value = { vin: vinOf(car), seq, ts, signals: readings(car, of) };
    return {
      key: value.vin,
      value: telemetryTopic.encode(value),
      timestampMs: T0 + EVERY_MS * round + (car % EVERY_MS) + 40,
    };
  });
}

export async function createTopics(log: Log, partitions: number): Promise<void> {
  await log.createTopic({ ...topicSpec(telemetryTopic, partitions), retentionMs: null });
  await createScoreTopics(log, VERSION);
}

export async function appendAll(log: Log, records: readonly NewRecord[]): Promise<void> {
  for (let at = 0; at < records.length; at += 2000)
    await log.append(telemetryTopic.name, records.slice(at, at + 2000));
}

/** A scorer in a process of its own (takeover-child.ts). */
export class ScorerProcess {
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(task: ScorerTask) {
    this.#process = spawn(process.execPath, [CHILD, JSON.stringify(task)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#ended = once(this.#process, 'close');
    createInterface({ input: this.#process.stdout! }).on('line', (line) => this.lines.push(line));
  }

  /** Waits until it has said so; false when it has not for too long. @throws Error when it ended of itself */
  async said(word: string): Promise<boolean> {
    const limitMs = performance.now() + PATIENCE_MS;
    while (!this.lines.some((line) => line.startsWith(word))) {
      if (this.#process.exitCode !== null)
        throw new Error(`a scorer ended before it said ${word}: ${this.lines.join(' | ')}`);
      if (performance.now() > limitMs) return false;
      await sleep(LOOK_MS);
    }
    return true;
  }

  /** The numbers of each line that begins with a word. */
  numbers(word: string): number[][] {
    const told = this.lines.filter((line) => line.startsWith(word));
    return told.map((line) => line.split(' ').slice(1).map(Number));
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}

export interface KillPlan {
  readonly place: Place;
  readonly bundle: ModelBundle;
  /** Where the bundle is written for the scorers. */
  readonly bundleFile: string;
  readonly readings: Readings;
  readonly partitions: number;
  readonly cars: number;
  readonly kills: number;
  readonly stateBytes: number;
  readonly seed: number;
}

export interface KillReport {
  readonly events: number;
  readonly kills: number;
  /** Killed before they had scored anything: while they joined, read snapshots, read telemetry again. */
  readonly killedEarly: number;
  readonly batches: number;
  /** Batches in which a car came more than once. */
  readonly mixedBatches: number;
  /** Takeovers of a partition, and events read again by them all. */
  readonly takeovers: number;
  readonly replayed: number;
  /** Bytes of snapshots for a scored event, as far as the scorers came to say. */
  readonly stateBytesPerEvent: number;
  /** Lines of a scorer about states or telemetry that it missed. */
  readonly problems: readonly string[];
  readonly compared: number;
  /** The first score that is not as it should be; null: there is none. */
  readonly difference: string | null;
}

/** Runs it all on a log without topics. */
export async function killAgainAndAgain(plan: KillPlan): Promise<KillReport> {
  const { place, bundle, bundleFile, readings, partitions, cars, kills, stateBytes, seed } = plan;
  writeFileSync(bundleFile, JSON.stringify(bundle));
  const log = await openPlace(place);
  const random = seededRandom(seed, 'kills');
  const all: ScorerProcess[] = [];
  const start = () => {
    const child = new ScorerProcess({ place, bundleFile, stateBytes });
    all.push(child);
    return child;
  };
  try {
    await createTopics(log, partitions);
    const running = [start(), start()];
    let killedEarly = 0;
    let round = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      await appendAll(log, roundOf(readings, cars, round, seed));
      round += 1;
      const which = random() < 0.5 ? 0 : 1;
      const child = running[which]!;
      await child.said('ready');
      // A third of them early, the others while they score and commit.
      if (random() < 0.67) await child.said('batch');
      await sleep(400 * random() ** 2);
      await child.kill();
      if (!child.lines.some((line) => line.startsWith('batch'))) killedEarly += 1;
      running[which] = start();
    }
    while ((await log.lag(scorerGroup(VERSION), telemetryTopic.name)) > 0) await sleep(200);
    await Promise.all(running.map((child) => child.kill()));
    const compared = await compare(log, plan);
    return { events: round * cars, kills, killedEarly, ...told(all), ...compared };
  } finally {
    await Promise.all(all.map((child) => child.kill()));
    await log.close();
  }
}

/** Of one number of some lines. */
export const sum = (rows: readonly number[][], at: number): number =>
  rows.reduce((total, row) => total + row[at]!, 0);

function told(children: readonly ScorerProcess[]) {
  const lines = children.flatMap((child) => child.lines);
  const batches = children.flatMap((child) => child.numbers('batch'));
  const restored = children.flatMap((child) => child.numbers('restored'));
  return {
    batches: batches.length,
    mixedBatches: batches.filter(([records, distinct]) => records !== distinct).length,
    takeovers: restored.length,
    replayed: sum(restored, 1),
    stateBytesPerEvent: sum(batches, 3) / sum(batches, 2),
    problems: lines.filter((line) => /cannot be read|retention has passed/.test(line)),
  };
}

/** The scores on the log beside those of a scorer that was never disturbed, each with all that is told of it. */
async function compare(log: Log, { bundle, partitions }: KillPlan) {
  let compared = 0;
  for (let partition = 0; partition < partitions; partition += 1) {
    const wanted = texts(undisturbed(log, bundle, partition));
    const found = texts(
      valuesOf(log.read(scoresTopic(VERSION).name, { partitions: [partition], to: 'end' })),
    );
    for (;;) {
      const [want, got] = [await wanted.next(), await found.next()];
      if (want.done && got.done) break;
      if (want.value !== got.value)
        return {
          compared,
          difference: `partition ${partition}, score ${compared}: ${got.value}, not ${want.value}`,
        };
      compared += 1;
    }
  }
  return { compared, difference: null };
}

/** Each score of some records. Where one record ends and the next begins follows from the batches, which a kill may cut. */
async function* texts(records: AsyncIterable<Uint8Array>): AsyncGenerator<string, undefined> {
  const cursor = new ScoreCursor((bytes) => JSON.parse(Buffer.from(bytes).toString()));
  for await (const value of records) {
    cursor.open(value, 0);
    while (cursor.next()) yield JSON.stringify(cursor.toScore());
  }
  return undefined;
}

async function* valuesOf(batches: AsyncIterable<RecordBatch>): AsyncGenerator<Uint8Array> {
  for await (const { records } of batches) for (const { value } of records) if (value !== null) yield value;
}

async function* undisturbed(log: Log, bundle: ModelBundle, partition: number): AsyncGenerator<Uint8Array> {
  const topic = scoresTopic(VERSION).name;
  const scorer = new Scorer({
    detector: createDetector(bundle),
    ...{ version: VERSION, scoresTopic: topic, stateTopic: scorerStateTopic(VERSION).name },
  });
  for await (const batch of log.read(telemetryTopic.name, { partitions: [partition], to: 'end' }))
    for (const { topic: name, value } of scorer.score(batch).outputs)
      if (name === topic && value !== null) yield value;
}
