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
import { TelltaleError } from '../core/errors.ts';
import type { Backend } from '../core/model/backend.ts';
import { BUNDLE_FORMAT, type ModelBundle, sealBundle } from '../core/model/bundle.ts';
import { createDetector, type Detector } from '../core/model/detector.ts';
import { FEATURE_VERSION } from '../core/model/features.ts';
import type { HeadSpec } from '../core/model/heads/head.ts';
import { createHead } from '../core/model/heads/heads.ts';
import { HYSTERESIS } from '../core/model/hysteresis.ts';
import { balanceAlone, type Held, LEAST_THRESHOLD, thresholdOf, voicesOf, weigher } from './balance.ts';
import { dealFolds, type Folds } from './folds.ts';
import { fitRangeHead } from './heads/range.ts';
import { fitRelationHead } from './heads/relation.ts';
import type { ResidualHeadPlan } from './heads/residual.ts';
import { fitShockHead } from './heads/shock.ts';
import { stillHeads, stillSignals } from './heads/still.ts';
import { type Ground, type Judged, judge, type Parts, scoresOf, usualOf } from './judge.ts';
import { fitNetwork, type Network } from './network.ts';
import { prepare, selectRows } from './prepared.ts';
import { fitScaler } from './scaling.ts';
import { carsIn, hoursIn, rowsIn, type Series, usualStepMs } from './series.ts';
import { fitStatisticTails } from './statistics.ts';
import { turn } from './turn.ts';
import { findVariants, variantRows, variantsAmong, wrapHead } from './variants.ts';

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
  /** Share of the strangest training rows taken for faults. Default 0.03. */
  readonly trim?: number;
  readonly latenessMs?: number;
  /** Heads besides the relation head. Default usualHeads. */
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

/**
 * Heads besides the relation head. A linear forecast tells most on a single rig, where the same minutes come again and again,
 * and least on a fleet.
 */
export const usualHeads = (oneRig: boolean): readonly ResidualHeadPlan[] => [
  { name: 'autoencoder', source: 'autoencoder', span: 30, share: 0.4 },
  { name: 'forecast', source: 'forecast', span: 30, share: oneRig ? 1 : 0.4 },
];

const MIN_ROWS = 100;
const GAP_STEPS = 60;

function layGround(input: TrainInput): Ground {
  const { catalogue, series } = input;
  const width = catalogue.signals.length;
  const { scaler, medians, leftOut } = fitScaler(series, width);
  if (scaler.signals.length === 0)
    throw new TelltaleError('TRAINING_DATA', 'no signal moves: every one is constant or missing');
  const stepMs = usualStepMs(series);
  const gapMs = Math.max(30_000, GAP_STEPS * stepMs);
  const prepared = prepare(series, scaler, width, { stepMs, gapMs });
  const { variants, variantOf } = findVariants(prepared, series);
  return {
    prepared,
    variants,
    variantOf,
    folds: dealFolds(series, input.seed, variantOf),
    leftOut,
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
      still: stillSignals({ leftOut, medians }),
      medians: [...medians],
      hysteresis: { ...HYSTERESIS },
      stepMs,
      gapMs,
      latenessMs: input.latenessMs ?? 30_000,
    },
  };
}

interface Fitted {
  readonly parts: Parts;
  readonly model: LayersModel;
  readonly judged: readonly Judged[];
  /** What judged each fold. */
  readonly partsOf: (fold: number) => Parts;
}

/**
 * Voices have a budget of their own and raise the threshold by a hundredth to a thirtieth of what it is without them. Where they would
 * raise it by more, the history has faults that are loud in them, and nothing else may be unheard for that.
 */
const WITH_VOICES = 1.035;

/** The relation heads of all variants: fitted on all rows, and without each fold. */
async function fitRelations(input: TrainInput, { prepared, folds, variants }: Ground) {
  const { seed, signal, trim = 0.03, progress = () => {} } = input;
  const out: { readonly final: HeadSpec; readonly folds: readonly HeadSpec[] }[] = [];
  for (const [v, variant] of variants.entries()) {
    const rows = variantRows(prepared, variant);
    const foldOfRow = folds.ofRow.filter((_, r) => variant.rows[r] === 1);
    const { final, folds: without } = await fitRelationHead(rows, foldOfRow, folds.count, {
      seed,
      trim,
      maxRows: input.relationRows,
      share: rows.count / prepared.count,
      oneRig: folds.byTime,
      progress: async (done, what) => {
        progress((0.35 * (v + done)) / variants.length, what);
        await turn(signal);
      },
    });
    out.push({
      final: wrapHead(final, variants, v),
      folds: without.map((spec) => wrapHead(spec, variants, v)),
    });
  }
  return out;
}

/**
 * The range and shock heads of all variants: fitted on all rows, and without each fold. What a jump is cannot be told from
 * a single rig's own past.
 */
