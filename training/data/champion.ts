// The model in service, judged beside the new one on the same rows: what a person looks at before promoting. It may
// have been trained on some of these records, which flatters it; how many is said.
import type { Catalogue } from '../../core/catalogue.ts';
import { TelltaleError } from '../../core/errors.ts';
import type { Log } from '../../core/log/log.ts';
import { checkBundle, type ModelBundle } from '../../core/model/bundle.ts';
import { createDetector, type Detector } from '../../core/model/detector.ts';
import { readReleases } from '../../core/model/releases.ts';
import type { OffsetRange } from './history.ts';

/** The champion, ready to be judged, or why it cannot be. */
export type Champion =
  | { readonly version: string; readonly detector: Detector; readonly about: string }
  | { readonly version: string; readonly refused: string };

/** The share of the records of `ranges` that stand in `others` too, 0–1. */
export function sharedRecords(ranges: readonly OffsetRange[], others: readonly OffsetRange[]): number {
  let shared = 0;
  let all = 0;
  for (const { partition, from, to } of ranges) {
    all += to - from;
    for (const other of others)
      if (other.partition === partition)
        shared += Math.max(0, Math.min(to, other.to) - Math.max(from, other.from));
  }
  return all > 0 ? shared / all : 0;
}

function aboutOf({ card }: ModelBundle, ranges: readonly OffsetRange[]): string {
  const { source } = card.train as { source?: { kind?: string; ranges?: readonly OffsetRange[] } };
  if (source?.kind !== 'log' || !source.ranges) return 'the model in service; its records are not known';
  const shared = sharedRecords(ranges, source.ranges);
  if (shared === 0) return 'the model in service, trained on none of these records';
  const percent = shared < 0.01 ? '<1' : String(Math.round(100 * shared));
  return `the model in service, trained on ${percent} % of these records, which flatters it`;
}

/**
 * The champion of the log; null when there is none. One made for other signals or by another version of the program is
 * no failure: it comes back with the reason why it cannot be judged.
 */
export async function readChampion(
  log: Pick<Log, 'read'>,
  catalogue: Catalogue,
  ranges: readonly OffsetRange[],
): Promise<Champion | null> {
  const book = await readReleases(log);
  const version = book.aliases.get('champion')?.version;
  if (version === undefined) return null;
  try {
    const bundle = checkBundle(book.releases.get(version)?.bundle, `model ${version}`, catalogue);
    return { version, detector: createDetector(bundle), about: aboutOf(bundle, ranges) };
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    return { version, refused: error.message };
  }
}
