// What a data scientist wants to know before believing a model, as numbers: is the promised budget kept by cars not
// used to set it, what is found and how fast, what do the usual methods find on the same rows, and did the inputs
// drift. Everything is measured on rows judged by a model that had not seen their car. Bounded in time: long histories
// are thinned to whole series.

import { concat } from '../../core/math/concat.ts';
import type { Backend } from '../../core/model/backend.ts';
import { selectRows } from '../../core/model/prepared.ts';
import { mapYielding } from '../../core/yield.ts';
import { alertsOf, withoutPauses } from '../calibrate/alerts.ts';
import { scoreByFold } from '../calibrate/held-out.ts';
import { calibrate } from '../calibrate/threshold.ts';
import type { Trained } from '../calibrate/train-model.ts';
import type { Champion } from '../data/champion.ts';
import { isTouched, type KnownFault } from '../data/ground-truth.ts';
import { prepare } from '../data/prepare.ts';
import { carsIn, hoursIn, type Series } from '../data/series.ts';
import { fitBaselines } from './baselines/all.ts';
import { smoothed } from './baselines/baseline.ts';
import { type ChampionResult, judgeChampion } from './champion.ts';
import { driftOf, type SignalDrift } from './drift.ts';
import { type AlertExample, alertExamples } from './examples.ts';
import { falseRises, judgeKnown, type KnownOutcome, knownPerKind } from './known-faults.ts';
import {
  type FaultResult,
  hits,
  type Judging,
  judgeMethod,
  labelsOf,
  type MethodResult,
  perKind,
  type Scored,
} from './methods.ts';
import { type CurvePoint, precisionRecall, quantile } from './metrics.ts';
import { PERTURBATIONS, perturb } from './perturb.ts';
import { chooseTest } from './test-series.ts';

export interface EvaluateInput {
  readonly trained: Trained;
  readonly series: readonly Series[];
  readonly alertsPerHour: number;
  readonly seed: number;
  readonly backend: Backend;
  readonly signal: AbortSignal;
  /** Faults that happened in `series`; none: only synthetic ones are judged. */
  readonly truth?: readonly KnownFault[];
  /** The model in service, to be compared with; it may have seen these cars. */
  readonly champion?: Champion | null;
  /** Whether the usual methods are fitted and judged beside it. Default true. */
  readonly besideOthers?: boolean;
}

export interface BudgetPoint {
  readonly threshold: number;
  readonly alertsPerHour: number;
}

export interface Evaluation {
  readonly rows: number;
  readonly hours: number;
  readonly cars: number;
  readonly threshold: number;
  readonly budget: {
    readonly askedPerHour: number;
    /** Alerts on one half of the held-out cars at a threshold set on the other half, both ways together. */
    readonly metPerHour: number;
    readonly curve: readonly BudgetPoint[];
  };
  readonly methods: readonly MethodResult[];
  readonly precisionRecall: readonly CurvePoint[];
  readonly scores: {
    readonly edges: readonly number[];
    readonly normal: readonly number[];
    readonly faulty: readonly number[];
  };
  readonly synthetic: readonly FaultResult[];
  /** Faults the log knew of, per kind and one by one; empty without ground truth. */
  readonly known: readonly FaultResult[];
  readonly knownFaults: readonly KnownOutcome[];
  /** The model in service on the same rows; null: there is none. */
  readonly champion: ChampionResult | null;
  readonly examples: readonly AlertExample[];
  readonly drift: readonly SignalDrift[];
}

/** Smoothing given to every baseline. */
const BASELINE_SPAN = 16;
const BINS = 48;

