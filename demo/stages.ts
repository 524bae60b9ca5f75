// The events of a run counted at each stage, from the log itself: published = in the log = scored + dead letters.
import { counted } from '../core/counted.ts';
import type { Log } from '../core/log/log.ts';
import { deadLettersTopic, scoreCursor, scoresTopic, telemetryTopic } from '../core/topics.ts';

export interface StageCounts {
  readonly telemetry: number;
  readonly deadLetters: number;
  readonly scored: number;
  readonly late: number;
  /** Hours driven by the cars of interest: gaps between their events of at most a minute, summed. */
  readonly hours: number;
}

const MAX_STEP_MS = 60_000;

async function retained(log: Log, topic: string): Promise<number> {
  let count = 0;
  for await (const { records } of log.read(topic, { to: 'end' })) count += records.length;
  return count;
}

/** Counts what stands in the log. `cars`: whose hours are summed. */
export async function countStages(
  log: Log,
  version: string,
  cars: ReadonlySet<string>,
): Promise<StageCounts> {
  const score = scoreCursor();
  const lastMs = new Map<string, number>();
  let [scored, late, drivenMs] = [0, 0, 0];
  for await (const { records } of log.read(scoresTopic(version).name, { to: 'end' })) {
    for (const { value, timestampMs } of records) {
      if (value === null) continue;
      score.open(value, timestampMs);
      while (score.next()) {
        const { vin, ts } = score;
        scored += 1;
        if (score.late) late += 1;
        if (!cars.has(vin)) continue;
        const stepMs = ts - (lastMs.get(vin) ?? ts);
        if (stepMs > 0 && stepMs <= MAX_STEP_MS) drivenMs += stepMs;
        lastMs.set(vin, Math.max(ts, lastMs.get(vin) ?? 0));
      }
    }
  }
  return {
    telemetry: await retained(log, telemetryTopic.name),
    deadLetters: await retained(log, deadLettersTopic.name),
    scored,
    late,
    hours: drivenMs / 3_600_000,
  };
}

export interface RunCounts extends StageCounts {
  readonly published: number;
  /** Rows of the file that could not be driven. */
  readonly broken: number;
  readonly liveDrives: number;
  readonly alerts: number;
}

/** The last lines of a run. */
export function stageLines(run: RunCounts): string[] {
  const n = (value: number) => value.toLocaleString('en');
  const inLog = run.telemetry + run.deadLetters;
  const answered = run.scored + run.deadLetters;
  const equal = run.published === inLog && inLog === answered;
  return [
    `events: published ${n(run.published)} ${run.published === inLog ? '=' : '≠'} in log ${n(inLog)} ${inLog === answered ? '=' : '≠'} ` +
      `scored ${n(run.scored)} + dead letters ${n(run.deadLetters)}${equal ? '' : ' (they differ: redelivered events are scored once)'}`,
    ...(run.broken > 0 ? [`rows that could not be driven: ${n(run.broken)}`] : []),
    ...(run.late > 0 ? [`late events, scored but not judged: ${n(run.late)}`] : []),
    `alerts: ${n(run.alerts)} in ${run.hours.toFixed(2)} h on ${counted(run.liveDrives, 'live drive')}, ${(run.alerts / Math.max(run.hours, 1e-9)).toFixed(2)} an hour`,
  ];
}
