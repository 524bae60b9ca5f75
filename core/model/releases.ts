// Who is champion and challenger: the `models` topic folded into one view, read once or followed live. Scoring and
// alerts follow it, training writes it. A bundle that cannot be used is refused with its reason and the champion before
// it goes on.
import type { Catalogue } from '../catalogue.ts';
import { messageOf } from '../errors.ts';
import type { ModelRelease } from '../events.ts';
import type { Log } from '../log/log.ts';
import { supervise } from '../service.ts';
import { modelsTopic } from '../topics.ts';
import { checkBundle, type ModelBundle } from './bundle.ts';
import type { Hysteresis } from './hysteresis.ts';
import { PartsBox } from './release-parts.ts';

export type Release = Extract<ModelRelease, { kind: 'release' }>;
export type Alias = Extract<ModelRelease, { kind: 'alias' }>;
export type AliasName = Alias['alias'];

/** All that the topic says. Bundles are as they came, unchecked; an Error in place of one that cannot be put together. */
export interface ReleaseBook {
  readonly releases: ReadonlyMap<string, Release>;
  readonly aliases: ReadonlyMap<AliasName, Alias>;
}

/** A model in charge: checked, and since when (time of its alias record, ms). */
export interface ModelInCharge {
  readonly version: string;
  readonly sinceMs: number;
  readonly catalogue: Catalogue;
  readonly hysteresis: Hysteresis;
  readonly bundle: ModelBundle;
}

export const releaseKey = (version: string): string => `release/${version}`;
export const aliasKey = (alias: AliasName): string => `alias/${alias}`;

class Book implements ReleaseBook {
  readonly releases = new Map<string, Release>();
  readonly aliases = new Map<AliasName, Alias>();
  readonly #parts = new PartsBox();

  /** Folds one record in; a tombstone takes its release or alias away. */
  fold(key: string, value: Uint8Array | null): void {
    if (value === null) {
      const [kind, name] = [key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)];
      if (kind === 'release') this.releases.delete(name);
      else if (kind === 'alias') this.aliases.delete(name as AliasName);
      return;
    }
    const record = modelsTopic.decode(value);
    if (record.kind === 'part') this.#parts.add(record);
    else if (record.kind === 'release') this.releases.set(record.version, this.#whole(record));
    else this.aliases.set(record.alias, record);
  }

  #whole(release: Release): Release {
    const { version, parts } = release;
    if (parts === undefined) return release;
    try {
      return { ...release, bundle: this.#parts.take(version, parts) };
    } catch (error) {
      return { ...release, bundle: error };
    }
  }
}

/** The topic as it now stands. @throws TelltaleError LOG_TOPIC_UNKNOWN when no deployment has been made yet */
export async function readReleases(log: Pick<Log, 'read'>): Promise<ReleaseBook> {
  const book = new Book();
  for await (const { records } of log.read(modelsTopic.name, { to: 'end' }))
    for (const { key, value } of records) book.fold(key, value);
  return book;
}

export interface FollowOptions {
  readonly log: Log;
  /** The deployment's catalogue: models for other signals are refused. */
  readonly catalogue?: Catalogue;
  readonly signal: AbortSignal;
  readonly clock: () => number;
  readonly warn: (line: string) => void;
}

/** A live view of the topic. Listeners are called after each change of what is in charge. */
export interface ReleaseFollower {
  book(): ReleaseBook;
  /** The champion; null while none can be used. */
  current(): ModelInCharge | null;
  challenger(): ModelInCharge | null;
  onChange(listener: () => void): () => void;
  /** Rejects when the log fails for good; resolves after `signal`. */
  readonly done: Promise<void>;
}

/** Reads the topic to its end, then follows it. */
export async function followReleases(options: FollowOptions): Promise<ReleaseFollower> {
  const { log, signal, warn, clock } = options;
  const book = new Book();
  const listeners = new Set<() => void>();
  const checked = new CheckedBundles(options);
  let champion: ModelInCharge | null = null;
  let challenger: ModelInCharge | null = null;
  const refresh = () => {
    const before = [champion, challenger];
    champion = checked.inCharge(book, 'champion');
    challenger = checked.inCharge(book, 'challenger');
    if (sameModel(before[0], champion) && sameModel(before[1], challenger)) return;
    for (const listener of [...listeners]) listener();
  };
  let next = 0;
  const readFrom = async (to?: 'end') => {
    const range = { from: { offsets: [{ partition: 0, offset: next }] }, signal, ...(to ? { to } : {}) };
    for await (const { records } of log.read(modelsTopic.name, range)) {
      for (const { key, value, offset } of records) {
        try {
          book.fold(key, value);
        } catch (error) {
          warn(`models: record ${offset} is passed over: ${messageOf(error)}`);
        }
        next = offset + 1;
      }
      if (to === undefined) refresh();
    }
  };
  await readFrom('end');
  refresh();
  const done = supervise({ name: 'models', signal, warn, clock }, () => readFrom());
  // Whoever awaits `done` sees a failure; nobody having to must not end the process.
  done.catch(() => {});
  return {
    book: () => book,
    current: () => champion,
    challenger: () => challenger,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    done,
  };
}

const sameModel = (a: ModelInCharge | null | undefined, b: ModelInCharge | null) =>
  a === b || (a != null && b !== null && a.version === b.version && a.sinceMs === b.sinceMs);

/** Checks each release once and says each refusal once. */
class CheckedBundles {
  readonly #options: FollowOptions;
  readonly #seen = new Map<Release, ModelBundle | null>();

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  #check(release: Release): ModelBundle | null {
    const known = this.#seen.get(release);
    if (known !== undefined) return known;
    let bundle: ModelBundle | null = null;
    try {
      bundle = checkBundle(release.bundle, `model ${release.version}`, this.#options.catalogue);
    } catch (error) {
      this.#options.warn(`${messageOf(error)}; it is refused, what was in charge goes on`);
    }
    this.#seen.set(release, bundle);
    return bundle;
  }

  /** The alias's version, or the newest one before it that can be used. */
  inCharge(book: ReleaseBook, name: AliasName): ModelInCharge | null {
    const alias = book.aliases.get(name);
    if (!alias) return null;
    const candidates = name === 'champion' ? [alias.version, ...alias.previous] : [alias.version];
    for (const version of candidates) {
      const release = book.releases.get(version);
      const bundle = release ? this.#check(release) : null;
      if (!bundle) continue;
      const { catalogue, hysteresis } = bundle;
      return { version, sinceMs: alias.ts, catalogue, hysteresis, bundle };
    }
    return null;
  }
}