/** The budget met where it was not set: two halves of the held-out series, each judged at the other's threshold. */
function crossedBudget(input: EvaluateInput, gapMs: number): number {
  const { trained, alertsPerHour, truth = [] } = input;
  const { bundle } = trained;
  let raised = 0;
  let hours = 0;
  for (const half of [0, 1]) {
    const mine = trained.heldOut.filter((_, i) => i % 2 === half);
    const other = trained.heldOut.filter((_, i) => i % 2 !== half);
    if (mine.length === 0 || other.length === 0) continue;
    const hoursOf = (list: typeof mine) =>
      hoursIn(
        list.map(({ series }) => series),
        gapMs,
      );
    const { threshold } = calibrate(
      other.flatMap(({ series, scores }) => withoutPauses(series.tsMs, scores, gapMs)),
      bundle.hysteresis,
      {
        alertsPerHour,
        hours: hoursOf(other),
        cars: carsIn(other.map(({ series }) => series)).length,
        sameCars: trained.folds.byTime,
      },
    );
    for (const one of mine) raised += falseRises(one, threshold, bundle, truth);
    hours += hoursOf(mine);
  }
  return hours > 0 ? raised / hours : Number.NaN;
}

function budgetCurve({ trained, truth = [] }: EvaluateInput, hours: number): BudgetPoint[] {
  const { bundle } = trained;
  return Array.from({ length: 41 }, (_, i) => {
    const at = bundle.threshold * (0.3 + 0.03 * i);
    const raised = trained.heldOut.reduce((sum, one) => sum + falseRises(one, at, bundle, truth), 0);
    return { threshold: at, alertsPerHour: raised / hours };
  });
}

function histogram(clean: Float64Array, faulty: Float64Array, labels: Uint8Array): Evaluation['scores'] {
  const top = Math.max(1, quantile(faulty, 0.995), quantile(clean, 0.9999)) * 1.02;
  const edges = Array.from({ length: BINS + 1 }, (_, i) => (top * i) / BINS);
  const count = (scores: Float64Array, keep: (i: number) => boolean) => {
    const bins = new Array<number>(BINS).fill(0);
    let n = 0;
    scores.forEach((score, i) => {
      if (!keep(i)) return;
      n += 1;
      bins[Math.min(BINS - 1, Math.floor((score / top) * BINS))]! += 1;
    });
    return bins.map((bin) => bin / Math.max(1, n));
  };
  return { edges, normal: count(clean, () => true), faulty: count(faulty, (i) => labels[i] === 1) };
}

/** Scores of many series cut where one begins, or goes on after a pause. */
function betweenStarts(scores: Float64Array, first: Uint8Array): Float64Array[] {
  const starts = [...first.keys()].filter((r) => first[r] === 1);
  return starts.map((from, k) => scores.subarray(from, starts[k + 1] ?? scores.length));
}

/** Scores of the baselines, each with thresholds set on rows it was fitted on, as is usual. */
async function judgeBaselines(
  input: EvaluateInput,
  test: readonly { readonly series: Series }[],
  judging: Judging,
): Promise<MethodResult[]> {
  const { trained, series, alertsPerHour, seed, backend, signal } = input;
  const { scaler, stepMs, gapMs, catalogue } = trained.bundle;
  const width = catalogue.signals.length;
  const ids = new Set(test.map((one) => one.series.id));
  const rest = trained.folds.byTime ? series : series.filter(({ id }) => !ids.has(id));
  const prepared = prepare(rest, scaler, width, { stepMs, gapMs });
  const known = trained.folds.byTime
    ? selectRows(prepared, (r) => trained.folds.ofRow[r] !== trained.folds.count - 1)
    : prepared;
  const hours = hoursIn(rest, gapMs);
  const cars = carsIn(rest).length;
  const sameCars = trained.folds.byTime;
  const ready = (list: readonly Series[]) =>
    list.map((one) => prepare([one], scaler, width, { stepMs, gapMs }));
  const clean = ready(test.map((one) => one.series));
  const faulty = ready(judging.faulty.map((one) => one.series));
  const methods: MethodResult[] = [];
  for (const baseline of await fitBaselines(known, seed, backend, signal)) {
    const run = (rows: typeof known) => smoothed(baseline.score(rows), rows.first, BASELINE_SPAN);
    const own = betweenStarts(run(known), known.first);
    const thresholds = [alertsPerHour, alertsPerHour / 4].map((askedPerHour) => ({
      askedPerHour,
      threshold: calibrate(own, judging.rule.hysteresis, {
        alertsPerHour: askedPerHour,
        hours,
        cars,
        sameCars,
      }).threshold,
    }));
    const scored = {
      clean: await mapYielding(clean, run, signal),
      faulty: await mapYielding(faulty, run, signal),
    };
    methods.push(judgeMethod(baseline.name, baseline.about, scored, thresholds, judging));
  }
  return methods;
}

