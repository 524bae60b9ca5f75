// Reprocessing: a model over the whole of telemetry, from the first offset kept to where it ended when the work began, into
// its own topic beside the others. The loop is the live one; when it ends, the live scorer goes on where it stopped.
import { TelltaleError } from '../core/errors.ts';
import type { Log, RecordBatch } from '../core/log/log.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Detector } from '../core/model/detector.ts';
import { pause } from '../core/service.ts';
import { telemetryTopic } from '../core/topics.ts';
import { createScoreTopics, runLoop, scorerGroup } from './loop.ts';

export interface ReprocessOptions {
  readonly log: Log;
  readonly version: string;
  readonly detector: Detector;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
  readonly warn: (line: string) => void;
  readonly stateBytes?: number;
  /** As in ScorerOptions: always, where all scores are to be told in full. */
  readonly isWatched?: (vin: string) => boolean;
  /** Events done and to do. */
  readonly progress: (done: number, all: number) => void;
}

/** How often the group's offsets are looked at while batches are worked on. */
const LOOK_MS = 1000;

/**
 * Resolves with the events scored when everything up to the present end is committed.
 * @throws TelltaleError ABORTED
 */
export async function reprocess(options: ReprocessOptions): Promise<number> {
  const { log, version, signal, progress } = options;
  await createScoreTopics(log, version);
  const targets = new Map<number, number>();
  let all = 0;
  let done = 0;
  const committed = new Map(
    (await log.committed(scorerGroup(version), telemetryTopic.name)).map((p) => [p.partition, p.offset]),
  );
  for (const { partition, earliest, end } of await log.ranges(telemetryTopic.name)) {
    const from = Math.max(earliest, committed.get(partition) ?? earliest);
    if (from >= end) continue;
    targets.set(partition, end);
    all += end - from;
  }
  if (targets.size === 0) return 0;
  const waiting = new Set(targets.keys());
  const stop = new AbortController();
  let scored = 0;
  const reached = new AbortController();
  const reachedOr = (ms: number) => pause(ms, AbortSignal.any([signal, reached.signal]));
  const onBatch = ({ partition, records }: RecordBatch, result: { readonly scored: number }) => {
    done += records.length;
    scored += result.scored;
    progress(Math.min(done, all), all);
    if (records.at(-1)!.offset + 1 >= (targets.get(partition) ?? 0)) waiting.delete(partition);
    if (waiting.size === 0) reached.abort();
  };
  const looping = runLoop({ ...options, signal: AbortSignal.any([signal, stop.signal]), onBatch });
  try {
    // Another member of the group (the live scorer) may do part of the work, so the committed offsets decide.
    while (!signal.aborted && !(await allCommitted(log, version, targets)))
      await Promise.race([looping, waiting.size === 0 ? pause(20, signal) : reachedOr(LOOK_MS)]);
  } finally {
    stop.abort();
    await looping;
  }
  if (signal.aborted) throw new TelltaleError('ABORTED', 'reprocessing was stopped; it goes on where it was');
  return scored;
}

async function allCommitted(
  log: Log,
  version: string,
  targets: ReadonlyMap<number, number>,
): Promise<boolean> {
  const offsets = await log.committed(scorerGroup(version), telemetryTopic.name);
  const at = new Map(offsets.map((p) => [p.partition, p.offset]));
  return [...targets].every(([partition, end]) => (at.get(partition) ?? 0) >= end);
}
