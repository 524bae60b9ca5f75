// `npm start`: a simulated fleet on the whole stream. The first start drives a first history through the real path, trains
// on it and releases; every start then goes live and breaks a car now and then. A second start goes on where this one ended.

import { resolveCatalogue } from '../core/catalogue.ts';
import { counted } from '../core/counted.ts';
import { messageOf } from '../core/errors.ts';
import { aborted, type Context } from '../core/service.ts';
import type { Settings } from '../core/settings.ts';
import { createTelemetryReader } from '../core/telemetry-reader.ts';
import { telemetryTopic } from '../core/topics.ts';
import { timeBoundsOf } from '../ingest/plausible-time.ts';
import { credentials, scenarioOf } from '../simulator/command.ts';
import { followCommands } from '../simulator/control.ts';
import { type FleetRun, startFleet } from '../simulator/run.ts';
import type { Scenario } from '../simulator/scenario.ts';
import { trainAndRelease } from '../training/job.ts';
import { alertLine, followAlerts } from './alert-lines.ts';
import { breaks, sendBreaks } from './breaks.ts';
import { driveOn, type Stack, startStack } from './stack.ts';
import { eventCount, OWN_NOTE, trainSuccessors } from './successors.ts';
import { trainBeside } from './train-beside.ts';

/** Event time that is driven before the first training. */
const FIRST_HISTORY_MS = 10 * 60_000;
/** Events from which on a successor is worth the steps of a whole training. */
const MANY_EVENTS = 150_000;
const PROGRESS_MS = 2000;

/** The demo on the simulated fleet, until it is stopped. */
export async function runLiveDemo(settings: Settings, context: Context): Promise<void> {
  const { say, signal } = context;
  const catalogue = await resolveCatalogue(settings);
  const scenario = await scenarioOf(settings, context.clock());
  const bounds = timeBoundsOf(settings);
  // A fleet faster than the clock is ahead of it.
  const stack = await startStack(settings, context, catalogue, {
    breakable: true,
    timeBounds: { ...bounds, maxAheadMs: scenario.speed > 1 ? Infinity : bounds.maxAheadMs },
  });
  try {
    say(`telltale: ${counted(scenario.cars, 'car')} on the ${stack.log.kind} log; Ctrl-C stops`);
    say(`page: ${stack.pageLink}`);
    say('(the link opens the page in one browser, once; npx telltale page-link prints another)');
    await driveOn(stack, context, (driving) => drive(stack, scenario, settings, driving));
  } finally {
    say('stopping: cars, ingest, scoring, alerts, log');
    await stack.stop();
    if (signal.aborted)
      say(`stopped; everything acknowledged is in ${placeOf(settings)}, npm start goes on from there`);
  }
}

const placeOf = ({ kafkaBrokers, dataDir }: Settings) =>
  kafkaBrokers.length > 0 ? `Kafka at ${kafkaBrokers.join(',')}` : dataDir;

/** Event time of the oldest event in the log; undefined: there is none. */
async function firstEventMs({ log, catalogue }: Stack, signal: AbortSignal): Promise<number | undefined> {
  const ranges = await log.ranges(telemetryTopic.name);
  const read = createTelemetryReader(catalogue);
  let firstMs: number | undefined;
  for (const { partition, earliest, end } of ranges) {
    if (end === earliest) continue;
    const options = { partitions: [partition], to: 'end', maxBatch: 1, signal } as const;
    for await (const { records } of log.read(telemetryTopic.name, options)) {
      const first = records[0];
      if (first === undefined || first.value === null) continue;
      const event = read(first.value);
      if (event !== null) firstMs = Math.min(firstMs ?? Number.POSITIVE_INFINITY, event.tsMs);
      break;
    }
  }
  return firstMs;
}

