// THE loop: telemetry → scores of one model, exactly once. Live, catching up and reprocessing are this loop; they differ only
// in where its group stands in the log.
import { counted } from '../core/counted.ts';
import { TelltaleError } from '../core/errors.ts';
import { topicSpec } from '../core/log/create-topics.ts';
import type { Log, RecordBatch } from '../core/log/log.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Detector } from '../core/model/detector.ts';
import { scorerStateTopic, scoresTopic, telemetryTopic } from '../core/topics.ts';
import { type Restored, restore } from './restore.ts';
import { type ScoredBatch, Scorer } from './scorer.ts';

export interface LoopOptions {
  readonly log: Log;
  readonly version: string;
  readonly detector: Detector;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
  readonly warn: (line: string) => void;
  /** As in ScorerOptions. */
  readonly stateBytes?: number;
  /** As in ScorerOptions. */
  readonly isWatched?: (vin: string) => boolean;
  /** Called when a partition was taken over and its cars stand where the last scorer left them. */
  readonly onRestored?: (partition: number, restored: Restored) => void;
  /** Called with each batch and what it came to, before it is committed. */
  readonly onBatch?: (batch: RecordBatch, result: ScoredBatch) => void;
}

export const scorerGroup = (version: string): string => `scorer.${version}`;

/** Makes a model's topics, partitioned as telemetry is. @throws TelltaleError LOG_TOPIC_UNKNOWN when there is no telemetry */
export async function createScoreTopics(log: Log, version: string): Promise<void> {
  const partitions = (await log.ranges(telemetryTopic.name)).length;
  await log.createTopic(topicSpec(scoresTopic(version), partitions));
  await log.createTopic(topicSpec(scorerStateTopic(version), partitions));
}

/** Runs until `signal` aborts. @throws what `transform` throws */
export async function runLoop(options: LoopOptions): Promise<void> {
  const { log, version, detector, signal, stateBytes, isWatched, onBatch } = options;
  await createScoreTopics(log, version);
  const scorers = new Map<number, Scorer>();
  const count = counters(options);
  await log.transform(
    telemetryTopic.name,
    {
      group: scorerGroup(version),
      from: 'earliest',
      signal,
      onAssigned: async (partition, assignment) => {
        const scorer = new Scorer({
          detector,
          version,
          scoresTopic: scoresTopic(version).name,
          stateTopic: scorerStateTopic(version).name,
          ...(stateBytes === undefined ? {} : { stateBytes }),
          isWatched,
        });
        const restored = await restore(options, scorer, partition, assignment);
        if (assignment.signal.aborted) return;
        scorers.set(partition, scorer);
        count.restored(restored);
        options.onRestored?.(partition, restored);
      },
      onRevoked: (partition) => {
        scorers.delete(partition);
        count.forget(partition);
      },
    },
    (batch) => {
      const scorer = scorers.get(batch.partition);
      if (!scorer)
        throw new TelltaleError('LOG_FENCED', `partition ${batch.partition} came without being assigned`);
      const result = scorer.score(batch);
      count.add(batch, result);
      onBatch?.(batch, result);
      return result.outputs;
    },
  );
}

/** Says a line at the first of its kind and whenever their number has grown tenfold: never many, and none without its count. */
function milestones(say: (line: string) => void) {
  let all = 0;
  let next = 1;
  return (count: number, line: (all: number) => string): void => {
    all += count;
    if (count === 0 || all < next) return;
    while (next <= all) next *= 10;
    say(line(all));
  };
}

/** Keeps the metrics of one loop, and says what an operator should know. */
function counters({ metrics, version, warn }: LoopOptions) {
  const lags = new Map<number, number>();
  const say = (line: string) => warn(`scorer ${version}: ${line}`);
  const told = {
    invalid: milestones(say),
    restarts: milestones(say),
    forgotten: milestones(say),
    duplicates: milestones(say),
  };
  // By model: the loops of champion and challenger share the metrics.
  const gauge = metrics.gauge('telltale_scoring_lag');
  const showLag = () => {
    let sum = 0;
    for (const lag of lags.values()) sum += lag;
    if (lags.size === 0) gauge.remove({ model: version });
    else gauge.set({ model: version }, sum);
  };
  const tell = ({ records, partition }: RecordBatch, result: ScoredBatch) => {
    const from = `of partition ${partition} from offset ${records[0]!.offset} on`;
    told.invalid(
      result.invalid,
      (all) =>
        `${counted(all, 'record')} that cannot be read: passed over, the last ${from} (counted as telltale_scoring_invalid_total)`,
    );
    const last = result.restarts.at(-1);
    told.restarts(
      result.restarts.length,
      (all) =>
        `${counted(all, 'restart')} of a car's counter, the last of ${last!.vin}: ${last!.seq} after ${last!.before}; scored on (counted as telltale_scoring_restarts_total)`,
    );
    told.forgotten(
      result.forgotten,
      (all) =>
        `${counted(all, 'event')} too late to tell from ones scored before: not scored, the last ${from} (counted as telltale_scoring_forgotten_total)`,
    );
    told.duplicates(
      result.duplicates,
      (all) =>
        `${counted(all, 'event')} that came again: scored once (counted as telltale_scoring_duplicates_total)`,
    );
  };
  return {
    restored: ({ replayed }: Restored) => metrics.counter('telltale_scoring_replayed_total').inc(replayed),
    add: (batch: RecordBatch, result: ScoredBatch) => {
      metrics.counter('telltale_scoring_events_total').inc(result.scored);
      metrics.counter('telltale_scoring_duplicates_total').inc(result.duplicates);
      metrics.counter('telltale_scoring_restarts_total').inc(result.restarts.length);
      metrics.counter('telltale_scoring_forgotten_total').inc(result.forgotten);
      metrics.counter('telltale_scoring_late_total').inc(result.late);
      metrics.counter('telltale_scoring_invalid_total').inc(result.invalid);
      metrics.counter('telltale_scoring_state_bytes_total').inc(result.stateBytes);
      tell(batch, result);
      lags.set(batch.partition, Math.max(0, batch.highWatermark - batch.records.at(-1)!.offset - 1));
      showLag();
    },
    forget: (partition: number) => {
      lags.delete(partition);
      showLag();
    },
  };
}
