// How long it takes from a car's publish to the phone: MQTT → log → score → alert → WebSocket, the whole path on its real
// parts. Cars and phones are in a process of their own; broker, scoring, policy and feed in this one. The time is taken from
// the publish of the event that raises the alert (its event time) to its arrival at the phone.
//   node bench/feed.ts [--cars 1000] [--rate 1000] [--seconds 40] [--json]      on Kafka: KAFKA_BROKERS=… node bench/feed.ts
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAlerts } from '../alerts/service.ts';
import { tokenStore } from '../alerts/tokens.ts';
import type { Catalogue } from '../core/catalogue.ts';
import { readConfig } from '../core/config.ts';
import { createFixedTopics } from '../core/log/create-topics.ts';
import type { Log } from '../core/log/log.ts';
import { openLog } from '../core/log/open.ts';
import { Metrics } from '../core/metrics.ts';
import { loadBackend } from '../core/model/backend.ts';
import type { ModelBundle } from '../core/model/bundle.ts';
import { LOG_SETTINGS } from '../core/settings.ts';
import { modelsTopic } from '../core/topics.ts';
import { startIngest } from '../ingest/service.ts';
import { startScoring } from '../scoring/service.ts';
import { trainModel } from '../training/calibrate/train-model.ts';
import { drive, SIGNALS } from './feed-cars.ts';
import { argument, type Figure, printFigures, quantile } from './support.ts';

/** What the process with cars and phones reports. */
export interface LoadReport {
  readonly latenciesMs: readonly number[];
  readonly published: number;
  readonly acknowledged: number;
  readonly broken: number;
  readonly phones: number;
  readonly seconds: number;
}

const SECRET = 'the secret of a benchmark, of 32 letters';
const CARS = argument('cars', 1000);
const RATE = argument('rate', 1000);
const SECONDS = argument('seconds', 40);

const catalogue: Catalogue = {
  name: 'bench',
  version: 1,
  signals: Array.from({ length: SIGNALS }, (_, i) => ({ name: `signal${i}`, unit: '', min: -1e6, max: 1e6 })),
};

/** A model of cars as the load drives them. */
async function train(): Promise<ModelBundle> {
  const rows = 1500;
  const series = Array.from({ length: 12 }, (_, car) => {
    const next = drive(car);
    return {
      id: `CAR${car}`,
      tsMs: Float64Array.from({ length: rows }, (_, i) => 1.7e12 + 1000 * i),
      values: Float32Array.from(Array.from({ length: rows }, () => next(false)).flat()),
    };
  });
  const signal = new AbortController().signal;
  const backend = await loadBackend('wasm');
  const trained = await trainModel({
    ...{ catalogue, series, seed: 1, alertsPerHour: 0.01, backend, signal, maxSteps: 250 },
  });
  return trained.bundle;
}

async function release(log: Log, version: string, bundle: ModelBundle): Promise<void> {
  const facts = { version, ts: Date.now(), by: 'bench', note: '' };
  await log.append(modelsTopic.name, [
    { key: `release/${version}`, value: modelsTopic.encode({ kind: 'release', ...facts, bundle }) },
    {
      key: 'alias/champion',
      value: modelsTopic.encode({ kind: 'alias', alias: 'champion', previous: [], ...facts }),
    },
  ]);
}

async function load(mqttPort: number, url: string): Promise<LoadReport> {
  const script = new URL('./feed-load.ts', import.meta.url).pathname;
  const child = fork(script, [String(mqttPort), url, SECRET, String(CARS), String(RATE), String(SECONDS)]);
  const [report] = (await once(child, 'message')) as [LoadReport];
  await once(child, 'exit');
  return report;
}

const dir = await mkdtemp(join(tmpdir(), 'telltale-bench-'));
const prefix = `bench-${process.pid}-`;
const { settings } = readConfig(LOG_SETTINGS, ['--data-dir', dir, '--topic-prefix', prefix]);
const clock = Date.now;
const warn = (line: string) => console.error(line);
const metrics = new Metrics();
const log = await openLog(settings, { clock, warn });
await createFixedTopics(log, settings.partitions);
await release(log, 'bench', await train());
const ingest = await startIngest({
  ...{ log, catalogue, metrics, clock, warn, host: '127.0.0.1', port: 0, partitions: settings.partitions },
});
const scoring = await startScoring({
  ...{ log, catalogue, metrics, clock, warn, backend: await loadBackend('wasm'), say: () => undefined },
});
const alerts = await startAlerts({
  ...{ log, metrics, clock, warn, host: '127.0.0.1', port: 0, champions: scoring.releases },
  tokens: tokenStore({ tokens: [], carSecret: SECRET }),
});
const cpu = process.cpuUsage();
const report = await load(ingest.port, alerts.url);
const used = process.cpuUsage(cpu);
await ingest.stop();
await scoring.stop();
await alerts.stop();
for (const name of await log.topics()) await log.deleteTopic(name);
await log.close();
await rm(dir, { recursive: true, force: true });

const bar = { atMost: log.kind === 'kafka' ? 500 : 300 };
const { latenciesMs, published, acknowledged, broken, phones, seconds } = report;
const figures: Figure[] = [
  { what: 'events published', value: published / seconds, unit: '/s', note: `${acknowledged} acknowledged` },
  { what: 'phones connected', value: phones, unit: '' },
  { what: 'alerts at their phone', value: latenciesMs.length, unit: '', bar: { atLeast: broken } },
  { what: 'publish → phone, median', value: quantile(latenciesMs, 0.5), unit: 'ms' },
  { what: 'publish → phone, p99', value: quantile(latenciesMs, 0.99), unit: 'ms', bar },
  { what: 'publish → phone, longest', value: quantile(latenciesMs, 1), unit: 'ms' },
  {
    what: 'processor, server side',
    value: (used.user + used.system) / 1e6 / seconds,
    unit: 'cores',
  },
];
printFigures(`publish → WebSocket on the ${log.kind} log, ${CARS} cars`, figures);
