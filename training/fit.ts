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
import { alertsAsked } from './calibrate.ts';
import { dealFolds, type Folds } from './folds.ts';
import { fitRangeHead } from './heads/range.ts';
import type { ResidualHeadPlan } from './heads/residual.ts';
import { fitShockHead } from './heads/shock.ts';
import { stillHeads, stillSignals } from './heads/still.ts';
import { type Ground, type Judged, judge, type Parts, scoresOf, usualOf } from './judge.ts';
import { fitNetwork, type Network } from './network.ts';
import { prepare, selectRows } from './prepared.ts';
import { type FittedHeads, fitRelationsBeside } from './relations.ts';
import { fitScaler } from './scaling.ts';
import { carsIn, hoursIn, rowsIn, type Series, usualStepMs } from './series.ts';
import { fitStatisticTails } from './statistics.ts';
import { mapInTurns } from './turn.ts';
import { findVariants, variantsAmong, wrapHead } from './variants.ts';

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

/** Share of the strangest training rows taken for faults, unless said otherwise. */
const TRIM = 0.03;
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
  const hours = hoursIn(series, gapMs);
  const allowed = alertsAsked(prepared.count, { alertsPerHour: input.alertsPerHour, hours });
  const { still, known } = stillSignals({ leftOut, medians }, allowed);
  return {
    prepared,
    variants,
    variantOf,
    folds: dealFolds(series, input.seed, variantOf),
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

/** The networks, with the heads that live off them. */
interface Networks {
  readonly final: Network;
  /** Each fitted on every other fold: they judge what the other has seen. None where no head lives off them. */
  readonly halves: readonly Network[];
}

/** The network costs most: two rough ones judge all cars. */
async function fitNetworks(
  input: TrainInput,
  { prepared, folds, variants }: Ground,
  progress: (done: number, what: string) => void,
): Promise<Networks> {
  const { seed, backend, signal, trim = TRIM, maxSteps = 1000 } = input;
  const heads = input.heads ?? usualHeads(folds.byTime);
  const options = { seed, backend, signal, trim, maxSteps, heads };
  const halves: Network[] = [];
  if (heads.length > 0) {
    for (const half of [0, 1]) {
      const keep = (r: number) => folds.ofRow[r]! % 2 === half;
      const network = await fitNetwork(selectRows(prepared, keep), {
        ...options,
        variants: variantsAmong(variants, keep),
        share: 0.5,
        progress: (done, what) => progress(0.25 * (half + done), what),
      });
      network.model.dispose();
      halves.push(network);
    }
  }
  const final = await fitNetwork(prepared, {
    ...options,
    variants,
    share: 1,
    progress: (done, what) => progress(0.5 + 0.5 * done, what),
  });
  return { final, halves };
}

/**
 * The range and shock heads of all variants: fitted on all rows, and without each fold. What a jump is cannot be told from
 * a single rig's own past.
 */
async function fitSimple(
  { prepared, folds, variants }: Ground,
  trim: number,
  signal: AbortSignal,
): Promise<FittedHeads> {
  const fit = (keep: (row: number) => boolean) =>
    variants.flatMap((variant, v) => {
      const own = selectRows(prepared, (r) => variant.rows[r] === 1 && keep(r), variant.channels);
      const heads: HeadSpec[] = [fitRangeHead(own, trim)];
      if (!folds.byTime) heads.push(fitShockHead(own, trim));
      return heads.map((head) => wrapHead(head, variants, v));
    });
  const without = Array.from({ length: folds.count }, (_, fold) => fold);
  return {
    final: fit(() => true),
    folds: await mapInTurns(without, (fold) => fit((r) => folds.ofRow[r] !== fold), signal),
  };
}

interface AllParts {
  readonly networks: Networks;
  readonly simple: FittedHeads;
  readonly relations: FittedHeads;
}

/** Puts the parts together, and judges every row by those that had not seen its car. */
function judgeAll(
  { series, progress = () => {} }: TrainInput,
  ground: Ground,
  { networks: { final, halves }, simple, relations }: AllParts,
): Fitted {
  progress(0.95, 'calibrating');
  const watch = stillHeads(ground.shared.still);
  const partsOf = (fold: number): Parts => {
    const other = halves[1 - (fold % 2)];
    return {
      network: (other ?? final).network,
      heads: [...relations.folds[fold]!, ...simple.folds[fold]!, ...watch, ...(other?.heads ?? [])],
    };
  };
  return {
    parts: {
      network: final.network,
      heads: [...relations.final, ...simple.final, ...watch, ...final.heads],
    },
    model: final.model,
    judged: judge(ground, series, partsOf),
    partsOf,
  };
}

/** What is fitted on this thread, while relations are fitted on another. */
async function fitHere(
  input: TrainInput,
  ground: Ground,
  progress: (done: number, what: string) => void,
): Promise<Omit<AllParts, 'relations'>> {
  const networks = await fitNetworks(input, ground, progress);
  try {
    return { networks, simple: await fitSimple(ground, input.trim ?? TRIM, input.signal) };
  } catch (error) {
    networks.final.model.dispose();
    throw error;
  }
}

/** Fits everything on all rows, and on parts of them to judge the rest. */
async function fitAll(input: TrainInput, ground: Ground): Promise<Fitted> {
  const { prepared, folds, variants } = ground;
  const { seed, trim = TRIM, relationRows, progress = () => {} } = input;
  const done = { relations: 0, here: 0 };
  const say = (part: keyof typeof done) => (share: number, what: string) => {
    done[part] = share;
    progress(0.4 * done.relations + 0.5 * done.here, what);
  };
  progress(0, 'fitting relations beside the networks');
  // The first to fail stops the other, and says why.
  const failed = new AbortController();
  const signal = AbortSignal.any([input.signal, failed.signal]);
  const stopBoth = (error: unknown) => {
    failed.abort(error);
    throw error;
  };
  const { reconstruction: _, ...rows } = prepared;
  const work = { prepared: rows, variants, folds, seed, trim, relationRows };
  const [beside, here] = await Promise.allSettled([
    fitRelationsBeside(work, { signal, progress: say('relations') }).catch(stopBoth),
    fitHere({ ...input, signal }, ground, say('here')).catch(stopBoth),
  ]);
  if (beside.status === 'fulfilled' && here.status === 'fulfilled')
    return judgeAll(input, ground, { ...here.value, relations: beside.value });
  if (here.status === 'fulfilled') here.value.networks.final.model.dispose();
  throw failed.signal.reason;
}

/**
 * Trains a model.
 * @throws TelltaleError TRAINING_DATA when there is too little, ABORTED
 */
export async function trainModel(input: TrainInput): Promise<Trained> {
  const { alertsPerHour, seed, backend, trim = TRIM } = input;
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
