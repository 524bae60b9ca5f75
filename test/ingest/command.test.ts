import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readConfig } from '../../core/config.ts';
import { openEmbeddedLog } from '../../core/log/embedded.ts';
import { Metrics } from '../../core/metrics.ts';
import { startMetricsServer } from '../../core/metrics-server.ts';
import type { Context } from '../../core/service.ts';
import type { SettingKey } from '../../core/settings.ts';
import { runDeadLetters, runIngest, runRedrive } from '../../ingest/command.ts';
import { MqttCar } from '../support/mqtt-car.ts';
import { CATALOGUE, eventOf, recordsOf, T0, topicOf } from './rig.ts';

const KEYS: readonly SettingKey[] = [
  'dataDir',
  'mqttPort',
  'metricsPort',
  'reason',
  'from',
  'to',
  'limit',
  'all',
  'dryRun',
  'maxEventAge',
  'maxEventAhead',
];

/** A command's settings and a context that keeps what was said. */
function commandLine(dir: string, ...flags: readonly string[]) {
  const said: string[] = [];
  const stop = new AbortController();
  let hear = () => {};
  const context: Context = {
    signal: stop.signal,
    clock: Date.now,
    metrics: new Metrics(),
    say: (line) => {
      said.push(line);
      hear();
    },
    warn: (line) => said.push(`warning: ${line}`),
  };
  const { settings } = readConfig(KEYS, ['--data-dir', dir, ...flags], {});
  /** Waits until a line matches and returns its first group. */
  const heard = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const match = said.map((line) => pattern.exec(line)).find((found) => found !== null);
      if (match) return match[1]!;
      await new Promise<void>((resolve) => {
        hear = resolve;
      });
    }
  };
  return { settings, context, said, heard, stop };
}

it('an event is refused, listed, and sent again when its time is allowed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'telltale-command-'));
  const catalogueFile = join(dir, 'catalogue.json');
  writeFileSync(catalogueFile, JSON.stringify(CATALOGUE));

  const service = commandLine(dir, '--mqtt-port', '0', '--metrics-port', '0');
  const ended = runIngest(service.settings, service.context);
  const port = Number(await service.heard(/MQTT on 127\.0\.0\.1:(\d+), catalogue two/));
  const metricsUrl = await service.heard(/metrics on (http:.*)\/metrics/);
  const car = await MqttCar.connect({ port, id: 'CAR1' });
  await car.publishAcked(topicOf('CAR1'), eventOf('CAR1', 1));
  await car.publishAcked(topicOf('CAR1'), eventOf('CAR1', 2, { speedKmh: 7 }, T0 - 500 * 86_400_000));
  await car.publishAcked(topicOf('CAR1'), 'garbage');
  expect(await (await fetch(`${metricsUrl}/health`)).json()).toMatchObject({
    status: 'ready',
    why: [],
    accepted: 1,
    deadLetters: 2,
  });
  service.stop.abort();
  await ended;
  expect(service.said.at(-1)).toBe('ingest: stopped after 1 event and 2 dead letters');

  const listed = commandLine(dir);
  await runDeadLetters(listed.settings, listed.context);
  expect(listed.said[0]).toMatch(
    /^20.*Z implausible-time CAR1 {2}\d+ is 20\S+, 500 days before its receipt, .* {2}\{/,
  );
  expect(listed.said.slice(2)).toEqual(['dead letters open: 1 implausible-time, 1 not-json']);

  const mend = ['--max-event-age', '600d'];
  const dry = commandLine(dir, '--dry-run', ...mend);
  await runRedrive(dry.settings, dry.context);
  const first = commandLine(dir, '--from', '1h', ...mend);
  await runRedrive(first.settings, first.context);
  const again = commandLine(dir, ...mend);
  await runRedrive(again.settings, again.context);
  const rest = 'redrive: still failing: 1 not-json';
  expect([dry.said, first.said, again.said]).toEqual([
    ['redrive: 1 would be sent again', rest],
    ['redrive: 1 sent again', rest],
    ['redrive: 0 sent again', rest],
  ]);

  const left = commandLine(dir, '--reason', 'not-json', '--limit', '1');
  await runDeadLetters(left.settings, left.context);
  expect(left.said).toEqual([expect.stringMatching(/not-json .*garbage$/), 'dead letters open: 1 not-json']);
  const log = openEmbeddedLog({ dir, prefix: '', clock: Date.now, warn: (line) => console.error(line) });
  expect(await recordsOf(log, 'telemetry')).toHaveLength(2);
  await log.close();
  rmSync(dir, { recursive: true });
});

it('a metrics port that is taken ends the command; the broker does not linger', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'telltale-command-'));
  const taken = await startMetricsServer({ port: 0, metrics: new Metrics() });
  const service = commandLine(dir, '--mqtt-port', '0', '--metrics-port', String(taken!.port));
  await expect(runIngest(service.settings, service.context)).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  await taken!.stop();
  rmSync(dir, { recursive: true });
});
