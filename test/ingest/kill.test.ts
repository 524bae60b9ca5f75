import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../core/log/embedded.ts';
import { MqttCar } from '../support/mqtt-car.ts';
import { eventOf, recordsOf, topicOf } from './rig.ts';

const MAIN = new URL('../../main.ts', import.meta.url).pathname;
const dir = mkdtempSync(join(tmpdir(), 'telltale-kill-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Runs `telltale ingest` until it listens. */
async function start(): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = spawn(process.execPath, [MAIN, 'ingest', '--data-dir', dir, '--mqtt-port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  return { child, port: Number(/:(\d+),/.exec(line)?.[1]) };
}

it('what was acknowledged is in the log, whenever the process is killed; a car that sends again loses nothing', async () => {
  const wanted = new Map<string, number>();
  const signals = { speedKmh: 60, coolantC: 90 };
  for (let round = 0; round < 3; round++) {
    const { child, port } = await start();
    const cars = await Promise.all(
      Array.from({ length: 20 }, (_, i) => MqttCar.connect({ port, id: `CAR${i}` })),
    );
    for (const car of cars) {
      // A car goes on after its last acknowledged event: those in flight when the process was killed are sent again.
      const from = wanted.get(car.id) ?? 0;
      const packets = Array.from({ length: 400 }, (_, i) =>
        car.packet(topicOf(car.id), eventOf(car.id, from + i, signals)),
      );
      for (let i = 0; i < packets.length; i += 50) car.send(...packets.slice(i, i + 50));
    }
    const enough = 500 + round * 1500;
    await Promise.race(
      cars.map((car) => car.until(() => cars.reduce((sum, c) => sum + c.acks.length, 0) >= enough)),
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    await Promise.all(cars.map((car) => car.closed));
    for (const car of cars) wanted.set(car.id, (wanted.get(car.id) ?? 0) + car.acks.length);
  }
  const acked = [...wanted.values()].reduce((sum, n) => sum + n, 0);
  expect(acked).toBeGreaterThanOrEqual(500 + 2000 + 3500);
  const log = openEmbeddedLog({ dir, prefix: '', clock: Date.now, warn: (line) => console.error(line) });
  const stored = new Map<string, Set<number>>();
  for (const { key, value } of await recordsOf(log, 'telemetry')) {
    const seqs = stored.get(key) ?? new Set<number>();
    stored.set(key, seqs.add(JSON.parse(Buffer.from(value!).toString()).seq));
  }
  await log.close();
  for (const [vin, count] of wanted) {
    const missing = Array.from({ length: count }, (_, seq) => seq).filter(
      (seq) => !stored.get(vin)?.has(seq),
    );
    expect([vin, missing]).toEqual([vin, []]);
  }
});

it('Ctrl-C stops it in order, with exit code 0', async () => {
  const { child, port } = await start();
  const car = await MqttCar.connect({ port, id: 'CAR1' });
  await car.publishAcked(topicOf('CAR1'), eventOf('CAR1', 1));
  const exit = once(child, 'exit');
  child.kill('SIGINT');
  expect(await exit).toEqual([0, null]);
  await car.closed;
});
