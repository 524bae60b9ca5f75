// The commands of this room: `train` from the log, from a recording or from a card; `models`, `promote`, `rollback`,
// `drop`.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { catalogueHash, resolveCatalogue } from '../core/catalogue.ts';
import { messageOf, TelltaleError } from '../core/errors.ts';
import { createFixedTopics } from '../core/log/create-topics.ts';
import type { Log } from '../core/log/log.ts';
import { openLog } from '../core/log/open.ts';
import { loadBackend } from '../core/model/backend.ts';
import { readReleases } from '../core/model/releases.ts';
import type { Context } from '../core/service.ts';
import type { Settings } from '../core/settings.ts';
import { checkOut, checkTrainFlags } from './check-flags.ts';
import type { CsvChoice } from './data/csv.ts';
import { dataFromCsv } from './data/training-data.ts';
import { recipeOf, runJob, type TrainCard, trainAndRelease } from './job.ts';
import { describeModels } from './release/model-list.ts';
import { drop, promote, rollback } from './release/registry.ts';
import { type Job, saySummary } from './report/summary.ts';

/** A card.json: what its model was trained from and with, and the hash that came of it. */
interface CardFile {
  readonly train: TrainCard;
  readonly backend: string;
  readonly bundleHash: string;
}

/** Reads a card.json. @throws TelltaleError CONFIG_INVALID */
export async function readCard(file: string): Promise<CardFile> {
  let card: Partial<CardFile> | null;
  try {
    card = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new TelltaleError('CONFIG_INVALID', `--card ${file}: ${messageOf(cause)}`, { cause });
  }
  const { train, backend = '', bundleHash = '' } = card ?? {};
  if (!train?.source || !train.recipe)
    throw new TelltaleError('CONFIG_INVALID', `--card ${file}: says neither source nor recipe of a model`);
  return { train, backend, bundleHash };
}

/** `telltale train`. */
export async function runTrain(settings: Settings, context: Context): Promise<void> {
  const card = settings.card === '' ? null : await readCard(settings.card);
  checkTrainFlags(settings, card?.train.source.kind ?? null);
  if (settings.out !== '') await checkOut(settings.out);
  const fromCsv = card ? card.train.source.kind === 'csv' : settings.csv !== '';
  const { bundle } = await (fromCsv ? trainCsv : trainLog)(settings, context, card?.train ?? null);
  if (card === null) return;
  const same = bundle.hash === card.bundleHash;
  context.say(
    same
      ? "the card's model again, to the byte"
      : `not the model of the card (hash ${card.bundleHash.slice(0, 12)}, on ${card.backend}): only the same machine, backend and version of the program compute the same to the last bit`,
  );
}

async function trainLog(settings: Settings, context: Context, card: TrainCard | null): Promise<Job> {
  const catalogue = await resolveCatalogue(settings);
  if (card && card.catalogueHash !== catalogueHash(catalogue))
    throw new TelltaleError(
      'TRAINING_DATA',
      `--card ${settings.card}: its model is for the signals of catalogue ${card.catalogue}, not for ${catalogue.name} ${catalogue.version}; name that with --catalogue`,
    );
  return withLog(settings, context, async (log) => {
    const backend = await loadBackend(settings.tfBackend);
    return trainAndRelease({ log, catalogue, backend, settings, context, card });
  });
}

async function trainCsv(settings: Settings, context: Context, card: TrainCard | null): Promise<Job> {
  const known = card?.source.kind === 'csv' ? card.source : null;
  // A card names the file as it was then; --csv says where it lies now.
  const file = settings.csv === '' ? (known?.file ?? '') : settings.csv;
  const plan = { recipe: recipeOf(settings, card), signal: context.signal, say: context.say };
  const data = await dataFromCsv(
    { ...(known ? choiceOf(known) : choiceOf(settings)), file },
    known?.catalogueFile ?? settings.catalogue,
    plan,
  );
  if (known && data.source.kind === 'csv' && data.source.sha256 !== known.sha256)
    throw new TelltaleError('TRAINING_DATA', `${file} is not the file of the card: its content differs`);
  const source = known ?? data.source;
  const backend = await loadBackend(settings.tfBackend);
  const done = await runJob({ ...data, source }, { ...plan, backend }, () => resolve(settings.out));
  saySummary(context.say, done);
  return done;
}

/** How the recording is read; what nobody said is not in the card. */
function choiceOf({ id, time, ignore, skipLines, delimiter, decimal }: Omit<CsvChoice, 'file'>) {
  return {
    ...{ id, time, ignore },
    ...(typeof skipLines === 'number' ? { skipLines } : {}),
    ...(delimiter ? { delimiter } : {}),
    ...(decimal ? { decimal } : {}),
  };
}

async function withLog<T>(settings: Settings, context: Context, work: (log: Log) => Promise<T>): Promise<T> {
  const { clock, warn } = context;
  const log = await openLog(settings, { clock, warn });
  try {
    await createFixedTopics(log, settings.partitions);
    return await work(log);
  } finally {
    await log.close();
  }
}

function modelNamed(settings: Settings, positionals: readonly string[]): string {
  const name = positionals[0] ?? settings.model;
  if (name === '') throw new TelltaleError('CONFIG_INVALID', 'name a model: its version, or challenger');
  return name;
}

/** `telltale models`. */
export async function runModels(settings: Settings, context: Context): Promise<void> {
  const catalogue = await resolveCatalogue(settings);
  await withLog(settings, context, async (log) => {
    const lines = describeModels(await readReleases(log), catalogue);
    for (const line of lines.length > 0 ? lines : ['no model has been released']) context.say(line);
  });
}

/** `telltale promote MODEL`. */
export async function runPromote(
  settings: Settings,
  context: Context,
  positionals: readonly string[],
): Promise<void> {
  const name = modelNamed(settings, positionals);
  const catalogue = await resolveCatalogue(settings);
  const { by, note } = settings;
  await withLog(settings, context, async (log) => {
    const version = await promote({ log, clock: context.clock, by, note }, name, catalogue);
    context.say(`${version} is champion`);
  });
}

/** `telltale rollback`. */
export async function runRollback(settings: Settings, context: Context): Promise<void> {
  const catalogue = await resolveCatalogue(settings);
  const { by, note } = settings;
  await withLog(settings, context, async (log) => {
    const { from, to } = await rollback({ log, clock: context.clock, by, note }, catalogue);
    context.say(`${to} is champion again, ${from} is challenger`);
  });
}

/** `telltale drop MODEL`. */
export async function runDrop(
  settings: Settings,
  context: Context,
  positionals: readonly string[],
): Promise<void> {
  const name = modelNamed(settings, positionals);
  await withLog(settings, context, async (log) => {
    const dropped = await drop({ log }, name);
    context.say(dropped.length > 0 ? `deleted ${dropped.join(', ')}` : 'there was nothing to delete');
  });
}
