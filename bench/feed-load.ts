// The cars and the phones of bench/feed.ts, in a process of their own: each car one MQTT connection, each with its phone on
// the feed. Cars break one after another; the phone's clock stops when the alert is there.
//   node bench/feed-load.ts MQTT_PORT URL SECRET CARS RATE SECONDS   (started by bench/feed.ts)
import { once } from 'node:events';
import { connectAsync, type MqttClient } from 'mqtt';
import { WebSocket } from 'ws';
import { carToken } from '../alerts/tokens.ts';
import { mqttTopics } from '../core/topics.ts';
import type { LoadReport } from './feed.ts';
import { drive } from './feed-cars.ts';

const [mqttPort, url, secret = '', cars, rate, seconds] = process.argv.slice(2);
const CARS = Number(cars);
const RATE = Number(rate);
const SECONDS = Number(seconds);
/** Seconds before the first car breaks: what the model's state needs to settle. */
const WARM_UP_S = 15;
/** How long a broken car stays broken. */
const BROKEN_S = 14;
const TICK_MS = 10;

const latenciesMs: number[] = [];
let published = 0;
let acknowledged = 0;

interface Car {
  readonly vin: string;
  readonly client: MqttClient;
  readonly next: (broken: boolean) => number[];
  seq: number;
  breaksAtMs: number;
}

async function connectPhone(vin: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url?.replace('http', 'ws')}/feed`, {
    headers: { authorization: `Bearer ${carToken(secret, vin)}` },
  });
  socket.on('message', (data) => {
    const nowMs = Date.now();
    const message = JSON.parse(String(data));
    if (message.type === 'alert' && message.alert.phase === 'raised')
      latenciesMs.push(nowMs - message.alert.raisedTs);
    if (message.type === 'ping') socket.send('{"type":"pong"}');
  });
  await once(socket, 'open');
  return socket;
}

async function connectCar(i: number): Promise<Car> {
  const vin = `BENCH${String(i).padStart(6, '0')}`;
  const client = await connectAsync({
    host: '127.0.0.1',
    port: Number(mqttPort),
    clientId: vin,
    clean: true,
  });
  return { vin, client, next: drive(i), seq: Date.now(), breaksAtMs: Number.POSITIVE_INFINITY };
}

function publish(car: Car): void {
  const ts = Date.now();
  const broken = ts >= car.breaksAtMs && ts < car.breaksAtMs + BROKEN_S * 1000;
  const signals = Object.fromEntries(car.next(broken).map((value, s) => [`signal${s}`, value]));
  car.seq += 1;
  published += 1;
  const payload = JSON.stringify({ vin: car.vin, seq: car.seq, ts, signals });
  car.client.publish(mqttTopics.telemetry(car.vin), payload, { qos: 1 }, (error) => {
    if (!error) acknowledged += 1;
  });
}

const fleet: Car[] = [];
const phones: WebSocket[] = [];
for (let from = 0; from < CARS; from += 50) {
  const some = Array.from({ length: Math.min(50, CARS - from) }, (_, i) => from + i);
  fleet.push(...(await Promise.all(some.map(connectCar))));
  phones.push(...(await Promise.all(fleet.slice(from).map(({ vin }) => connectPhone(vin)))));
}
const startedMs = Date.now();
// Cars that break do so evenly between the warm-up and a point from which their alert can still come.
const spanMs = Math.max(1000, (SECONDS - WARM_UP_S - BROKEN_S - 2) * 1000);
const breaking = fleet.filter((_, i) => i % 2 === 0);
for (const [i, car] of breaking.entries())
  car.breaksAtMs = startedMs + WARM_UP_S * 1000 + (spanMs * i) / breaking.length;

let sent = 0;
await new Promise<void>((resolve) => {
  const timer = setInterval(() => {
    const elapsedMs = Date.now() - startedMs;
    // Evenly over the seconds, car after car, as a fleet's events come.
    for (const due = Math.floor((elapsedMs * RATE) / 1000); sent < due; sent += 1)
      publish(fleet[sent % CARS]!);
    if (elapsedMs < SECONDS * 1000) return;
    clearInterval(timer);
    resolve();
  }, TICK_MS);
});
const report: LoadReport = {
  ...{ latenciesMs, published, acknowledged, broken: breaking.length, phones: phones.length },
  seconds: (Date.now() - startedMs) / 1000,
};
process.send?.(report);
for (const phone of phones) phone.terminate();
await Promise.all(fleet.map(({ client }) => client.endAsync()));
process.disconnect?.();
