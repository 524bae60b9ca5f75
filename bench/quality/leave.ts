// What a recorded model would be without a part of it: its columns are made silent, all that comes after is done again as training does
// it (training/one-scale.ts), and the trials are judged anew.
import { type AlertRule, HYSTERESIS } from '../../core/model/hysteresis.ts';
import type { Held } from '../../training/balance.ts';
import { calibrate } from '../../training/calibrate.ts';
import { type Judged, scoresBy } from '../../training/judge.ts';
import { alertsOf, concat, withoutPauses } from '../../training/methods.ts';
import { averagePrecision, f1, quantile, risesOf } from '../../training/metrics.ts';
import { onOneScale } from '../../training/one-scale.ts';
import { carsIn, hoursIn } from '../../training/series.ts';
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
  /** Recall at the threshold at which the cars that stay whole raise just the alerts asked: what no way to set a threshold could better. */
  readonly hindsight: number;
  /** Of the rows of rigs, at the first budget. */
  readonly f1: number;
}

/** Judged rows with some columns silent. */
function silenced(rows: readonly Judged[], silent: readonly boolean[]): readonly Judged[] {
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
    hindsight: hindsight(trials, scores, made.content, held.alertsPerHour),
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

/** Steps in which the threshold is found. */
const BISECTIONS = 14;

/** Recall where the trials themselves set the threshold. */
function hindsight(
  trials: readonly RecordedTrial[],
  scores: readonly Float64Array[],
  rule: AlertRule,
  alertsPerHour: number,
): number {
  if (!trials.some(({ faults }) => faults.length > 0)) return Number.NaN;
  const whole = trials.flatMap((trial, i) => (trial.whole ? [{ trial, scores: scores[i]! }] : []));
  const series = whole.map(({ trial }) => trial.series);
  const allowed = alertsPerHour * hoursIn(series, Number.POSITIVE_INFINITY);
  const alertsAt = (threshold: number) =>
    whole.reduce((sum, one) => {
      // Most cars never come near it.
      if (!one.scores.some((score) => score >= threshold)) return sum;
      return sum + risesOf(alertsOf(one.trial.series.tsMs, one.scores, threshold, rule)).length;
    }, 0);
  let low = 0.1;
  let high = scores.reduce((most, one) => one.reduce((a, b) => Math.max(a, b), most), 1);
  for (let i = 0; i < BISECTIONS; i += 1) {
    const middle = Math.sqrt(low * high);
    if (alertsAt(middle) <= allowed) high = middle;
    else low = middle;
  }
  const up = scores.map((one, i) => alertsOf(trials[i]!.series.tsMs, one, high, rule));
  return judge(trials, up).recall;
}
