// The commands `telltale simulate` and `telltale record`: which kind of run the settings ask for, what is shown of it.
import { renamedLine } from '../core/car-ids.ts';
import { resolveCatalogue } from '../core/catalogue.ts';
import { counted } from '../core/counted.ts';
import { TelltaleError } from '../core/errors.ts';
import { openLog } from '../core/log/open.ts';
import { openRecording, readingOf } from '../core/recording.ts';
import type { Context } from '../core/service.ts';
import { momentMs } from '../core/setting-kinds.ts';
import type { Settings } from '../core/settings.ts';
import { listenForCommands } from './control.ts';
import type { Broker } from './link.ts';
import { progressLine, type RunSummary, summarise, summaryLines } from './progress.ts';
import { recordScenario, recordTape } from './record.ts';
import { type Replay, startReplay, type Tape } from './replay.ts';
import { startFleet } from './run.ts';
import type { Scenario } from './scenario.ts';
import { loadScenario, resolveScenario } from './scenario-file.ts';
import { tapeOfLog } from './tape-log.ts';
import { tapeOfRecording } from './tape-recording.ts';
import { partOf, startWorkers, watchFleet, workAs } from './workers.ts';

const PROGRESS_MS = 5000;
/** Recordings older than this are moved to now: ingest takes some days more, which is time to drive in. */
const RECENT_MS = 365 * 86_400_000;
const PROGRAM = new URL('../main.ts', import.meta.url).pathname;

function brokersOf(settings: Settings): readonly Broker[] {
  if (settings.brokers.length === 0) return [{ host: settings.mqttHost, port: settings.mqttPort }];
  return settings.brokers.map((text) => {
    const [host, port] = [
      text.slice(0, text.lastIndexOf(':')),
      Number(text.slice(text.lastIndexOf(':') + 1)),
    ];
    if (host === '' || !Number.isInteger(port) || port < 1 || port > 65_535)
      throw new TelltaleError('CONFIG_INVALID', `--brokers: "${text}" is no host:port`);
    return { host, port };
  });
}

/** What an MQTT client must say of itself where the broker asks for a password. */
export const credentials = (settings: Pick<Settings, 'mqttPassword'>) =>
  settings.mqttPassword === '' ? {} : { username: 'car', password: settings.mqttPassword };

/** The scenario that the settings name, with what they override. */
export async function scenarioOf(settings: Settings, nowMs: number): Promise<Scenario> {
  const file = await loadScenario(settings.scenario);
  const changes = {
    cars: settings.fleetSize,
    seed: settings.fleetSeed,
    startMs: settings.start && momentMs(settings.start, nowMs),
    historyMs: settings.history,
    durationMs: settings.duration,
    speed: settings.speed,
    processes: settings.processes,
  };
  const scenario = resolveScenario(file, changes, nowMs);
  if (scenario.speed === Number.POSITIVE_INFINITY && scenario.durationMs === null)
    throw new TelltaleError('CONFIG_INVALID', '--duration: needed, this scenario has no end and speed max');
  return scenario;
}

/** A fleet that drives faster than the clock starts so much in the past that it is not ahead of it when it ends. */
function endingNow(scenario: Scenario, { clock, warn }: Context): Scenario {
  const { startMs, durationMs, speed } = scenario;
  if (startMs !== null || speed <= 1) return scenario;
  if (durationMs !== null)
    return { ...scenario, startMs: Math.floor(clock() - durationMs * (1 - 1 / speed)) };
  warn(
    `simulate: at speed ${speed} without an end event times run ahead of the clock, and ingest refuses them: give --duration, or start ingest with --max-event-ahead 36500d`,
  );
  return scenario;
}

