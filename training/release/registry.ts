// The registry: releases and aliases as records of the `models` topic, of which training is the only writer. Nothing is
// ever changed in place; the topic is the history of who put what in charge, when and why.
import type { Catalogue } from '../../core/catalogue.ts';
import { TelltaleError } from '../../core/errors.ts';
import { type Log, MAX_RECORD_BYTES, type NewRecord } from '../../core/log/log.ts';
import { checkBundle, type ModelBundle } from '../../core/model/bundle.ts';
import { partKey, partsOf } from '../../core/model/release-parts.ts';
import {
  type Alias,
  type AliasName,
  aliasKey,
  type Release,
  type ReleaseBook,
  readReleases,
  releaseKey,
} from '../../core/model/releases.ts';
import type { Clock } from '../../core/service.ts';
import {
  modelsTopic,
  policyStateTopic,
  scorerStateTopic,
  scoresTopic,
  telemetryTopic,
} from '../../core/topics.ts';
import { readBackRelease } from './read-back.ts';

/** What is left of a record when its own fields have been written; larger bundles go in parts. */
const LARGEST_BUNDLE = MAX_RECORD_BYTES - 10_000;

/** Earlier holders of an alias that rollback can go back to. */
const MAX_PREVIOUS = 20;

export interface RegistryOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** Who does it. */
  readonly by: string;
  readonly note: string;
}

/**
 * `20260501-080000-1a2b3c`: when it was made (UTC) and the beginning of its hash; a first model's ends in `-first`, so
 * that whoever sees its name knows what it is.
 */
export function versionOf(bundle: ModelBundle, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const { recipe } = bundle.card.train as { readonly recipe?: { readonly effort?: string } };
  return `${stamp}-${bundle.hash.slice(0, 6)}${recipe?.effort === 'first' ? '-first' : ''}`;
}

const releaseRecord = (release: Release): NewRecord => ({
  key: releaseKey(release.version),
  value: modelsTopic.encode(release),
});

const aliasRecord = (alias: Alias): NewRecord => ({
  key: aliasKey(alias.alias),
  value: modelsTopic.encode(alias),
});

function moved(options: RegistryOptions, book: ReleaseBook, name: AliasName, version: string): NewRecord {
  const held = book.aliases.get(name);
  const previous = held ? [held.version, ...held.previous].filter((one) => one !== version) : [];
  return aliasRecord({
    kind: 'alias',
    alias: name,
    version,
    previous: [...new Set(previous)].slice(0, MAX_PREVIOUS),
    ts: options.clock(),
    by: options.by,
    note: options.note,
  });
}

/** The release that a version or an alias names. @throws TelltaleError MODEL_NOT_FOUND listing what there is */
export function findRelease(book: ReleaseBook, name: string): Release {
  const version = book.aliases.get(name as AliasName)?.version ?? name;
  const release = book.releases.get(version);
  if (release) return release;
  const known = [...book.releases.keys()].join(', ') || 'none';
  throw new TelltaleError('MODEL_NOT_FOUND', `no model "${name}" is released; there are: ${known}`);
}

/** The records of a release: one, or the parts of a large bundle and then the release that counts them. */
function releaseRecords(release: Omit<Release, 'bundle' | 'parts'>, bundle: ModelBundle): NewRecord[] {
  const json = JSON.stringify(bundle);
  if (Buffer.byteLength(json) <= LARGEST_BUNDLE) return [releaseRecord({ ...release, bundle })];
  const parts = partsOf(release.version, json);
  return [
    ...parts.map((part) => ({ key: partKey(part), value: modelsTopic.encode(part) })),
    releaseRecord({ ...release, parts: parts.length }),
  ];
}

/**
 * Releases a bundle. The first model of a deployment becomes champion, later ones challenger, or champion when
 * `promote`.
 * @throws TelltaleError MODEL_INVALID, LOG_RECORD_TOO_LARGE and other log errors; then nothing is released
 */
export async function release(
  options: RegistryOptions & {
    readonly version: string;
    readonly bundle: ModelBundle;
    readonly promote: boolean;
    readonly judged?: NonNullable<Release['judged']>;
  },
): Promise<AliasName> {
  const { log, clock, version, bundle, promote: atOnce, by, note, judged } = options;
  const book = await readReleases(log);
  const facts = { version, ts: clock(), by, note, ...(judged ? { judged } : {}) };
  const records = releaseRecords({ kind: 'release', ...facts }, bundle);
  await readBackRelease(records, version);
  const champion = book.aliases.get('champion');
  const alias: AliasName = champion && !atOnce ? 'challenger' : 'champion';
  records.push(moved(options, book, alias, version));
  if (champion && atOnce) records.push(moved(options, book, 'challenger', champion.version));
  await log.append(modelsTopic.name, records);
  return alias;
}

/**
 * Makes a released model champion; the champion before becomes challenger, so that it goes on scoring beside it.
 * @param catalogue the deployment's; a model for other signals is refused
 * @throws TelltaleError MODEL_NOT_FOUND, MODEL_INVALID
 */
export async function promote(options: RegistryOptions, name: string, catalogue: Catalogue): Promise<string> {
  const book = await readReleases(options.log);
  const { version, bundle } = findRelease(book, name);
  checkBundle(bundle, `model ${version}`, catalogue);
  const champion = book.aliases.get('champion');
  if (champion?.version === version) return version;
  const records = [moved(options, book, 'champion', version)];
  if (champion) records.push(moved(options, book, 'challenger', champion.version));
  await options.log.append(modelsTopic.name, records);
  return version;
}

/**
 * Puts the champion before the present one back in charge.
 * @throws TelltaleError MODEL_NOT_FOUND when there was none
 */
export async function rollback(
  options: RegistryOptions,
  catalogue: Catalogue,
): Promise<{ readonly from: string; readonly to: string }> {
  const book = await readReleases(options.log);
  const champion = book.aliases.get('champion');
  const to = champion?.previous.find((version) => book.releases.has(version));
  if (!champion || to === undefined)
    throw new TelltaleError('MODEL_NOT_FOUND', 'there is no champion before the present one');
  checkBundle(book.releases.get(to)!.bundle, `model ${to}`, catalogue);
  // The list gets shorter, so that a second rollback goes one further back.
  const back = { ...champion, version: to, previous: champion.previous.filter((one) => one !== to) };
  const { clock, by, note } = options;
  await options.log.append(modelsTopic.name, [
    aliasRecord({ ...back, ts: clock(), by, note }),
    moved(options, book, 'challenger', champion.version),
  ]);
  return { from: champion.version, to };
}

/**
 * Deletes what a model has computed: its scores, its states and where it stood. The release itself stays and can be
 * scored again from the first offset.
 * @throws TelltaleError MODEL_IN_USE while the model is champion or challenger, MODEL_NOT_FOUND
 */
export async function drop({ log }: Pick<RegistryOptions, 'log'>, name: string): Promise<string[]> {
  const book = await readReleases(log);
  const { version } = findRelease(book, name);
  for (const [alias, held] of book.aliases) {
    if (held.version === version)
      throw new TelltaleError(
        'MODEL_IN_USE',
        `${version} is ${alias}; put another model there first (telltale promote), then drop it`,
      );
  }
  const there = new Set(await log.topics());
  const dropped = [scoresTopic(version), scorerStateTopic(version), policyStateTopic(version)]
    .map((topic) => topic.name)
    .filter((topic) => there.has(topic));
  await log.seek(`scorer.${version}`, telemetryTopic.name, null);
  for (const topic of dropped) await log.deleteTopic(topic);
  return dropped;
}
