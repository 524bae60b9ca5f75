// The claim: states do not drown the log, and whoever takes over goes on soon, and exactly. A fleet so wide that every batch is all
// different cars is scored until its snapshots are as old as they get; then another scorer takes all of it over. On a smaller one
// scorers are killed at random moments, and their scores compared with those of one that was never disturbed.
//   node bench/takeover.ts [--cars 2000] [--kills 5] [--kafka] [--json] [--save NAME]
//   node bench/takeover.ts --cars 100000 --kills 50      the mission's size: 1 GB of log, minutes
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../core/log/log.ts';
import { Metrics } from '../core/metrics.ts';
import type { ModelBundle } from '../core/model/bundle.ts';
import { createDetector } from '../core/model/detector.ts';
import { pause } from '../core/service.ts';
import { SETTINGS } from '../core/settings.ts';
import { scorerStateTopic, telemetryTopic } from '../core/topics.ts';
import { runLoop, scorerGroup } from '../scoring/loop.ts';
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

/** The machine's time of this process, seconds. */
const cpuS = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

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

interface Run {
  readonly events: number;
  readonly snapshots: number;
  readonly stateBytes: number;
  /** Events read again in all partitions together. */
  readonly replayed: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** A scorer that takes all partitions; ends when `until` says so. Seconds are those until all partitions were taken over. */
async function scorer(log: Log, bundle: ModelBundle, scoresAll: boolean): Promise<Run> {
  const stop = new AbortController();
  const run = { events: 0, snapshots: 0, stateBytes: 0, replayed: 0, seconds: 0, cpuSeconds: 0 };
  const detector = createDetector(bundle);
  const states = scorerStateTopic(VERSION).name;
  const startedMs = performance.now();
  const startedCpuS = cpuS();
  let restored = 0;
  const all = new AbortController();
  const running = runLoop({
    log,
    ...{ version: VERSION, detector, metrics: new Metrics(), stateBytes: STATE_BYTES },
    signal: stop.signal,
    warn: () => {},
    onRestored: (_, { replayed }) => {
      run.replayed += replayed;
      restored += 1;
      if (restored < PARTITIONS) return;
      run.seconds = (performance.now() - startedMs) / 1000;
      run.cpuSeconds = cpuS() - startedCpuS;
      all.abort();
    },
    onBatch: (_, { scored, stateBytes, outputs }) => {
      run.events += scored;
      run.snapshots += outputs.filter(({ topic }) => topic === states).length;
      run.stateBytes += stateBytes;
    },
  });
  await Promise.race([running, pause(600_000, all.signal)]);
  while (scoresAll && (await log.lag(scorerGroup(VERSION), telemetryTopic.name)) > 0)
    await Promise.race([running, pause(200, stop.signal)]);
  stop.abort();
  await running;
  return run;
}

async function wideFleet(place: Place, bundle: ModelBundle, readings: Readings): Promise<Figure[]> {
  const slotBytes = createDetector(bundle).newState().slots.byteLength;
  // A snapshot is smaller than what the detector keeps: enough for every car to have its turn.
  const rounds = Math.ceil(slotBytes / STATE_BYTES) + MORE_ROUNDS;
  const log = await openPlace(place);
  try {
    await createTopics(log, PARTITIONS);
    let eventBytes = 0;
    for (let round = 0; round < rounds; round += 1) {
      const records = roundOf(readings, CARS, round);
      eventBytes = records[0]!.value!.length;
      await appendAll(log, records);
    }
    const whole = await scorer(log, bundle, true);
    const again = await scorer(log, bundle, false);
    const of = `${CARS.toLocaleString('en')} cars, ${rounds} events of ${eventBytes} bytes each`;
    return [
      {
        what: 'states written for an event',
        value: whole.stateBytes / whole.events,
        unit: 'bytes',
        bar: { atMost: 300 },
        note: of,
      },
      { what: "a car's state in the detector", value: slotBytes, unit: 'bytes' },
      { what: 'a snapshot of it in the log', value: whole.stateBytes / whole.snapshots, unit: 'bytes' },
      { what: 'events a car is told again by a takeover', value: again.replayed / CARS, unit: 'events' },
      { what: 'takeover of all cars', value: again.seconds, unit: 's', bar: { atMost: 10 } },
      { what: 'takeover, processor time', value: again.cpuSeconds, unit: 's' },
      { what: 'takeover, memory of the process', value: process.memoryUsage().rss / 2 ** 20, unit: 'MiB' },
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
    ...(CARS > 0 ? await wideFleet(placeOf('wide'), bundle, readings) : []),
    ...(KILLS > 0 ? await kills(placeOf('kills'), bundle, readings, dir) : []),
  ];
  printFigures(`Takeover of ${CARS.toLocaleString('en')} cars, ${kafka ? 'Kafka' : 'embedded log'}`, figures);
} finally {
  await kafka?.stop();
  rmSync(dir, { recursive: true, force: true });
}
