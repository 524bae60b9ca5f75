// The figures of bench/whole-stream.ts, from what was measured while it ran and from the log it left.
import type { Log } from '../core/log/log.ts';
import { groundTruthTopic, scorerStateTopic, scoresTopic, telemetryTopic } from '../core/topics.ts';
import type { RunSummary } from '../simulator/progress.ts';
import { countScores, type Lag, recordBytes, written } from './stream-watch.ts';
import { type Figure, quantile } from './support.ts';
import type { Side } from './telltale-process.ts';

/** What was measured between the moment at which all cars were connected and the end. */
export interface Measured {
  readonly cars: number;
  /** Events a second that the cars have to send. */
  readonly dueRate: number;
  readonly summary: RunSummary;
  readonly seconds: number;
  /** Telemetry events of those minutes. */
  readonly events: number;
  readonly drainS: number;
  readonly lags: readonly Figure[][];
  readonly scoredMs: readonly number[];
  readonly phoneMs: readonly number[];
  /** Cars that were told to break. */
  readonly broken: number;
  readonly sides: readonly Side[];
}

/** How far a consumer was behind, over time. */
export function behind(name: string, { events, seconds }: Lag): Figure[] {
  const at = (values: readonly number[], q: number) => quantile(values, q);
  return [
    { what: `${name}: events behind, median`, value: at(events, 0.5), unit: 'events' },
    { what: `${name}: events behind, most`, value: at(events, 1), unit: 'events' },
    { what: `${name}: behind, median`, value: at(seconds, 0.5), unit: 's' },
    { what: `${name}: behind, p99`, value: at(seconds, 0.99), unit: 's', bar: { atMost: 5 } },
    { what: `${name}: behind, longest`, value: at(seconds, 1), unit: 's' },
  ];
}

const ages = (what: string, ms: readonly number[], bar?: Figure['bar']): Figure[] => [
  { what: `${what}, median`, value: quantile(ms, 0.5), unit: 'ms', ...(bar ? { bar } : {}) },
  { what: `${what}, p99`, value: quantile(ms, 0.99), unit: 'ms' },
  { what: `${what}, longest`, value: quantile(ms, 1), unit: 'ms', note: `of ${ms.length}` },
];

const mb = (bytes: number) => bytes / 2 ** 20;

/** What each kind of process used while the minutes were measured, and the most that one of telltale's own had. */
function usage({ sides, seconds, events }: Measured): Figure[] {
  const own = sides.filter(({ name }) => name !== 'Kafka');
  const largest = own.toSorted((a, b) => b.largestOwnBytes - a.largestOwnBytes)[0]!;
  return [
    ...sides.flatMap((side) => [
      { what: `${side.name}: CPU an event`, value: (side.cpuSinceMark * 1e6) / events, unit: 'µs' },
      { what: `${side.name}: CPU`, value: side.cpuSinceMark / seconds, unit: 'cores' },
      {
        what: `${side.name}: own memory of the largest`,
        value: mb(side.largestOwnBytes),
        unit: 'MB',
        note: `PSS ${mb(side.largestPssBytes).toFixed(0)} MB; ${side.pids.length} in all`,
      },
    ]),
    {
      what: 'own memory of the largest process',
      value: mb(largest.largestOwnBytes),
      unit: 'MB',
      bar: { atMost: 1024 },
      note: largest.name,
    },
  ];
}

/** What the log takes for an event, topic by topic; what was compacted away was written all the same. */
async function logBytes(log: Log, version: string, all: number): Promise<Figure[]> {
  const topics = [
    ['telemetry', telemetryTopic.name],
    ['scores', scoresTopic(version).name],
    ["the scorer's states", scorerStateTopic(version).name],
  ] as const;
  const figures: Figure[] = [];
  for (const [what, topic] of topics) {
    const [records, bytes] = [await written(log, topic), await recordBytes(log, topic)];
    const value = (records * bytes) / all;
    const note = `${bytes.toFixed(0)} a record`;
    figures.push({ what: `log: ${what}, bytes an event`, value, unit: 'bytes', note });
  }
  const total = figures.reduce((sum, { value }) => sum + value, 0);
  return [...figures, { what: 'log: bytes an event', value: total, unit: 'bytes' }];
}

export async function report(log: Log, version: string, run: Measured): Promise<Figure[]> {
  const { summary: s, cars, dueRate, seconds, events, drainS } = run;
  const accepted = await written(log, telemetryTopic.name);
  const scored = await countScores(log, version);
  const lost = Math.max(0, s.acknowledged - accepted - (await written(log, groundTruthTopic.name)));
  return [
    { what: 'cars connected', value: s.connectS === null ? 0 : s.cars, unit: '', bar: { atLeast: cars } },
    { what: 'time until all were connected', value: s.connectS ?? Number.NaN, unit: 's' },
    {
      ...{ what: 'events into the log', value: events / seconds, unit: 'events/s' },
      ...{
        bar: { atLeast: 0.99 * dueRate },
        note: `${dueRate} are due; over ${seconds.toFixed(0)} s`,
      },
    },
    { what: 'published and not acknowledged', value: s.unacknowledged, unit: 'events', bar: { atMost: 0 } },
    { what: 'given up by queues', value: s.dropped, unit: 'events', bar: { atMost: 0 } },
    { what: 'acknowledged and not in the log', value: lost, unit: 'events', bar: { atMost: 0 } },
    {
      ...{ what: 'in the log and without a score', value: accepted - scored, unit: 'events' },
      ...{ bar: { atMost: s.resent }, note: `${scored} scores; ${s.resent} events were sent again` },
    },
    ...run.lags.flat(),
    { what: 'all scored and judged after the last event', value: drainS, unit: 's' },
    { what: 'publish → PUBACK, median', value: s.ackP50Ms, unit: 'ms', note: 'connecting included' },
    { what: 'publish → PUBACK, p99', value: s.ackP99Ms, unit: 'ms' },
    ...ages('publish → scored', run.scoredMs),
    ...ages('publish → phone', run.phoneMs, { atMost: 1000 }),
    { what: 'cars that were broken', value: run.broken, unit: '' },
    ...usage(run),
    ...(await logBytes(log, version, accepted)),
  ];
}
