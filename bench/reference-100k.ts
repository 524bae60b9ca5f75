// The claim: 100,000 cars hold their connections and every event is acknowledged on one machine, the scenario
// `reference-100k`: six `telltale ingest` processes on six loopback addresses, six simulator processes, one embedded log.
// It ends when all have been connected for `--hold` seconds. Linux; the machine should have nothing else to do.
// `node bench/reference-100k.ts [--json] [--cars 100000] [--hold 60] [--minutes 20] [--rate 1500]`
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseDocument } from 'yaml';
import { openLog } from '../core/log/open.ts';
import type { RunSummary } from '../simulator/progress.ts';
import { argument, type Figure, printFigures } from './support.ts';
import { childrenOf, Side, startBroker, telltale } from './telltale-process.ts';

const SCENARIO = new URL('../simulator/scenarios/reference-100k.yaml', import.meta.url).pathname;
const BROKERS = 6;
const SAMPLE_MS = 2000;

/** The scenario's file with the size and length asked for. */
function scenarioFile(dir: string): { file: string; cars: number } {
  const document = parseDocument(readFileSync(SCENARIO, 'utf8'));
  const cars = argument('cars', 100_000);
  document.set('cars', cars);
  document.set('duration', `${argument('minutes', 20)}m`);
  document.setIn(['network', 'connectPerSecond'], argument('rate', 1500));
  const file = join(dir, 'scenario.yaml');
  writeFileSync(file, document.toString());
  return { file, cars };
}

/** Passes progress on; when every car has been connected for the time asked, asks the simulator to end. */
function stopWhenHeld(simulator: ChildProcess, cars: number): void {
  const all = `cars ${cars.toLocaleString('en-GB')}/${cars.toLocaleString('en-GB')}`;
  let timer: NodeJS.Timeout | null = null;
  createInterface({ input: simulator.stderr! }).on('line', (line) => {
    console.error(line);
    if (timer === null && line.startsWith(all))
      timer = setTimeout(() => simulator.kill('SIGTERM'), argument('hold', 60) * 1000);
  });
}

async function count(dir: string, topic: string): Promise<number> {
  const settings = { dataDir: dir, kafkaBrokers: [], kafkaReplication: 1, topicPrefix: '' };
  const log = await openLog(settings, { clock: Date.now, warn: console.error });
  const ranges = await log.ranges(topic);
  await log.close();
  return ranges.reduce((sum, range) => sum + range.end - range.earliest, 0);
}

async function run(dir: string): Promise<readonly Figure[]> {
  const { file, cars } = scenarioFile(dir);
  const brokers = await Promise.all(Array.from({ length: BROKERS }, (_, n) => startBroker(n, dir)));
  const addresses = brokers.map(({ address }) => address).join(',');
  const simulator = telltale(['simulate', '--scenario', file, '--brokers', addresses, '--json'], 'pipe');
  let answer = '';
  simulator.stdout!.on('data', (chunk: Buffer) => {
    answer += chunk.toString();
  });
  const ended = once(simulator, 'close');
  stopWhenHeld(simulator, cars);
  const ingest = new Side(
    'ingest',
    brokers.map(({ child }) => child.pid!),
  );
  const fleet = new Side('cars', []);
  const timer = setInterval(() => {
    if (fleet.pids.length === 0) fleet.pids = childrenOf(simulator.pid!);
    ingest.sample();
    fleet.sample();
  }, SAMPLE_MS);
  await ended;
  clearInterval(timer);
  for (const { child } of brokers) child.kill('SIGTERM');
  await Promise.all(brokers.map(({ child }) => once(child, 'exit')));
  const summary = JSON.parse(answer) as RunSummary;
  const logged = (await count(dir, 'telemetry')) + (await count(dir, 'ground-truth'));
  return figures(summary, cars, logged, ingest, fleet);
}

function figures(s: RunSummary, cars: number, logged: number, ingest: Side, fleet: Side): Figure[] {
  const mb = (bytes: number) => bytes / 2 ** 20;
  return [
    {
      what: 'cars connected at once',
      value: s.connectS === null ? 0 : s.cars,
      unit: '',
      bar: { atLeast: cars },
    },
    { what: 'time until all were connected', value: s.connectS ?? Number.NaN, unit: 's' },
    { what: 'published', value: s.published, unit: 'events' },
    { what: 'published and not acknowledged', value: s.unacknowledged, unit: 'events', bar: { atMost: 0 } },
    { what: 'given up by queues', value: s.dropped, unit: 'events', bar: { atMost: 0 } },
    {
      what: 'acknowledged and not in the log',
      value: Math.max(0, s.acknowledged - logged),
      unit: 'events',
      bar: { atMost: 0 },
      note: `${logged} in the log, ${s.resent} were sent again`,
    },
    { what: 'acknowledged', value: s.eventsPerS, unit: 'events/s', note: `over ${s.elapsedS.toFixed(0)} s` },
    { what: 'PUBACK p50', value: s.ackP50Ms, unit: 'ms' },
    { what: 'PUBACK p99', value: s.ackP99Ms, unit: 'ms' },
    {
      what: 'memory of the ingest side',
      value: mb(ingest.ownBytes),
      unit: 'MB',
      note: `${BROKERS} processes, peak`,
    },
    {
      what: 'memory of the simulator side',
      value: mb(fleet.ownBytes),
      unit: 'MB',
      note: `${s.processes} processes, peak`,
    },
    { what: 'CPU of the ingest side', value: ingest.cpuSeconds, unit: 's' },
    { what: 'CPU of the simulator side', value: fleet.cpuSeconds, unit: 's' },
  ];
}

const dir = mkdtempSync(join(tmpdir(), 'telltale-100k-'));
try {
  printFigures('100,000 connected cars, one event each ten seconds', await run(dir));
} finally {
  rmSync(dir, { recursive: true, force: true });
}
