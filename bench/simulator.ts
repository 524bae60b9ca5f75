// The claims: physics of a mixed fleet at 500,000 car-seconds a second on one core; 10,000 cars in one process under
// 1 GB; 20,000 QoS 1 events published a second and core with a connection per car, links of our own against MQTT.js.
// `node bench/simulator.ts [--json] [--seconds 5] [--runs 3] [--cars 1000]`
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Fleet } from '../simulator/fleet.ts';
import { completeScenario, DEMO_SCENARIO } from '../simulator/scenario.ts';
import { SENSOR_COUNT } from '../simulator/sensors.ts';
import { argument, type Figure, median, printFigures } from './support.ts';

const seconds = argument('seconds', 5);
const runs = argument('runs', 3);
const cars = argument('cars', 1000);
const canPin = spawnSync('taskset', ['-c', '0', 'true']).status === 0;

function script(name: string, core: number, args: readonly string[]): ChildProcess {
  const command = [process.execPath, new URL(name, import.meta.url).pathname, ...args];
  const [program, ...rest] = canPin ? ['taskset', '-c', String(core), ...command] : command;
  return spawn(program!, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  return line;
}

/** Car-seconds of physics a second, and with every sensor read each second. */
function physics(measured: boolean): number {
  const fleet = new Fleet(completeScenario({ ...DEMO_SCENARIO, cars }), Date.UTC(2026, 2, 3, 8));
  const out = new Float64Array(SENSOR_COUNT);
  for (let n = 0; n < 120; n += 1) fleet.step();
  const startedAt = performance.now();
  let steps = 0;
  while (performance.now() - startedAt < seconds * 300) {
    fleet.step();
    steps += 1;
    if (measured) for (let car = 0; car < cars; car += 1) fleet.measure(car, out);
  }
  return (steps * cars) / ((performance.now() - startedAt) / 1000);
}

interface Published {
  readonly acknowledged: number;
  readonly elapsedS: number;
  readonly cpuS: number;
  readonly heapMb: number;
}

async function publish(how: 'links' | 'mqtt.js', connections: number): Promise<Published> {
  const sink = script('./simulator-sink.ts', 1, []);
  const port = await firstLine(sink);
  const flags = ['--port', port, '--cars', String(connections), '--seconds', String(seconds)];
  const publisher = script('./simulator-publish.ts', 0, [how, ...flags]);
  const result = JSON.parse(await firstLine(publisher)) as Published;
  sink.kill();
  return result;
}

/** Memory of 10,000 connected cars at one event each ten seconds, by the links, MB. */
async function tenThousand(): Promise<number> {
  const sink = script('./simulator-sink.ts', 1, []);
  const port = await firstLine(sink);
  const main = new URL('../main.ts', import.meta.url).pathname;
  const flags = [
    '--fleet-size',
    '10000',
    '--scenario',
    'reference-100k',
    '--processes',
    '1',
    '--duration',
    '20s',
  ];
  const args = [main, 'simulate', ...flags, '--mqtt-port', port, '--json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const summary = JSON.parse(await firstLine(child)) as {
    rssMb: number;
    unacknowledged: number;
    cars: number;
  };
  sink.kill();
  if (summary.unacknowledged > 0 || summary.cars !== 10_000) throw new Error(JSON.stringify(summary));
  return summary.rssMb;
}

async function published(how: 'links' | 'mqtt.js', connections: number): Promise<Figure[]> {
  const all: Published[] = [];
  for (let n = 0; n < runs; n += 1) all.push(await publish(how, connections));
  const name = how === 'links' ? 'own links' : 'MQTT.js';
  const perCore = median(all.map((r) => r.acknowledged / r.cpuS));
  return [
    {
      what: `published by ${name}, ${connections} connections`,
      value: perCore,
      unit: 'events/core·s',
      ...(how === 'links' ? { bar: { atLeast: 20_000 } } : {}),
      note: `${Math.round(median(all.map((r) => r.acknowledged / r.elapsedS)))}/s by the clock, physics and encoding included`,
    },
    {
      what: `memory of a connection, ${name}`,
      value: (1024 * median(all.map((r) => r.heapMb))) / connections,
      unit: 'KB',
    },
  ];
}

const figures: Figure[] = [
  {
    what: 'physics, mixed fleet',
    value: median(Array.from({ length: runs }, () => physics(false))),
    unit: 'car-s/s',
    bar: { atLeast: 500_000 },
  },
  {
    what: 'physics and every sensor read',
    value: median(Array.from({ length: runs }, () => physics(true))),
    unit: 'car-s/s',
  },
  ...(await published('links', cars)),
  ...(await published('mqtt.js', cars)),
  { what: '10,000 cars in one process', value: await tenThousand(), unit: 'MB', bar: { atMost: 1024 } },
];
printFigures('The fleet simulator', figures);
