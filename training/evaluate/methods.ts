// How one method is judged on rows with known faults: ranking of rows, faults found while they last, false alerts on
// the same rows untouched. The same for the model, the champion and every baseline.

import { concat } from '../../core/math/concat.ts';
import type { AlertRule } from '../../core/model/hysteresis.ts';
import { alertsOf } from '../calibrate/alerts.ts';
import { averagePrecision, firstRise, quantile, risesOf, rocAuc } from './metrics.ts';
import type { PerturbedSeries } from './perturb.ts';

export interface FaultResult {
  readonly kind: string;
  readonly about: string;
  readonly events: number;
  readonly found: number;
  /** Seconds from the fault's beginning to the alert, median over those found; null when none. */
  readonly medianDelayS: number | null;
}

export interface MethodResult {
  readonly name: string;
  readonly about: string;
  readonly averagePrecision: number;
  readonly rocAuc: number;
  /** At the budget asked and at a quarter of it. */
  readonly budgets: readonly {
    readonly askedPerHour: number;
    readonly metPerHour: number;
    readonly recall: number;
    readonly medianDelayS: number | null;
  }[];
}

export interface Scored {
  readonly clean: readonly Float64Array[];
  readonly faulty: readonly Float64Array[];
}

export interface Judging {
  readonly faulty: readonly PerturbedSeries[];
  readonly hours: number;
  readonly rule: AlertRule;
}

export const labelsOf = (faulty: readonly PerturbedSeries[]) =>
  Uint8Array.from(faulty.flatMap(({ labels }) => [...labels]));

/** Events whose alert rises while they last, and how long it took. */
export function hits(faulty: readonly PerturbedSeries[], alerts: readonly Uint8Array[]) {
  return faulty.flatMap(({ series, events }, i) =>
    events.map(({ kind, from, to }) => {
      const at = firstRise(alerts[i]!, from, to);
      return { kind, delayS: at < 0 ? null : (series.tsMs[at]! - series.tsMs[from]!) / 1000 };
    }),
  );
}

const medianOf = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : quantile(known, 0.5);
};

export function judgeMethod(
  name: string,
  about: string,
  { clean, faulty }: Scored,
  thresholds: readonly { readonly askedPerHour: number; readonly threshold: number }[],
  judging: Judging,
): MethodResult {
  const all = concat(faulty);
  const labels = labelsOf(judging.faulty);
  return {
    name,
    about,
    averagePrecision: averagePrecision(all, labels),
    rocAuc: rocAuc(all, labels),
    budgets: thresholds.map(({ askedPerHour, threshold }) => {
      // Untouched and faulty rows are the same ones, at the same times.
      const up = (scores: Float64Array, i: number) =>
        alertsOf(judging.faulty[i]!.series.tsMs, scores, threshold, judging.rule);
      const found = hits(judging.faulty, faulty.map(up));
      const raised = clean.reduce((sum, scores, i) => sum + risesOf(up(scores, i)).length, 0);
      return {
        askedPerHour,
        metPerHour: raised / judging.hours,
        recall: found.filter(({ delayS }) => delayS !== null).length / Math.max(1, found.length),
        medianDelayS: medianOf(found.map(({ delayS }) => delayS)),
      };
    }),
  };
}

/** Results per kind of fault at the model's own threshold. */
export function perKind(
  found: readonly { readonly kind: string; readonly delayS: number | null }[],
  aboutOf: (kind: string) => string,
): FaultResult[] {
  const kinds = [...new Set(found.map(({ kind }) => kind))].sort();
  return kinds.map((kind) => {
    const mine = found.filter((one) => one.kind === kind);
    return {
      kind,
      about: aboutOf(kind),
      events: mine.length,
      found: mine.filter(({ delayS }) => delayS !== null).length,
      medianDelayS: medianOf(mine.map(({ delayS }) => delayS)),
    };
  });
}
