// The claim: the server passes over a calm event without parsing it. Scores of calm cars, as scoring packs them, stand
// in an embedded log; policy, twin and server read all of them; what that took of the processor, an event. The former
// form beside it, a score a record as JSON with all readings, which is still read. The share told in full is that of a
// calm fleet, one in ten.
//   node bench/scores-read.ts [--events 300000] [--cars 100000] [--batch 200] [--json]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { policyGroup } from '../alerts/reign.ts';
import { startAlerts } from '../alerts/service.ts';
import { tokenStore } from '../alerts/tokens.ts';
import { CAR_CATALOGUE_FILE, loadCatalogue } from '../core/catalogue.ts';
import { createFixedTopics, topicSpec } from '../core/log/create-topics.ts';
import { openEmbeddedLog } from '../core/log/embedded.ts';
import type { Log, NewRecord } from '../core/log/log.ts';
import { Metrics } from '../core/metrics.ts';
import { HYSTERESIS } from '../core/model/hysteresis.ts';
import { ScorePacker } from '../core/score-pack.ts';
import { scoresTopic } from '../core/topics.ts';
import { argument, type Figure, median, printFigures } from './support.ts';

/** The twin reads so many back at a start: all are read by both. */
const EVENTS = argument('events', 300_000);
const CARS = argument('cars', 100_000);
const BATCH = argument('batch', 200);
const RUNS = 3;
const TOLD_EVERY = 10;
const VERSION = 'bench';
const THRESHOLD = 30;

const catalogue = await loadCatalogue(CAR_CATALOGUE_FILE);
const signals = catalogue.signals.length;
const values = Float64Array.from({ length: signals }, (_, i) => (i % 3 === 2 ? Number.NaN : 10.25 + i));
const expected = Float64Array.from({ length: signals }, (_, i) => 10.12 + i);
const top = catalogue.signals
  .slice(0, 3)
  .map(({ name }) => ({ signal: name, value: 1.5, expected: 2.25, share: 0.3 }));
const vinOf = (i: number) => `TLTCMP77${String(i % CARS).padStart(9, '0')}`;

/** One calm score. */
const scoreOf = (i: number, nowMs: number) => ({
  ...{ vin: vinOf(i), seq: nowMs + i, ts: nowMs, receivedTs: nowMs, offset: i, late: false },
  score: 8 + (i % 70) / 10,
});

function packed(nowMs: number): NewRecord[] {
  const records: NewRecord[] = [];
  const packer = new ScorePacker(VERSION, THRESHOLD, signals);
  for (let i = 0; i < EVENTS; i += 1) {
    const told = i % TOLD_EVERY === 0;
    packer.add(0, scoreOf(i, nowMs), told ? { values, expected } : null, told ? { top, lost: [] } : null);
    if (i % BATCH === BATCH - 1 || i === EVENTS - 1) records.push(...packer.finish());
  }
  return records;
}

function former(nowMs: number): NewRecord[] {
  const readings = (column: Float64Array) => [...column].map((value) => (Number.isNaN(value) ? null : value));
  return Array.from({ length: EVENTS }, (_, i) => {
    const { receivedTs: timestampMs, ...score } = scoreOf(i, nowMs);
    const rest = { partition: 0, model: VERSION, threshold: THRESHOLD, top };
    const all = { ...score, ...rest, values: readings(values), expected: readings(expected) };
    return { key: score.vin, timestampMs, value: Buffer.from(JSON.stringify(all)) };
  });
}

/** Starts policy, twin and server before the records; µs of processor an event from there until both have read all. */
async function cost(log: Log, records: readonly NewRecord[]): Promise<number> {
  const topic = scoresTopic(VERSION);
  await createFixedTopics(log, 1);
  await log.createTopic(topicSpec(topic, 1));
  for (let from = 0; from < records.length; from += 1000)
    await log.append(topic.name, records.slice(from, from + 1000));
  const metrics = new Metrics();
  const champion = { version: VERSION, sinceMs: 0, catalogue, hysteresis: HYSTERESIS };
  const cpu = process.cpuUsage();
  const alerts = await startAlerts({
    ...{ log, metrics, clock: Date.now, warn: console.error, host: '127.0.0.1', port: 0 },
    champions: { current: () => champion, onChange: () => () => undefined },
    tokens: tokenStore({ tokens: [{ token: 'a token of a bench', name: 'bench', vins: '*' }] }),
  });
  const group = policyGroup(champion);
  const isDone = async () =>
    alerts.applied() >= EVENTS &&
    (await log.committed(group, topic.name)).length > 0 &&
    (await log.lag(group, topic.name)) === 0;
  while (!(await isDone())) await sleep(20);
  const { user, system } = process.cpuUsage(cpu);
  await alerts.stop();
  for (const name of await log.topics()) await log.deleteTopic(name);
  return (user + system) / EVENTS;
}

async function run(make: (nowMs: number) => NewRecord[]): Promise<{ us: number; bytes: number }> {
  const records = make(Date.now());
  const bytes = records.reduce((sum, { value, key }) => sum + value!.length + key.length, 0) / EVENTS;
  const dir = await mkdtemp(join(tmpdir(), 'telltale-scores-'));
  const log = openEmbeddedLog({ dir, prefix: '', clock: Date.now, warn: console.error });
  const runs: number[] = [];
  for (let n = 0; n < RUNS; n += 1) runs.push(await cost(log, records));
  await log.close();
  await rm(dir, { recursive: true, force: true });
  return { us: median(runs), bytes };
}

const now = await run(packed);
const before = await run(former);
const figures: Figure[] = [
  { what: 'a calm event: policy, twin and server', value: now.us, unit: 'µs', bar: { atMost: 8 } },
  { what: '… in the former form', value: before.us, unit: 'µs' },
  { what: '… times as much', value: before.us / now.us, unit: '×' },
  { what: 'a calm event in the log', value: now.bytes, unit: 'bytes', note: `batches of ${BATCH}` },
  { what: '… in the former form', value: before.bytes, unit: 'bytes' },
];
printFigures(
  `Reading ${EVENTS.toLocaleString('en')} scores of ${CARS.toLocaleString('en')} calm cars`,
  figures,
);
