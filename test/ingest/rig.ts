// Ingest as it is, on a real embedded log in a folder of its own, with a hand on the log's append.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Catalogue } from '../../core/catalogue.ts';
import type { DeadLetter } from '../../core/events.ts';
import { openEmbeddedLog } from '../../core/log/embedded.ts';
import type { Log, LogRecord, NewRecord } from '../../core/log/log.ts';
import { Metrics } from '../../core/metrics.ts';
import { deadLettersTopic } from '../../core/topics.ts';
import { type Ingest, type IngestOptions, startIngest } from '../../ingest/service.ts';
import { MqttCar } from '../support/mqtt-car.ts';

export const CATALOGUE: Catalogue = {
  name: 'two',
  version: 1,
  signals: [
    { name: 'speedKmh', unit: 'km/h', min: 0, max: 300 },
    { name: 'coolantC', unit: '°C', min: -50, max: 150 },
  ],
};

export const topicOf = (vin: string) => `cars/${vin}/telemetry`;

/** Event times of a run of tests: recent, and the same for the same `seq`. */
export const T0 = Date.now() - 60_000;

/** A good event's bytes, spaced as nobody else would, so that they are recognised. */
export function eventOf(vin: string, seq: number, signals: object = { speedKmh: 50 }, fromMs = T0): Buffer {
  return Buffer.from(JSON.stringify({ vin, seq, ts: fromMs + seq, signals }, null, 1));
}

type Append = Log['append'];

export interface Rig {
  readonly log: Log;
  readonly ingest: Ingest;
  readonly metrics: Metrics;
  readonly lines: string[];
  /** Resolves when a line of trouble that matches was told. */
  warned(pattern: RegExp): Promise<void>;
  /** Puts something before the log's append: `next()` is the real one. */
  intercept(
    before: (topic: string, records: readonly NewRecord[], next: () => Promise<void>) => Promise<void>,
  ): void;
  car(id: string, password?: string): Promise<MqttCar>;
  records(topic: string): Promise<readonly LogRecord[]>;
  deadLetters(): Promise<readonly DeadLetter[]>;
}

/** All records of a topic, partition by partition. */
export async function recordsOf(log: Log, topic: string): Promise<readonly LogRecord[]> {
  const all: LogRecord[] = [];
  for await (const batch of log.read(topic, { to: 'end' })) all.push(...batch.records);
  return all;
}

/** An embedded log in a new folder; `close` removes the folder too. */
export function temporaryLog(): { readonly log: Log; readonly dir: string; close(): Promise<void> } {
  const dir = mkdtempSync(join(tmpdir(), 'telltale-ingest-'));
  const log = openEmbeddedLog({ dir, prefix: '', clock: Date.now, warn: (line) => console.error(line) });
  return {
    log,
    dir,
    close: async () => {
      await log.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Starts ingest for one test, at whose end all of it is stopped and removed. */
export async function startRig(options: Partial<IngestOptions> = {}): Promise<Rig> {
  const { log, close } = temporaryLog();
  onTestFinished(close);
  const metrics = new Metrics();
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  const cars: MqttCar[] = [];
  let intercepted: Append = (topic, records) => log.append(topic, records);
  const ingest = await startIngest({
    log: {
      append: (topic, records) => intercepted(topic, records),
      createTopic: (spec) => log.createTopic(spec),
    },
    catalogue: CATALOGUE,
    host: '127.0.0.1',
    port: 0,
    partitions: 3,
    metrics,
    clock: Date.now,
    warn: (line) => {
      lines.push(line);
      for (const listener of listeners) listener();
    },
    ...options,
  });
  // Hooks of a test run last first: the log is closed after this.
  onTestFinished(async () => {
    await ingest.stop();
    for (const car of cars) car.socket.destroy();
  });
  return {
    log,
    ingest,
    metrics,
    lines,
    warned: (pattern) =>
      new Promise((resolve) => {
        const look = () => {
          if (!lines.some((line) => pattern.test(line))) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
      }),
    intercept: (before) => {
      intercepted = (topic, records) => before(topic, records, () => log.append(topic, records));
    },
    car: async (id, password) => {
      const car = await MqttCar.connect({
        port: ingest.port,
        id,
        ...(password !== undefined && { password }),
      });
      cars.push(car);
      return car;
    },
    records: (topic) => recordsOf(log, topic),
    deadLetters: async () =>
      (await recordsOf(log, deadLettersTopic.name)).map((record) => deadLettersTopic.decode(record.value!)),
  };
}
