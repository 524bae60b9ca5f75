// The publishing side of bench/simulator.ts, a process of its own: so many cars publish QoS 1 telemetry as fast as their
// windows allow, through MQTT.js or through the simulator's own links. Prints one JSON line.
import { connectAsync, type MqttClient } from 'mqtt';
import { mqttTopics } from '../core/topics.ts';
import { payloadOf } from '../simulator/encode.ts';
import { Fleet } from '../simulator/fleet.ts';
import { Publisher } from '../simulator/publisher.ts';
import { completeScenario, DEMO_SCENARIO } from '../simulator/scenario.ts';
import { Script } from '../simulator/script.ts';
import { zeroCounts } from '../simulator/stats.ts';
import { Telemeter } from '../simulator/telemeter.ts';
import { argument } from './support.ts';

const port = argument('port', 1883);
const cars = argument('cars', 1000);
const seconds = argument('seconds', 6);
const scenario = completeScenario({ ...DEMO_SCENARIO, cars });
const fleet = new Fleet(scenario, Date.now());
const heapBefore = heap();
const telemeter = new Telemeter(fleet, new Script(fleet, fleet.nowMs), zeroCounts());

function heap(): number {
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

interface Result {
  readonly acknowledged: number;
  readonly elapsedS: number;
  readonly cpuS: number;
  /** What the connections added to the heap. */
  readonly heapMb: number;
}

/** Measures `round` (publishes one event of each car, resolves when there is room for more) for the time asked. */
async function measure(round: () => Promise<void>, acknowledged: () => number): Promise<Result> {
  const heapMb = heap() - heapBefore;
  const startedAt = performance.now();
  const before = acknowledged();
  const cpu = process.cpuUsage();
  while (performance.now() - startedAt < seconds * 1000) await round();
  const used = process.cpuUsage(cpu);
  return {
    acknowledged: acknowledged() - before,
    elapsedS: (performance.now() - startedAt) / 1000,
    cpuS: (used.user + used.system) / 1e6,
    heapMb,
  };
}

async function links(): Promise<Result> {
  const publisher = new Publisher({
    brokers: [{ host: '127.0.0.1', port }],
    clientIds: fleet.cars.map((car) => car.vin),
    window: 32,
    queue: 1000,
    policy: 'drop-oldest',
    connectPerSecond: 2000,
    seed: 1,
    warn: console.error,
  });
  publisher.start();
  await publisher.connected(cars);
  const result = await measure(
    async () => {
      fleet.step();
      for (let car = 0; car < cars; car += 1) publisher.links[car]!.offerAll(telemeter.packets(car));
      await publisher.room(4 * cars);
      await new Promise((resolve) => setImmediate(resolve));
    },
    () => publisher.counts.acknowledged,
  );
  publisher.stop();
  return result;
}

async function mqttJs(): Promise<Result> {
  const clients: MqttClient[] = [];
  for (const car of fleet.cars)
    clients.push(await connectAsync(`mqtt://127.0.0.1:${port}`, { clientId: car.vin, reconnectPeriod: 0 }));
  let acknowledged = 0;
  let pending = 0;
  let wake: () => void = () => {};
  const result = await measure(
    async () => {
      fleet.step();
      for (let car = 0; car < cars; car += 1) {
        const [packet] = telemeter.packets(car);
        pending += 1;
        clients[car]!.publish(
          mqttTopics.telemetry(fleet.cars[car]!.vin),
          payloadOf(packet!),
          { qos: 1 },
          () => {
            acknowledged += 1;
            pending -= 1;
            if (pending <= 4 * cars) wake();
          },
        );
      }
      if (pending > 4 * cars) await new Promise<void>((resolve) => (wake = resolve));
      await new Promise((resolve) => setImmediate(resolve));
    },
    () => acknowledged,
  );
  for (const client of clients) client.end(true);
  return result;
}

const result = process.argv.includes('mqtt.js') ? await mqttJs() : await links();
console.log(JSON.stringify(result));
process.exit(0);
