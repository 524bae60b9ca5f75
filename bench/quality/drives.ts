// Real drives with injected faults, judged by the model and by every baseline with the same smoothing, hysteresis and
// calibration. False alerts are counted on the test drives as they were recorded.
import type { Catalogue } from '../../core/catalogue.ts';
import { concat } from '../../core/math/concat.ts';
import type { Backend } from '../../core/model/backend.ts';
import { createDetector } from '../../core/model/detector.ts';
import { type AlertRule, HYSTERESIS } from '../../core/model/hysteresis.ts';
import { alertsOf, withoutPauses } from '../../training/calibrate/alerts.ts';
import { scoreAll } from '../../training/calibrate/held-out.ts';
import { calibrate } from '../../training/calibrate/threshold.ts';
import { trainModel } from '../../training/calibrate/train-model.ts';
import { prepare } from '../../training/data/prepare.ts';
import { fitBaselines } from '../../training/evaluate/baselines/all.ts';
import { smoothed } from '../../training/evaluate/baselines/baseline.ts';
import { averagePrecision, firstRise, quantile, risesOf, rocAuc } from '../../training/evaluate/metrics.ts';
import { hoursOf, type Series, type SeriesSet, splitDrives } from './data.ts';
import { type FaultyDrive, injectFaults } from './inject.ts';

export interface DriveResult {
  readonly name: string;
  readonly averagePrecision: number;
  readonly rocAuc: number;
  readonly budgets: readonly {
    readonly falsePerHour: number;
    readonly recall: number;
    readonly medianDelayS: number;
  }[];
  /** Seconds to the alert of each fault at the first budget, null where none rose. */
  readonly perKind: Readonly<Record<string, readonly (number | null)[]>>;
}

export interface DriveOptions {
  readonly baselines: boolean;
  /** Share of the training rows that carry unlabelled faults. */
  readonly spoilt?: number;
  readonly trim?: number;
}

const BUDGETS_PER_HOUR = [0.5, 0.125];
const COPIES = 2;
const SMOOTHING_ROWS = 16;

export function catalogueOf({ name, signals }: SeriesSet): Catalogue {
  return {
    name,
    version: 1,
    signals: signals.map((signal) => ({ name: signal, unit: '', min: -1e9, max: 1e9 })),
  };
}

interface Scored {
  readonly name: string;
  readonly thresholds: readonly number[];
  readonly clean: readonly Float64Array[];
  readonly faulty: readonly Float64Array[];
}

interface Judging {
  readonly test: readonly Series[];
  readonly faulty: readonly FaultyDrive[];
  readonly rule: AlertRule;
}

function judge(scored: Scored, { test, faulty, rule }: Judging): DriveResult {
  const hours = hoursOfAll(test);
  const all = concat(scored.faulty);
  const labels = Uint8Array.from(faulty.flatMap(({ series }) => [...series.labels]));
  const found = scored.thresholds.map((threshold) => {
    const alerts = scored.faulty.map((scores, i) =>
      alertsOf(faulty[i]!.series.tsMs, scores, threshold, rule),
    );
    return faulty.flatMap(({ series, events }, i) =>
      events.map(({ kind, from, to }) => {
        const at = firstRise(alerts[i]!, from, to);
        return { kind, delayS: at < 0 ? null : (series.tsMs[at]! - series.tsMs[from]!) / 1000 };
      }),
    );
  });
  const perKind: Record<string, (number | null)[]> = {};
  for (const { kind, delayS } of found[0]!) {
    perKind[kind] ??= [];
    perKind[kind].push(delayS);
  }
  return {
    name: scored.name,
    averagePrecision: averagePrecision(all, labels),
    rocAuc: rocAuc(all, labels),
    budgets: scored.thresholds.map((threshold, b) => {
      const delays = found[b]!.flatMap(({ delayS }) => (delayS === null ? [] : [delayS]));
      const raised = scored.clean.reduce(
        (sum, scores, i) => sum + risesOf(alertsOf(test[i]!.tsMs, scores, threshold, rule)).length,
        0,
      );
      return {
        falsePerHour: raised / hours,
        recall: delays.length / found[b]!.length,
        medianDelayS: quantile(delays, 0.5),
      };
    }),
    perKind,
  };
}

