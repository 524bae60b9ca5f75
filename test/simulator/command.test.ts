import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createFixedTopics } from '../../core/log/create-topics.ts';
import { openLog } from '../../core/log/open.ts';
import { openRecording } from '../../core/recording.ts';
import { telemetryTopic } from '../../core/topics.ts';
import type { RunSummary } from '../../simulator/progress.ts';
import { startReplay } from '../../simulator/replay.ts';
import { tapeOfLog } from '../../simulator/tape-log.ts';
import { brokerOf, closeAll, decode, telemetry } from './support.ts';

const MAIN = new URL('../../main.ts', import.meta.url).pathname;
afterEach(closeAll);
const folder = () => mkdtemp(join(tmpdir(), 'telltale-sim-'));

function telltale(...args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, out, err }));
  return { child, ended };
}

describe('telltale simulate', () => {
  it('drives a scenario and says as JSON what came of it', async () => {
    const broker = await brokerOf();
    const flags = ['--fleet-size', '8', '--duration', '20s', '--speed', 'max', '--fleet-seed', '9'];
    const { code, out } = await telltale('simulate', ...flags, '--mqtt-port', String(broker.port), '--json')
      .ended;
    expect(code).toBe(0);
    const summary = JSON.parse(out) as RunSummary;
    expect(summary).toMatchObject({ scenario: 'demo', processes: 1, cars: 8, unacknowledged: 0, dropped: 0 });
    expect(summary.acknowledged).toBe(broker.received.length);
    expect(broker.received.length).toBe(8 * 20);
  });

  it('stops on Ctrl-C with a summary and nothing lost', async () => {
    const broker = await brokerOf();
    const run = telltale('simulate', '--fleet-size', '5', '--mqtt-port', String(broker.port));
    await broker.until(() => broker.received.length >= 15);
    run.child.kill('SIGINT');
    const { code, out } = await run.ended;
    expect(code).toBe(0);
    expect(out).toContain('not acknowledged 0; dropped by queues 0');
  });

  it('names the mistakes of a scenario with line and column and ends with 1', async () => {
    const file = join(await folder(), 'bad.yaml');
    await writeFile(file, 'name: x\ncars: 0\nfleets: []\nspeeed: 1\n');
    const { code, err } = await telltale('simulate', '--scenario', file).ended;
    expect(code).toBe(1);
    expect(err).toContain(`telltale: SCENARIO_INVALID: `);
    expect(err).toContain(`${file}:2:7: cars must be >= 1`);
    expect(err).toContain(`${file}:3:9: fleets must NOT have fewer than 1 items`);
    expect(err).toContain(`${file}:4:1: unknown key "speeed" in the scenario`);
  });

  it('replays a recording and names its broken rows', async () => {
    const broker = await brokerOf();
    const file = join(await folder(), 'r.csv');
    await writeFile(file, 'id,timestamp,x\na,0,1\na,1\na,2,3\n');
    const flags = ['--csv', file, '--speed', 'max', '--mqtt-port', String(broker.port)];
    const { code, out, err } = await telltale('simulate', ...flags).ended;
    expect(code).toBe(0);
    expect(out).toContain('1 car, 2 rows driven, 1 broken; published 2, acknowledged 2');
    expect(err).toContain('line 3: 2 cells, the header has 3');
    expect(telemetry(broker).map((r) => decode(r).signals)).toEqual([{ x: 1 }, { x: 3 }]);
  });
});

describe('telltale simulate, of times of the past', () => {
  /** Event times that a broker got of a recording of 2019, an hour long, driven with these flags. */
  const timesOf = async (...flags: readonly string[]) => {
    const broker = await brokerOf();
    const file = join(await folder(), 'old.csv');
    const rows = [0, 1800, 3600].map((s) => `a,${new Date(Date.UTC(2019, 2, 4) + s * 1000).toISOString()},1`);
    await writeFile(file, `id,timestamp,x\n${rows.join('\n')}\n`);
    const run = telltale('simulate', '--csv', file, ...flags, '--mqtt-port', String(broker.port));
    const { code, err } = await run.ended;
    expect(code).toBe(0);
    return { times: telemetry(broker).map((r) => decode(r).ts), err };
  };

  it('moves them to now, in whole milliseconds and never ahead of the clock, and says so', async () => {
    for (const speed of ['max', '7000']) {
      const { times, err } = await timesOf('--speed', speed);
      expect(times.map((ts) => ts - times[0]!)).toEqual([0, 1_800_000, 3_600_000]);
      expect(times.every(Number.isSafeInteger)).toBe(true);
      expect(times[2]).toBeLessThanOrEqual(Date.now());
      expect(times[2]).toBeGreaterThan(Date.now() - 60_000);
      expect(err).toMatch(/old\.csv: its times \(2019-03-04 to 2019-03-04\) are moved by [\d,]+ days to now/);
    }
  });

  it('leaves them with --keep-times', async () => {
    const { times } = await timesOf('--speed', 'max', '--keep-times');
    expect(times).toEqual([0, 1800, 3600].map((s) => Date.UTC(2019, 2, 4) + s * 1000));
  });

  it('starts a fleet faster than the clock so that it ends now', async () => {
    const broker = await brokerOf();
    const flags = ['--fleet-size', '2', '--duration', '2h', '--speed', 'max', '--fleet-seed', '9'];
    expect((await telltale('simulate', ...flags, '--mqtt-port', String(broker.port)).ended).code).toBe(0);
    const times = telemetry(broker).map((r) => decode(r).ts);
    // The clocks of cars may jump, by two minutes at most.
    expect(Math.max(...times)).toBeLessThan(Date.now() + 120_000);
    expect(Math.max(...times)).toBeGreaterThan(Date.now() - 300_000);
    expect(Math.min(...times)).toBeLessThan(Date.now() - 6_900_000);
  });
});

