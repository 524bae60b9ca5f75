// Ingest on a real Kafka broker of its own, because one of the tests takes the broker away.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openKafkaLog } from '../../core/log/kafka.ts';
import type { Log } from '../../core/log/log.ts';
import { Metrics } from '../../core/metrics.ts';
import { ANY_TIME, TIME_BOUNDS, type TimeBounds } from '../../ingest/plausible-time.ts';
import { redrive } from '../../ingest/redrive.ts';
import { type Ingest, startIngest } from '../../ingest/service.ts';
import { kafkaMissing, type RunningKafka, startKafka } from '../../scripts/kafka.ts';
import { MqttCar } from '../support/mqtt-car.ts';
import { CATALOGUE, eventOf, recordsOf, topicOf } from './rig.ts';

const DAY_MS = 86_400_000;
const missing = kafkaMissing();
if (missing !== undefined && process.env.CI === 'true') throw new Error(`no Kafka for the tests: ${missing}`);

describe.skipIf(missing !== undefined)(
  `ingest on Kafka${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'telltale-ingest-kafka-'));
    let kafka: RunningKafka;
    let log: Log;
    let ingest: Ingest;
    const lines: string[] = [];

    beforeAll(async () => {
      kafka = await startKafka({ dir });
      const warn = (line: string) => lines.push(line);
      log = await openKafkaLog({
        brokers: [kafka.brokers],
        replication: 1,
        prefix: 't.',
        clock: Date.now,
        warn,
      });
      ingest = await startIngest({
        log,
        catalogue: CATALOGUE,
        host: '127.0.0.1',
        port: 0,
        partitions: 3,
        metrics: new Metrics(),
        clock: Date.now,
        warn,
        retryMs: 120_000,
      });
    });

    afterAll(async () => {
      await ingest?.stop();
      await log?.close();
      await kafka?.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    const seqsOf = async (vin: string): Promise<readonly number[]> =>
      (await recordsOf(log, 'telemetry'))
        .filter(({ key }) => key === vin)
        .map(({ value }) => JSON.parse(Buffer.from(value!).toString()).seq);

    it('stores what it acknowledges, in order, and what it refuses as dead letters', async () => {
      const car = await MqttCar.connect({ port: ingest.port, id: 'CAR1' });
      const packets = Array.from({ length: 500 }, (_, seq) =>
        car.packet(topicOf('CAR1'), eventOf('CAR1', seq)),
      );
      const bad = car.packet(topicOf('CAR1'), 'garbage');
      car.send(...packets, bad);
      await car.acked(bad.messageId);
      expect(car.acks).toEqual([...packets, bad].map((packet) => packet.messageId));
      expect(await seqsOf('CAR1')).toEqual(Array.from({ length: 500 }, (_, seq) => seq));
      expect(await recordsOf(log, 'dead-letters')).toHaveLength(1);
      await car.drop();
    });

    it('redrives each dead letter once, after its mend', async () => {
      const car = await MqttCar.connect({ port: ingest.port, id: 'CAR2' });
      const nowMs = Date.now();
      const [older, ahead] = [nowMs - 500 * DAY_MS, nowMs + DAY_MS];
      for (const [seq, ts] of [older, ahead, older].entries()) {
        const event = { vin: 'CAR2', seq, ts, signals: { speedKmh: 1 } };
        await car.publishAcked(topicOf('CAR2'), Buffer.from(JSON.stringify(event)));
      }
      const run = (mend: Partial<TimeBounds>) =>
        redrive({
          ...{ log, catalogue: CATALOGUE, timeBounds: { ...TIME_BOUNDS, ...mend } },
          ...{ choice: {}, dryRun: false, signal: new AbortController().signal },
        });
      const [takeOlder, takeBoth] = [{ maxAgeMs: 600 * DAY_MS }, ANY_TIME];
      expect(await run(takeOlder)).toMatchObject({ sent: 2 });
      expect(await run(takeOlder)).toMatchObject({
        sent: 0,
        failing: new Map([
          ['not-json', 1],
          ['implausible-time', 1],
        ]),
      });
      expect(await run(takeBoth)).toMatchObject({ sent: 1, failing: new Map([['not-json', 1]]) });
      expect(await run(takeBoth)).toMatchObject({ sent: 0 });
      expect(await seqsOf('CAR2')).toEqual([0, 2, 1]);
      await car.drop();
    });

    it('makes cars wait while the broker is away, and acknowledges all of it when the broker is back', async () => {
      const cars = await Promise.all(
        Array.from({ length: 5 }, (_, i) => MqttCar.connect({ port: ingest.port, id: `LATE${i}` })),
      );
      for (const car of cars) await car.publishAcked(topicOf(car.id), eventOf(car.id, 0));
      await kafka.kill();
      const waiting = cars.map((car) => {
        const packets = Array.from({ length: 50 }, (_, i) =>
          car.packet(topicOf(car.id), eventOf(car.id, i + 1)),
        );
        car.send(...packets);
        return packets.at(-1)!.messageId;
      });
      kafka = await startKafka({ dir, port: kafka.port });
      await Promise.all(cars.map((car, i) => car.acked(waiting[i]!)));
      for (const car of cars) {
        expect(car.acks).toHaveLength(51);
        expect([...new Set(await seqsOf(car.id))]).toEqual(Array.from({ length: 51 }, (_, seq) => seq));
      }
      expect(ingest.stats()).toMatchObject({ givenBack: 0, heldEntries: 0 });
      expect(lines.some((line) => line.startsWith('ingest: telemetry: LOG_UNAVAILABLE'))).toBe(true);
    });
  },
);