/** The training drives with faults in about `share` of their rows. */
function spoil(drives: readonly Series[], signals: readonly string[], seed: number, share: number): Series[] {
  const faulty = injectFaults(drives, signals, seed + 5000, 1);
  const rows = drives.reduce((sum, { tsMs }) => sum + tsMs.length, 0);
  let spoilt = 0;
  return drives.map((drive, i) => {
    const one = faulty[i]!.series;
    if (spoilt >= share * rows) return drive;
    spoilt += one.labels.reduce((a, b) => a + b, 0);
    return { ...one, id: drive.id };
  });
}

const hoursOfAll = (drives: readonly Series[]) => drives.reduce((sum, drive) => sum + hoursOf(drive), 0);

/** The model first, then the baselines. */
export async function measureDrives(
  set: SeriesSet,
  seed: number,
  backend: Backend,
  { baselines, spoilt = 0, trim }: DriveOptions,
): Promise<DriveResult[]> {
  const { train, tune, test } = splitDrives(set, seed);
  const known = [...train, ...tune];
  const history = spoilt > 0 ? spoil(known, set.signals, seed, spoilt) : known;
  const faulty = injectFaults(test, set.signals, 1000 + seed, COPIES);
  const signal = new AbortController().signal;
  const trained = await trainModel({
    catalogue: catalogueOf(set),
    series: history,
    seed,
    alertsPerHour: BUDGETS_PER_HOUR[0]!,
    backend,
    signal,
    ...(trim === undefined ? {} : { trim }),
  });
  trained.model.dispose();
  const detector = createDetector(trained.bundle);
  const { gapMs } = trained.bundle;
  const judging = { test, faulty, rule: trained.bundle };
  /** One threshold a budget, set on the scores of these drives. */
  const thresholdsOf = (
    drives: readonly Pick<Series, 'tsMs'>[],
    scores: readonly Float64Array[],
    hours: number,
  ) =>
    BUDGETS_PER_HOUR.map((alertsPerHour) => {
      const pieces = drives.flatMap(({ tsMs }, i) => withoutPauses(tsMs, scores[i]!, gapMs));
      const budget = { alertsPerHour, hours, cars: drives.length };
      return calibrate(pieces, HYSTERESIS, budget).threshold;
    });
  const heldOut = thresholdsOf(
    trained.heldOut.map(({ series }) => series),
    trained.heldOut.map(({ scores }) => scores),
    hoursOfAll(known),
  );
  const own: Scored = {
    name: 'telltale',
    thresholds: [trained.bundle.threshold, heldOut[1]!],
    clean: scoreAll(detector, test),
    faulty: scoreAll(
      detector,
      faulty.map(({ series }) => series),
    ),
  };
  const results = [judge(own, judging)];
  if (!baselines) return results;
  const { scaler, stepMs } = trained.bundle;
  const ready = (list: readonly Series[]) => prepare(list, scaler, set.signals.length, { stepMs, gapMs });
  // A quarter of the known drives is kept from fitting, to set the baselines' thresholds on.
  const kept = known.filter((_, i) => i % 4 === 0);
  const fitted = known.filter((_, i) => i % 4 !== 0);
  for (const baseline of await fitBaselines(ready(fitted), seed, backend, signal)) {
    const run = (drive: Series) => {
      const rows = ready([drive]);
      return smoothed(baseline.score(rows), rows.first, SMOOTHING_ROWS);
    };
    const scored = {
      name: baseline.name,
      thresholds: thresholdsOf(kept, kept.map(run), hoursOfAll(kept)),
      clean: test.map(run),
      faulty: faulty.map(({ series }) => run(series)),
    };
    results.push(judge(scored, judging));
  }
  return results;
}
