// Ctrl-C at several moments of a training, in a process of its own: it ends in order, and nothing half-written is left, neither
// a folder nor a release; what stood in the place before still does.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFixedTopics } from '../../core/log/create-topics.ts';
import { openEmbeddedLog } from '../../core/log/embedded.ts';
import type { Log } from '../../core/log/log.ts';
import { readReleases } from '../../core/model/releases.ts';
import { start } from '../end-to-end/processes.ts';
import { appendCars, drive, SMALL_CATALOGUE } from '../support/small-fleet.ts';

const MOMENTS: readonly (readonly [string, RegExp])[] = [
  ['the rows are read', /^data: /],
  ['the relations are fitted', /^training +0 %/],
  ['the network is fitted', /^training +\d+ % +step/],
  ['the model is judged', /^training: evaluating/],
];
const CARS = Array.from({ length: 6 }, (_, i) => ({ vin: `C${i}`, rows: 400, seed: i }));
const ENV = { KAFKA_BROKERS: '' };
let dir: string;
const at = (name: string) => join(dir, name);

function openLog(): Log {
  return openEmbeddedLog({ dir: at('data'), prefix: '', clock: Date.now, warn: () => {} });
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'telltale-interrupt-'));
  const names = SMALL_CATALOGUE.signals.map(({ name }) => name);
  const rows = CARS.flatMap((car) =>
    [...drive(car)].map(({ vin, ts, signals }) => [vin, ts, ...names.map((name) => signals[name])].join(',')),
  );
  writeFileSync(at('drives.csv'), `id,time,${names.join(',')}\n${rows.join('\n')}\n`);
  writeFileSync(at('catalogue.json'), JSON.stringify(SMALL_CATALOGUE));
  const log = openLog();
  await createFixedTopics(log, 2);
  await appendCars(
    log,
    // Within the log's retention.
    CARS.map((car) => ({ ...car, startMs: Date.now() - 1000 * car.rows })),
  );
  await log.close();
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('a training that is interrupted', () => {
  it.each(MOMENTS)('from a recording, while %s', async (_, moment) => {
    const place = at('csv');
    mkdirSync(join(place, 'model'), { recursive: true });
    writeFileSync(join(place, 'model', 'card.json'), 'the model before');
    const out = join(place, 'model');
    const program = start(['train', '--csv', at('drives.csv'), '--effort', 'quick', '--out', out], ENV);
    await program.line(moment);
    expect(await program.interrupt(), program.lines.join('\n')).toBe(1);
    expect(program.lines.at(-1)).toMatch(/^telltale: ABORTED: /);
    expect(readdirSync(place)).toEqual(['model']);
    expect(readdirSync(out)).toEqual(['card.json']);
    expect(readFileSync(join(out, 'card.json'), 'utf8')).toBe('the model before');
  });

  it.each(MOMENTS.slice(2))('from the log, while %s', async (_, moment) => {
    const data = at('data');
    const args = ['train', '--data-dir', data, '--catalogue', at('catalogue.json'), '--effort', 'quick'];
    const program = start(args, ENV);
    await program.line(moment);
    expect(await program.interrupt(), program.lines.join('\n')).toBe(1);
    expect(program.lines.at(-1)).toMatch(/^telltale: ABORTED: /);
    expect(readdirSync(data)).toEqual(['log']);
    const log = openLog();
    try {
      expect((await readReleases(log)).releases.size).toBe(0);
    } finally {
      await log.close();
    }
  });
});
