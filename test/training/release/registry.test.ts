import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFixedTopics } from '../../../core/log/create-topics.ts';
import { openEmbeddedLog } from '../../../core/log/embedded.ts';
import type { Log } from '../../../core/log/log.ts';
import { sealBundle } from '../../../core/model/bundle.ts';
import { followReleases, readReleases } from '../../../core/model/releases.ts';
import { modelsTopic, scoresTopic } from '../../../core/topics.ts';
import { describeModels } from '../../../training/release/model-list.ts';
import { drop, promote, release, rollback, versionOf } from '../../../training/release/registry.ts';
import { handBundle } from '../../support/hand-bundle.ts';
import { SMALL_CATALOGUE } from '../../support/small-fleet.ts';

let dir: string;
let log: Log;
let now: number;
const clock = () => now;
const by = 'ada';

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'telltale-registry-'));
  now = 1_700_000_000_000;
  log = openEmbeddedLog({ dir, prefix: '', clock, warn: () => {} });
  await createFixedTopics(log, 2);
});

afterEach(async () => {
  await log.close();
  rmSync(dir, { recursive: true, force: true });
});

const put = async (version: string, atOnce = false) => {
  now += 1000;
  return release({ log, clock, by, note: '', version, bundle: handBundle(), promote: atOnce });
};
/** A release that training itself would not have made. */
const putUnchecked = async (version: string, bundle: unknown, alias: 'champion' | 'challenger') => {
  now += 1000;
  const facts = { ts: now, by, note: '' };
  const previous = [...(await readReleases(log)).releases.keys()].reverse();
  await log.append(modelsTopic.name, [
    { key: `release/${version}`, value: modelsTopic.encode({ kind: 'release', version, ...facts, bundle }) },
    {
      key: `alias/${alias}`,
      value: modelsTopic.encode({ kind: 'alias', alias, version, ...facts, previous }),
    },
  ]);
};
const aliases = async () => {
  const { aliases: held } = await readReleases(log);
  return Object.fromEntries([...held].map(([name, { version }]) => [name, version]));
};

