// Known faults judged one by one, on scores by models that had not seen the car, and the alerts that none of them
// explains.
import type { AlertRule } from '../../core/model/hysteresis.ts';
import { alertsOf } from '../calibrate/alerts.ts';
import { type KnownFault, visibleIn } from '../data/ground-truth.ts';
import type { Series } from '../data/series.ts';
import { type FaultResult, perKind } from './methods.ts';
import { firstRise, risesOf } from './metrics.ts';

/** What became of one known fault. */
export interface KnownOutcome {
  readonly car: string;
  readonly kind: string;
  readonly fromMs: number;
  /** Seconds of it that were judged. */
  readonly judgedS: number;
  /** From its first judged row to the alert; null: missed. */
  readonly delayS: number | null;
}

export interface ScoredSeries {
  readonly series: Series;
  readonly scores: Float64Array;
}

/** Alerts that rise while no known fault of the car can be seen: the false ones. */
export function falseRises(
  { series, scores }: ScoredSeries,
  threshold: number,
  rule: AlertRule,
  truth: readonly KnownFault[],
): number {
  const rises = risesOf(alertsOf(series.tsMs, scores, threshold, rule));
  const touched = truth.map((fault) => visibleIn(series, fault)).filter((rows) => rows !== null);
  return rises.filter((row) => !touched.some(([from, to]) => row >= from && row < to)).length;
}

/** What became of each fault, at a threshold. A fault that lies in several stretches of its car is still one. */
export function judgeKnown(
  truth: readonly KnownFault[],
  scored: readonly ScoredSeries[],
  threshold: number,
  rule: AlertRule,
): KnownOutcome[] {
  return truth.flatMap((fault) => {
    let judgedMs = 0;
    let seenMs: number | null = null;
    let delayS: number | null = null;
    for (const { series, scores } of scored) {
      const rows = visibleIn(series, fault);
      if (rows === null) continue;
      const [from, to] = rows;
      seenMs ??= series.tsMs[from]!;
      judgedMs += series.tsMs[to - 1]! - series.tsMs[from]!;
      if (delayS !== null) continue;
      const at: number = firstRise(alertsOf(series.tsMs, scores, threshold, rule), from, to);
      if (at >= 0) delayS = (series.tsMs[at]! - seenMs) / 1000;
    }
    if (seenMs === null) return [];
    const { id: car, kind, fromMs } = fault;
    return [{ car, kind, fromMs, judgedS: judgedMs / 1000, delayS }];
  });
}

/** The same summed up per kind of fault. */
export const knownPerKind = (outcomes: readonly KnownOutcome[]): FaultResult[] =>
  perKind(outcomes, () => 'from the ground truth of the log');
