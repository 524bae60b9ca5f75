// Runs of a pump rig: each model is trained on the first 400 rows of a run and judged on the rest, the labels only for judging.
import type { Backend } from '../../core/model/backend.ts';
import { createDetector } from '../../core/model/detector.ts';
import { alertsOf } from '../../training/calibrate/alerts.ts';
import { scoreSeries } from '../../training/calibrate/held-out.ts';
import { trainModel } from '../../training/calibrate/train-model.ts';
import { averagePrecision, f1 } from '../../training/evaluate/metrics.ts';
import { type SeriesSet, sliceSeries } from './data.ts';
import { catalogueOf } from './drives.ts';

export interface RigResult {
  readonly id: string;
  readonly averagePrecision: number;
  readonly f1: number;
  readonly seconds: number;
}

const TRAINING_ROWS = 400;
const ALERTS_PER_HOUR = 0.5;

export async function measureRigs(set: SeriesSet, backend: Backend): Promise<RigResult[]> {
  const results: RigResult[] = [];
  for (const run of set.series) {
    const started = performance.now();
    const { bundle, model } = await trainModel({
      catalogue: catalogueOf(set),
      series: [sliceSeries(run, 0, TRAINING_ROWS)],
      seed: 1,
      alertsPerHour: ALERTS_PER_HOUR,
      backend,
      signal: new AbortController().signal,
    });
    model.dispose();
    const seconds = (performance.now() - started) / 1000;
    const scores = scoreSeries(createDetector(bundle), run);
    const alerts = alertsOf(run.tsMs, scores, bundle.threshold, bundle).subarray(TRAINING_ROWS);
    const labels = run.labels.subarray(TRAINING_ROWS);
    results.push({
      id: run.id,
      averagePrecision: averagePrecision(scores.subarray(TRAINING_ROWS), labels),
      f1: f1(alerts, labels),
      seconds,
    });
  }
  return results;
}
