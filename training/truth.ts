// Faults that really happened in the rows at hand: read from the log's ground truth, and judged one by one on scores by models
// that had not seen the car. A fault counts from the moment it could be seen, not from the moment it began.
import type { Log } from '../core/log/log.ts';
import type { AlertRule } from '../core/model/hysteresis.ts';
import { groundTruthTopic } from '../core/topics.ts';
import { alertsOf, type FaultResult, perKind } from './methods.ts';
import { firstRise, risesOf } from './metrics.ts';
import type { Series } from './series.ts';

/** A fault that is known to have happened: visible in the readings of one car in [fromMs, toMs), event time. */
export interface KnownFault {
  readonly id: string;
  readonly kind: string;
  readonly fromMs: number;
  /** Infinity: not mended yet. */
  readonly toMs: number;
}

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

export interface Truth {
  readonly faults: readonly KnownFault[];
  /** Faults of these cars in the stretch of time, of which no row was kept. */
  readonly notKept: number;
}

/** Rows [from, to) of a series while the fault could be seen; null when there is none. */
export function visibleIn({ id, tsMs }: Series, fault: KnownFault): readonly [number, number] | null {
  if (id !== fault.id) return null;
  const from = tsMs.findIndex((ts) => ts >= fault.fromMs);
  if (from < 0 || tsMs[from]! >= fault.toMs) return null;
  const end = tsMs.findIndex((ts) => ts >= fault.toMs);
  return [from, end < 0 ? tsMs.length : end];
}

/**
 * The faults that could be seen in `series`, oldest first. A redelivered record changes nothing; a fault that never became
 * visible is none.
 * @throws TelltaleError RECORD_INVALID and what the log throws
 */
export async function readTruth(log: Pick<Log, 'read'>, series: readonly Series[]): Promise<Truth> {
  const span = new Map<string, { from: number; to: number }>();
  for (const { id, tsMs } of series) {
    const [first, last] = [tsMs[0]!, tsMs.at(-1)!];
    const known = span.get(id);
    span.set(id, { from: Math.min(known?.from ?? first, first), to: Math.max(known?.to ?? last, last) });
  }
  const found = new Map<string, { id: string; kind: string; fromMs: number; toMs: number }>();
  for await (const { records } of log.read(groundTruthTopic.name, { to: 'end' })) {
    for (const { value } of records) {
      if (value === null) continue;
      const { vin, ts, faultId, fault, phase } = groundTruthTopic.decode(value);
      if (phase === 'started' || !span.has(vin)) continue;
      const one = found.get(faultId) ?? { id: vin, kind: fault, fromMs: Infinity, toMs: Infinity };
      if (phase === 'visible') one.fromMs = ts;
      else one.toMs = ts;
      found.set(faultId, one);
    }
  }
  const inTime = [...found.values()]
    .filter(({ id, fromMs, toMs }) => fromMs <= span.get(id)!.to && toMs > span.get(id)!.from)
    .sort((a, b) => a.fromMs - b.fromMs);
  const faults = inTime.filter((fault) => series.some((one) => visibleIn(one, fault) !== null));
  return { faults, notKept: inTime.length - faults.length };
}

/** True for a series in which a known fault can be seen. */
export const isTouched = (truth: readonly KnownFault[], series: Series): boolean =>
  truth.some((fault) => visibleIn(series, fault) !== null);

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