describe('the registry', () => {
  it('makes the first model champion, later ones challenger, and promotes one in exchange', async () => {
    expect(await put('one')).toBe('champion');
    expect(await put('two')).toBe('challenger');
    expect(await put('three', true)).toBe('champion');
    expect(await aliases()).toEqual({ champion: 'three', challenger: 'one' });
    expect(await promote({ log, clock, by, note: 'why not' }, 'two', SMALL_CATALOGUE)).toBe('two');
    expect(await aliases()).toEqual({ champion: 'two', challenger: 'three' });
    const champion = (await readReleases(log)).aliases.get('champion')!;
    expect(champion).toMatchObject({ previous: ['three', 'one'], by: 'ada', note: 'why not', ts: now });
  });

  it('rolls back step by step, and not past the first', async () => {
    await put('one');
    await put('two', true);
    await put('three', true);
    const options = { log, clock, by, note: '' };
    expect(await rollback(options, SMALL_CATALOGUE)).toEqual({ from: 'three', to: 'two' });
    expect(await aliases()).toEqual({ champion: 'two', challenger: 'three' });
    expect(await rollback(options, SMALL_CATALOGUE)).toEqual({ from: 'two', to: 'one' });
    await expect(rollback(options, SMALL_CATALOGUE)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  it('refuses to promote what is unknown, damaged, or made for other signals', async () => {
    await put('good');
    const options = { log, clock, by, note: '' };
    await expect(promote(options, 'nope', SMALL_CATALOGUE)).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: 'no model "nope" is released; there are: good',
    });
    await putUnchecked('bad', { ...handBundle(), threshold: 99 }, 'challenger');
    await expect(promote(options, 'bad', SMALL_CATALOGUE)).rejects.toThrow(
      'model bad: damaged: its content does not match its hash',
    );
    const other = { ...SMALL_CATALOGUE, signals: SMALL_CATALOGUE.signals.slice(1) };
    await expect(promote(options, 'good', other)).rejects.toThrow(
      /model good: made for the signals of catalogue "small"/,
    );
    expect(await aliases()).toEqual({ champion: 'good', challenger: 'bad' });
  });

  it('releases nothing that could not be read back', async () => {
    const { hash: _, ...content } = handBundle();
    const scaler = { ...content.scaler, scale: [10, Number.POSITIVE_INFINITY] };
    const options = { log, clock, by, note: '', version: 'endless', promote: true };
    await expect(release({ ...options, bundle: sealBundle({ ...content, scaler }) })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message:
        'what was trained cannot be read back and is not released: model endless: damaged: /scaler/scale/1 must be number',
    });
    expect((await readReleases(log)).releases.size).toBe(0);
    expect(await aliases()).toEqual({});
  });

  it('drops scores of a model that is not in use, and only of such a one', async () => {
    await put('one');
    await put('two', true);
    await put('three', true);
    await log.createTopic({
      name: scoresTopic('one').name,
      partitions: 2,
      retentionMs: null,
      compacted: false,
    });
    await expect(drop({ log }, 'champion')).rejects.toMatchObject({
      code: 'MODEL_IN_USE',
      message: expect.stringMatching(/^three is champion; put another model there first/),
    });
    expect(await drop({ log }, 'one')).toEqual(['scores.one']);
    expect(await log.topics()).not.toContain('scores.one');
    expect((await readReleases(log)).releases.has('one')).toBe(true);
  });

  it('names versions by time and hash', () => {
    const bundle = handBundle();
    expect(versionOf(bundle, Date.UTC(2026, 4, 1, 8, 9, 10))).toBe(
      `20260501-080910-${bundle.hash.slice(0, 6)}`,
    );
  });

  it('lists models in columns: aliases, who, when, why, how good, and what cannot be used', async () => {
    expect(describeModels(await readReleases(log), SMALL_CATALOGUE)).toEqual([]);
    await put('one');
    now += 1000;
    const judged = { averagePrecision: 0.756, found: 0.6, falseAlertsPerHour: null };
    await release({
      ...{ log, clock, by: 'grace', note: 'compact cars', version: 'second', judged, promote: true },
      bundle: handBundle({ card: { ...handBundle().card, rows: 236_000, cars: 50 } }),
    });
    now += 1000;
    const facts = { ts: now, by: '', note: '' };
    await log.append(modelsTopic.name, [
      {
        key: 'release/bad',
        value: modelsTopic.encode({ kind: 'release', version: 'bad', ...facts, parts: 2 }),
      },
    ]);
    const other = { ...SMALL_CATALOGUE, signals: SMALL_CATALOGUE.signals.slice(1) };
    expect(describeModels(await readReleases(log), SMALL_CATALOGUE)).toEqual([
      'version  alias       released (UTC)       by        rows  cars    AP  found  false/h  note',
      'one      challenger  2023-11-14 22:13:21  ada          3     1     –      –        –',
      'second   champion    2023-11-14 22:13:22  grace  236,000    50  0.76   60 %        –  “compact cars”',
      'bad                  2023-11-14 22:13:23  –            –     –     –      –        –  (damaged)',
      'champion: second since 2023-11-14 22:13:22 by grace “compact cars”; before it one',
      'challenger: one since 2023-11-14 22:13:22 by grace “compact cars”',
    ]);
    expect(describeModels(await readReleases(log), other)[1]).toMatch(/ {2}\(other signals\)$/);
  });
});

describe('following the releases', () => {
  it('tells of each change, and keeps the champion when its successor cannot be used', async () => {
    await put('one');
    const stop = new AbortController();
    const warnings: string[] = [];
    const follower = await followReleases({
      log,
      catalogue: SMALL_CATALOGUE,
      signal: stop.signal,
      clock,
      warn: (line) => warnings.push(line),
    });
    expect(follower.current()?.version).toBe('one');
    const changed = () =>
      new Promise<void>((resolve) => {
        const unlisten = follower.onChange(() => {
          unlisten();
          resolve();
        });
      });
    let next = changed();
    await put('two', true);
    await next;
    expect([follower.current()?.version, follower.challenger()?.version]).toEqual(['two', 'one']);

    next = changed();
    const { hash: _, ...content } = handBundle();
    await putUnchecked('old', sealBundle({ ...content, featureVersion: 0 }), 'champion');
    await next;
    expect(follower.current()?.version).toBe('two');
    expect(warnings).toEqual([
      expect.stringMatching(
        /^model old: made for feature version 0; .* Train it again: telltale train .*; it is refused/,
      ),
    ]);
    stop.abort();
    await follower.done;
  });

  it('passes over a record that is no release', async () => {
    await put('one');
    await log.append(modelsTopic.name, [{ key: 'release/two', value: Buffer.from('{}') }]);
    const stop = new AbortController();
    const warnings: string[] = [];
    await expect(readReleases(log)).rejects.toMatchObject({ code: 'RECORD_INVALID' });
    const follower = await followReleases({
      log,
      signal: stop.signal,
      clock,
      warn: (line) => warnings.push(line),
    });
    expect(follower.current()?.version).toBe('one');
    expect(warnings[0]).toMatch(/^models: record \d+ is passed over/);
    stop.abort();
    await follower.done;
  });
});
