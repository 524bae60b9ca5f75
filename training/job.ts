// One training run from settings to a folder on disk: read, fit, evaluate, save. `command.ts` words it for the
// terminal, the demo calls it directly. What decides the result stands in the card, so that `--card` can run it again.
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Catalogue, catalogueHash } from '../core/catalogue.ts';
import { counted } from '../core/counted.ts';
import type { Log } from '../core/log/log.ts';
import type { Backend } from '../core/model/backend.ts';
import { bundleLayers, type ModelBundle } from '../core/model/bundle.ts';
import { readBundle } from '../core/model/bundle-file.ts';
import { checkKernel } from '../core/model/check.ts';
import { createDetector } from '../core/model/detector.ts';
import type { LeftOut } from '../core/model/fitted-scaler.ts';
import type { Release } from '../core/model/releases.ts';
import type { Context } from '../core/service.ts';
import { momentMs } from '../core/setting-kinds.ts';
import type { Settings } from '../core/settings.ts';
import { yieldNow } from '../core/yield.ts';
import { type Trained, trainModel } from './calibrate/train-model.ts';
import { silenced } from './data/counters.ts';
import { isTouched } from './data/ground-truth.ts';
import { resolveRanges } from './data/history.ts';
import { hoursRemarks } from './data/plausible-hours.ts';
import { carsIn, rowsIn } from './data/series.ts';
import {
  dataFromLog,
  type ReadPlan,
  type Recipe,
  type Source,
  type TrainingData,
  tenths,
} from './data/training-data.ts';
import { type Evaluation, evaluate } from './evaluate/evaluate.ts';
import { checkOwnHistory, scoreOwnHistory } from './evaluate/own-history.ts';
import { chooseTest } from './evaluate/test-series.ts';
import { budgetVerdict } from './evaluate/verdict.ts';
import { firstModelText } from './first-model.ts';
import { readBack } from './release/read-back.ts';
import { release, versionOf } from './release/registry.ts';
import { writeModelFiles, writeWhole } from './release/save.ts';
import { coverageOf } from './report/coverage.ts';
import { writeReport } from './report/report.ts';
import { type Job, saySummary } from './report/summary.ts';

/**
 * How much is done: gradient steps of one fit and rows that relations are read from at most, rows of its own history
 * that a model must pass, and whether the usual methods are judged beside it. A first model is to be there in seconds:
 * the heads that live off autoencoder and forecast found nothing more in it and took a third of its time. With fewer
 * rows than these (6,000 for the relations, or 30,000 in all) it raised more false alerts on simulated fleets. Whether
 * it keeps its budget each model says of itself.
 */
const EFFORT = {
  first: {
    fit: { maxSteps: 40, relationRows: 8_000, fewFolds: true, heads: [] },
    ownRows: 10_000,
    besideOthers: false,
  },
  quick: { fit: { maxSteps: 400, relationRows: 8_000 }, ownRows: 40_000, besideOthers: true },
  full: { fit: { maxSteps: 1200 }, ownRows: 40_000, besideOthers: true },
} as const;

/** The part of a card that is enough to run again. */
export interface TrainCard {
  readonly source: Source;
  readonly recipe: Recipe;
  /** SHA-256 of source and recipe. */
  readonly configHash: string;
  readonly catalogue: string;
  readonly catalogueHash: string;
  readonly recordsRead: number;
  readonly recordsLeftOut: number;
  readonly [more: string]: unknown;
}

/** What the card of a model says of how much was done and how many records it read; a card of another making says neither. */
export function trainCardOf({ card }: ModelBundle): {
  readonly effort: Recipe['effort'] | null;
  readonly recordsRead: number;
} {
  const { recipe, recordsRead } = card.train as Partial<TrainCard>;
  return { effort: recipe?.effort ?? null, recordsRead: recordsRead ?? 0 };
}

const CSV_BUDGET_PER_HOUR = 0.5;

const LOG_BUDGET_PER_HOUR = 1 / 24;

export interface JobOptions extends ReadPlan {
  readonly backend: Backend;
}

/** What the settings ask for, or the card where one is run again. */
export function recipeOf(settings: Settings, card: TrainCard | null): Recipe {
  const { seed, effort, maxRows, alertBudget } = settings;
  const usual = settings.csv === '' ? LOG_BUDGET_PER_HOUR : CSV_BUDGET_PER_HOUR;
  return card?.recipe ?? { seed, effort, maxRows, alertsPerHour: alertBudget ?? usual };
}

const UNUSED = [
  ['constant', 'the same in every row, watched for being something else'],
  ['seldom', 'not watched, the same in the few rows in which it was measured'],
  ['rare', 'not watched, the same in all but a few rows'],
  ['missing', 'not watched, hardly ever measured'],
] as const;

/** Says of which signals no channel was made, and why. */
function sayUnused({ catalogue, counters }: TrainingData, trained: Trained, say: (line: string) => void) {
  const { leftOut, bundle } = trained;
  const whyOf = ({ signal, why }: LeftOut) =>
    why === 'constant' && !bundle.still.signals.includes(signal) ? 'seldom' : why;
  for (const [why, what] of UNUSED) {
    const unused = leftOut.filter((one) => whyOf(one) === why && !silenced(counters).has(one.signal));
    const names = unused.map(({ signal }) => catalogue.signals[signal]!.name);
    if (names.length > 0) say(`data: ${what}: ${names.join(', ')}`);
  }
}

const cardOf = ({ source, catalogue, records, leftOut }: TrainingData, recipe: Recipe): TrainCard => ({
  source,
  recipe,
  configHash: createHash('sha256').update(JSON.stringify({ source, recipe })).digest('hex'),
  catalogue: `${catalogue.name} ${catalogue.version}`,
  catalogueHash: catalogueHash(catalogue),
  recordsRead: records,
  recordsLeftOut: leftOut,
});

