// What all fits share: what is asked for, the rows as features, and who judges whom.

import { type Catalogue, catalogueHash } from '../../core/catalogue.ts';
import { TelltaleError } from '../../core/errors.ts';
import type { Backend } from '../../core/model/backend.ts';
import { BUNDLE_FORMAT, type BundleContent } from '../../core/model/bundle.ts';
import { FEATURE_VERSION } from '../../core/model/features.ts';
import type { FittedScaler } from '../../core/model/fitted-scaler.ts';
import { constantSignals } from '../../core/model/heads/constant/fit.ts';
import type { HeadKinds } from '../../core/model/heads/kind.ts';
import { HEAD_KINDS } from '../../core/model/heads/kinds.ts';
import type { ResidualHeadPlan } from '../../core/model/heads/residual/fit.ts';
import { HYSTERESIS } from '../../core/model/hysteresis.ts';
import type { Prepared, Variant } from '../../core/model/prepared.ts';
import { alertsAsked } from '../data/alerts-asked.ts';
import { dealFolds, type Folds } from '../data/folds.ts';
import { prepare } from '../data/prepare.ts';
import { fitScaler } from '../data/scaling.ts';
import { hoursIn, type Series, usualStepMs } from '../data/series.ts';
import { findVariants } from '../data/variants.ts';
import { fitLosses, withGuesses } from './losses.ts';

/** What all fits share: rows as features, and who judges whom. */
export interface Ground {
  readonly prepared: Prepared;
  readonly variants: readonly Variant[];
  /** The place among them of a car's variant. */
  readonly variantOf: (car: string) => number;
  readonly folds: Folds;
  /** The kinds of heads there are. */
  readonly kinds: HeadKinds;
  /** Signals no channel is made of, and why. */
  readonly leftOut: FittedScaler['leftOut'];
  /** Whether a signal that stood still and moves is an alert by itself. */
  readonly constantsKnown: boolean;
  readonly shared: Omit<BundleContent, 'network' | 'heads' | 'tails' | 'usual' | 'threshold' | 'card'>;
}

export type Parts = Pick<BundleContent, 'network' | 'heads'>;

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
  /** Heads besides the relation head. Default: as fit-all.ts has them. */
  readonly heads?: readonly ResidualHeadPlan[];
  /** The kinds of heads there are. Default: kinds.ts. */
  readonly kinds?: HeadKinds;
  /** What the card says beyond what is known here. */
  readonly card?: Readonly<Record<string, unknown>>;
  /** Work done, 0 to 1, and what is being done. */
  readonly progress?: (done: number, what: string) => void;
}

const GAP_STEPS = 60;

export function layGround(input: TrainInput): Ground {
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
  const { still, known } = constantSignals({ leftOut, medians }, allowed);
  return {
    prepared,
    variants,
    variantOf,
    folds: dealFolds(series, input.seed, variantOf, input.fewFolds),
    kinds: input.kinds ?? HEAD_KINDS,
    leftOut,
    constantsKnown: known,
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
