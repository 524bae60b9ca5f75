// The claim: states do not drown the log, and whoever takes over goes on soon, and exactly. A fleet so wide that every batch is all
// different cars is scored until its snapshots are as old as they get; then another scorer takes all of it over. On a smaller one
// scorers are killed at random moments, and their scores compared with those of one that was never disturbed.
//   node bench/takeover.ts [--cars 2000] [--kills 5] [--kafka] [--json] [--save NAME]
//   node bench/takeover.ts --cars 100000 --kills 50      the mission's size: 1 GB of log, minutes
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../core/log/log.ts';
import type { ModelBundle } from '../core/model/bundle.ts';
import { createDetector } from '../core/model/detector.ts';
import { pause } from '../core/service.ts';
import { SETTINGS } from '../core/settings.ts';
import { telemetryTopic } from '../core/topics.ts';
import { scorerGroup } from '../scoring/loop.ts';
import { startKafka } from '../scripts/kafka.ts';
import { loadScenario } from '../simulator/scenario-file.ts';
import { history, trainForStream } from './stream-model.ts';
import { argument, type Figure, printFigures } from './support.ts';
import {
  appendAll,
  createTopics,
  killAgainAndAgain,
  openPlace,
  type Place,
  type Readings,
  roundOf,
  ScorerProcess,
  type ScorerTask,
  sum,
  VERSION,
} from './takeover-kills.ts';

const CARS = argument('cars', 2000);
const KILLS = argument('kills', 5);
const PARTITIONS = 6;
const STATE_BYTES = SETTINGS.stateBytes.fallback;
const EVERY_S = 10;
/** Events of each car beyond those in which every car had its turn. */
const MORE_ROUNDS = 3;
/** Cars of the fleet in which scorers are killed: more in each of two partitions than a batch has events. */
const KILL_CARS = 4400;

/** Drives of some cars, driven again by all: what is asked here does not depend on what they do. */
function drivesOf(bundle: ModelBundle, drives: ReturnType<typeof history>): Readings {
  const { signals } = bundle.catalogue;
  return (car, round) => {
    const { values, tsMs } = drives[car % drives.length]!;
    const at = ((round + car) % tsMs.length) * signals.length;
    return Object.fromEntries(
      signals.flatMap(({ name }, k) => {
        const value = values[at + k]!;
        return Number.isNaN(value) ? [] : [[name, Math.round(value * 100) / 100]];
      }),
    );
  };
}

/** Scores all there is in one process, which is killed; then has another take all of it over. */
async function scoreAndTakeOver(log: Log, task: ScorerTask) {
  const first = new ScorerProcess(task);
  await first.said('ready');
  while ((await log.lag(scorerGroup(VERSION), telemetryTopic.name)) > 0) await pause(200);
  await first.kill();
  const second = new ScorerProcess(task);
  await second.said('ready');
  while (second.numbers('restored').length < PARTITIONS) await pause(20);
  await second.kill();
  return { batches: first.numbers('batch'), restored: second.numbers('restored') };
}

async function wideFleet(
  place: Place,
  bundle: ModelBundle,
  readings: Readings,
  dir: string,
): Promise<Figure[]> {
  const slotBytes = createDetector(bundle).newState().slots.byteLength;
  // A snapshot is smaller than what the detector keeps: enough for every car to have its turn.
  const rounds = Math.ceil(slotBytes / STATE_BYTES) + MORE_ROUNDS;
  const bundleFile = join(dir, 'bundle.json');
  writeFileSync(bundleFile, JSON.stringify(bundle));
  const log = await openPlace(place);
  try {
    await createTopics(log, PARTITIONS);
    let eventBytes = 0;
    for (let round = 0; round < rounds; round += 1) {
      const records = roundOf(readings, CARS, round);
      eventBytes = records[0]!.value!.length;
      await appendAll(log, records);
    }
    const run = await scoreAndTakeOver(log, { place, bundleFile, stateBytes: STATE_BYTES });
    const [, , seconds, cpuSeconds, ownMiB] = run.restored.at(-1)!;
    const of = `${CARS.toLocaleString('en')} cars, ${rounds} events of ${eventBytes} bytes each`;
    const bytes = sum(run.batches, 3);
    return [
      {
        what: 'states written for an event',
        value: bytes / sum(run.batches, 2),
        unit: 'bytes',
        bar: { atMost: 300 },
        note: of,
      },
      { what: "a car's state in the detector", value: slotBytes, unit: 'bytes' },
      { what: 'a snapshot of it in the log', value: bytes / sum(run.batches, 4), unit: 'bytes' },
      {
        what: 'events a car is told again by a takeover',
        value: sum(run.restored, 1) / CARS,
        unit: 'events',
      },
      { what: 'takeover of all cars', value: seconds!, unit: 's', bar: { atMost: 10 } },
      { what: 'takeover, processor time', value: cpuSeconds!, unit: 's' },
      {
        what: 'takeover, own memory of the process',
        value: ownMiB!,
        unit: 'MiB',
        bar: { atMost: 1024 },
      },
    ];
  } finally {
    await log.close();
  }
}

async function kills(place: Place, bundle: ModelBundle, readings: Readings, dir: string): Promise<Figure[]> {
  const report = await killAgainAndAgain({
    ...{ place, bundle, readings, kills: KILLS, seed: 1 },
    ...{ bundleFile: join(dir, 'bundle.json'), partitions: 2, cars: KILL_CARS, stateBytes: STATE_BYTES },
  });
  if (report.difference !== null) console.error(`takeover: ${report.difference}`);
  for (const line of report.problems) console.error(`takeover: ${line}`);
  const { killedEarly, compared, events, mixedBatches, takeovers, replayed } = report;
  return [
    {
      what: 'scorers killed at random moments',
      value: report.kills,
      unit: 'kills',
      note: `${killedEarly} before their first batch; ${takeovers} takeovers, ${replayed.toLocaleString('en')} events read again`,
    },
    {
      what: 'scores that are not those of a scorer never disturbed',
      value: report.difference === null && report.problems.length === 0 ? 0 : 1,
      unit: 'scores',
      bar: { atMost: 0 },
      note: `${compared.toLocaleString('en')} scores of ${events.toLocaleString('en')} events compared; ${mixedBatches} batches had a car twice`,
    },
  ];
}

const dir = mkdtempSync(join(tmpdir(), 'telltale-takeover-'));
const kafka = process.argv.includes('--kafka') ? await startKafka() : undefined;
const placeOf = (name: string): Place => {
  if (kafka) return { kind: 'kafka', brokers: kafka.brokers, prefix: `${name}-` };
  mkdirSync(join(dir, name));
  return { kind: 'embedded', dir: join(dir, name) };
};
try {
  const scenario = await loadScenario('reference-100k');
  const bundle = await trainForStream(scenario, EVERY_S);
  const readings = drivesOf(bundle, history(scenario, EVERY_S));
  const figures = [
    ...(CARS > 0 ? await wideFleet(placeOf('wide'), bundle, readings, dir) : []),
    ...(KILLS > 0 ? await kills(placeOf('kills'), bundle, readings, dir) : []),
  ];
  printFigures(`Takeover of ${CARS.toLocaleString('en')} cars, ${kafka ? 'Kafka' : 'embedded log'}`, figures);
} finally {
  await kafka?.stop();
  rmSync(dir, { recursive: true, force: true });
}
