// The whole of training and scoring on a real log: history → model → scores, exactly once whatever is stopped when, champion
// and challenger side by side, a damaged release refused, reprocessing from the first offset.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../core/config.ts';
import type { Score } from '../../core/events.ts';
import { createFixedTopics } from '../../core/log/create-topics.ts';
import { openEmbeddedLog } from '../../core/log/embedded.ts';
import type { Log } from '../../core/log/log.ts';
import { Metrics } from '../../core/metrics.ts';
import { type Backend, loadBackend } from '../../core/model/backend.ts';
import type { ModelBundle } from '../../core/model/bundle.ts';
import { createDetector } from '../../core/model/detector.ts';
import { readReleases } from '../../core/model/releases.ts';
import type { Context } from '../../core/service.ts';
import type { Settings } from '../../core/settings.ts';
import { modelsTopic, scoresTopic, telemetryTopic } from '../../core/topics.ts';
import { createScoreTopics, scorerGroup } from '../../scoring/loop.ts';
import { reprocess } from '../../scoring/reprocess.ts';
import { startScoring } from '../../scoring/service.ts';
import { readCard } from '../../training/command.ts';
import { trainAndRelease } from '../../training/job.ts';
import { promote, release } from '../../training/release/registry.ts';
import { handBundle } from '../support/hand-bundle.ts';
import { appendCars, drive, recordOf, SMALL_CATALOGUE } from '../support/small-fleet.ts';

const T1 = 1_700_100_000_000;
const CARS = Array.from({ length: 6 }, (_, i) => ({ vin: `C${i}`, rows: 300, seed: i }));

let backend: Backend;
let dir: string;
let log: Log;
let context: Context;
let lines: string[];
let stop: AbortController;

beforeAll(async () => {
  backend = await loadBackend('wasm');
});

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'telltale-stream-'));
  lines = [];
  stop = new AbortController();
  const say = (line: string) => void lines.push(line);
  context = { signal: stop.signal, clock: Date.now, metrics: new Metrics(), say, warn: say };
  // The log's own time is that of its records: a sweep finds nothing older than the retention.
  log = openEmbeddedLog({ dir, prefix: '', clock: () => T1, warn: say });
  await createFixedTopics(log, 3);
  await appendCars(log, CARS);
});

afterEach(async () => {
  stop.abort();
  await log.close();
  rmSync(dir, { recursive: true, force: true });
});

const settings = (over: Partial<Settings> = {}): Settings => ({
  ...readConfig([], [], {}).settings,
  dataDir: dir,
  effort: 'quick',
  by: 'test',
  ...over,
});

const start = () => startScoring({ log, catalogue: SMALL_CATALOGUE, backend, ...context });

/** Scores of a model, in the order of its topic, as soon as there are `count`. */
async function scores(version: string, count: number): Promise<Score[]> {
  const topic = scoresTopic(version);
  await createScoreTopics(log, version);
  const found: Score[] = [];
  for await (const { records } of log.read(topic.name)) {
    for (const { value } of records) found.push(...topic.decode(value!));
    if (found.length >= count) break;
  }
  return found;
}

const put = (version: string, bundle: ModelBundle, atOnce = false) =>
  release({ log, clock: Date.now, by: 'test', note: '', version, bundle, promote: atOnce });
/** A release that training would refuse, as a disk or another program may leave one; the champion becomes challenger. */
const putUnchecked = (version: string, bundle: ModelBundle, before: readonly string[]) => {
  const facts = { ts: Date.now(), by: 'test', note: '' };
  const alias = (name: 'champion' | 'challenger', of: string, previous: string[]) => ({
    key: `alias/${name}`,
    value: modelsTopic.encode({ kind: 'alias', alias: name, version: of, previous, ...facts }),
  });
  return log.append(modelsTopic.name, [
    {
      key: `release/${version}`,
      value: modelsTopic.encode({ kind: 'release', version, bundle, ...facts }),
    },
    alias('champion', version, [...before]),
    alias('challenger', before[0]!, before.slice(1)),
  ]);
};

const places = (list: readonly Score[]) =>
  list.map(({ partition, offset }) => `${partition}/${offset}`).sort();

