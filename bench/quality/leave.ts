// What a recorded model would be without a part of it: its columns are made silent, all that comes after is done again as training does
// it (training/calibrate/one-scale.ts), and the trials are judged anew.

import { concat } from '../../core/math/concat.ts';
import { type AlertRule, HYSTERESIS } from '../../core/model/hysteresis.ts';
import type { Held } from '../../training/calibrate/alert-budget.ts';
import { alertsOf, withoutPauses } from '../../training/calibrate/alerts.ts';
import { type HeldOutRows, scoresBy } from '../../training/calibrate/held-out.ts';
import { onOneScale } from '../../training/calibrate/one-scale.ts';
import { calibrate, sustainedLevels } from '../../training/calibrate/threshold.ts';
import { carsIn, hoursIn } from '../../training/data/series.ts';
import { averagePrecision, f1, quantile, risesOf } from '../../training/evaluate/metrics.ts';
import { delayOf } from './fleet-judge.ts';
import type { RecordedTrial, Recording, TriedFault } from './recordings.ts';

/** A part that can be left out after the fact. */
export interface Part {
  readonly name: string;
  /** Statistics that fall silent, by `head.statistic`. */
  readonly drop?: (statistic: string) => boolean;
  /** Statistics that keep all but their voice. */
  readonly mute?: (statistic: string) => boolean;
  readonly fourth?: boolean;
  readonly usual?: boolean;
}

export interface Outcome {
  readonly averagePrecision: number;
  /** At the budget asked and at a quarter of it. */
  readonly budgets: readonly {
    readonly recall: number;
    readonly falseAlerts: number;
    readonly hours: number;
    readonly delayS: number;
  }[];
  readonly reached: Reached;
  /** Of the rows of rigs, at the first budget. */
  readonly f1: number;
}

/** HeldOutRows rows with some columns silent. */
function silenced(rows: readonly HeldOutRows[], silent: readonly boolean[]): readonly HeldOutRows[] {
  const columns = silent.flatMap((yes, s) => (yes ? [s] : []));
  if (columns.length === 0) return rows;
  return rows.map(({ series, raw }) => {
    const left = raw.slice();
    for (const s of columns) for (let i = s; i < left.length; i += silent.length) left[i] = 0;
    return { series, raw: left };
  });
}

/** Share of the budget asked at which recall and false alerts are told besides. */
const BUDGETS = [1, 0.25] as const;

/** What the model finds without a part, from row `from` of each trial on. */
export function outcomeWithout(recording: Recording, part: Part, from = 0): Outcome {
  const { statistics, held, parts, content, trials } = recording;
  const silent = statistics.map((name) => part.drop?.(name) ?? false);
  const without = {
    voices: statistics.map((name) => part.mute?.(name) ?? false),
    ...(part.fourth ? { fourth: true } : {}),
    ...(part.usual ? { usual: true } : {}),
  };
  const again: Held = { ...held, judged: silenced(held.judged, silent), without };
  const made = onOneScale(again, parts, content.card);
  const series = again.judged.map((one) => one.series);
  const { gapMs } = content;
  const thresholds = BUDGETS.map((share) => {
    if (share === 1) return made.content.threshold;
    const pieces = made.scores.flatMap((one) => withoutPauses(one.series.tsMs, one.scores, gapMs));
    return calibrate(pieces, HYSTERESIS, {
      alertsPerHour: share * held.alertsPerHour,
      hours: hoursIn(series, gapMs),
      cars: carsIn(series).length,
      sameCars: held.ground.folds.byTime,
    }).threshold;
  });
  const scores = scoresBy(made.content, silenced(trials, silent), { ordinary: part.fourth === true });
  const ranked = trials.flatMap(({ ranked, labels }, i) =>
    ranked ? [{ i, labels: labels.subarray(from) }] : [],
  );
  const all = concat(ranked.map(({ i }) => scores[i]!.subarray(from)));
  const truth = Uint8Array.from(ranked.flatMap(({ labels }) => [...labels]));
  const up = thresholds.map((threshold) =>
    scores.map((one, i) => alertsOf(trials[i]!.series.tsMs, one, threshold, made.content)),
  );
  return {
    averagePrecision: averagePrecision(all, truth),
    budgets: up.map((alerts) => judge(trials, alerts)),
    f1: f1(Uint8Array.from(ranked.flatMap(({ i }) => [...up[0]![i]!.subarray(from)])), truth),
    reached: reachedOf(trials, scores, made.content, held.alertsPerHour),
  };
}

