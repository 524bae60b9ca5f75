// A fleet split over processes: the parent forks `telltale simulate --worker i/n`, hands each its part of the scenario and
// sums up what they report. Which process drives a car changes nothing about the car.
import { type ChildProcess, fork } from 'node:child_process';
import { TelltaleError } from '../core/errors.ts';
import type { FleetCommand } from '../core/events.ts';
import { type Context, pause } from '../core/service.ts';
import type { Broker } from './link.ts';
import type { ProcessReport } from './progress.ts';
import { type FleetRun, startFleet } from './run.ts';
import type { Scenario } from './scenario.ts';

/** What a worker is told first. */
export interface WorkerOrder {
  readonly scenario: Scenario;
  readonly startMs: number;
  readonly brokers: readonly Broker[];
  readonly username?: string;
  readonly password?: string;
}
type ToWorker =
  | { readonly kind: 'order'; readonly order: WorkerOrder }
  | { readonly kind: 'command'; readonly command: FleetCommand }
  | { readonly kind: 'stop' };
type FromWorker = { readonly kind: 'report'; readonly report: ProcessReport; readonly last: boolean };

const REPORT_EVERY_MS = 1000;

/** The cars of worker `index` (0-based) of `count`: consecutive numbers, as even as they go. */
export function partOf(cars: number, index: number, count: number): { first: number; count: number } {
  const first = Math.floor((cars * index) / count);
  return { first, count: Math.floor((cars * (index + 1)) / count) - first };
}

/** What this process has to report about its fleet. */
export function reportOf(fleet: FleetRun, startedAt: number, connectedAt: number | null): ProcessReport {
  const cpu = process.cpuUsage();
  return {
    stats: fleet.stats(),
    latencies: fleet.latencies(),
    connectS: connectedAt === null ? null : (connectedAt - startedAt) / 1000,
    elapsedS: (performance.now() - startedAt) / 1000,
    rssMb: process.memoryUsage().rss / 1048576,
    cpuS: (cpu.user + cpu.system) / 1e6,
  };
}

/** Starts a fleet and remembers when it was connected, so that it can be reported on at any time. */
export function watchFleet(start: () => FleetRun): { fleet: FleetRun; report: () => ProcessReport } {
  const startedAt = performance.now();
  let connectedAt: number | null = null;
  const fleet = start();
  fleet.connected.then(() => {
    // It also resolves when the run is stopped first.
    const { cars, counts } = fleet.stats();
    if (counts.everConnected >= cars) connectedAt = performance.now();
  });
  return { fleet, report: () => reportOf(fleet, startedAt, connectedAt) };
}

/** A worker's life: waits for its order, drives, reports each second and at the end. */
export async function workAs(index: number, count: number, context: Context): Promise<void> {
  const send = (message: FromWorker) => {
    if (process.connected) process.send?.(message, undefined, {}, () => {});
  };
  const orders = Promise.withResolvers<WorkerOrder>();
  let running: FleetRun | null = null;
  let stopped = false;
  const stop = () => {
    // It may come before there is anything to stop.
    stopped = true;
    void running?.stop();
  };
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'order') orders.resolve(message.order);
    else if (message.kind === 'command') running?.command(message.command);
    else stop();
  });
  // Without its parent a worker has nobody to drive for.
  process.on('disconnect', stop);
  context.signal.addEventListener('abort', stop, { once: true });
  const order = await orders.promise;
  const { fleet, report } = watchFleet(() =>
    startFleet({
      ...order,
      range: partOf(order.scenario.cars, index, count),
      clock: context.clock,
      warn: context.warn,
    }),
  );
  running = fleet;
  if (stopped) stop();
  const timer = setInterval(() => send({ kind: 'report', report: report(), last: false }), REPORT_EVERY_MS);
  await fleet.done;
  clearInterval(timer);
  send({ kind: 'report', report: report(), last: true });
  if (process.connected) process.disconnect?.();
}

export interface WorkerFleet {
  readonly pids: readonly number[];
  readonly done: Promise<void>;
  reports(): readonly ProcessReport[];
  command(command: FleetCommand): void;
  stop(): Promise<void>;
}

/** How long a worker may take to finish after it was told to stop. */
const STOP_MS = 45_000;

/** Forks the workers of a split fleet. `done` rejects when one of them ends before its work. */
export function startWorkers(order: WorkerOrder, count: number, program: string): WorkerFleet {
  const reports: (ProcessReport | undefined)[] = Array.from({ length: count });
  const children = Array.from({ length: count }, (_, i) =>
    fork(program, ['simulate', '--worker', `${i + 1}/${count}`], { serialization: 'advanced' }),
  );
  const lives = children.map(
    (child, i) =>
      new Promise<void>((resolve, reject) => {
        let finished = false;
        child.on('message', (message: FromWorker) => {
          reports[i] = message.report;
          finished ||= message.last;
        });
        child.on('error', reject);
        child.on('exit', (code, signal) => {
          if (finished) return resolve();
          const how = signal ?? `code ${code}`;
          reject(new TelltaleError('ABORTED', `simulator process ${i + 1} of ${count} ended early (${how})`));
        });
        tell(child, { kind: 'order', order });
      }),
  );
  const done = Promise.all(lives).then(() => undefined);
  done.catch(() => undefined);
  return {
    pids: children.map((child) => child.pid ?? -1),
    done,
    reports: () => reports.filter((r) => r !== undefined),
    command: (command) => {
      for (const child of children) tell(child, { kind: 'command', command });
    },
    stop: async () => {
      for (const child of children) tell(child, { kind: 'stop' });
      const limit = new AbortController();
      await Promise.race([done.catch(() => undefined), pause(STOP_MS, limit.signal)]);
      limit.abort();
      for (const child of children)
        if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    },
  };
}

function tell(child: ChildProcess, message: ToWorker): void {
  // A child that has just gone tells so by its exit; the failed message says nothing new.
  if (child.connected) child.send(message, () => {});
}