async function drive(stack: Stack, scenario: Scenario, settings: Settings, context: Context): Promise<void> {
  const { clock, warn, signal } = context;
  const untrained = stack.releases.current() === null;
  const wanted = (scenario.cars * FIRST_HISTORY_MS) / scenario.everyMs;
  const historyMs = untrained && (await eventCount(stack.log)) < wanted / 2 ? FIRST_HISTORY_MS : 0;
  const broker = { host: settings.mqttHost, port: stack.ingest.port };
  const sinceMs = historyMs > 0 ? undefined : await firstEventMs(stack, signal);
  const fleet = startFleet({
    ...(sinceMs === undefined ? {} : { sinceMs }),
    scenario: { ...scenario, historyMs: settings.history ?? historyMs },
    brokers: [broker],
    clock,
    warn,
    ...credentials(settings),
  });
  const obeying = await followCommands({ ...broker, ...credentials(settings), warn }, (command) =>
    fleet.command(command),
  );
  const printing = printAlerts(stack, context);
  try {
    await showHistory(fleet, wanted, context);
    if (untrained && !signal.aborted) await trainFirst(stack, settings, context);
    if (!signal.aborted) await goLive(stack, fleet, settings, context);
  } finally {
    await obeying.close();
    await fleet.stop();
  }
  await printing;
}

function printAlerts({ log }: Stack, { say, signal, warn }: Context): Promise<void> {
  return followAlerts(log, 'end', signal, (alert) => say(alertLine(alert))).catch((error: unknown) => {
    warn(`alerts are no longer printed: ${String(error)}`);
  });
}

/** Says how far the history is until the fleet has caught up with the clock. */
async function showHistory(fleet: FleetRun, wanted: number, { say, clock, signal }: Context): Promise<void> {
  const startedMs = clock();
  const timer = setInterval(() => {
    const { acknowledged } = fleet.stats().counts;
    const percent = Math.min(99, Math.round((100 * acknowledged) / wanted));
    say(`history: ${percent} % (${counted(acknowledged, 'event')} through MQTT into the log)`);
  }, PROGRESS_MS);
  try {
    await Promise.race([fleet.caughtUp, fleet.done, aborted(signal)]);
  } finally {
    clearInterval(timer);
  }
  const { acknowledged } = fleet.stats().counts;
  const seconds = (clock() - startedMs) / 1000;
  if (acknowledged > 0 && !signal.aborted)
    say(`history: ${counted(acknowledged, 'event')} in ${seconds.toFixed(1)} s`);
}

async function trainFirst(stack: Stack, settings: Settings, context: Context): Promise<void> {
  const { log, catalogue, backend } = stack;
  const note = `${OWN_NOTE}${settings.note || 'first model'}`;
  const first = { ...settings, effort: 'first', note } as const;
  await trainAndRelease({ log, catalogue, backend, settings: first, context });
}

/** Trains successors beside the cars; that it fails is no reason for them to stop. */
async function succeed({ log, catalogue, releases }: Stack, settings: Settings, context: Context) {
  const { clock, say, warn, signal } = context;
  const note = `${OWN_NOTE}trained on the history as it had grown`;
  const train = (events: number) =>
    trainBeside(settings, { effort: events < MANY_EVENTS ? 'quick' : settings.effort, note }, context);
  const { by } = settings;
  await trainSuccessors({ log, catalogue, releases, by, train, clock, say, warn, signal }).catch(
    (error: unknown) => warn(`no more successors are trained: ${messageOf(error)}`),
  );
}

async function goLive(stack: Stack, fleet: FleetRun, settings: Settings, outer: Context): Promise<void> {
  const over = new AbortController();
  const context = { ...outer, signal: AbortSignal.any([outer.signal, over.signal]) };
  const { say, signal } = context;
  say(`live: ${counted(fleet.vins.length, 'car')}, one event a second each; break one on the page`);
  const plan = breaks({
    combustion: fleet.carsOf('combustion'),
    electric: fleet.carsOf('electric'),
    random: Math.random,
  });
  const told = ({ vin, fault }: { vin: string; fault: string }) =>
    say(`broken on purpose: ${vin} has ${fault}`);
  const breaking = sendBreaks(plan, (command) => stack.control.send(command), signal, told);
  const succeeding = succeed(stack, settings, context);
  await Promise.race([Promise.all([breaking, fleet.done]), aborted(signal)]);
  over.abort();
  await succeeding;
}
