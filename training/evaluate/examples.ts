// Examples of alerts for the report: the score around a fault that was found, and the signals blamed, expected beside
// seen.
import type { Detector } from '../../core/model/detector.ts';
import { isActive, isStrange, NEVER_SEEN, stepAlert } from '../../core/model/hysteresis.ts';
import type { PerturbedSeries } from './perturb.ts';

export interface AlertExample {
  readonly car: string;
  readonly kind: string;
  /** The signal that was struck. */
  readonly struck: string;
  /** Seconds from the fault's beginning, one a row shown. */
  readonly secondsS: readonly number[];
  readonly scores: readonly number[];
  readonly threshold: number;
  /** Seconds from the fault's beginning to the alert. */
  readonly alertS: number;
  readonly endS: number;
  readonly signals: readonly {
    readonly signal: string;
    readonly share: number;
    readonly seen: readonly (number | null)[];
    readonly expected: readonly (number | null)[];
  }[];
}

const EXAMPLES = 3;
const BEFORE = 60;
const AFTER = 60;
const SHOWN_SIGNALS = 2;

const finite = (value: number): number | null =>
  Number.isFinite(value) ? Number(value.toPrecision(6)) : null;

function exampleOf(
  detector: Detector,
  { series, events }: PerturbedSeries,
  event: PerturbedSeries['events'][number],
): AlertExample | null {
  if (!events.includes(event)) return null;
  const { catalogue, threshold } = detector.bundle;
  const width = catalogue.signals.length;
  const first = Math.max(0, event.from - BEFORE);
  const last = Math.min(series.tsMs.length, event.to + AFTER);
  const state = detector.newState();
  let alert = NEVER_SEEN;
  let raisedAt = -1;
  let shares: Float64Array | null = null;
  const scores: number[] = [];
  const expected: Float64Array[] = [];
  for (let i = 0; i < last; i += 1) {
    const finding = detector.step(state, series.values, series.tsMs[i]!, i * width);
    const before = isActive(alert.state);
    const tsMs = series.tsMs[i]!;
    alert = stepAlert(detector.bundle, alert, { tsMs, strange: isStrange(finding.score, threshold) });
    if (!before && isActive(alert.state) && i >= event.from && i < event.to && raisedAt < 0) {
      raisedAt = i;
      shares = detector.explain().shares.slice();
    }
    if (i < first) continue;
    scores.push(Number(finding.score.toFixed(3)));
    expected.push(detector.explain().expected.slice());
  }
  if (shares === null) return null;
  const blamed = [...shares.keys()].sort((a, b) => shares![b]! - shares![a]!).slice(0, SHOWN_SIGNALS);
  const second = (row: number) => (series.tsMs[row]! - series.tsMs[event.from]!) / 1000;
  return {
    car: series.id,
    kind: event.kind,
    struck: catalogue.signals[event.signal]!.name,
    secondsS: Array.from({ length: last - first }, (_, k) => second(first + k)),
    scores,
    threshold,
    alertS: second(raisedAt),
    endS: second(event.to - 1),
    signals: blamed.map((signal) => ({
      signal: catalogue.signals[signal]!.name,
      share: shares![signal]!,
      seen: expected.map((_, k) => finite(series.values[(first + k) * width + signal]!)),
      expected: expected.map((row) => finite(row[signal]!)),
    })),
  };
}

/** Up to three alerts on faults of different kinds, by the detectors that had not seen the car. */
export function alertExamples(
  judges: readonly Detector[],
  foldOf: readonly number[],
  faulty: readonly PerturbedSeries[],
): AlertExample[] {
  const out: AlertExample[] = [];
  for (const [i, one] of faulty.entries()) {
    for (const event of one.events) {
      if (out.length >= EXAMPLES) return out;
      if (out.some(({ kind }) => kind === event.kind)) continue;
      const example = exampleOf(judges[foldOf[i]!]!, one, event);
      if (example) out.push(example);
    }
  }
  return out;
}
