// The claim: the whole stream on one machine, each part in processes of its own: cars → broker → log → scoring → alerts
// → phone. Cars are connected first; then so many minutes are measured; then what is on its way is waited for and
// counted. Linux.
//   node bench/whole-stream.ts [--cars 2000] [--rate 1000] [--minutes 1] [--kafka] [--scorers 1] [--ingests N] [--json] [--save NAME]
//   node bench/whole-stream.ts --cars 100000 --rate 10000 --minutes 10        the mission's size
// `--rate` is events a second of all cars together; each car's interval is a whole number of seconds. `--kafka` starts
// a broker.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { policyGroup } from '../alerts/reign.ts';
import { operatorToken } from '../alerts/sign-in.ts';
import { readOrMakeTokens, readTokens } from '../alerts/tokens.ts';
import type { Fleet } from '../alerts/wire.ts';
import { readConfig } from '../core/config.ts';
import { createFixedTopics } from '../core/log/create-topics.ts';
import type { Log } from '../core/log/log.ts';
import { openLog } from '../core/log/open.ts';
import { LOG_SETTINGS } from '../core/settings.ts';
import { scoresTopic, telemetryTopic } from '../core/topics.ts';
import { scorerGroup } from '../scoring/loop.ts';
import { startKafka } from '../scripts/kafka.ts';
import { connectFleetControl } from '../simulator/control.ts';
import type { RunSummary } from '../simulator/progress.ts';
import { loadScenario } from '../simulator/scenario-file.ts';
import type { ScenarioFile } from '../simulator/scenario-schema.ts';
import { behind, type Measured, report } from './stream-figures.ts';
import { release, trainForStream } from './stream-model.ts';
import { Lag, lookAt, watchAlerts, watchScores } from './stream-watch.ts';
import { argument, type Figure, printFigures } from './support.ts';
import { childrenOf, endProcess, lineOf, Side, startBroker, telltale } from './telltale-process.ts';

const CARS = argument('cars', 2000);
const RATE = argument('rate', 1000);
const MINUTES = argument('minutes', 1);
const EVERY_S = Math.max(1, Math.round(CARS / RATE));
/** An ingest process takes 19,000 connections. */
const INGESTS = argument('ingests', Math.ceil(CARS / 17_000));
const SCORERS = argument('scorers', 1);
const PARTITIONS = 6;
const VERSION = 'bench';
const SAMPLE_MS = 2000;
/** How long what is on its way at the end is waited for. */
const DRAIN_MS = 300_000;
/** Cars that break in the minutes that are measured, in percent, a few at a time. */
const BROKEN_PCT = 1;
const BREAKS = 10;

/** The fleet of `reference-100k` in the size asked for; nothing breaks of itself. */
async function scenario(): Promise<ScenarioFile> {
  const { hazards: _hazards, duration: _duration, ...reference } = await loadScenario('reference-100k');
  const connectPerSecond = Math.min(1000, Math.max(200, CARS / 20));
  return {
    ...reference,
    ...{ name: 'whole-stream', cars: CARS, every: `${EVERY_S}s`, processes: INGESTS },
    network: { ...reference.network, connectPerSecond },
  };
}

/** Breaks cars, a few at a time, from a tenth to half of the minutes on; how many were told to break. */
async function breakCars({ url, brokers }: Stream, token: string): Promise<number> {
  const count = Math.min(1000, Math.max(BREAKS, Math.round((CARS * BROKEN_PCT) / 100)));
  const query = `offset=${Math.floor(CARS / 3)}&limit=${count}`;
  const answer = await fetch(`${url}/api/fleet?${query}`, { headers: { authorization: `Bearer ${token}` } });
  const { cars } = (await answer.json()) as Fleet;
  const [host, port] = brokers[0]!.split(':');
  const control = await connectFleetControl({ host: host!, port: Number(port) });
  const each = Math.ceil(cars.length / BREAKS);
  await sleep(MINUTES * 60_000 * 0.1);
  for (let from = 0; from < cars.length; from += each) {
    const vins = cars.slice(from, from + each).map(({ vin }) => vin);
    await control.send({ vins, action: 'break', fault: 'tyre-blow-out', severity: 1 });
    await sleep((MINUTES * 60_000 * 0.4) / BREAKS);
  }
  await control.close();
  return cars.length;
}

interface Simulator {
  readonly child: ChildProcess;
  readonly connected: Promise<void>;
  readonly summary: Promise<RunSummary>;
}

function startSimulator(file: string, addresses: readonly string[]): Simulator {
  const child = telltale(
    ['simulate', '--scenario', file, '--brokers', addresses.join(','), '--json'],
    'pipe',
  );
  let answer = '';
  child.stdout!.on('data', (chunk: Buffer) => {
    answer += chunk.toString();
  });
  const all = `cars ${CARS.toLocaleString('en-GB')}/${CARS.toLocaleString('en-GB')}`;
  const connected = Promise.withResolvers<void>();
  createInterface({ input: child.stderr! }).on('line', (line) => {
    console.error(line);
    if (line.startsWith(all)) connected.resolve();
  });
  const summary = once(child, 'close').then(() => JSON.parse(answer) as RunSummary);
  summary.catch((error: unknown) => connected.reject(error));
  return { child, connected: connected.promise, summary };
}