/** `telltale simulate`. */
export async function runSimulate(settings: Settings, context: Context): Promise<void> {
  const part = partOfWorker(settings);
  if (part !== null && process.send !== undefined) {
    // Forked by a parent, which sends the order.
    await workAs(part.index, part.count, context);
  } else if (settings.check) {
    const { runCheck } = await import('./check.ts');
    await runCheck(settings, context);
  } else if (settings.csv !== '') {
    const recording = await openRecording(settings.csv, readingOf(settings));
    const tape = await tapeOfRecording(recording);
    for (const remark of [...recording.remarks, ...recording.timeRemarks, ...tape.remarks])
      context.warn(`${recording.file}: ${remark}`);
    await driveTape(tape, settings, context);
  } else if (settings.from !== null || settings.to !== null) {
    const log = await openLog(settings, context);
    try {
      await driveTape(await tapeBetween(settings, context, log), settings, context);
    } finally {
      await log.close();
    }
  } else await driveScenario(await scenarioOf(settings, context.clock()), settings, context);
}

/** Which process of a split fleet this one is; null: it drives the whole. */
function partOfWorker(settings: Settings): { readonly index: number; readonly count: number } | null {
  if (settings.worker === '') return null;
  const [index, count] = settings.worker.split('/').map(Number);
  return { index: index! - 1, count: count! };
}

async function tapeBetween(
  settings: Settings,
  context: Context,
  log: Parameters<typeof tapeOfLog>[0],
): Promise<Tape> {
  const at = (when: Settings['from']) => (when === null ? null : momentMs(when, context.clock()));
  const [from, to] = [at(settings.from), at(settings.to)];
  return tapeOfLog(
    log,
    await resolveCatalogue(settings),
    from === null ? 'earliest' : { timestampMs: from },
    to === null ? 'end' : { timestampMs: to },
  );
}

/** One interface over a fleet in this process and one split over several. */
interface Driven {
  readonly done: Promise<void>;
  reports(): Parameters<typeof summarise>[1];
  command(command: Parameters<ReturnType<typeof startFleet>['command']>[0]): void;
  stop(): Promise<void>;
}

function start(scenario: Scenario, settings: Settings, context: Context): Driven {
  const order = { scenario, brokers: brokersOf(settings), ...credentials(settings) };
  const part = partOfWorker(settings);
  if (part === null && scenario.processes > 1) {
    const startMs = scenario.startMs ?? context.clock();
    return startWorkers({ ...order, startMs }, scenario.processes, PROGRAM);
  }
  const range = part === null ? {} : { range: partOf(scenario.cars, part.index, part.count) };
  const { fleet, report } = watchFleet(() => startFleet({ ...order, ...context, ...range }));
  return { done: fleet.done, reports: () => [report()], command: fleet.command, stop: () => fleet.stop() };
}

async function driveScenario(asked: Scenario, settings: Settings, context: Context): Promise<void> {
  const { signal, say, warn } = context;
  const scenario = endingNow(asked, context);
  const progress = settings.json ? warn : say;
  if (scenario.startMs !== null) progress(`${scenario.name}: ${sameAgain(scenario.startMs)}`);
  const run = start(scenario, settings, context);
  // The desk speaks to one of the brokers: listen at each.
  const followers = brokersOf(settings).map((broker) =>
    listenForCommands({ ...broker, ...credentials(settings), warn }, run.command),
  );
  let before: RunSummary | null = null;
  const show = () => {
    const reports = run.reports();
    if (reports.length === 0) return;
    const now = summarise(scenario.name, reports);
    const connected = reports.reduce((n, r) => n + r.stats.counts.connected, 0);
    const faults = reports.reduce((n, r) => n + r.stats.faultsActive, 0);
    progress(progressLine(now, before, connected, faults));
    before = now;
  };
  const timer = setInterval(show, PROGRESS_MS);
  const onAbort = () => void run.stop();
  signal.addEventListener('abort', onAbort, { once: true });
  let reports: ReturnType<Driven['reports']>;
  try {
    await run.done;
    reports = run.reports();
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', onAbort);
    await Promise.all(followers.map((follower) => follower.close()));
  }
  const summary = summarise(scenario.name, reports);
  for (const line of settings.json ? [JSON.stringify(summary)] : summaryLines(summary)) say(line);
}