function fitSimple({ prepared, folds, variants }: Ground, trim: number) {
  const fit = (keep: (row: number) => boolean) =>
    variants.flatMap((variant, v) => {
      const own = selectRows(prepared, (r) => variant.rows[r] === 1 && keep(r), variant.channels);
      const heads: HeadSpec[] = [fitRangeHead(own, trim)];
      if (!folds.byTime) heads.push(fitShockHead(own, trim));
      return heads.map((head) => wrapHead(head, variants, v));
    });
  return {
    final: fit(() => true),
    folds: Array.from({ length: folds.count }, (_, fold) => fit((r) => folds.ofRow[r] !== fold)),
  };
}

/** Fits everything on all rows, and on parts of them to judge the rest. */
async function fitAll(input: TrainInput, ground: Ground): Promise<Fitted> {
  const { prepared, folds, variants } = ground;
  const { seed, backend, signal, trim = 0.03, maxSteps = 1000, progress = () => {} } = input;
  const options = {
    seed,
    backend,
    signal,
    trim,
    maxSteps,
    variants,
    heads: input.heads ?? usualHeads(folds.byTime),
  };
  const relations = await fitRelations(input, ground);
  const simple = fitSimple(ground, trim);
  const watch = stillHeads(ground.shared.still);
  // The autoencoder costs most: two of them, each fitted on every other fold, judge what the other has seen.
  const halves: Network[] = [];
  if (options.heads.length > 0) {
    for (const half of [0, 1]) {
      const keep = (r: number) => folds.ofRow[r]! % 2 === half;
      const network = await fitNetwork(selectRows(prepared, keep), {
        ...options,
        variants: variantsAmong(variants, keep),
        share: 0.5,
        progress: (done, what) => progress(0.35 + 0.15 * (half + done), what),
      });
      network.model.dispose();
      halves.push(network);
    }
  }
  const { model, network, heads } = await fitNetwork(prepared, {
    ...options,
    share: 1,
    progress: (done, what) => progress(0.65 + 0.3 * done, what),
  });
  progress(0.95, 'calibrating');
  const partsOf = (fold: number): Parts => {
    const other = halves[1 - (fold % 2)];
    return {
      network: other?.network ?? network,
      heads: [
        ...relations.map((one) => one.folds[fold]!),
        ...simple.folds[fold]!,
        ...watch,
        ...(other?.heads ?? []),
      ],
    };
  };
  const judged = judge(ground, input.series, partsOf);
  return {
    parts: { network, heads: [...relations.map((one) => one.final), ...simple.final, ...watch, ...heads] },
    model,
    judged,
    partsOf,
  };
}

/**
 * Trains a model.
 * @throws TelltaleError TRAINING_DATA when there is too little, ABORTED
 */
export async function trainModel(input: TrainInput): Promise<Trained> {
  const { alertsPerHour, seed, backend, trim = 0.03 } = input;
  const rows = rowsIn(input.series);
  if (rows < MIN_ROWS)
    throw new TelltaleError('TRAINING_DATA', `${rows} rows; at least ${MIN_ROWS} are needed`);
  const ground = layGround(input);
  const { parts, model, judged: heldOut, partsOf } = await fitAll(input, ground);
  const channels = ground.shared.scaler.signals.length;
  const statisticsOf = (head: HeadSpec) => createHead(head, channels).statistics.length;
  const measured = fitStatisticTails(parts.heads, statisticsOf, heldOut, {
    several: ground.variants.length > 1,
    oneRig: ground.folds.byTime,
  });
  const card = {
    seed,
    backend: backend.description,
    rows,
    cars: carsIn(input.series).length,
    hours: hoursIn(input.series, ground.shared.gapMs),
    train: { alertsPerHour, trim, ...input.card },
  };
  const judged: Held = { ground, judged: heldOut, alertsPerHour };
  const { tails, limits } = balanceAlone(judged, { ...ground.shared, ...parts, tails: measured, card });
  const unweighed = { ...ground.shared, ...parts, tails, card };
  const weigh = weigher(judged, unweighed);
  const silent = { ...unweighed, ...weigh(parts) };
  const voices = voicesOf(judged, silent, limits);
  const weighed = { ...silent, ...(voices && { voices }) };
  const { usual, scores } = scoresOf(weighed, heldOut, usualOf(ground));
  const content = { ...weighed, usual };
  const most = voices ? WITH_VOICES * voices.strangeness : Number.POSITIVE_INFINITY;
  const exact = Math.min(thresholdOf(scores, judged), most);
  // As many decimals as scores have, so that all who compare the two agree.
  const threshold = Math.ceil(Math.max(LEAST_THRESHOLD, exact) * 1e4) / 1e4;
  const judges = Array.from({ length: ground.folds.count }, (_, fold) =>
    createDetector(sealBundle({ ...content, ...weigh(partsOf(fold)), threshold })),
  );
  const bundle = sealBundle({ ...content, threshold });
  return { bundle, model, heldOut: scores, folds: ground.folds, judges, leftOut: ground.leftOut };
}
