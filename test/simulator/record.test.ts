import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { openRecording } from '../../core/recording.ts';
import { recordScenario, recordTape } from '../../simulator/record.ts';
import { startReplay } from '../../simulator/replay.ts';
import { tapeOfRecording } from '../../simulator/tape-recording.ts';
import {
  brokerOf,
  closeAll,
  decode,
  fast,
  fleetTo,
  START_MS,
  type TestBroker,
  telemetry,
} from './support.ts';

afterEach(closeAll);

describe('recordings', () => {
  const folder = () => mkdtemp(join(tmpdir(), 'telltale-sim-'));

  it('of a run can be read, and driven again with the same readings', async () => {
    const file = join(await folder(), 'run.csv.gz');
    const scenario = fast({ faults: [{ fault: 'tyre-blow-out', at: '5s', cars: { count: 1 } }] });
    const result = await recordScenario(scenario, START_MS, file, { label: true });
    expect(result).toMatchObject({ rows: 720, cars: 12 });
    expect(result.truths.map((t) => t.phase)).toEqual(['started', 'visible']);
    const recording = await openRecording(file, { ignore: ['label'] });
    expect(recording.ids.size).toBe(12);
    expect(recording.signals).toContain('packV');
    const labels = gunzipSync(await readFile(file))
      .toString()
      .trim()
      .split('\n')
      .slice(1);
    const sick = labels.filter((line) => line.endsWith(',1')).length;
    expect(sick).toBeGreaterThan(40);
    expect(sick).toBeLessThan(60);
    const [driven, again] = [await brokerOf(), await brokerOf()];
    const { fleet } = fleetTo(driven, scenario);
    await fleet.done;
    const replay = startReplay({
      tape: await tapeOfRecording(recording),
      speed: Number.POSITIVE_INFINITY,
      brokers: [{ host: '127.0.0.1', port: again.port }],
      clock: () => START_MS,
      warn: () => {},
    });
    await replay.done;
    expect(replay.stats()).toMatchObject({ cars: 12, rows: 720, brokenRows: 0 });
    const last = (broker: TestBroker) =>
      decode(
        telemetry(broker)
          .filter((r) => r.client === fleet.vins[2])
          .at(-1)!,
      );
    const readings = (broker: Parameters<typeof last>[0]) =>
      last(broker).signals as Readonly<Record<string, number | null>>;
    const present = (signals: Readonly<Record<string, number | null>>) =>
      Object.fromEntries(Object.entries(signals).filter(([, v]) => v !== null));
    expect(last(again).ts).toBe(last(driven).ts);
    expect(last(again).seq).toBe(last(driven).seq);
    expect(present(readings(again))).toEqual(present(readings(driven)));
  });

  it('count and name broken rows, and drive the others side by side at a pace', async () => {
    const file = join(await folder(), 'r.csv');
    const rows = [
      'id,timestamp,rpm',
      'a,0,800',
      'a,1,810',
      'a,soon,820',
      'b/1,5,1',
      ',6,1',
      'b,100,900',
      'b,101,910',
    ];
    await writeFile(file, `${rows.join('\n')}\n`);
    const broker = await brokerOf();
    const replay = startReplay({
      tape: await tapeOfRecording(await openRecording(file)),
      speed: 20,
      brokers: [{ host: '127.0.0.1', port: broker.port }],
      clock: Date.now,
      warn: () => {},
      shiftMs: 1000,
    });
    await replay.done;
    expect(replay.stats()).toMatchObject({ cars: 3, rows: 5, brokenRows: 2 });
    expect(replay.stats().brokenSamples).toEqual([
      'line 4: column timestamp: "soon" is no time',
      'line 6: column id is empty',
    ]);
    const events = telemetry(broker).map(decode);
    expect(
      events
        .slice(0, 3)
        .map((e) => e.vin)
        .sort(),
    ).toEqual(['a', 'b', 'b_1']);
    expect(events.map((e) => e.ts).sort((x, y) => x - y)).toEqual([1000, 2000, 6000, 101_000, 102_000]);
  });

  it('drive oldest first what stands newest first, and say so', async () => {
    const file = join(await folder(), 'n.csv');
    const rows = Array.from({ length: 60 }, (_, i) => `${i % 2 ? 'a' : 'b'},${1_700_000_060 - i},${i}`);
    await writeFile(file, `id,timestamp,rpm\n${rows.join('\n')}\n`);
    const broker = await brokerOf();
    const tape = await tapeOfRecording(await openRecording(file));
    const replay = startReplay({
      ...{ tape, speed: Number.POSITIVE_INFINITY, clock: Date.now, warn: () => {} },
      brokers: [{ host: '127.0.0.1', port: broker.port }],
      shiftMs: 0,
    });
    await replay.done;
    expect(tape.remarks).toEqual(['rows stand newest first; driven oldest first']);
    const ofA = telemetry(broker)
      .map(decode)
      .filter(({ vin }) => vin === 'a');
    expect(ofA.map(({ ts }) => ts)).toEqual(
      Array.from({ length: 30 }, (_, i) => 1_700_000_001_000 + 2000 * i),
    );
  });

  it('refuse a tape with no car that could drive', () => {
    const tape = { name: 't', ids: ['x'], rowCount: 1, rows: async function* () {} };
    const options = { tape, ids: ['y'], speed: 1, brokers: [], clock: Date.now, warn: () => {} };
    expect(() => startReplay(options)).toThrow('t: no car to drive among its ids');
  });

  it('of a tape keep ids that need quotes, and leave out what is no event', async () => {
    const file = join(await folder(), 't.csv');
    const tape = {
      name: 't',
      ids: ['a,b'],
      rowCount: 1,
      rows: async function* () {
        yield { id: 'a,b', tsMs: 5, signals: { x: 1, y: null }, fault: null };
        yield { id: '', tsMs: 0, signals: {}, fault: 'partition 0, offset 7: no event' };
      },
    };
    expect(await recordTape(tape, ['x', 'y'], file)).toMatchObject({ rows: 1, broken: 1 });
    expect(await readFile(file, 'utf8')).toBe('id,timestamp,x,y\n"a,b",5,1,\n');
  });

  it('that cannot be written say where', async () => {
    const tape = { name: 't', ids: ['a'], rowCount: 0, rows: async function* () {} };
    await expect(recordTape(tape, ['x'], '/nowhere/t.csv')).rejects.toMatchObject({
      code: 'RECORDING_INVALID',
    });
  });
});