/** Evaluates a model that was just trained. A few seconds for 200,000 rows. @throws TelltaleError ABORTED */
export async function evaluate(input: EvaluateInput): Promise<Evaluation> {
  const { trained, series, alertsPerHour, seed, champion = null, truth = [], signal } = input;
  const { bundle } = trained;
  const { scaler, gapMs, catalogue, hysteresis, threshold } = bundle;
  const width = catalogue.signals.length;
  const test = chooseTest(series, trained.folds, width, (one) => isTouched(truth, one));
  const faulty = perturb(
    test.map((one) => one.series),
    width,
    scaler,
    seed,
  );
  const judging = {
    faulty,
    hours: Math.max(
      1e-6,
      hoursIn(
        test.map((one) => one.series),
        gapMs,
      ),
    ),
    rule: bundle,
  };
  const byJudges: Scored = {
    clean: await scoreByFold(trained.judges, test, signal),
    faulty: await scoreByFold(
      trained.judges,
      faulty.map(({ series }, i) => ({ series, fold: test[i]!.fold })),
      signal,
    ),
  };
  const allHours = hoursIn(
    trained.heldOut.map((one) => one.series),
    gapMs,
  );
  const strict = calibrate(
    trained.heldOut.flatMap(({ series: { tsMs }, scores }) => withoutPauses(tsMs, scores, gapMs)),
    hysteresis,
    {
      alertsPerHour: alertsPerHour / 4,
      hours: allHours,
      cars: carsIn(trained.heldOut.map(({ series }) => series)).length,
      sameCars: trained.folds.byTime,
    },
  );
  const thresholds = [
    { askedPerHour: alertsPerHour, threshold },
    { askedPerHour: alertsPerHour / 4, threshold: strict.threshold },
  ];
  const methods = [
    judgeMethod('telltale', 'this model, on cars it had not seen', byJudges, thresholds, judging),
  ];
  const judged =
    champion &&
    (await judgeChampion(champion, {
      test: test.map((one) => one.series),
      judging,
      heldOut: trained.heldOut.map((one) => one.series),
      truth,
      askedPerHour: alertsPerHour,
      signal,
    }));
  if (judged && 'method' in judged) methods.push(judged.method);
  if (input.besideOthers ?? true) methods.push(...(await judgeBaselines(input, test, judging)));
  const scores = concat(byJudges.faulty);
  const labels = labelsOf(faulty);
  const knownFaults = judgeKnown(truth, trained.heldOut, threshold, bundle);
  const found = hits(
    faulty,
    byJudges.faulty.map((scores, i) => alertsOf(faulty[i]!.series.tsMs, scores, threshold, bundle)),
  );
  return {
    rows: series.reduce((sum, { tsMs }) => sum + tsMs.length, 0),
    hours: allHours,
    cars: new Set(series.map(({ id }) => id)).size,
    threshold,
    budget: {
      askedPerHour: alertsPerHour,
      metPerHour: crossedBudget(input, gapMs),
      curve: budgetCurve(input, allHours),
    },
    methods,
    precisionRecall: precisionRecall(scores, labels),
    scores: histogram(concat(byJudges.clean), scores, labels),
    synthetic: perKind(found, (kind) => PERTURBATIONS[kind]?.about ?? ''),
    known: knownPerKind(knownFaults),
    knownFaults,
    champion: judged,
    examples: alertExamples(
      trained.judges,
      test.map(({ fold }) => fold),
      faulty,
    ),
    drift: driftOf(series, catalogue, scaler),
  };
}