const COMMUTE = ['--scenario', 'commute-day', '--fleet-size', '4', '--duration', '1m'];

describe('telltale record', () => {
  it('writes a scenario that can be read as a recording', async () => {
    const file = join(await folder(), 'demo.csv.gz');
    const { code, out } = await telltale('record', '--out', file, '--fleet-size', '6', '--duration', '30s')
      .ended;
    expect(code).toBe(0);
    expect(out).toContain('180 rows of 6 cars, 0 faults');
    const recording = await openRecording(file);
    expect(recording.rowCount).toBe(180);
    expect(recording.ids.size).toBe(6);
  });

  it('says when it begins, and writes the same again from then', async () => {
    const out = await folder();
    const record = (name: string, ...flags: string[]) =>
      telltale('record', ...COMMUTE, ...flags, '--out', join(out, name)).ended;
    const first = await record('a.csv');
    expect(first.code).toBe(0);
    const [, start] =
      /begins at (\S+): with --start and that time the same comes again/.exec(first.out) ?? [];
    expect(start).toMatch(/T04:00:00\.000Z$/);
    const age = Date.now() - Date.parse(start!);
    expect(age).toBeGreaterThanOrEqual(20 * 3_600_000);
    expect(age).toBeLessThan(44 * 3_600_000 + 60_000);
    await record('b.csv', '--start', start!);
    await record('c.csv', '--start', '2026-05-12T04:00:00Z');
    const [a, b, c] = await Promise.all(
      ['a.csv', 'b.csv', 'c.csv'].map((name) => readFile(join(out, name), 'utf8')),
    );
    expect(a).toBe(b);
    expect(c!.split('\n')[1]).toContain(String(Date.UTC(2026, 4, 12, 4)).slice(0, 8));
  });

  it('needs a file and an end', async () => {
    const { code, err } = await telltale('record').ended;
    expect(code).toBe(1);
    expect(err).toContain('CONFIG_INVALID: --out');
  });
});

const TWO_SIGNALS = {
  name: 'two',
  version: 1,
  signals: ['x', 'y'].map((name) => ({ name, unit: '', min: 0, max: 1000 })),
};

describe('a stretch of the log', () => {
  it('is driven again: the same readings, new sequence numbers', async () => {
    const settings = { dataDir: await folder(), kafkaBrokers: [], kafkaReplication: 1, topicPrefix: '' };
    const log = await openLog(settings, { clock: Date.now, warn: console.warn });
    try {
      await createFixedTopics(log, 2);
      const records = Array.from({ length: 40 }, (_, n) => ({
        key: `car${n % 4}`,
        value: telemetryTopic.encode({
          vin: `car${n % 4}`,
          seq: n,
          ts: 1_700_000_000_000 + n * 1000,
          signals: { x: n, y: null },
        }),
        timestampMs: 1_700_000_000_000 + n * 1000,
      }));
      await log.append(telemetryTopic.name, records);
      const tape = await tapeOfLog(log, TWO_SIGNALS, { timestampMs: 1_700_000_020_000 }, 'end');
      expect(tape.rowCount).toBe(20);
      const broker = await brokerOf();
      const replay = startReplay({
        tape,
        speed: Number.POSITIVE_INFINITY,
        brokers: [{ host: '127.0.0.1', port: broker.port }],
        clock: () => 5000,
        warn: () => {},
      });
      await replay.done;
      const car1 = telemetry(broker)
        .filter((r) => r.client === 'car1')
        .map(decode);
      expect(car1.map((e) => e.signals)).toEqual([21, 25, 29, 33, 37].map((x) => ({ x })));
      expect(car1.map((e) => e.seq)).toEqual([5000, 5001, 5002, 5003, 5004]);
      expect(car1[0]!.ts).toBe(1_700_000_021_000);
    } finally {
      await log.close();
    }
  });
});
