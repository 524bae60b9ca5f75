// What the leave-one-out bench trains and tries: splits of the real drives, rig runs, simulated fleets.
import type { Catalogue } from '../../core/catalogue.ts';
import { sampleSeries } from '../../training/data/sampler.ts';
import type { Series } from '../../training/data/series.ts';
import { type SeriesSet, sliceSeries, splitDrives } from './data.ts';
import { catalogueOf } from './drives.ts';
import { driveHistory, driveTest, type FleetSize, judgedFamilies } from './fleet-judge.ts';
import { injectFaults } from './inject.ts';
import type { Plan, Trial } from './recordings.ts';

/** The default of --max-rows. */
const MAX_ROWS = 300_000;
/** Faults are put into two copies of each test drive, as in drives.ts. */
const COPIES = 2;
const clean = (series: Series, ranked: boolean): Trial => ({
  series,
  labels: new Uint8Array(series.tsMs.length),
  faults: [],
  ranked,
  whole: true,
});

export type Change = Partial<Pick<Plan['train'], 'relationUnits' | 'heads'>>;

export function planDrives(
  set: SeriesSet,
  split: number,
  seed: number,
  change: Change = {},
): Omit<Plan, 'name'> {
  const { train, tune, test } = splitDrives(set, split);
  return {
    catalogue: catalogueOf(set),
    train: { series: [...train, ...tune], seed, alertsPerHour: 0.5, ...change },
    trials: () => [
      ...test.map((series) => clean(series, false)),
      ...injectFaults(test, set.signals, 1000 + split, COPIES).map(({ series, events }) => ({
        series,
        labels: series.labels,
        faults: events.map((event) => ({ ...event, visible: event.from })),
        ranked: true,
        whole: false,
      })),
    ],
  };
}

export function planRig(set: SeriesSet, run: number, rows: number, change: Change = {}): Omit<Plan, 'name'> {
  const one = set.series[run]!;
  return {
    catalogue: catalogueOf(set),
    train: { series: [sliceSeries(one, 0, rows)], seed: 1, alertsPerHour: 0.5, ...change },
    trials: () => [{ series: one, labels: one.labels, faults: [], ranked: true, whole: false }],
  };
}

export function planFleet(catalogue: Catalogue, size: FleetSize, change: Change = {}): Omit<Plan, 'name'> {
  return {
    catalogue,
    train: {
      series: sampleSeries(driveHistory(size), catalogue.signals.length, {
        seed: size.seed,
        maxRows: MAX_ROWS,
      }),
      seed: size.seed,
      alertsPerHour: 1 / 24,
      ...change,
    },
    trials: () => {
      const test = driveTest(size, judgedFamilies());
      return [
        ...test.whole.map(({ series }) => clean(series, true)),
        ...test.broken.flatMap(({ fault, atS, series }): Trial[] => {
          const visibleMs = test.visibleMs(series.id);
          if (visibleMs === undefined) return [];
          const to = series.tsMs.length;
          const visible = series.tsMs.findIndex((ts) => ts >= visibleMs);
          const labels = new Uint8Array(to).fill(1, visible);
          return [
            { series, labels, faults: [{ kind: fault, from: atS, visible, to }], ranked: true, whole: false },
          ];
        }),
      ];
    },
  };
}
