// Adding a head is its folder's worth of objects and a line in the list of kinds: this one is trained, put into a bundle, and
// runs, one car at a time and in lanes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadBackend } from '../../../../core/model/backend.ts';
import { createDetector } from '../../../../core/model/detector.ts';
import type { HeadSpec } from '../../../../core/model/heads/head.ts';
import type { HeadKind } from '../../../../core/model/heads/kind.ts';
import { HEAD_KINDS } from '../../../../core/model/heads/kinds.ts';
import { createReference } from '../../../../core/model/reference.ts';
import { type Trained, trainModel } from '../../../../training/calibrate/train-model.ts';
import type { Series } from '../../../../training/data/series.ts';
import { drive, SMALL_CATALOGUE } from '../../../support/small-fleet.ts';

interface SumSpec extends HeadSpec {
  readonly kind: 'sum';
  /** The mean of all features of a row. */
  readonly mean: number;
}

const LANES = 8;

/** How far the sum of an event's features is from the mean one. */
const sumKind: HeadKind<SumSpec> = {
  kind: 'sum',
  shape: () => ({ statistics: ['off'], stateSize: 1 }),
  reference: (spec, channels) => ({
    name: spec.name,
    ...sumKind.shape(spec, channels, []),
    step: ({ features }, _state, _at, statistics, statisticsAt) => {
      statistics[statisticsAt] = Math.abs(
        Array.from(features).reduce((sum, one) => sum + one, 0) - spec.mean,
      );
    },
    blame: (_index, parts) => parts.fill(1),
  }),
  lanes: ({ mean }, { frame: { n, memory, features } }) => ({
    step: (statistics) => {
      for (let lane = 0; lane < LANES; lane += 1) {
        let sum = 0;
        for (let k = 0; k < n; k += 1) sum += memory.of(features, k, lane);
        memory.floats[statistics / 4 + lane] = Math.abs(sum - mean);
      }
    },
    blame: (_lane, _index, parts) => parts.fill(1),
  }),
  fits:
    ({ prepared: { features, channels, count }, folds }) =>
    (left) => {
      let sum = 0;
      let rows = 0;
      for (let r = 0; r < count; r += 1) {
        if (folds[r] === left) continue;
        rows += 1;
        for (let k = 0; k < channels; k += 1) sum += features[r * channels + k]!;
      }
      return { kind: 'sum', name: 'sum', mean: Math.fround(sum / rows) };
    },
};

const WIDTH = SMALL_CATALOGUE.signals.length;
const seriesOf = (vin: string, seed: number): Series => {
  const events = [...drive({ vin, rows: 300, seed })];
  const rows = events.map(({ signals }) => SMALL_CATALOGUE.signals.map(({ name }) => signals[name]!));
  return {
    id: vin,
    tsMs: Float64Array.from(events, ({ ts }) => ts),
    values: Float32Array.from(rows.flat()),
  };
};
const series = Array.from({ length: 8 }, (_, i) => seriesOf(`C${i}`, 10 + i));
const kinds = [...HEAD_KINDS, sumKind];

describe('a head that is added', () => {
  let trained: Trained;
  beforeAll(async () => {
    trained = await trainModel({
      ...{ catalogue: SMALL_CATALOGUE, series, seed: 1, alertsPerHour: 1, maxSteps: 20, kinds },
      ...{ backend: await loadBackend('wasm'), signal: new AbortController().signal },
    });
  });
  afterAll(() => {
    trained.model.dispose();
  });

  it('is fitted on all rows, beside those there are', () => {
    const { heads, tails } = trained.bundle;
    const names = heads.map(({ name }) => name);
    expect(names).toEqual(['relation', 'range', 'shock', 'sum', 'still', 'autoencoder', 'forecast']);
    expect((heads[3] as SumSpec).mean).not.toBe(0);
    const { statistics } = createDetector(trained.bundle, kinds);
    expect(statistics).toContain('sum.off');
    expect(tails.length).toBe(statistics.length);
  });

  it('gives the same in lanes as in plain JavaScript', () => {
    const detector = createDetector(trained.bundle, kinds);
    const reference = createReference(trained.bundle, kinds);
    const place = detector.statistics.indexOf('sum.off');
    const [state, other] = [detector.newState(), reference.newState()];
    const { tsMs, values } = series[0]!;
    let most = 0;
    for (let i = 0; i < 50; i += 1) {
      const off = detector.step(state, values, tsMs[i]!, i * WIDTH).raw[place]!;
      expect(off).toBeCloseTo(reference.step(other, values, tsMs[i]!, i * WIDTH).raw[place]!, 4);
      most = Math.max(most, off);
    }
    expect(most).toBeGreaterThan(0.1);
  });

  it('is refused, by name, by who does not know it', () => {
    expect(() => createDetector(trained.bundle)).toThrow('head sum: unknown kind "sum"');
  });
});
