// The claim: one ingest process on one core takes at least 35,000 QoS 1 events a second from cars into the durable
// embedded log, every event judged, each PUBACK after its commit. `node bench/ingest.ts [--json] [--seconds 8] [--runs 3]`
import { setTimeout as sleep } from 'node:timers/promises';
import { canPin, startBrokerProcess, startGenerator, usageOf } from './ingest-run.ts';
import { argument, type Figure, median, printFigures, quantile } from './support.ts';

interface Run {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly payloadBytes: number;
}

/** The generator connects its cars at some 2,000 a second before its warm-up begins. */
const WARMUP_SECONDS = 3;

async function measure(connections: number, window: number, rate: number, seconds: number): Promise<Run> {
  const broker = await startBrokerProcess();
  const flags = { connections, window, rate, seconds, warmup: WARMUP_SECONDS };
  const { report } = startGenerator(broker.port, flags);
  // CPU per event is taken over the second half of the run, in which all cars are connected and warm.
  await sleep((connections / 1500 + WARMUP_SECONDS + seconds * 0.2) * 1000);
  const before = { ...usageOf(broker.pid), atMs: performance.now() };
  await sleep(seconds * 500);
  const cpuShare =
    (usageOf(broker.pid).cpuSeconds - before.cpuSeconds) / ((performance.now() - before.atMs) / 1000);
  const { acked, seconds: elapsed, latenciesMs, payloadBytes, lost } = await report;
  const last = await broker.stop();
  if (lost > 0) throw new Error(`${lost} events were not acknowledged: ${last}`);
  const perSecond = acked / elapsed;
  return {
    perSecond,
    cpuMicros: (cpuShare / perSecond) * 1e6,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    payloadBytes,
  };
}

const seconds = argument('seconds', 6);
const runs = argument('runs', 3);
const connections = argument('connections', 1000);
const figures: Figure[] = [];
for (const [window, note] of [
  [1, 'each car waits for its PUBACK before the next event'],
  [4, 'up to four events of a car in flight'],
] as const) {
  const all: Run[] = [];
  for (let i = 0; i < runs; i++) all.push(await measure(connections, window, 0, seconds));
  const { payloadBytes } = all[0]!;
  figures.push({
    what: `car → durable log, QoS 1, window ${window}`,
    value: median(all.map((run) => run.perSecond)),
    unit: 'events/s',
    bar: { atLeast: 35_000 },
    note: `${connections} connections, ${payloadBytes} B; ${note}${canPin ? '' : '; not pinned'}`,
  });
  figures.push({
    what: `CPU of the ingest process, window ${window}`,
    value: median(all.map((run) => run.cpuMicros)),
    unit: 'µs/event',
  });
}
const half = await measure(connections, 100, 17_500, seconds);
figures.push({ what: 'PUBLISH → PUBACK at 17,500 events/s, median', value: half.p50Ms, unit: 'ms' });
figures.push({ what: 'PUBLISH → PUBACK at 17,500 events/s, p99', value: half.p99Ms, unit: 'ms' });
printFigures('Ingest: one process on one core, embedded log', figures);
