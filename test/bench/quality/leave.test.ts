import { beforeAll, describe, expect, it } from 'vitest';
import { hindsight, outcomeWithout, type Part } from '../../../bench/quality/leave.ts';
import { bundleWithout } from '../../../bench/quality/leave-cost.ts';
import { partsOf } from '../../../bench/quality/leave-parts.ts';
import { drawnError, EVENTS, meanOf, tableOf } from '../../../bench/quality/leave-table.ts';
import { type Plan, type Recording, record } from '../../../bench/quality/recordings.ts';
import { loadBackend } from '../../../core/model/backend.ts';
import { createDetector } from '../../../core/model/detector.ts';
import { normal, seededRandom } from '../../../core/model/random.ts';
import { alertsOf } from '../../../training/calibrate/alerts.ts';
import { scoreSeries } from '../../../training/calibrate/held-out.ts';
import { trainModel } from '../../../training/calibrate/train-model.ts';
import type { Series } from '../../../training/data/series.ts';
import { averagePrecision, risesOf } from '../../../training/evaluate/metrics.ts';

const names = ['a', 'b', 'c'];
const catalogue = {
  ...{ name: 'small', version: 1 },
  signals: names.map((name) => ({ name, label: name, unit: '', min: -1e6, max: 1e6 })),
};
const ROWS = 300;
/** Three readings of one hidden value; from `brokenFrom` on the third is off. */
function car(id: string, brokenFrom = ROWS): Series {
  const random = seededRandom(5, id);
  let hidden = 0;
  const values = new Float32Array(ROWS * names.length);
  for (let i = 0; i < ROWS; i += 1) {
    hidden = 0.95 * hidden + normal(random);
    for (let k = 0; k < 3; k += 1) values[3 * i + k] = (k + 1) * hidden + 0.3 * normal(random);
    if (i >= brokenFrom) values[3 * i + 2]! += 2;
  }
  return { id, tsMs: Float64Array.from({ length: ROWS }, (_, i) => 1000 * i), values };
}

const whole = [car('w1'), car('w2')];
const broken = [car('f1', 150), car('f2', 200)];
const plan: Plan = {
  name: 'small',
  catalogue,
  train: {
    series: Array.from({ length: 9 }, (_, i) => car(`h${i}`)),
    seed: 1,
    alertsPerHour: 2,
    maxSteps: 10,
    relationRows: 400,
  },
  trials: () => [
    ...whole.map((series) => ({
      ...{ series, labels: new Uint8Array(ROWS), faults: [] },
      ...{ ranked: false, whole: true },
    })),
    ...broken.map((series, i) => {
      const from = [150, 200][i]!;
      const fault = { kind: 'off', from, visible: from, to: ROWS };
      const labels = new Uint8Array(ROWS).fill(1, from);
      return { series, labels, faults: [fault], ranked: true, whole: false };
    }),
  ],
};
const nothing: Part = { name: 'nothing' };

