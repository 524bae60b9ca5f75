// The claim: at half of 35,000 events a second the ingest process does not grow.
// `node bench/soak.ts [--minutes 1] [--rate 17500] [--connections 1000] [--json]`; the claim is about 10 minutes.
import { setTimeout as sleep } from 'node:timers/promises';
import { startBrokerProcess, startGenerator, usageOf } from './ingest-run.ts';
import { argument, type Figure, median, printFigures, quantile } from './support.ts';

const MB = 2 ** 20;
const minutes = argument('minutes', 1);
const rate = argument('rate', 17_500);
const connections = argument('connections', 1000);
/** Connections open, code is compiled and the heap finds its size before growth is judged. */
const WARMUP_SECONDS = 20;
const SAMPLES = 60;

/** Least-squares slope of y over x. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const above = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return above / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}

const broker = await startBrokerProcess();
const flags = { connections, window: 100, rate, seconds: minutes * 60, warmup: WARMUP_SECONDS };
const { report } = startGenerator(broker.port, flags);
await sleep(WARMUP_SECONDS * 1000);
const startMs = performance.now();
const samples: (readonly [minute: number, megabytes: number])[] = [];
const first = usageOf(broker.pid);
for (let i = 0; i < SAMPLES; i++) {
  await sleep((minutes * 60_000) / SAMPLES);
  const { ownBytes, mappedBytes } = usageOf(broker.pid);
  const minute = (performance.now() - startMs) / 60_000;
  samples.push([minute, ownBytes / MB]);
  if (!process.argv.includes('--json') && i % 6 === 5)
    console.log(
      `  ${minute.toFixed(2)} min: own ${(ownBytes / MB).toFixed(0)} MB, mapped ${(mappedBytes / MB).toFixed(0)} MB`,
    );
}
const last = usageOf(broker.pid);
const { acked, seconds, latenciesMs, lost } = await report;
const ending = await broker.stop();
const own = samples.map(([, megabytes]) => megabytes);
const sixth = Math.floor(own.length / 6);
const growth = median(own.slice(-sixth)) - median(own.slice(0, sixth));
const figures: Figure[] = [
  { what: 'events acknowledged', value: acked / seconds, unit: 'events/s', bar: { atLeast: rate * 0.99 } },
  { what: 'events not acknowledged', value: lost, unit: '' },
  { what: 'own memory, median', value: median(own), unit: 'MB' },
  {
    what: `growth over ${minutes} minutes (last sixth − first sixth)`,
    value: growth,
    unit: 'MB',
    bar: { atMost: Math.max(10, median(own) * 0.1) },
  },
  { what: 'slope of own memory', value: slope(samples), unit: 'MB/min' },
  {
    what: 'CPU',
    value: ((last.cpuSeconds - first.cpuSeconds) / (minutes * 60)) * 100,
    unit: '% of a core',
  },
  { what: 'PUBLISH → PUBACK, median', value: quantile(latenciesMs, 0.5), unit: 'ms' },
  { what: 'PUBLISH → PUBACK, p99', value: quantile(latenciesMs, 0.99), unit: 'ms' },
];
printFigures(
  `Ingest soak: ${minutes} minutes at ${rate} events/s, ${connections} connections. ${ending}`,
  figures,
);
