// The commands of this room: `train` from the log, from a recording or from a card; `models`, `promote`, `rollback`, `drop`.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { resolveCatalogue } from '../core/catalogue.ts';
import type { Settings } from '../core/config.ts';
import { messageOf, TelltaleError } from '../core/errors.ts';
import { createFixedTopics } from '../core/log/create-topics.ts';
import type { Log } from '../core/log/log.ts';
import { openLog } from '../core/log/open.ts';
import { type Backend, loadBackend } from '../core/model/backend.ts';
import { readReleases } from '../core/model/releases.ts';
import type { Context } from '../core/service.ts';
import { dataFromCsv, jobOptions, runJob, type TrainCard, trainAndRelease } from './job.ts';
import { describeModels, drop, promote, rollback } from './registry.ts';
import { sayModel } from './say-model.ts';

/** Reads the part of a card.json that training runs from. @throws TelltaleError CONFIG_INVALID */
export async function readCard(file: string): Promise<TrainCard> {
  let card: { train?: TrainCard } | null;
  try {
    card = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new TelltaleError('CONFIG_INVALID', `--card ${file}: ${messageOf(cause)}`, { cause });
  }
  const train = card?.train;
  if (!train?.source || !train.recipe)
    throw new TelltaleError('CONFIG_INVALID', `--card ${file}: says neither source nor recipe of a model`);
  return train;
}

/** `telltale train`. */
export async function runTrain(settings: Settings, context: Context): Promise<void> {
  const card = settings.card === '' ? null : await readCard(settings.card);
  const backend = await loadBackend(settings.tfBackend);
  const fromCsv = card ? card.source.kind === 'csv' : settings.csv !== '';
  if (fromCsv) await trainCsv(settings, context, backend, card);
  else {
    const catalogue = await resolveCatalogue(settings);
    await withLog(settings, context, async (log) => {
      await trainAndRelease({ log, catalogue, backend, settings, context, card });
    });
  }
}

async function trainCsv(
  settings: Settings,
  context: Context,
  backend: Backend,
  card: TrainCard | null,
): Promise<void> {
  const options = jobOptions(settings, context, backend, card);
  if (settings.out === '')
    throw new TelltaleError('CONFIG_INVALID', '--out: the folder of the model must be named');
  const known = card?.source.kind === 'csv' ? card.source : null;
  // A card names the file as it was then; --csv says where it lies now.
  const file = settings.csv === '' ? (known?.file ?? '') : settings.csv;
  const { id, time, ignore } = known ?? settings;
  const data = await dataFromCsv(
    { file, id, time, ignore },
    known?.catalogueFile ?? settings.catalogue,
    options,
  );
  if (known && data.source.kind === 'csv' && data.source.sha256 !== known.sha256)
    throw new TelltaleError('TRAINING_DATA', `${file} is not the file of the card: its content differs`);
  const source = known ?? data.source;
  sayModel(context.say, await runJob({ ...data, source }, options, () => resolve(settings.out)));
}

async function withLog(
  settings: Settings,
  context: Context,
  work: (log: Log) => Promise<void>,
): Promise<void> {
  const { clock, warn } = context;
  const log = await openLog(settings, { clock, warn });
  try {
    await createFixedTopics(log, settings.partitions);
    await work(log);
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