/** An alert must rise within the fault. */
const foundAfterS = ({ series: { tsMs } }: RecordedTrial, alerts: Uint8Array, fault: TriedFault) =>
  delayOf(tsMs, alerts.subarray(0, fault.to), tsMs[fault.from]!, tsMs[fault.visible]!);

function judge(trials: readonly RecordedTrial[], alerts: readonly Uint8Array[]): Outcome['budgets'][number] {
  const found = trials.flatMap((trial, i) =>
    trial.faults.map((fault) => foundAfterS(trial, alerts[i]!, fault)),
  );
  const delays = found.filter((delay) => delay !== null);
  const whole = trials.flatMap((trial, i) => (trial.whole ? [i] : []));
  return {
    recall: delays.length / found.length,
    falseAlerts: whole.reduce((sum, i) => sum + risesOf(alerts[i]!).length, 0),
    hours: hoursIn(
      whole.map((i) => trials[i]!.series),
      Number.POSITIVE_INFINITY,
    ),
    delayS: quantile(delays, 0.5),
  };
}

/** Alerts that lie closer together count as one. */
const STRETCH_ROWS = 600;
/** Thresholds are tried up to so many times the alerts asked. */
const TIMES_ASKED = 4;

/** How far levels went that lasted as they must for an alert. */
export interface Reached {
  /** While each fault could be seen. */
  readonly faults: readonly number[];
  /** In each stretch of the cars that stayed whole. */
  readonly whole: readonly number[];
  /** Alerts of the latter up to which thresholds are tried. */
  readonly most: number;
}

function reachedOf(
  trials: readonly RecordedTrial[],
  scores: readonly Float64Array[],
  { hysteresis }: AlertRule,
  alertsPerHour: number,
): Reached {
  const levels = scores.map((one) => sustainedLevels(one, hysteresis));
  const highest = (of: Float64Array) => of.reduce((a, b) => Math.max(a, b), 0);
  const whole = trials.flatMap((trial, i) => (trial.whole ? [{ trial, levels: levels[i]! }] : []));
  const hours = hoursIn(
    whole.map(({ trial }) => trial.series),
    Number.POSITIVE_INFINITY,
  );
  return {
    faults: trials.flatMap(({ faults }, i) =>
      faults.map(({ visible, to }) => highest(levels[i]!.subarray(visible, to))),
    ),
    whole: whole.flatMap((one) =>
      Array.from({ length: Math.ceil(one.levels.length / STRETCH_ROWS) }, (_, k) =>
        highest(one.levels.subarray(k * STRETCH_ROWS, (k + 1) * STRETCH_ROWS)),
      ),
    ),
    most: Math.max(1, Math.round(TIMES_ASKED * alertsPerHour * hours)),
  };
}

/**
 * Recall without any luck in setting the threshold: its mean over the thresholds at which the cars that stay whole raise one alert, two,
 * and so on up to four times as many as asked. NaN without a fault.
 */
export function hindsight({ faults, whole, most }: Reached): number {
  const peaks = [...whole].sort((a, b) => b - a).slice(0, most);
  const recalls = peaks.map((peak) => faults.filter((level) => level > peak).length / faults.length);
  return recalls.reduce((a, b) => a + b, 0) / recalls.length;
}