/**
 * Fits on the data and writes the model's folder, whole or not at all.
 * @throws TelltaleError TRAINING_DATA, MODEL_ALARMS, MODEL_INVALID, ABORTED; then nothing is written
 */
export async function runJob(
  data: TrainingData,
  options: JobOptions,
  dirOf: (bundle: ModelBundle) => string,
): Promise<Job> {
  const { catalogue, series, truth, champion } = data;
  const { recipe, backend, signal, say } = options;
  const effort = EFFORT[recipe.effort];
  for (const remark of [...data.remarks, ...hoursRemarks(series)]) say(`data: ${remark}`);
  say(
    `data: ${rowsIn(series).toLocaleString('en')} rows of ${counted(carsIn(series).length, 'car')}, ${counted(catalogue.signals.length, 'signal')}; ${backend.description}`,
  );
  const trained = await trainModel({
    catalogue,
    series,
    seed: recipe.seed,
    alertsPerHour: recipe.alertsPerHour,
    ...effort.fit,
    backend,
    signal,
    card: cardOf(data, recipe),
    progress: tenths(say, 'training'),
  });
  const { bundle, model } = trained;
  try {
    sayUnused(data, trained, say);
    checkKernel(backend.tf, bundleLayers(bundle), 'the new model');
    const { alertsPerHour, seed } = recipe;
    say('training: scoring its own history');
    const readable = readBack(bundle, 'the new model');
    const ownHistory = await scoreOwnHistory(readable, series, alertsPerHour, {
      ...{ truth, signal, most: effort.ownRows },
    });
    checkOwnHistory(ownHistory);
    await yieldNow(signal);
    say('training: evaluating');
    const judged = { trained, series, truth, champion, besideOthers: effort.besideOthers };
    const evaluation = await evaluate({ ...judged, alertsPerHour, seed, backend, signal });
    const width = catalogue.signals.length;
    const test = chooseTest(series, trained.folds, width, (one) => isTouched(truth, one));
    const coverage = coverageOf(series, {
      folds: trained.folds,
      judgedOn: test.map((one) => one.series),
      leftOut: data.carsLeftOut,
    });
    const { askedPerHour, metPerHour } = evaluation.budget;
    const verdict = budgetVerdict(evaluation.budget, evaluation);
    const firstModel = recipe.effort === 'first' ? firstModelText(coverage, evaluation) : null;
    const facts = { ownHistory, coverage, verdict, firstModel };
    await yieldNow(signal);
    const dir = dirOf(bundle);
    await mkdir(dirname(dir), { recursive: true });
    await writeWhole(dir, async (partial) => {
      await writeModelFiles(partial, model, bundle, {
        budget: { askedPerHour, metPerHour, ...verdict },
        ...(firstModel === null ? {} : { firstModel }),
      });
      await writeReport(partial, bundle, evaluation, facts);
      // Read as the scorer reads it, while the folder has not taken its place: what cannot be read is never there.
      createDetector(await readBundle(partial));
      await yieldNow(signal);
    });
    return { bundle, dir, evaluation, facts };
  } finally {
    model.dispose();
  }
}

/** What a list of models says of one; null where it could not be judged. */
function figuresOf({ methods, budget }: Evaluation): NonNullable<Release['judged']> {
  const known = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : null);
  return {
    averagePrecision: known(methods[0]?.averagePrecision),
    found: known(methods[0]?.budgets[0]?.recall),
    falseAlertsPerHour: known(budget.metPerHour),
  };
}

export interface ReleaseJob {
  readonly log: Log;
  readonly catalogue: Catalogue;
  readonly backend: Backend;
  readonly settings: Settings;
  readonly context: Context;
  /** A card to run again: its records and recipe take the place of the settings'. */
  readonly card?: TrainCard | null;
}

/**
 * Trains on a stretch of the log and releases the model: folder first, then the record that puts it to work. One from a
 * card is to be looked at: it is released only to be champion.
 * @throws TelltaleError TRAINING_DATA, ABORTED, and what the log throws
 */
export async function trainAndRelease(job: ReleaseJob): Promise<{ readonly version: string } & Job> {
  const { log, catalogue, backend, settings, context, card = null } = job;
  const { from, to, offsets, cars, dataDir, out, promote, by, note } = settings;
  const options = { recipe: recipeOf(settings, card), signal: context.signal, say: context.say, backend };
  const nowMs = context.clock();
  const known = card?.source.kind === 'log' ? card.source : null;
  const again = known?.ranges.map((range) => `${range.partition}:${range.from}-${range.to}`).join(',');
  const ranges = await resolveRanges(log, {
    fromMs: known ? null : from && momentMs(from, nowMs),
    toMs: known ? null : to && momentMs(to, nowMs),
    offsets: again ?? offsets,
  });
  const source = known ?? { kind: 'log' as const, ranges, cars };
  const data = await dataFromLog(log, catalogue, source, options);
  const place = (bundle: ModelBundle) =>
    out === '' ? join(dataDir, 'models', versionOf(bundle, nowMs)) : out;
  const done = await runJob(data, options, (bundle) => resolve(place(bundle)));
  const { bundle } = done;
  const version = versionOf(bundle, nowMs);
  // Said first: should the log fail now, the model is there all the same.
  saySummary(context.say, done);
  const judged = figuresOf(done.evaluation);
  if (card !== null && !promote) {
    context.say("not released: a model trained again from its card takes nobody's place (--promote would)");
    return { version, ...done };
  }
  const alias = await release({ log, clock: context.clock, version, bundle, promote, by, note, judged });
  context.say(`released ${version} as ${alias}`);
  return { version, ...done };
}
