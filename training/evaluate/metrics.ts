// How detectors are judged: ranking measures over rows, event recall, delay and false alerts over alerts. Scores are
// never point-adjusted: a fault found at its end counts for what it was, late.
import { quantileOf } from '../../core/math/quantile.ts';

/** Indexes of `scores` from the highest to the lowest. */
function descending(scores: Float64Array): Uint32Array {
  const order = new Uint32Array(scores.length);
  for (let i = 0; i < order.length; i += 1) order[i] = i;
  return order.sort((a, b) => scores[b]! - scores[a]!);
}

export interface CurvePoint {
  readonly threshold: number;
  readonly precision: number;
  readonly recall: number;
}

/**
 * Average precision: Σ (Rₙ − Rₙ₋₁)·Pₙ over distinct thresholds (ties count together). NaN without a positive.
 * `scores` finite, `labels` 0/1, same length.
 */
export function averagePrecision(scores: Float64Array, labels: Uint8Array): number {
  let sum = 0;
  let before = 0;
  walkCurve(scores, labels, (point) => {
    sum += (point.recall - before) * point.precision;
    before = point.recall;
  });
  return before === 0 ? Number.NaN : sum;
}

/** The precision–recall curve thinned to about `points` points. */
export function precisionRecall(scores: Float64Array, labels: Uint8Array, points = 200): CurvePoint[] {
  const out: CurvePoint[] = [];
  let nextRecall = 0;
  walkCurve(scores, labels, (point) => {
    if (point.recall < nextRecall) return;
    out.push(point);
    nextRecall = point.recall + 1 / points;
  });
  return out;
}

function walkCurve(scores: Float64Array, labels: Uint8Array, visit: (point: CurvePoint) => void): void {
  const order = descending(scores);
  let positives = 0;
  for (const label of labels) positives += label;
  if (positives === 0) return;
  let hits = 0;
  for (let k = 0; k < order.length; k += 1) {
    const i = order[k]!;
    hits += labels[i]!;
    const next = order[k + 1];
    if (next !== undefined && scores[next] === scores[i]) continue;
    visit({ threshold: scores[i]!, precision: hits / (k + 1), recall: hits / positives });
  }
}

/** Area under the ROC curve by ranks (ties share their mean rank). NaN unless both classes are there. */
export function rocAuc(scores: Float64Array, labels: Uint8Array): number {
  const order = descending(scores);
  const n = order.length;
  let positives = 0;
  let rankSum = 0;
  for (let k = 0; k < n; ) {
    let end = k + 1;
    while (end < n && scores[order[end]!] === scores[order[k]!]) end += 1;
    const rank = n - (k + end - 1) / 2;
    for (let m = k; m < end; m += 1) {
      if (labels[order[m]!] === 1) {
        positives += 1;
        rankSum += rank;
      }
    }
    k = end;
  }
  const negatives = n - positives;
  if (positives === 0 || negatives === 0) return Number.NaN;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** F1 of row-wise decisions; 0 when nothing is found. */
export function f1(decisions: Uint8Array, labels: Uint8Array): number {
  let both = 0;
  let said = 0;
  let true_ = 0;
  for (let i = 0; i < labels.length; i += 1) {
    both += decisions[i]! & labels[i]!;
    said += decisions[i]!;
    true_ += labels[i]!;
  }
  return both === 0 ? 0 : (2 * both) / (said + true_);
}

/** Rows at which `alerts` (0/1 a row) goes from 0 to 1. */
export function risesOf(alerts: Uint8Array): number[] {
  const rises: number[] = [];
  for (let i = 0; i < alerts.length; i += 1) {
    if (alerts[i] === 1 && (i === 0 || alerts[i - 1] === 0)) rises.push(i);
  }
  return rises;
}

/** Row of the first alert that rises in [from, to), or −1. */
export function firstRise(alerts: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i += 1) {
    if (alerts[i] === 1 && (i === 0 || alerts[i - 1] === 0)) return i;
  }
  return -1;
}

/** The `share` quantile of `values` (linear between ranks); NaN of none. Does not change its argument. */
export function quantile(values: ArrayLike<number>, share: number): number {
  return quantileOf(Float64Array.from(values).sort(), share);
}
