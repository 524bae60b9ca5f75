// `npm start -- --csv FILE`: the same stream on real drives. Part of the drives are the history that is trained on, the others
// are driven live at high speed; the run ends with alerts per hour and the events counted at each stage.

import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { policyGroup } from '../alerts/reign.ts';
import { renamedLine, vinsOf } from '../core/car-ids.ts';
import { type Catalogue, loadCatalogue } from '../core/catalogue.ts';
import { counted } from '../core/counted.ts';
import { TelltaleError } from '../core/errors.ts';
import { catalogueOfRecording, openRecording, type Recording, readingOf } from '../core/recording.ts';
import { shown } from '../core/recording-fault.ts';
import { type Context, pause } from '../core/service.ts';
import type { Settings } from '../core/settings.ts';
import { scoresTopic, telemetryTopic } from '../core/topics.ts';
import { ANY_TIME } from '../ingest/plausible-time.ts';
import { scorerGroup } from '../scoring/loop.ts';
import { credentials } from '../simulator/command.ts';
import { type Replay, startReplay } from '../simulator/replay.ts';
import { trainAndRelease } from '../training/job.ts';
import { alertLine, followAlerts } from './alert-lines.ts';
import { type Drives, drivesOf, idsOf, type Part } from './drives.ts';
import { driveOn, type Stack, startStack } from './stack.ts';
import { countStages, stageLines } from './stages.ts';

const LIVE_SPEED = 240;
const PROGRESS_MS = 2000;

/** The demo on a recording, to its end. */
export async function runRecordingDemo(settings: Settings, context: Context): Promise<void> {
  const recording = await openRecording(settings.csv, readingOf(settings));
  describe(recording, context);
  const place = await prepare(recording, settings, context);
  const own = { ...settings, ...place.settings };
  const drives = await drivesOf(recording, settings.seed);
  for (const remark of drives.remarks) context.say(`${recording.file}: ${remark}`);
  if (drives.oneCar)
    context.say(
      `${recording.file}: one car only: its first rows are the history, the others are driven live`,
    );
  const stack = await startStack(own, context, place.catalogue, {
    breakable: false,
    // What a recording says of its times is true, however long ago.
    timeBounds: ANY_TIME,
  });
  try {
    context.say(`page: ${stack.pageLink}`);
    context.say('(the link opens the page in one browser, once; npx telltale page-link prints another)');
    await driveOn(stack, context, (driving) => drive(stack, drives, own, driving));
  } finally {
    await stack.stop();
  }
}

/** Says what the file holds and names every column that is no signal, or an odd one. */
function describe(recording: Recording, { say }: Context): void {
  const { file, rowCount, ids, signals, columns, idColumn, timeColumn } = recording;
  say(
    `${file}: ${counted(rowCount, 'row')} of ${counted(ids.size, 'car')} (${idColumn || 'the file'}), time ${timeColumn}, ${counted(signals.length, 'signal')}`,
  );
  for (const remark of [...recording.remarks, ...recording.timeRemarks]) say(`${file}: ${remark}`);
  const renamed = renamedLine(vinsOf(ids.keys()));
  if (renamed !== null) say(`${file}: ${renamed}`);
  const named = (what: string, list: readonly { readonly name: string }[]) => {
    if (list.length > 0) say(`${file}: ${what}: ${list.map(({ name }) => name).join(', ')}`);
  };
  named(
    'not numeric, left out',
    columns.filter((c) => !c.numeric && c.count + c.unreadable > 0),
  );
  named(
    'empty, left out',
    columns.filter((c) => !c.numeric && c.count + c.unreadable === 0),
  );
  named(
    'constant',
    columns.filter((c) => c.numeric && c.min === c.max),
  );
}

interface Place {
  readonly catalogue: Catalogue;
  readonly settings: Partial<Settings>;
}

/** A folder of the recording's own: its catalogue, kept where a person can correct it, and a log that begins anew. */
async function prepare(recording: Recording, settings: Settings, { say, clock }: Context): Promise<Place> {
  const stem = basename(recording.file)
    .replace(/\.gz$/, '')
    .replace(/\.csv$/, '')
    .replaceAll(/[^A-Za-z0-9_-]/g, '-');
  const dir = join(settings.dataDir, 'recordings', stem);
  await mkdir(dir, { recursive: true });
  const path = settings.catalogue === '' ? join(dir, 'catalogue.json') : settings.catalogue;
  if (!existsSync(path))
    await writeFile(path, `${JSON.stringify(catalogueOfRecording(recording, stem), null, 2)}\n`);
  const catalogue = await loadCatalogue(path);
  const known = new Set(catalogue.signals.map(({ name }) => name));
  const strangers = recording.signals.filter((name) => !known.has(name));
  if (strangers.length > 0) {
    throw new TelltaleError(
      'CATALOGUE_INVALID',
      `${path} lacks the columns ${strangers.join(', ')} of ${recording.file}; add them, leave them out with --ignore, or delete the catalogue`,
    );
  }
  say(`catalogue: ${path} (names, units and possible ranges; correct it there)`);
  if (settings.kafkaBrokers.length === 0) await rm(join(dir, 'log'), { recursive: true, force: true });
  const topicPrefix = settings.kafkaBrokers.length === 0 ? '' : `${settings.topicPrefix}${stem}-${clock()}.`;
  return { catalogue, settings: { dataDir: dir, topicPrefix } };
}

