// The model in service, judged beside the new one on the same rows: what a person looks at before promoting. It may have been
// trained on some of these records, which flatters it; how many is said.
import type { Catalogue } from '../core/catalogue.ts';
import { TelltaleError } from '../core/errors.ts';
import type { Log } from '../core/log/log.ts';
import { checkBundle, type ModelBundle } from '../core/model/bundle.ts';
import { createDetector, type Detector } from '../core/model/detector.ts';
import { readReleases } from '../core/model/releases.ts';
import type { OffsetRange } from './history.ts';
import { scoreByFold } from './judge.ts';
import {
  alertsOf,
  type FaultResult,
  hits,
  type Judging,
  judgeMethod,
  type MethodResult,
  perKind,
} from './methods.ts';
import { PERTURBATIONS } from './perturb.ts';
import type { Series } from './series.ts';
import { isTouched, judgeKnown, type KnownFault, type KnownOutcome } from './truth.ts';

/** The champion, ready to be judged, or why it cannot be. */
export type Champion =
  | { readonly version: string; readonly detector: Detector; readonly about: string }
  | { readonly version: string; readonly refused: string };

/** How it did; `refused`: it could not be judged, and why. */
export type ChampionResult =
  | {
      readonly version: string;
      readonly method: MethodResult;
      readonly synthetic: readonly FaultResult[];
      readonly known: readonly KnownOutcome[];
    }
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
 * The champion of the log; null when there is none. One made for other signals or by another version of the program is no
 * failure: it comes back with the reason why it cannot be judged.
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

/** Judges the champion at its own threshold on the rows that the new model is judged on. @throws TelltaleError ABORTED */
export async function judgeChampion(
  champion: Champion,
  rows: {
    readonly test: readonly Series[];
    readonly judging: Judging;
    readonly heldOut: readonly Series[];
    readonly truth: readonly KnownFault[];
    readonly askedPerHour: number;
    readonly signal: AbortSignal;
  },
): Promise<ChampionResult> {
  if ('refused' in champion) return champion;
  const { version, detector, about } = champion;
  const { test, judging, heldOut, truth, askedPerHour, signal } = rows;
  const { threshold, bundle } = detector;
  const score = (list: readonly Series[]) =>
    scoreByFold(
      [detector],
      list.map((series) => ({ series, fold: 0 })),
      signal,
    );
  const scored = {
    clean: await score(test),
    faulty: await score(judging.faulty.map(({ series }) => series)),
  };
  const own = { ...judging, rule: bundle };
  const found = hits(
    judging.faulty,
    scored.faulty.map((scores, i) => alertsOf(judging.faulty[i]!.series.tsMs, scores, threshold, bundle)),
  );
  const broken = heldOut.filter((series) => isTouched(truth, series));
  const brokenScores = await score(broken);
  return {
    version,
    method: judgeMethod(`champion ${version}`, about, scored, [{ askedPerHour, threshold }], own),
    synthetic: perKind(found, (kind) => PERTURBATIONS[kind]?.about ?? ''),
    known: judgeKnown(
      truth,
      broken.map((series, i) => ({ series, scores: brokenScores[i]! })),
      threshold,
      bundle,
    ),
  };
}