/** A start that the clock had a say in is told, so that a run can be made again. */
const sameAgain = (startMs: number) =>
  `begins at ${new Date(startMs).toISOString()}: with --start and that time the same comes again`;

/** Cars named on the command line; one that ends in * is a prefix; none: all. */
function wanted(names: readonly string[]): (id: string) => boolean {
  if (names.length === 0) return () => true;
  return (id) => names.some((name) => (name.endsWith('*') ? id.startsWith(name.slice(0, -1)) : id === name));
}

async function driveTape(tape: Tape, settings: Settings, context: Context): Promise<void> {
  const renamed = renamedLine(tape.vins ?? new Map());
  if (renamed !== null) context.warn(`${tape.name}: ${renamed}`);
  const replay = startReplay({
    tape,
    ids: tape.ids.filter(wanted(settings.cars)),
    speed: settings.speed ?? 1,
    ...(settings.keepTimes ? {} : { recentMs: RECENT_MS }),
    brokers: brokersOf(settings),
    clock: context.clock,
    warn: context.warn,
    ...credentials(settings),
  });
  const timer = setInterval(() => {
    const { counts, rows, brokenRows } = replay.stats();
    const line = `rows ${rows} · acknowledged ${counts.acknowledged} · broken rows ${brokenRows}`;
    (settings.json ? context.warn : context.say)(line);
  }, PROGRESS_MS);
  const onAbort = () => void replay.stop();
  context.signal.addEventListener('abort', onAbort, { once: true });
  try {
    await replay.done;
  } finally {
    clearInterval(timer);
    context.signal.removeEventListener('abort', onAbort);
  }
  tellReplay(tape, replay, settings, context);
}

function tellReplay(tape: Tape, replay: Replay, settings: Settings, context: Context): void {
  const stats = replay.stats();
  for (const sample of stats.brokenSamples) context.warn(`${tape.name}: ${sample}`);
  const more = stats.brokenRows - stats.brokenSamples.length;
  if (more > 0) context.warn(`${tape.name}: and ${counted(more, 'more broken row')}`);
  if (settings.json) context.say(JSON.stringify(stats));
  else
    context.say(
      `${tape.name}: ${counted(stats.cars, 'car')}, ${counted(stats.rows, 'row')} driven, ${stats.brokenRows} broken; ` +
        `published ${stats.counts.offered}, acknowledged ${stats.counts.acknowledged}`,
    );
}

/** `telltale record`: a scenario, or with --from or --to a stretch of the log, to a CSV file. */
export async function runRecord(settings: Settings, context: Context): Promise<void> {
  if (settings.out === '') throw new TelltaleError('CONFIG_INVALID', '--out: the file to write is missing');
  if (settings.from !== null || settings.to !== null) {
    const log = await openLog(settings, context);
    try {
      const catalogue = await resolveCatalogue(settings);
      const tape = await tapeBetween(settings, context, log);
      const signals = catalogue.signals.map((s) => s.name);
      const { rows, cars, broken } = await recordTape(tape, signals, settings.out, context.signal);
      const left = broken > 0 ? `; ${counted(broken, 'record')} of which no event can be read, left out` : '';
      context.say(`${settings.out}: ${counted(rows, 'row')} of ${counted(cars, 'car')} from the log${left}`);
    } finally {
      await log.close();
    }
    return;
  }
  const scenario = await scenarioOf(settings, context.clock());
  const startMs = scenario.startMs ?? context.clock();
  const { rows, cars, truths } = await recordScenario(scenario, startMs, settings.out, {
    label: settings.label,
    signal: context.signal,
  });
  const faults = truths.filter((t) => t.phase === 'started').length;
  const what = `${counted(rows, 'row')} of ${counted(cars, 'car')}, ${counted(faults, 'fault')}`;
  context.say(`${settings.out}: ${what}; ${sameAgain(startMs)}`);
}
