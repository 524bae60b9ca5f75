// What the log does: durable appends, reads, transforms, and how long a record takes from append to a follower.
//   node bench/log.ts [--runs 5] [--json]      on Kafka: KAFKA_BROKERS=127.0.0.1:9092 node bench/log.ts
// One process; the embedded log's work is on one thread, so that its figures are those of one core.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../core/config.ts';
import type { Log, NewRecord } from '../core/log/log.ts';
import { openLog } from '../core/log/open.ts';
import { LOG_SETTINGS } from '../core/settings.ts';
import { argument, type Figure, median, printFigures, quantile } from './support.ts';

const RUNS = argument('runs', 5);
const BATCH = 500;
const VALUE = Buffer.alloc(300, 'x');
const CARS = 1000;
const PARTITIONS = 6;
/** Records of one run; Kafka, an order of magnitude slower, gets fewer. */
const RECORDS = { embedded: 500_000, kafka: 100_000 } as const;
const LATENCY_RECORDS = 500;

const batches = Array.from({ length: CARS / BATCH }, (_, b) =>
  Array.from(
    { length: BATCH },
    (_, i): NewRecord => ({ key: `WTTBENCH${String(b * BATCH + i).padStart(9, '0')}`, value: VALUE }),
  ),
);

async function rate(records: number, work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return (records / (performance.now() - startMs)) * 1000;
}

/** `inFlight` appends at a time until `records` are durable. */
async function append(log: Log, topic: string, records: number, inFlight: number): Promise<void> {
  let left = records / BATCH;
  const writer = async () => {
    while (left > 0) {
      left -= 1;
      await log.append(topic, batches[left % batches.length]!);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, writer));
}

async function readAll(log: Log, topic: string): Promise<void> {
  let records = 0;
  for await (const batch of log.read(topic, { to: 'end' })) records += batch.records.length;
  if (records === 0) throw new Error(`nothing was read from ${topic}`);
}

/** Consumes the topic and produces a record of the same size for each. */
async function transformAll(log: Log, topic: string, group: string, records: number): Promise<void> {
  const stop = new AbortController();
  let seen = 0;
  await log.transform(topic, { group, signal: stop.signal }, (batch) => {
    seen += batch.records.length;
    if (seen >= records) stop.abort();
    return batch.records.map(({ key, value }) => ({ topic: 'copies', key, value }));
  });
}

/** From the call of append until a follower of the topic has the record, one at a time, ms. */
async function latenciesMs(log: Log): Promise<number[]> {
  const stop = new AbortController();
  const sentMs: number[] = [];
  const latencies: number[] = [];
  let arrived: () => void = () => undefined;
  const following = (async () => {
    for await (const batch of log.read('latency', { from: 'end', signal: stop.signal })) {
      for (const _ of batch.records) latencies.push(performance.now() - sentMs[latencies.length]!);
      arrived();
    }
  })();
  await log.ranges('latency');
  for (let i = 0; i < LATENCY_RECORDS; i++) {
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    sentMs.push(performance.now());
    await Promise.all([log.append('latency', [{ key: 'k', value: VALUE }]), arrival]);
  }
  stop.abort();
  await following;
  return latencies;
}

async function measure(log: Log): Promise<Figure[]> {
  const records = RECORDS[log.kind];
  const samples: Record<'one' | 'four' | 'read' | 'transform', number[]> = {
    one: [],
    four: [],
    read: [],
    transform: [],
  };
  for (const name of ['copies', 'latency'])
    await log.createTopic({ name, partitions: PARTITIONS, retentionMs: null, compacted: false });
  for (let run = 0; run < RUNS; run++) {
    const topic = `run-${run}`;
    await log.createTopic({ name: topic, partitions: PARTITIONS, retentionMs: null, compacted: false });
    samples.one.push(await rate(records / 2, () => append(log, topic, records / 2, 1)));
    samples.four.push(await rate(records / 2, () => append(log, topic, records / 2, 4)));
    samples.read.push(await rate(records, () => readAll(log, topic)));
    samples.transform.push(await rate(records, () => transformAll(log, topic, `group-${run}`, records)));
    await log.deleteTopic(topic);
  }
  const latencies = await latenciesMs(log);
  const perSecond = (what: string, values: readonly number[], atLeast: number): Figure => ({
    what,
    value: Math.round(median(values)),
    unit: 'records/s',
    note: `from ${Math.round(Math.min(...values)).toLocaleString('en')} to ${Math.round(Math.max(...values)).toLocaleString('en')}`,
    ...(log.kind === 'embedded' && atLeast > 0 ? { bar: { atLeast } } : {}),
  });
  return [
    perSecond(`durable append, batches of ${BATCH}, one after another`, samples.one, 200_000),
    perSecond(`durable append, batches of ${BATCH}, four in flight`, samples.four, 200_000),
    perSecond('read', samples.read, 300_000),
    perSecond('transform: one output for each record', samples.transform, 0),
    { what: 'append to follower, median', value: quantile(latencies, 0.5), unit: 'ms' },
    { what: 'append to follower, p99', value: quantile(latencies, 0.99), unit: 'ms' },
  ];
}

const dir = await mkdtemp(join(tmpdir(), 'telltale-bench-'));
const { settings } = readConfig(LOG_SETTINGS, []);
const log = await openLog(
  { ...settings, dataDir: dir, topicPrefix: `bench-${process.pid}.` },
  { clock: Date.now, warn: (line) => console.error(line) },
);
try {
  printFigures(
    `log: ${log.kind}, ${RUNS} runs, 300-byte values, ${PARTITIONS} partitions`,
    await measure(log),
  );
} finally {
  for (const name of await log.topics()) await log.deleteTopic(name);
  await log.close();
  await rm(dir, { recursive: true, force: true });
}