describe('training from the log and scoring the stream', () => {
  it('trains, releases, and finds the car that overheats, with the signal that tells it', async () => {
    const scoring = await start();
    const {
      version,
      bundle,
      dir: folder,
    } = await trainAndRelease({
      log,
      catalogue: SMALL_CATALOGUE,
      backend,
      settings: settings({ alertBudget: 1 }),
      context,
    });
    await expect.poll(() => scoring.versions()).toEqual([version]);
    expect(readdirSync(folder).sort()).toContain('model.json');
    await appendCars(log, [{ vin: 'C0', rows: 200, startMs: T1, seed: 77, overheatsFrom: 100 }]);
    const found = await scores(version, 2000);
    await scoring.stop();
    expect(found.length).toBe(2000);
    const hot = found.filter(({ vin, ts }) => vin === 'C0' && ts >= T1 + 130_000);
    expect(hot.length).toBe(70);
    for (const { score, threshold, top } of hot) {
      expect(score).toBeGreaterThanOrEqual(threshold);
      expect(threshold).toBe(bundle.threshold);
      expect(top[0]!.signal).toBe('coolantC');
      expect(top[0]!.value! - top[0]!.expected!).toBeGreaterThan(10);
    }
    expect((await readReleases(log)).aliases.get('champion')?.version).toBe(version);
  });

  it('trains again from its card to the same bytes, although the log has grown', async () => {
    const options = { log, catalogue: SMALL_CATALOGUE, backend, context };
    const first = await trainAndRelease({
      ...options,
      settings: settings({ seed: 3, cars: ['C1', 'C2', 'C3', 'C4'] }),
    });
    await appendCars(log, [{ vin: 'C1', rows: 100, startMs: T1 }]);
    const { train: card, bundleHash } = await readCard(join(first.dir, 'card.json'));
    expect(bundleHash).toBe(first.bundle.hash);
    const again = await trainAndRelease({
      ...options,
      settings: settings({ out: join(dir, 'again') }),
      card,
    });
    expect(again.bundle.hash).toBe(first.bundle.hash);
    const weights = (folder: string) => readFileSync(join(folder, 'weights.bin'));
    expect(weights(again.dir).equals(weights(first.dir))).toBe(true);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const interrupted = trainAndRelease({
      log,
      catalogue: SMALL_CATALOGUE,
      backend,
      settings: settings(),
      context: { ...context, say: (line) => (line.startsWith('training') ? stop.abort() : undefined) },
    });
    await expect(interrupted).rejects.toMatchObject({ code: 'ABORTED' });
    expect(readdirSync(dir)).toEqual(['log']);
    expect((await readReleases(log)).releases.size).toBe(0);
  });
});

