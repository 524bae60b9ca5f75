// A stretch of the log as training data: which records, exactly, and the rows drawn from them in bounded memory.
import type { Catalogue } from '../../core/catalogue.ts';
import { counted } from '../../core/counted.ts';
import { TelltaleError } from '../../core/errors.ts';
import type { Log, ReadOptions } from '../../core/log/log.ts';
import { admit, contentHash, newSequence, type Sequence } from '../../core/sequence.ts';
import { createTelemetryReader } from '../../core/telemetry-reader.ts';
import { telemetryTopic } from '../../core/topics.ts';
import { CounterSurvey, type Counters } from './counters.ts';
import { Sampler } from './sampler.ts';
import type { Series } from './series.ts';
import { allRows, shareRows } from './shares.ts';

/** Offsets of one partition: `from` inclusive, `to` exclusive. */
export interface OffsetRange {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** What a person asks for. */
export interface HistoryChoice {
  /** Ingest time, ms; null: from the beginning, to the present end. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** `P:FROM-TO,…`; empty: by times. */
  readonly offsets: string;
}

/** @throws TelltaleError CONFIG_INVALID when the text is no list of offset ranges */
export function parseOffsets(text: string): OffsetRange[] {
  return text.split(',').map((part) => {
    const match = /^\s*(\d+):(\d+)-(\d+)\s*$/.exec(part);
    const [partition, from, to] = (match ?? []).slice(1).map(Number);
    if (partition === undefined || from === undefined || to === undefined || from >= to)
      throw new TelltaleError('CONFIG_INVALID', `--offsets: "${part}" is not PARTITION:FROM-TO`);
    return { partition, from, to };
  });
}

/**
 * The exact ranges that a choice means now.
 * @throws TelltaleError TRAINING_DATA when nothing, or not all that was asked for, is in the log
 */
export async function resolveRanges(
  log: Pick<Log, 'ranges' | 'offsetsAt'>,
  choice: HistoryChoice,
): Promise<OffsetRange[]> {
  const kept = await log.ranges(telemetryTopic.name);
  const asked = choice.offsets === '' ? await rangesByTime(log, kept, choice) : parseOffsets(choice.offsets);
  for (const { partition, from, to } of asked) {
    const range = kept.find((one) => one.partition === partition);
    if (!range || from < range.earliest || to > range.end) {
      throw new TelltaleError(
        'TRAINING_DATA',
        `offsets ${from} to ${to} of partition ${partition} are not all in the log${range ? `, which holds ${range.earliest} to ${range.end}` : ''}`,
      );
    }
  }
  const ranges = asked.filter(({ from, to }) => from < to).sort((a, b) => a.partition - b.partition);
  if (ranges.length === 0) throw new TelltaleError('TRAINING_DATA', 'the chosen stretch of history is empty');
  return ranges;
}

async function rangesByTime(
  log: Pick<Log, 'offsetsAt'>,
  kept: readonly { readonly partition: number; readonly earliest: number; readonly end: number }[],
  { fromMs, toMs }: HistoryChoice,
): Promise<OffsetRange[]> {
  const at = async (ms: number | null) =>
    ms === null
      ? null
      : new Map((await log.offsetsAt(telemetryTopic.name, ms)).map((one) => [one.partition, one.offset]));
  const from = await at(fromMs);
  const to = await at(toMs);
  return kept.map(({ partition, earliest, end }) => ({
    partition,
    from: Math.max(earliest, from?.get(partition) ?? earliest),
    to: Math.max(earliest, to?.get(partition) ?? end),
  }));
}

export interface HistoryOptions {
  readonly log: Pick<Log, 'read'>;
  readonly catalogue: Catalogue;
  readonly ranges: readonly OffsetRange[];
  /** Names of cars, or prefixes that end in `*`; empty: all. */
  readonly cars: readonly string[];
  readonly seed: number;
  readonly maxRows: number;
  readonly signal: AbortSignal;
  readonly progress?: (done: number, all: number) => void;
}

export interface History {
  readonly series: readonly Series[];
  /** Records read that were of a chosen car. */
  readonly records: number;
  /** Redelivered, out-of-order or unreadable ones left out. */
  readonly leftOut: number;
  /** Cars there was no room for. */
  readonly carsLeftOut: readonly string[];
  /** What became of rows there was no room for, and of records that are no rows, a line each. */
  readonly remarks: readonly string[];
  /** Signals that only rise; their readings are still in the series. */
  readonly counters: Counters;
}

/** True for cars that a list of names and prefixes chooses. */
export function chooses(cars: readonly string[]): (vin: string) => boolean {
  if (cars.length === 0) return () => true;
  const names = new Set(cars.filter((name) => !name.endsWith('*')));
  const prefixes = cars.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  return (vin) => names.has(vin) || prefixes.some((prefix) => vin.startsWith(prefix));
}

/** Records of each chosen car, by their keys alone: who gets how many rows must be known before any is kept. */
async function rowsOfCars(
  log: HistoryOptions['log'],
  stretch: ReadOptions,
  chosen: (vin: string) => boolean,
): Promise<Map<string, number>> {
  const rowsOf = new Map<string, number>();
  for await (const { records } of log.read(telemetryTopic.name, stretch))
    for (const { key, value } of records)
      if (value !== null && chosen(key)) rowsOf.set(key, (rowsOf.get(key) ?? 0) + 1);
  return rowsOf;
}

/** Records that are not trained on, by why. */
function leftOutRemarks(
  { unreadable, duplicate, forgotten }: Readonly<Record<'unreadable' | 'duplicate' | 'forgotten', number>>,
  { outOfOrder, begunAnew }: Pick<Sampler, 'outOfOrder' | 'begunAnew'>,
): string[] {
  const line = (count: number, noun: string, what: string) =>
    count > 0 ? [`${counted(count, noun)} ${what}`] : [];
  return [
    ...line(unreadable, 'record', 'of which no event can be read, left out'),
    ...line(duplicate, 'redelivered event', 'left out: each is taken once'),
    ...line(forgotten, 'event', 'too late to be told from redelivered ones, left out'),
    ...line(outOfOrder, 'event', 'older than the one before of the same car, left out'),
    ...line(
      begunAnew,
      'time',
      'the clock of a car went back for good: what follows is taken as a drive of its own',
    ),
  ];
}

/**
 * Reads the ranges into bounded memory.
 * @throws TelltaleError ABORTED, TRAINING_DATA when no chosen car has a row
 */
export async function readHistory(options: HistoryOptions): Promise<History> {
  const { log, catalogue, ranges, cars, seed, maxRows, signal, progress } = options;
  const width = catalogue.signals.length;
  const counting = new CounterSurvey(width);
  const read = createTelemetryReader(catalogue);
  const chosen = chooses(cars);
  const sequences = new Map<string, Sequence>();
  let hash: (() => number) | undefined;
  const all = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  let done = 0;
  const left = { unreadable: 0, duplicate: 0, forgotten: 0 };
  const stretch = {
    partitions: ranges.map(({ partition }) => partition),
    from: { offsets: ranges.map(({ partition, from }) => ({ partition, offset: from })) },
    to: { offsets: ranges.map(({ partition, to }) => ({ partition, offset: to })) },
    signal,
  };
  const shares =
    all <= maxRows ? allRows(all) : shareRows(await rowsOfCars(log, stretch, chosen), seed, maxRows);
  const sampler = new Sampler({ seed, width, shares });
  for await (const { records } of log.read(telemetryTopic.name, stretch)) {
    for (const { key, value } of records) {
      done += 1;
      const event = value === null ? null : read(value);
      if (!chosen(event?.vin ?? key)) continue;
      if (event === null) left.unreadable += 1;
      else {
        const sequence = sequences.get(event.vin) ?? newSequence();
        if (sequence.length === 0) sequences.set(event.vin, sequence);
        // The reader gives the same array each time.
        hash ??= contentHash(event.values);
        const { kind } = admit(sequence, { ...event, hash: hash() });
        if (kind === 'duplicate' || kind === 'forgotten') left[kind] += 1;
        else {
          sampler.add(event.vin, event.tsMs, event.values);
          counting.add(event.vin, event.tsMs, event.values);
        }
      }
    }
    progress?.(done, all);
  }
  if (signal.aborted) throw new TelltaleError('ABORTED', 'reading the history was stopped');
  const series = sampler.series();
  if (series.length === 0)
    throw new TelltaleError('TRAINING_DATA', 'the chosen stretch of history has no row of the chosen cars');
  const counters = counting.counters(catalogue);
  return {
    series,
    records: sampler.seen,
    leftOut: left.unreadable + left.duplicate + left.forgotten + sampler.outOfOrder,
    carsLeftOut: [...shares.leftOut],
    remarks: [...shares.remarks, ...leftOutRemarks(left, sampler)],
    counters,
  };
}