async function drive(
  stack: Stack,
  { history, live, oneCar }: Drives,
  settings: Settings,
  context: Context,
): Promise<void> {
  const { say, signal, clock } = context;
  const vins = live.tape.vins ?? new Map<string, string>();
  const firstSeq = clock();
  const fast = { what: 'history', speed: Number.POSITIVE_INFINITY, firstSeq };
  const first = await replay(stack, history, fast, settings, context);
  if (signal.aborted) return;
  const { version } = await trainAndRelease({
    ...{ log: stack.log, catalogue: stack.catalogue, backend: stack.backend, context },
    settings,
  });
  const printing = new AbortController();
  let alerts = 0;
  const idOf = idsOf(vins);
  const printed = followAlerts(stack.log, 'earliest', AbortSignal.any([signal, printing.signal]), (alert) => {
    if (alert.phase === 'raised') alerts += 1;
    say(alertLine({ ...alert, vin: shown(idOf(alert.vin)) }));
  });
  // Awaited when the drives are over: a failure before must not end the process unheard.
  printed.catch(() => undefined);
  // A car that has driven its history goes on counting where that ended.
  const nextSeq = Math.max(clock(), firstSeq + first.stats().rows);
  const paced = { what: 'live', speed: settings.speed ?? LIVE_SPEED, firstSeq: nextSeq };
  const second = await replay(stack, live, paced, settings, context);
  await settle(stack, version, context);
  printing.abort();
  await printed;
  if (signal.aborted) return;
  const published = first.stats().counts.acknowledged + second.stats().counts.acknowledged;
  // Each pass over different cars meets every row of the file.
  const broken = first.stats().brokenRows + (oneCar ? second.stats().brokenRows : 0);
  const stages = await countStages(stack.log, version, new Set(live.ids.map((id) => vins.get(id) ?? id)));
  for (const line of stageLines({ ...stages, published, broken, liveDrives: live.ids.length, alerts }))
    say(line);
}

interface Manner {
  readonly what: string;
  readonly speed: number;
  readonly firstSeq: number;
}

async function replay(
  stack: Stack,
  { tape, ids }: Part,
  { what, speed, firstSeq }: Manner,
  settings: Settings,
  { clock, warn, say, signal }: Context,
): Promise<Replay> {
  say(
    `${what}: ${counted(ids.length, 'drive')} ${speed === Number.POSITIVE_INFINITY ? 'at full speed' : `at ${speed} times their speed`}`,
  );
  const run = startReplay({
    ...{ tape, ids, speed, firstSeq, clock, warn },
    brokers: [{ host: settings.mqttHost, port: stack.ingest.port }],
    ...credentials(settings),
  });
  const timer = setInterval(() => {
    say(`${what}: ${counted(run.stats().counts.acknowledged, 'event')} acknowledged`);
  }, PROGRESS_MS);
  const stop = () => void run.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await run.done;
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', stop);
  }
  for (const sample of what === 'history' ? run.stats().brokenSamples : []) warn(`${tape.name}: ${sample}`);
  return run;
}

const SETTLE_STEP_MS = 50;
const SETTLE_LIMIT_MS = 120_000;

/** Waits until scorer and policy have answered everything in the log. A committed offset tells nobody, so it is asked for. */
async function settle(
  { log, releases }: Stack,
  version: string,
  { signal, clock, warn }: Context,
): Promise<void> {
  const untilMs = clock() + SETTLE_LIMIT_MS;
  const champion = releases.current();
  const lag = async () => {
    const scorer = await log.lag(scorerGroup(version), telemetryTopic.name);
    return scorer > 0 || champion === null
      ? scorer
      : log.lag(policyGroup(champion), scoresTopic(version).name);
  };
  while (!signal.aborted && (await lag()) > 0) {
    if (clock() > untilMs)
      return warn(
        `scoring has not caught up within ${SETTLE_LIMIT_MS / 1000} s; the counts say how far it is`,
      );
    await pause(SETTLE_STEP_MS, signal);
  }
}