describe('leaving a part out', () => {
  let recording: Recording;
  beforeAll(async () => {
    recording = await record(plan, await loadBackend('wasm'));
  }, 120_000);

  it('with nothing left out is what training and scoring give', async () => {
    const { bundle, model, heldOut } = await trainModel({
      ...{ ...plan.train, catalogue, backend: await loadBackend('wasm') },
      signal: new AbortController().signal,
    });
    model.dispose();
    expect(heldOut).toHaveLength(9);
    const detector = createDetector(bundle);
    const scores = broken.map((series) => scoreSeries(detector, series));
    const up = (series: Series) =>
      alertsOf(series.tsMs, scoreSeries(detector, series), bundle.threshold, bundle);
    const truth = Uint8Array.from(plan.trials().flatMap(({ ranked, labels }) => (ranked ? [...labels] : [])));
    const outcome = outcomeWithout(recording, nothing);
    expect(outcome.averagePrecision).toBe(
      averagePrecision(Float64Array.from(scores.flatMap((one) => [...one])), truth),
    );
    expect(outcome.budgets[0]!.falseAlerts).toBe(
      whole.reduce((sum, one) => sum + risesOf(up(one)).length, 0),
    );
    expect(outcome.budgets[0]!.hours).toBeCloseTo((2 * (ROWS - 1)) / 3600, 9);
    const found = broken.filter((one, i) => risesOf(up(one)).some((row) => row >= [150, 200][i]!));
    expect(found.length).toBeGreaterThan(0);
    expect(outcome.budgets[0]!.recall).toBe(found.length / 2);
  });

  it('names every statistic once, however many kinds of cars have it', () => {
    const parts = partsOf(['relation-1.own-8-peak', 'relation-2.own-8-peak', 'range-1.strangest', 'shock.x']);
    const own = parts.find(({ name }) => name === 'relation.own-8-peak')!;
    expect(parts.filter(({ name }) => name.includes('own-8'))).toHaveLength(1);
    expect(['relation-1.own-8-peak', 'relation-2.own-8-peak', 'relation-1.own-60'].map(own.drop!)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('makes a difference, and one that can be told, where the part tells the fault', () => {
    const relations = { name: 'relations', drop: (name: string) => name.startsWith('relation.') };
    const all = outcomeWithout(recording, nothing);
    const less = outcomeWithout(recording, relations);
    expect(less.averagePrecision).toBeLessThan(all.averagePrecision);
    const outcomes = [{ whole: all, without: less }];
    const table = tableOf(EVENTS, [{ part: 'relations', outcomes, costUs: 1.25, fitS: null }]).split('\n');
    const lost = (all.averagePrecision - less.averagePrecision).toFixed(3);
    expect(table[2]).toContain(`| ${all.averagePrecision.toFixed(3)} |`);
    expect(table[3]).toMatch(new RegExp(`^\\| relations \\| −${lost} .*\\| 1\\.3 \\|  \\|$`));
  });

  it('costs what a detector without it does not: one of the same statistics less the part', () => {
    const drop = (name: string) => /^relation\.own|^range|^autoencoder\.norm/.test(name);
    const without = createDetector(bundleWithout(recording.content, { name: 'some', drop }));
    // A head that gives two statistics stays while one of them is wanted.
    expect(without.statistics).toEqual(
      recording.statistics.filter((name) => !/^relation\.own|^range/.test(name)),
    );
    const all = createDetector(bundleWithout(recording.content, nothing));
    const [first, second] = [all, without].map((detector) => {
      const { raw } = detector.step(detector.newState(), broken[0]!.values, 0);
      return new Map(detector.statistics.map((name, s) => [name, raw[s]!]));
    });
    for (const [name, value] of second!) expect(value, name).toBe(first!.get(name));
  });
});

describe('recall in hindsight', () => {
  const reached = { faults: [5, 3, 1], whole: [0, 4, 2], most: 2 };

  it('is its mean over the thresholds that let one alert through, two, and so on', () => {
    // None of the whole cars passes 4, one passes 2: of the faults one does, and two do.
    expect(hindsight(reached)).toBeCloseTo((1 / 3 + 2 / 3) / 2, 12);
    expect(hindsight({ ...reached, most: 1 })).toBeCloseTo(1 / 3, 12);
    expect(hindsight({ ...reached, faults: [] })).toBeNaN();
  });

  it('differs by chance only as far as faults and whole cars were drawn', () => {
    expect(drawnError([{ without: reached, whole: reached }])).toBe(0);
    const blind = { ...reached, faults: [5, 0, 0] };
    const few = drawnError([{ without: blind, whole: reached }]);
    const many = drawnError([
      {
        without: { faults: Array(20).fill(blind.faults).flat(), whole: reached.whole, most: 2 },
        whole: { faults: Array(20).fill(reached.faults).flat(), whole: reached.whole, most: 2 },
      },
    ]);
    expect(few).toBeGreaterThan(0.05);
    expect(many).toBeLessThan(few);
  });
});

describe('noise', () => {
  it('is the standard error of the mean', () => {
    expect(meanOf([1, 2, 3, 6])).toEqual({ mean: 3, error: Math.sqrt(14 / 3 / 4) });
  });
});
