// What a person sees of a run: a line now and then, a summary at the end, the same as JSON for programs.
import { counted } from '../core/counted.ts';
import type { FleetStats } from './run.ts';
import { LatencyHistogram } from './stats.ts';

/** A run's figures, of one process or summed over several. */
export interface RunSummary {
  readonly scenario: string;
  readonly processes: number;
  readonly cars: number;
  readonly elapsedS: number;
  readonly connectS: number | null;
  readonly published: number;
  readonly acknowledged: number;
  readonly unacknowledged: number;
  readonly dropped: number;
  readonly resent: number;
  readonly reconnects: number;
  readonly duplicates: number;
  readonly malformed: number;
  readonly groundTruth: number;
  readonly eventsPerS: number;
  readonly ackP50Ms: number;
  readonly ackP99Ms: number;
  readonly rssMb: number;
  readonly cpuS: number;
  readonly failures: Readonly<Record<string, number>>;
}

export interface ProcessReport {
  readonly stats: FleetStats;
  readonly latencies: readonly number[];
  readonly connectS: number | null;
  readonly elapsedS: number;
  readonly rssMb: number;
  readonly cpuS: number;
}

const sum = (reports: readonly ProcessReport[], pick: (r: ProcessReport) => number) =>
  reports.reduce((total, report) => total + pick(report), 0);
const most = (reports: readonly ProcessReport[], pick: (r: ProcessReport) => number) =>
  Math.max(...reports.map(pick));

function addCounts(
  all: Record<string, number>,
  more: Readonly<Record<string, number>>,
): Record<string, number> {
  for (const [cause, n] of Object.entries(more)) all[cause] = (all[cause] ?? 0) + n;
  return all;
}

/** Adds up what the processes of a run report. */
export function summarise(scenario: string, reports: readonly ProcessReport[]): RunSummary {
  const latency = new LatencyHistogram();
  for (const report of reports) latency.add(report.latencies);
  const acknowledged = sum(reports, (r) => r.stats.counts.acknowledged);
  const elapsedS = most(reports, (r) => r.elapsedS);
  return {
    scenario,
    processes: reports.length,
    cars: sum(reports, (r) => r.stats.cars),
    elapsedS,
    connectS: reports.some((r) => r.connectS === null) ? null : most(reports, (r) => r.connectS!),
    published: sum(reports, (r) => r.stats.counts.offered),
    acknowledged,
    unacknowledged: sum(reports, (r) => r.stats.pending + r.stats.counts.held),
    dropped: sum(reports, (r) => r.stats.counts.dropped),
    resent: sum(reports, (r) => r.stats.counts.resent),
    reconnects: sum(reports, (r) => r.stats.counts.reconnects),
    duplicates: sum(reports, (r) => r.stats.counts.duplicates),
    malformed: sum(reports, (r) => r.stats.counts.malformed),
    groundTruth: sum(reports, (r) => r.stats.counts.truths),
    eventsPerS: acknowledged / Math.max(0.001, elapsedS),
    ackP50Ms: latency.quantile(0.5),
    ackP99Ms: latency.quantile(0.99),
    rssMb: sum(reports, (r) => r.rssMb),
    cpuS: sum(reports, (r) => r.cpuS),
    failures: reports.reduce<Record<string, number>>((all, r) => addCounts(all, r.stats.failures), {}),
  };
}

const whole = (n: number) => Math.round(n).toLocaleString('en-GB');
const ms = (n: number) => (n < 10 ? n.toFixed(1) : whole(n));

/** One line of progress; `before` is the last one's figures and `seconds` the time since. */
export function progressLine(
  now: RunSummary,
  before: RunSummary | null,
  connected: number,
  faults: number,
): string {
  const seconds = Math.max(0.001, now.elapsedS - (before?.elapsedS ?? 0));
  const rate = (pick: (s: RunSummary) => number) =>
    whole((pick(now) - (before ? pick(before) : 0)) / seconds);
  return [
    `cars ${whole(connected)}/${whole(now.cars)}`,
    `published ${rate((s) => s.published)}/s`,
    `acknowledged ${rate((s) => s.acknowledged)}/s`,
    `PUBACK p50 ${ms(now.ackP50Ms)} ms p99 ${ms(now.ackP99Ms)} ms`,
    `faults ${whole(faults)}`,
    ...(now.dropped > 0 ? [`dropped ${whole(now.dropped)}`] : []),
  ].join(' · ');
}

/** The end of a run in words. */
export function summaryLines(s: RunSummary): string[] {
  const failures = Object.entries(s.failures).map(([cause, n]) => `  ${whole(n)} × ${cause}`);
  return [
    `${s.scenario}: ${counted(s.cars, 'car')} in ${s.processes} process${s.processes === 1 ? '' : 'es'}, ${s.elapsedS.toFixed(1)} s`,
    `  connected     ${s.connectS === null ? 'not all' : `all in ${s.connectS.toFixed(1)} s`}; ${whole(s.reconnects)} reconnections`,
    `  published     ${counted(s.published, 'event')} (${counted(s.duplicates, 'duplicate')}, ${whole(s.malformed)} malformed, ${whole(s.groundTruth)} ground truth)`,
    `  acknowledged  ${whole(s.acknowledged)}; not acknowledged ${whole(s.unacknowledged)}; dropped by queues ${whole(s.dropped)}; resent ${whole(s.resent)}`,
    `  rate          ${whole(s.eventsPerS)} events/s; PUBACK p50 ${ms(s.ackP50Ms)} ms, p99 ${ms(s.ackP99Ms)} ms`,
    `  used          ${whole(s.rssMb)} MB, ${s.cpuS.toFixed(1)} s of CPU`,
    ...(failures.length > 0 ? ['  failures', ...failures.map((line) => `  ${line}`)] : []),
  ];
}
