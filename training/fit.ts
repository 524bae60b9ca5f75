// From rows to a model bundle: the one path behind `train` from the log, `train --csv` and the quality bench.
//
//   const { bundle, model } = await trainModel({ catalogue, series, seed: 1, alertsPerHour: 0.5, backend, signal });
//   const detector = createDetector(bundle);            // core/model/detector.ts
//   const scores = scoreSeries(detector, series[0]);     // one score a row
//
// Cars are held out, never rows: they are dealt into folds, every car is scored by a model that has not seen it, and the
// released model is fitted on all. Dispose `model` after saving it.
import type { LayersModel } from '@tensorflow/tfjs';
import { type Catalogue, catalogueHash } from '../core/catalogue.ts';
import { counted } from '../core/counted.ts';
import { TelltaleError } from '../core/errors.ts';
import type { Backend } from '../core/model/backend.ts';
import { BUNDLE_FORMAT, type ModelBundle, sealBundle } from '../core/model/bundle.ts';
import { createDetector, type Detector } from '../core/model/detector.ts';
import { FEATURE_VERSION } from '../core/model/features.ts';
import { HYSTERESIS } from '../core/model/hysteresis.ts';
import { alertsAsked } from './calibrate.ts';
import { dealFolds, type Folds } from './folds.ts';
import type { ResidualHeadPlan } from './heads/residual.ts';
import { stillSignals } from './heads/still.ts';
import type { Ground } from './judge.ts';
import { fitLosses, withGuesses } from './losses.ts';
import { onOneScale } from './one-scale.ts';
import { type Fitted, fitAll, TRIM } from './parts.ts';
import { prepare } from './prepared.ts';
import { refuseEndless } from './read-back.ts';
import { fitScaler } from './scaling.ts';
import { carsIn, hoursIn, rowsIn, type Series, usualStepMs } from './series.ts';
import { findVariants } from './variants.ts';

export interface TrainInput {
  readonly catalogue: Catalogue;
  readonly series: readonly Series[];
  readonly seed: number;
  /** False alerts a person can bear, per hour of driving of one car. */
  readonly alertsPerHour: number;
  readonly backend: Backend;
  readonly signal: AbortSignal;
  /** Most gradient steps of one fit; fewer are taken when there is little data. Default 1,000. */
  readonly maxSteps?: number;
  /** Most rows the relations are read from. Default 24,000. */
  readonly relationRows?: number;
  /** Most units of the forecaster. Default 704. */
  readonly relationUnits?: number;
  /** Judge by as few folds as can be: a rougher threshold, sooner. Default false. */
  readonly fewFolds?: boolean;
  /** Share of the strangest training rows taken for faults. Default 0.03. */
  readonly trim?: number;
  readonly latenessMs?: number;
  /** Heads besides the relation head. Default: as parts.ts has them. */
  readonly heads?: readonly ResidualHeadPlan[];
  /** What the card says beyond what is known here. */
  readonly card?: Readonly<Record<string, unknown>>;
  /** Work done, 0 to 1, and what is being done. */
  readonly progress?: (done: number, what: string) => void;
}

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
const GAP_STEPS = 60;

function layGround(input: TrainInput): Ground {
  const { catalogue, series } = input;
  const width = catalogue.signals.length;
  const { scaler, medians, leftOut, ...range } = fitScaler(series, width);
  if (scaler.signals.length === 0)
    throw new TelltaleError('TRAINING_DATA', 'no signal moves: every one is constant or missing');
  const stepMs = usualStepMs(series);
  const gapMs = Math.max(30_000, GAP_STEPS * stepMs);
  const rows = prepare(series, scaler, width, { stepMs, gapMs });
  const { variants, kinds, variantOf } = findVariants(rows, series);
  const losses = fitLosses(rows, series, width, kinds, range);
  const prepared = withGuesses(rows, losses, scaler);
  const hours = hoursIn(series, gapMs);
  const allowed = alertsAsked(prepared.count, { alertsPerHour: input.alertsPerHour, hours });
  const { still, known } = stillSignals({ leftOut, medians }, allowed);
  return {
    prepared,
    variants,
    variantOf,
    folds: dealFolds(series, input.seed, variantOf, input.fewFolds),
    leftOut,
    stillKnown: known,
    shared: {
      format: BUNDLE_FORMAT,
      featureVersion: FEATURE_VERSION,
      catalogue,
      catalogueHash: catalogueHash(catalogue),
      scaler: {
        ...scaler,
        signals: [...scaler.signals],
        center: [...scaler.center],
        scale: [...scaler.scale],
      },
      still,
      losses,
      medians: [...medians],
      hysteresis: { ...HYSTERESIS },
      stepMs,
      gapMs,
      latenessMs: input.latenessMs ?? 30_000,
    },
  };
}

/** Everything fitted, before it is put on one scale. */
export interface FittedParts {
  readonly ground: Ground;
  readonly fitted: Fitted;
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
  return { ground, fitted: await fitAll(input, ground) };
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
    createDetector(sealBundle({ ...content, ...weigh(partsOf(fold)) })),
  );
  const bundle = sealBundle(content);
  return { bundle, model, heldOut: scores, folds: ground.folds, judges, leftOut: ground.leftOut };
}
