// The room on a real Kafka: two services of a kind share the policy's work, and a phone goes from one server to the other.
// What is special there: offsets with holes (transaction markers), groups that rebalance, commits that take their time.
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { type Alerts, startAlerts } from '../../alerts/service.ts';
import { createFixedTopics } from '../../core/log/create-topics.ts';
import { openKafkaLog } from '../../core/log/kafka.ts';
import type { Log } from '../../core/log/log.ts';
import { kafkaForTests } from '../support/kafka.ts';
import { Phone } from './phone.ts';
import { ALL, alertsIn, appendScores, champion, championSource, makeScore, serverOn } from './support.ts';

const CARS = Array.from({ length: 24 }, (_, i) => `CAR${i}`);
const kafka = await kafkaForTests();
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function openLog(brokers: string, prefix: string): Promise<Log> {
  const warn = (line: string) => console.warn(line);
  const log = await openKafkaLog({
    brokers: brokers.split(','),
    replication: 1,
    prefix,
    clock: Date.now,
    warn,
  });
  closers.push(() => log.close());
  return log;
}

async function serve(log: Log): Promise<Alerts> {
  const alerts = await startAlerts({
    ...serverOn(log),
    champions: championSource(champion('m1', 0)),
  });
  closers.push(() => alerts.stop());
  return alerts;
}

const phoneOf = (alerts: Alerts, cursor?: string) => {
  const phone = new Phone({ url: alerts.url, token: ALL, ...(cursor === undefined ? {} : { cursor }) });
  closers.push(async () => phone.socket.terminate());
  return phone;
};

/** `n` seconds of the cars from second `from` on. */
const seconds = (from: number, n: number, ratio: number) =>
  CARS.flatMap((vin) => Array.from({ length: n }, (_, s) => makeScore(vin, from + s, ratio)));

describe.skipIf('missing' in kafka)('alerts on Kafka', () => {
  it('raises and clears each alert once over two services; a phone moves between them with its cursor', async () => {
    const brokers = 'missing' in kafka ? '' : kafka.brokers;
    const prefix = `alerts-${randomUUID()}-`;
    const log = await openLog(brokers, prefix);
    closers.push(async () => {
      for (const name of await log.topics()) await log.deleteTopic(name);
    });
    await createFixedTopics(log, 4);
    const first = await serve(log);
    const phone = phoneOf(first);
    await phone.message('snapshot');
    await appendScores(log, seconds(0, 10, 1.5));
    await phone.received(CARS.length);
    await phone.vanish();

    const second = await serve(await openLog(brokers, prefix));
    await appendScores(log, seconds(10, 60, 0.1));
    const back = phoneOf(second, phone.cursor);
    expect((await back.message('hello')).gap).toBe(false);
    await back.received(CARS.length);
    expect(phone.alerts.map(({ vin, phase }) => `${vin} ${phase}`).toSorted()).toEqual(
      CARS.map((vin) => `${vin} raised`).toSorted(),
    );
    expect(back.alerts.map(({ vin, phase }) => `${vin} ${phase}`).toSorted()).toEqual(
      CARS.map((vin) => `${vin} cleared`).toSorted(),
    );

    // One of the two goes; the other carries on with what it did, states included.
    await appendScores(log, seconds(2000, 9, 1.5));
    await first.stop();
    await appendScores(log, seconds(2009, 1, 1.5));
    await back.received(2 * CARS.length);
    expect(await alertsIn(log)).toHaveLength(3 * CARS.length);
  });
});
