// `npm start` itself, in a process: on a small fleet, stopped and started again; and on a recording, to its end.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { seededRandom } from '../../core/model/random.ts';
import { start } from '../end-to-end/processes.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'telltale-demo-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const PORTS = ['--mqtt-port', '0', '--http-port', '0'];
const EMBEDDED = { KAFKA_BROKERS: '' };

it('trains on a first history, goes live, stops in order, and the second start goes on with the same model', async () => {
  const args = ['demo', ...PORTS, '--fleet-size', '40', '--data-dir', join(dir, 'live')];
  const first = start(args, EMBEDDED);
  const model = (await first.line(/^released (\S+) as champion$/))[1]!;
  await first.line(/^live: 40 cars/);
  expect(await first.interrupt(), first.lines.join('\n')).toBe(0);
  expect(first.lines.at(-1)).toMatch(/^stopped; everything acknowledged is in /);

  const second = start(args, EMBEDDED);
  await second.line(new RegExp(`^scorer ${model}: started`));
  await second.line(/^live: 40 cars/);
  expect(await second.interrupt(), second.lines.join('\n')).toBe(0);
  expect(second.lines.filter((line) => /^(training|released)/.test(line))).toEqual([]);
}, 1_800_000);

/** Twelve drives of two signals that belong together, one broken row. */
function recording(): string {
  const random = seededRandom(3, 'recording');
  const rows = ['drive,time,rpm,speed,note'];
  for (let drive = 0; drive < 12; drive += 1) {
    let speed = 50;
    for (let second = 0; second < 400; second += 1) {
      speed = Math.max(0, Math.min(120, speed + 4 * (random() - 0.5)));
      // One id that no topic can hold.
      rows.push(
        `d${drive === 5 ? '#' : ''}${drive},${second},${(800 + 30 * speed + 20 * random()).toFixed(1)},${speed.toFixed(2)},dry`,
      );
    }
  }
  rows.push('d0,noon,1,2,dry');
  return `${rows.join('\n')}\n`;
}

it('drives a recording to its end, every event counted at each stage', async () => {
  const file = join(dir, 'drives.csv');
  await writeFile(file, recording());
  const args = ['demo', ...PORTS, '--csv', file, '--id', 'drive', '--speed', '400', '--effort', 'quick'];
  const run = start([...args, '--data-dir', join(dir, 'recorded')], EMBEDDED);
  const code = await run.exited;
  const text = run.lines.join('\n');
  expect(code, text).toBe(0);
  expect(text).toContain('4,801 rows of 12 cars (drive), time time, 2 signals');
  expect(text).toContain('not numeric, left out: note');
  expect(text).toContain('driven are "d#5" as "d_5"');
  expect(text).toContain('events: published 4,800 = in log 4,800 = scored 4,800 + dead letters 0');
  expect(text).toContain('rows that could not be driven: 1');
  expect(text).toMatch(/alerts: \d+ in 0\.5\d h on 5 live drives/);
}, 900_000);

it('refuses ids with hardly a row, a catalogue that lacks a column, and a file that is not there', async () => {
  const one = join(dir, 'one.csv');
  await writeFile(one, 'id,time,x\na,0,1\na,1,2\n');
  const demo = (file: string) =>
    start(['demo', ...PORTS, '--csv', file, '--data-dir', join(dir, 'refused')], EMBEDDED);
  await demo(one).line(/TRAINING_DATA: .*1 id of 2\.0 rows on average: is id what tells cars apart\?/);
  await writeFile(one, 'id,time,x,y\na,0,1,1\nb,1,2,1\n');
  await demo(one).line(/CATALOGUE_INVALID: .*lacks the columns y/);
  await demo(join(dir, 'none.csv')).line(/RECORDING_INVALID: .*none\.csv/);
}, 900_000);
