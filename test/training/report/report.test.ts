import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Catalogue } from '../../../core/catalogue.ts';
import { loadBackend } from '../../../core/model/backend.ts';
import { normal, seededRandom } from '../../../core/model/random.ts';
import { type Trained, trainModel } from '../../../training/calibrate/train-model.ts';
import type { Series } from '../../../training/data/series.ts';
import { type Evaluation, evaluate } from '../../../training/evaluate/evaluate.ts';
import { type RunFacts, writeReport } from '../../../training/report/report.ts';

const ROWS = 900;
const HOSTILE = '<script>alert("1")</script>';
const catalogue: Catalogue = {
  name: `fleet ${HOSTILE}`,
  version: 1,
  signals: ['a', 'b', 'c', HOSTILE].map((name) => ({ name, unit: '', min: -1e6, max: 1e6 })),
};

function drive(id: string, seed: number): Series {
  const random = seededRandom(seed, 'drive');
  const values = new Float32Array(ROWS * 4);
  let a = 0;
  let b = 0;
  for (let r = 0; r < ROWS; r += 1) {
    a = 0.97 * a + 0.24 * normal(random);
    b = 0.97 * b + 0.24 * normal(random);
    values.set([a, b, a - b + 0.1 * normal(random), a * b + 0.1 * normal(random)], r * 4);
  }
  return { id, tsMs: Float64Array.from({ length: ROWS }, (_, r) => r * 1000), values };
}

const series = Array.from({ length: 8 }, (_, c) => drive(`car${c}`, c));
// Car 3 really broke: c follows b no more for three minutes.
const known = { id: 'car3', kind: 'broken relation', fromMs: 400_000, toMs: 580_000 };
for (let r = 400; r < 580; r += 1) series[3]!.values[r * 4 + 2] = series[3]!.values[(r - 250) * 4 + 2]! + 1.5;

const FACTS: RunFacts = {
  ownHistory: {
    ...{ rows: 7200, hours: 2, cars: 8, alerts: 1, rowsInAlert: 20, asked: 4, allowed: 25 },
    ...{ oddest: [], worst: [] },
  },
  coverage: {
    ...{ fromMs: Date.UTC(2026, 0, 5, 8), toMs: Date.UTC(2026, 0, 5, 9, 30), folds: 8, byTime: false },
    cars: { count: 8, names: ['car0', HOSTILE] },
    judgedOn: { count: 2, names: ['car0', 'car4'] },
    leftOut: { count: 31, names: ['car8', 'car9'] },
  },
  verdict: { over: true, text: 'over its budget: asked for 0.5 & met 2' },
  firstModel: 'a first model, of 10 min & more',
};

let trained: Trained;
let evaluation: Evaluation;

beforeAll(async () => {
  const backend = await loadBackend('auto');
  const signal = new AbortController().signal;
  const common = { series, alertsPerHour: 2, seed: 1, backend, signal };
  trained = await trainModel({ ...common, catalogue, maxSteps: 60 });
  evaluation = await evaluate({ ...common, trained, truth: [known] });
  trained.model.dispose();
});

describe('evaluate', () => {
  it('judges the model and five baselines on the same rows', () => {
    expect(evaluation.methods.map(({ name }) => name)).toEqual([
      'telltale',
      'fixed limits',
      'Mahalanobis',
      'PCA reconstruction',
      'isolation forest',
      'min–max autoencoder',
    ]);
    for (const { averagePrecision, rocAuc, budgets } of evaluation.methods) {
      expect(averagePrecision).toBeGreaterThan(0);
      expect(averagePrecision).toBeLessThanOrEqual(1);
      expect(rocAuc).toBeGreaterThan(0);
      expect(budgets.map(({ askedPerHour }) => askedPerHour)).toEqual([2, 0.5]);
    }
  });

  it('finds broken relations that distances from the mean rank worse', () => {
    const of = (name: string) => evaluation.methods.find((method) => method.name === name)!.averagePrecision;
    expect(of('telltale')).toBeGreaterThan(of('fixed limits'));
    expect(of('telltale')).toBeGreaterThan(of('isolation forest'));
  });

  it('finds the fault of the ground truth on the judgement of a model that had not seen the car', () => {
    expect(evaluation.known).toHaveLength(1);
    expect(evaluation.known[0]).toMatchObject({ kind: 'broken relation', events: 1, found: 1 });
    expect(evaluation.known[0]!.medianDelayS).toBeLessThan(180);
  });

  it('draws a budget curve that falls with the threshold', () => {
    const { curve } = evaluation.budget;
    expect(curve).toHaveLength(41);
    expect(curve[0]!.alertsPerHour).toBeGreaterThanOrEqual(curve.at(-1)!.alertsPerHour);
  });

  it('has distributions that sum to one', () => {
    const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
    expect(sum(evaluation.scores.normal)).toBeCloseTo(1, 9);
    expect(sum(evaluation.scores.faulty)).toBeCloseTo(1, 9);
  });
});

describe('writeReport', () => {
  it('writes one page that needs nothing else, and the same numbers as JSON', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'telltale-report-'));
    await writeReport(dir, trained.bundle, evaluation, FACTS);
    const html = await readFile(join(dir, 'report.html'), 'utf8');
    expect(html).not.toMatch(/(src|href)=|@import|url\(/);
    expect(html).toContain(trained.bundle.hash);
    for (const said of [
      '<th>period</th><td>2026-01-05 08:00:00 UTC to 2026-01-05 09:30:00 UTC</td>',
      '<th>faults put into</th><td>2 (car0, car4)</td>',
      '<th>cars left out</th><td>31 (car8, car9, …)</td>',
      '1 alert in 7,200 rows (asked for 4.00), 0.3 % of them in alert',
      '<th>budget</th><td>over its budget: asked for 0.5 &amp; met 2</td>',
    ])
      expect(html).toContain(said);
    for (const { name } of evaluation.methods) expect(html).toContain(name);
    expect(html.match(/<svg/g)!.length).toBeGreaterThanOrEqual(3);
    const json = JSON.parse(await readFile(join(dir, 'report.json'), 'utf8'));
    expect(json).toMatchObject(FACTS);
    expect(json.threshold).toBe(trained.bundle.threshold);
    expect(json.methods[0].averagePrecision).toBe(evaluation.methods[0]!.averagePrecision);
  });

  it('shows names as text, whatever they contain', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'telltale-report-'));
    await writeReport(dir, trained.bundle, evaluation, FACTS);
    const html = await readFile(join(dir, 'report.html'), 'utf8');
    expect(html).not.toContain('<script');
    expect(html).toContain('&lt;script&gt;');
  });
});
