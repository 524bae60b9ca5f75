// The model in service, judged beside the new one on the same rows at its own threshold.

import { alertsOf } from '../calibrate/alerts.ts';
import { scoreByFold } from '../calibrate/held-out.ts';
import type { Champion } from '../data/champion.ts';
import { isTouched, type KnownFault } from '../data/ground-truth.ts';
import type { Series } from '../data/series.ts';
import { judgeKnown, type KnownOutcome } from './known-faults.ts';
import { type FaultResult, hits, type Judging, judgeMethod, type MethodResult, perKind } from './methods.ts';
import { PERTURBATIONS } from './perturb.ts';

/** How it did; `refused`: it could not be judged, and why. */
export type ChampionResult =
  | {
      readonly version: string;
      readonly method: MethodResult;
      readonly synthetic: readonly FaultResult[];
      readonly known: readonly KnownOutcome[];
    }
  | { readonly version: string; readonly refused: string };

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