/** Waits until everything is scored and judged; how long that took. */
async function drained(lags: readonly Lag[]): Promise<number> {
  const fromMs = performance.now();
  while (performance.now() - fromMs < DRAIN_MS) {
    const looks = await Promise.all(lags.map((lag) => lag.look()));
    if (looks.every(({ lag }) => lag <= PARTITIONS)) break;
    await sleep(500);
  }
  return (performance.now() - fromMs) / 1000;
}

/** Everything that runs, and the way to end it in order. */
interface Stream {
  readonly brokers: readonly string[];
  readonly url: string;
  readonly sides: readonly Side[];
  stop(): Promise<void>;
}

const pidsOf = (children: readonly ChildProcess[]) => children.map(({ pid }) => pid!);

async function startStream(dir: string, flags: readonly string[], kafkaPid?: number): Promise<Stream> {
  const brokers: { child: ChildProcess; address: string }[] = [];
  for (let n = 0; n < INGESTS; n += 1) brokers.push(await startBroker(n, dir, flags));
  const ingests = brokers.map(({ child }) => child);
  const scorers = Array.from({ length: SCORERS }, () => telltale(['score', '--data-dir', dir, ...flags]));
  await Promise.all(scorers.map((child) => lineOf(child, /started/)));
  const server = telltale(['serve', '--http-port', '0', '--data-dir', dir, ...flags]);
  const [, url] = await lineOf(server, /feed on (\S+);/);
  return {
    url: url!,
    brokers: brokers.map(({ address }) => address),
    sides: [
      new Side('ingest', pidsOf(ingests)),
      ...(kafkaPid === undefined ? [] : [new Side('Kafka', [kafkaPid])]),
      new Side('scoring', pidsOf(scorers)),
      new Side('alerts and server', pidsOf([server])),
    ],
    stop: async () => {
      for (const child of [...scorers, server, ...ingests]) await endProcess(child);
    },
  };
}

async function measure(log: Log, sinceMs: number, dir: string, stream: Stream): Promise<Measured> {
  const file = join(dir, 'scenario.yaml');
  writeFileSync(file, stringify(await scenario()));
  const phoneMs: number[] = [];
  const token = operatorToken(readTokens(join(dir, 'tokens.json')))!;
  const phone = await watchAlerts(stream.url, token, phoneMs);
  const scoring = new Lag(log, scorerGroup(VERSION), telemetryTopic.name);
  const policy = new Lag(log, policyGroup({ version: VERSION, sinceMs }), scoresTopic(VERSION).name);
  const simulator = startSimulator(file, stream.brokers);
  await simulator.connected;
  const workers = childrenOf(simulator.child.pid!);
  const cars = new Side('cars', workers.length > 0 ? workers : pidsOf([simulator.child]));
  const sides = [cars, ...stream.sides];

  const stop = new AbortController();
  const scoredMs: number[] = [];
  const watching = watchScores(log, VERSION, stop.signal, scoredMs);
  const before = (await scoring.look()).end;
  for (const side of sides) side.mark();
  phoneMs.length = 0;
  scoring.forget();
  lookAt([scoring, policy], stop.signal);
  const startMs = performance.now();
  let samples = 0;
  const timer = setInterval(() => {
    samples += 1;
    for (const side of sides) side.sample(samples % 10 === 5);
  }, SAMPLE_MS);
  const breaking = breakCars(stream, token);
  await sleep(MINUTES * 60_000);
  const broken = await breaking;
  clearInterval(timer);
  for (const side of sides) side.sample(true);
  const seconds = (performance.now() - startMs) / 1000;
  stop.abort();
  await watching;
  const events = (await scoring.look()).end - before;
  const lags = [behind('scoring', scoring), behind('alerts', policy)];
  simulator.child.kill('SIGTERM');
  const summary = await simulator.summary;
  const drainS = await drained([scoring, policy]);
  phone.terminate();
  return {
    cars: CARS,
    dueRate: CARS / EVERY_S,
    summary,
    seconds,
    events,
    drainS,
    lags,
    scoredMs,
    phoneMs,
    broken,
    sides,
  };
}

async function run(dir: string): Promise<readonly Figure[]> {
  const kafka = process.argv.includes('--kafka') ? await startKafka() : undefined;
  const flags = kafka === undefined ? [] : ['--kafka-brokers', kafka.brokers];
  const { settings } = readConfig(LOG_SETTINGS, ['--data-dir', dir, ...flags]);
  try {
    const bundle = await trainForStream(await scenario(), EVERY_S);
    const log = await openLog(settings, { clock: Date.now, warn: console.error });
    await createFixedTopics(log, PARTITIONS);
    const sinceMs = await release(log, VERSION, bundle);
    readOrMakeTokens(join(dir, 'tokens.json'));
    const stream = await startStream(dir, flags, kafka?.pid);
    const measured = await measure(log, sinceMs, dir, stream);
    await stream.stop();
    const figures = await report(log, VERSION, measured);
    await log.close();
    return figures;
  } finally {
    await kafka?.stop();
  }
}

// A run that is stopped stops what it has started.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const dir = mkdtempSync(join(tmpdir(), 'telltale-stream-'));
try {
  const where = process.argv.includes('--kafka') ? 'Apache Kafka' : 'the embedded log';
  const size = `${CARS.toLocaleString('en')} cars, an event each ${EVERY_S} s, ${MINUTES} min`;
  printFigures(`The whole stream on ${where}: ${size}`, await run(dir));
} finally {
  rmSync(dir, { recursive: true, force: true });
}
