// Ingest against the client library that cars really use: mqtt.js keeps what was not acknowledged and sends it again.
import { connectAsync } from 'mqtt';
import { expect, it } from 'vitest';
import { TelltaleError } from '../../core/errors.ts';
import type { Log } from '../../core/log/log.ts';
import { Metrics } from '../../core/metrics.ts';
import { startIngest } from '../../ingest/service.ts';
import { CATALOGUE, eventOf, recordsOf, temporaryLog, topicOf } from './rig.ts';

it('mqtt.js gets every event acknowledged and stored although ingest is stopped and started between', async () => {
  const { log, close } = temporaryLog();
  const start = (port: number, to: Pick<Log, 'append' | 'createTopic'>) =>
    startIngest({
      log: to,
      catalogue: CATALOGUE,
      host: '127.0.0.1',
      port,
      partitions: 3,
      metrics: new Metrics(),
      clock: Date.now,
      warn: () => undefined,
    });
  let away = false;
  const stalled = Promise.withResolvers<void>();
  let ingest = await start(0, {
    createTopic: (spec) => log.createTopic(spec),
    append: async (topic, records) => {
      if (!away) return log.append(topic, records);
      stalled.resolve();
      throw new TelltaleError('LOG_UNAVAILABLE', 'broker away');
    },
  });
  const { port } = ingest;
  const client = await connectAsync({ host: '127.0.0.1', port, clientId: 'CAR1', reconnectPeriod: 10 });
  const publish = (seq: number) => client.publishAsync(topicOf('CAR1'), eventOf('CAR1', seq), { qos: 1 });
  const seqs = Array.from({ length: 400 }, (_, seq) => seq);
  await Promise.all(seqs.slice(0, 100).map(publish));
  away = true;
  const rest = Promise.all(seqs.slice(100).map(publish));
  await stalled.promise;
  await ingest.stop();
  expect(await recordsOf(log, 'telemetry')).toHaveLength(100);
  ingest = await start(port, log);
  await rest;
  const stored = (await recordsOf(log, 'telemetry')).map(
    ({ value }) => JSON.parse(Buffer.from(value!).toString()).seq,
  );
  expect([...new Set(stored)]).toEqual(seqs);
  await client.endAsync();
  await ingest.stop();
  await close();
});