describe('the scoring service', () => {
  it('scores each event once over stops and starts, duplicates and late ones told', async () => {
    await put('one', handBundle());
    const fresh = [...drive({ vin: 'D', rows: 40, startMs: T1 })];
    await log.append(
      telemetryTopic.name,
      [...fresh, ...fresh.slice(10, 30)].map((event) => recordOf(event)),
    );
    for (let round = 0; round < 3; round += 1) {
      const scoring = await start();
      await scores('one', 1840 + 5 * round);
      await scoring.stop();
      const more = [...drive({ vin: 'D', rows: 45 + 5 * round, startMs: T1 })].slice(40 + 5 * round);
      await log.append(
        telemetryTopic.name,
        more.map((event) => recordOf(event)),
      );
    }
    const scoring = await start();
    const found = await scores('one', 1855);
    expect(await context.metrics.text()).toContain('telltale_scoring_lag{model="one"} 0\n');
    await scoring.stop();
    expect(await context.metrics.text()).not.toContain('telltale_scoring_lag{');
    expect(new Set(places(found)).size).toBe(1855);
    expect(found.filter(({ vin }) => vin === 'D').length).toBe(55);
    expect(await log.lag(scorerGroup('one'), telemetryTopic.name)).toBe(0);
    expect(await context.metrics.text()).toMatch(/telltale_scoring_duplicates_total 20\n/);
  });

  it('scores for champion and challenger, and stops for what is neither', async () => {
    await put('one', handBundle());
    const scoring = await start();
    await put('two', handBundle({ threshold: 2 }));
    const [one, two] = [await scores('one', 1800), await scores('two', 1800)];
    expect(places(two)).toEqual(places(one));
    expect(two[0]!.threshold).toBe(2);
    expect(scoring.versions().sort()).toEqual(['one', 'two']);
    await put('three', handBundle({ threshold: 3 }));
    await scores('three', 1800);
    expect(scoring.versions().sort()).toEqual(['one', 'three']);
    await promote({ log, clock: Date.now, by: 'test', note: '' }, 'three', SMALL_CATALOGUE);
    await scoring.stop();
    expect(lines).toContain('scorer two: stopped, it is neither champion nor challenger');
  });

  it('refuses a damaged release and one for other signals; the champion goes on', async () => {
    await put('one', handBundle());
    const scoring = await start();
    await putUnchecked('damaged', { ...handBundle(), threshold: 7 }, ['one']);
    const foreign = { ...SMALL_CATALOGUE, signals: SMALL_CATALOGUE.signals.slice(0, 5) };
    await putUnchecked('foreign', handBundle({ catalogue: foreign }), ['damaged', 'one']);
    await appendCars(log, [{ vin: 'C0', rows: 5, startMs: T1 }]);
    expect((await scores('one', 1805)).length).toBe(1805);
    const refusals = () => lines.filter((line) => line.includes('is refused')).sort();
    await expect.poll(() => refusals().length).toBe(2);
    await scoring.stop();
    expect(refusals()).toEqual([
      expect.stringMatching(/^model damaged: damaged: its content does not match its hash; it is refused/),
      expect.stringMatching(/^model foreign: damaged: catalogue and its hash differ; it is refused/),
    ]);
  });

  it('passes over a record that cannot be read, and says so', async () => {
    await put('one', handBundle());
    await log.append(telemetryTopic.name, [{ key: 'C0', value: Buffer.from('{"vin":') }]);
    const scoring = await start();
    await scores('one', 1800);
    await scoring.stop();
    expect(lines.find((line) => line.includes('passed over'))).toMatch(
      /scorer one: 1 record that cannot be read: passed over, the last of partition \d/,
    );
    expect(await context.metrics.text()).toMatch(/telltale_scoring_invalid_total 1\n/);
  });
});

describe('reprocessing', () => {
  it('gives, beside the live scores, what the live scorer would have given from the beginning', async () => {
    await put('live', handBundle());
    const scoring = await start();
    const live = await scores('live', 1800);
    await scoring.stop();
    const done: number[] = [];
    const scored = await reprocess({
      log,
      version: 'again',
      detector: createDetector(handBundle()),
      metrics: new Metrics(),
      signal: stop.signal,
      warn: context.warn,
      progress: (some, all) => done.push(some / all),
    });
    expect(scored).toBe(1800);
    expect(done.at(-1)).toBe(1);
    const again = await scores('again', 1800);
    const byPlace = (list: readonly Score[]) =>
      new Map(list.map(({ partition, offset, score }) => [`${partition}/${offset}`, score]));
    expect(byPlace(again)).toEqual(byPlace(live));
    // Most cars are calm: of their scores one in ten is told in full.
    const told = (list: readonly Score[]) => list.filter(({ values }) => values.length > 0).length;
    expect(told(again)).toBe(told(live));
    // Once more there is nothing to do.
    const idle = { log, version: 'again', detector: createDetector(handBundle()), metrics: new Metrics() };
    expect(await reprocess({ ...idle, signal: stop.signal, warn: context.warn, progress: () => {} })).toBe(0);
  });

  it('tells all scores in full where that is asked for', async () => {
    const isWatched = () => true;
    const facts = { log, version: 'full', detector: createDetector(handBundle()), metrics: new Metrics() };
    await reprocess({ ...facts, signal: stop.signal, warn: context.warn, progress: () => {}, isWatched });
    const all = await scores('full', 1800);
    expect(all.every(({ values, expected }) => values.length === 6 && expected.length === 6)).toBe(true);
  });
});

afterAll(() => {
  backend.tf.disposeVariables();
});
