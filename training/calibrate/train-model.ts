// From rows to a model bundle: the one path behind `train` from the log, `train --csv` and the quality bench.
//
//   const { bundle, model } = await trainModel({ catalogue, series, seed: 1, alertsPerHour: 0.5, backend, signal });
//   const detector = createDetector(bundle);            // core/model/detector.ts
//   const scores = scoreSeries(detector, series[0]);     // one score a row
//
// Cars are held out, never rows: they are dealt into folds, every car is scored by a model that has not seen it, and
// the released model is fitted on all. Dispose `model` after saving it.
import type { LayersModel } from '@tensorflow/tfjs';
import { counted } from '../../core/counted.ts';
import { TelltaleError } from '../../core/errors.ts';
import { type ModelBundle, sealBundle } from '../../core/model/bundle.ts';
import { createDetector, type Detector } from '../../core/model/detector.ts';
import { refuseEndless } from '../data/endless.ts';
import type { Folds } from '../data/folds.ts';
import { carsIn, hoursIn, rowsIn, type Series } from '../data/series.ts';
import { type Fitted, fitAll, TRIM } from '../fit/fit-all.ts';
import { type Ground, layGround, type TrainInput } from '../fit/ground.ts';
import { type HeldOutRows, replayHeldOut } from './held-out.ts';
import { onOneScale } from './one-scale.ts';

export interface Trained {
  readonly bundle: ModelBundle;
  /** The TensorFlow.js model whose weights the bundle holds. */
  readonly model: LayersModel;
  /** Scores of cars by models that had not seen them: what the threshold was set on. */
  readonly heldOut: readonly { readonly series: Series; readonly scores: Float64Array }[];
  /** Who judged whom: `judges[k]` is the model fitted without the rows of fold k, with the released one's tails and threshold. */
  readonly folds: Folds;
  readonly judges: readonly Detector[];
  /** Signals that are no channels, by their place in the catalogue, and why. */
  readonly leftOut: Ground['leftOut'];
}

const MIN_ROWS = 100;

/** Everything fitted, before it is put on one scale. */
export interface FittedParts {
  readonly ground: Ground;
  /** With the rows, judged by what had not seen their car. */
  readonly fitted: Fitted & { readonly judged: readonly HeldOutRows[] };
}

/**
 * Fits everything there is to fit. Dispose `fitted.model`.
 * @throws TelltaleError TRAINING_DATA when there is too little, or a reading that no sensor gives; ABORTED
 */
export async function fitParts(input: TrainInput): Promise<FittedParts> {
  const rows = rowsIn(input.series);
  if (rows < MIN_ROWS)
    throw new TelltaleError('TRAINING_DATA', `${counted(rows, 'row')}; at least ${MIN_ROWS} are needed`);
  refuseEndless(input.series, input.catalogue);
  const ground = layGround(input);
  const fitted = await fitAll(input, ground);
  input.progress?.(0.95, 'calibrating');
  return { ground, fitted: { ...fitted, judged: replayHeldOut(ground, input.series, fitted.partsOf) } };
}

/**
 * Trains a model.
 * @throws TelltaleError TRAINING_DATA when there is too little, or a reading that no sensor gives; ABORTED
 */
export async function trainModel(input: TrainInput): Promise<Trained> {
  const { alertsPerHour, seed, backend, trim = TRIM } = input;
  const { ground, fitted } = await fitParts(input);
  const { parts, model, judged, partsOf } = fitted;
  const card = {
    seed,
    backend: backend.description,
    rows: rowsIn(input.series),
    cars: carsIn(input.series).length,
    hours: hoursIn(input.series, ground.shared.gapMs),
    train: { alertsPerHour, trim, ...input.card },
  };
  const { content, scores, weigh } = onOneScale({ ground, judged, alertsPerHour }, parts, card);
  const judges = Array.from({ length: ground.folds.count }, (_, fold) =>
    createDetector(sealBundle({ ...content, ...weigh(partsOf(fold)) }), ground.kinds),
  );
  const bundle = sealBundle(content);
  return { bundle, model, heldOut: scores, folds: ground.folds, judges, leftOut: ground.leftOut };
}
