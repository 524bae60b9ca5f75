// THE loop: telemetry → scores of one model, exactly once. Live, catching up and reprocessing are this loop; they differ only
// in where its group stands in the log.
import { TelltaleError } from '../core/errors.ts';
import { topicSpec } from '../core/log/create-topics.ts';
import type { Log, RecordBatch } from '../core/log/log.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Detector } from '../core/model/detector.ts';
import { scorerStateTopic, scoresTopic, telemetryTopic } from '../core/topics.ts';
import { type ScoredBatch, Scorer } from './scorer.ts';

export interface LoopOptions {
  readonly log: Log;
  readonly version: string;
  readonly detector: Detector;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
  readonly warn: (line: string) => void;
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

/** Reads the states of a partition's cars. */
async function restore(options: LoopOptions, scorer: Scorer, partition: number): Promise<void> {
  const topic = scorerStateTopic(options.version);
  for await (const { records } of options.log.read(topic.name, { partitions: [partition], to: 'end' }))
    for (const { key, value } of records) if (value !== null) scorer.restore(key, value);
}

/** Runs until `signal` aborts. @throws what `transform` throws; MODEL_INVALID when a state is not of this model */
export async function runLoop(options: LoopOptions): Promise<void> {
  const { log, version, detector, signal, onBatch } = options;
  await createScoreTopics(log, version);
  const scorers = new Map<number, Scorer>();
  const count = counters(options);
  await log.transform(
    telemetryTopic.name,
    {
      group: scorerGroup(version),
      from: 'earliest',
      signal,
      onAssigned: async (partition) => {
        const scorer = new Scorer({
          detector,
          version,
          scoresTopic: scoresTopic(version).name,
          stateTopic: scorerStateTopic(version).name,
        });
        await restore(options, scorer, partition);
        scorers.set(partition, scorer);
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

/** Keeps the metrics of one loop. */
function counters({ metrics, version, warn }: LoopOptions) {
  const lags = new Map<number, number>();
  let saidInvalid = false;
  // By model: the loops of champion and challenger share the metrics.
  const gauge = metrics.gauge('telltale_scoring_lag');
  const showLag = () => {
    let sum = 0;
    for (const lag of lags.values()) sum += lag;
    if (lags.size === 0) gauge.remove({ model: version });
    else gauge.set({ model: version }, sum);
  };
  return {
    add: ({ records, partition, highWatermark }: RecordBatch, result: ScoredBatch) => {
      metrics.counter('telltale_scoring_events_total').inc(result.scored);
      metrics.counter('telltale_scoring_duplicates_total').inc(result.duplicates);
      metrics.counter('telltale_scoring_late_total').inc(result.late);
      metrics.counter('telltale_scoring_invalid_total').inc(result.invalid);
      if (result.invalid > 0 && !saidInvalid) {
        saidInvalid = true;
        warn(
          `scorer ${version}: ${result.invalid} records of partition ${partition} from offset ${records[0]!.offset} on cannot be read and are passed over (said once; counted as telltale_scoring_invalid_total)`,
        );
      }
      lags.set(partition, Math.max(0, highWatermark - records.at(-1)!.offset - 1));
      showLag();
    },
    forget: (partition: number) => {
      lags.delete(partition);
      showLag();
    },
  };
}
