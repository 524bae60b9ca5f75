// A second model trained on the same log: its report puts it beside the champion and says of each fault that happened whether
// it was found. A champion that cannot be compared is said, not stumbled over.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../../core/config.ts';
import { createFixedTopics } from '../../../core/log/create-topics.ts';
import { openEmbeddedLog } from '../../../core/log/embedded.ts';
import type { Log } from '../../../core/log/log.ts';
import { Metrics } from '../../../core/metrics.ts';
import { type Backend, loadBackend } from '../../../core/model/backend.ts';
import { type ModelBundle, sealBundle } from '../../../core/model/bundle.ts';
import { FEATURE_VERSION } from '../../../core/model/features.ts';
import { readReleases } from '../../../core/model/releases.ts';
import { groundTruthTopic, modelsTopic } from '../../../core/topics.ts';
import { readChampion } from '../../../training/data/champion.ts';
import type { Evaluation } from '../../../training/evaluate/evaluate.ts';
import { type TrainCard, trainAndRelease } from '../../../training/job.ts';
import { release } from '../../../training/release/registry.ts';
import { handBundle } from '../../support/hand-bundle.ts';
import { appendCars, SMALL_CATALOGUE } from '../../support/small-fleet.ts';

const T0 = 1_700_000_000_000;
const ROWS = 600;
const VISIBLE_MS = T0 + 400_000;
let dir: string;
let log: Log;
let backend: Backend;

beforeAll(async () => {
  backend = await loadBackend('wasm');
  dir = mkdtempSync(join(tmpdir(), 'telltale-compare-'));
  // The log's own time is that of its records: a sweep finds nothing older than the retention.
  log = openEmbeddedLog({ dir, prefix: '', clock: () => T0, warn: () => {} });
  await createFixedTopics(log, 3);
  const cars = Array.from({ length: 7 }, (_, i) => ({ vin: `C${i}`, rows: ROWS, seed: i }));
  await appendCars(log, [...cars, { vin: 'HOT', rows: ROWS, seed: 9, overheatsFrom: 400 }]);
  const truth = { vin: 'HOT', faultId: 'f1', fault: 'overheating', severity: 1 } as const;
  await log.append(groundTruthTopic.name, [
    { key: 'HOT', value: groundTruthTopic.encode({ ...truth, ts: VISIBLE_MS - 1000, phase: 'started' }) },
    { key: 'HOT', value: groundTruthTopic.encode({ ...truth, ts: VISIBLE_MS, phase: 'visible' }) },
  ]);
}, 60_000);

afterAll(async () => {
  await log.close();
  rmSync(dir, { recursive: true, force: true });
});

async function train(out: string, card: TrainCard | null = null) {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const settings = {
    ...readConfig([], [], {}).settings,
    ...({ dataDir: dir, effort: 'quick', by: 'test', alertBudget: 2, out: join(dir, out) } as const),
  };
  const signal = new AbortController().signal;
  const context = { signal, clock: Date.now, metrics: new Metrics(), say, warn: say };
  const done = await trainAndRelease({ log, catalogue: SMALL_CATALOGUE, backend, settings, context, card });
  const html = readFileSync(join(dir, out, 'report.html'), 'utf8');
  const report = JSON.parse(readFileSync(join(dir, out, 'report.json'), 'utf8')) as Evaluation;
  return { ...done, lines: lines.join('\n'), html, report };
}

describe('a model trained beside a champion', () => {
  it('is compared with it on the same rows, and both on the fault that happened', async () => {
    const first = await train('first');
    expect(first.report.champion).toBeNull();
    expect(first.html).not.toContain('Beside the champion');
    const { report, html, lines, version } = await train('second');
    expect((await readReleases(log)).releases.get(version)?.judged).toEqual({
      averagePrecision: report.methods[0]!.averagePrecision,
      found: report.methods[0]!.budgets[0]!.recall,
      falseAlertsPerHour: report.budget.metPerHour,
    });
    const { champion, methods, knownFaults } = report;
    if (!champion || 'refused' in champion) throw new Error('the champion was not compared');
    expect(champion.version).toBe(first.version);
    expect(methods[1]).toEqual(champion.method);
    expect(champion.method.about).toBe(
      'the model in service, trained on 100 % of these records, which flatters it',
    );
    // The same records, seed and settings: the champion is the same model, but has seen the cars.
    expect(champion.synthetic.map(({ kind, events }) => [kind, events])).toEqual(
      report.synthetic.map(({ kind, events }) => [kind, events]),
    );
    expect(knownFaults).toEqual([
      { car: 'HOT', kind: 'overheating', fromMs: VISIBLE_MS, judgedS: 199, delayS: expect.any(Number) },
    ]);
    expect(champion.known).toHaveLength(1);
    expect(knownFaults[0]!.delayS).toBeLessThan(60);
    expect(html).toContain('Beside the champion');
    expect(html).toContain('found: overheating (happened)');
    expect(html).toMatch(/<th>HOT<\/th><td>overheating<\/td>.*found after/);
    expect(lines).toMatch(/faults that happened: 1 of 1 found \(champion [01] of 1\)/);
    expect(lines).toMatch(/champion \S+: average precision 0\.\d\d, found \d+ %, \d/);
  });

  it('trained again from its card displaces nobody', async () => {
    const before = await readReleases(log);
    expect(before.aliases.get('challenger')).toBeDefined();
    const { version } = before.aliases.get('champion')!;
    const bundle = before.releases.get(version)!.bundle as ModelBundle;
    const again = await train('again', bundle.card.train as unknown as TrainCard);
    expect(again.bundle.hash).toBe(bundle.hash);
    expect(again.lines).toContain('not released: a model trained again from its card takes nobody');
    expect(await readReleases(log)).toEqual(before);
  });

  it('says why a champion cannot be compared', async () => {
    const { hash: _, ...content } = handBundle();
    const bundle = sealBundle({ ...content, featureVersion: 0 });
    const facts = { version: 'old', ts: Date.now(), by: '', note: '' };
    await log.append(modelsTopic.name, [
      { key: 'release/old', value: modelsTopic.encode({ kind: 'release', ...facts, bundle }) },
      {
        key: 'alias/champion',
        value: modelsTopic.encode({ kind: 'alias', alias: 'champion', previous: [], ...facts }),
      },
    ]);
    const { report, html, lines } = await train('third');
    const why = `model old: made for feature version 0; this program computes ${FEATURE_VERSION}. Train it again: telltale train (--csv FILE for a recording, --card CARD.json for the same records).`;
    expect(report.champion).toEqual({ version: 'old', refused: why });
    expect(html).toContain(`Champion old could not be compared: ${why}`);
    expect(lines).toContain(`champion old could not be compared: ${why}`);
  });

  it('says so when the champion was made for other signals', async () => {
    const catalogue = { ...SMALL_CATALOGUE, signals: SMALL_CATALOGUE.signals.slice(1) };
    await release({
      ...{ log, clock: Date.now, by: '', note: '' },
      version: 'six',
      bundle: handBundle(),
      promote: true,
    });
    expect(await readChampion(log, catalogue, [])).toEqual({
      version: 'six',
      refused: expect.stringMatching(/made for the signals of catalogue "small"/),
    });
  });
});
