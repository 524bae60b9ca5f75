// The two recorded data sets the quality bench measures on, as matrices per drive or run, and seeded splits by drive.
// The files are not part of the project; where they are absent the bench says so and leaves the set out.
import { existsSync } from 'node:fs';
import { openRecording } from '../../core/recording.ts';

/** A stretch of rows of one car, drive or run, in time order. */
export interface Series {
  readonly id: string;
  /** Event times, ms, length n. */
  readonly tsMs: Float64Array;
  /** Readings, row after row, n × d; NaN: missing. */
  readonly values: Float32Array;
  /** 1 where the row is faulty, length n; all 0 where nothing is known. */
  readonly labels: Uint8Array;
}

export interface SeriesSet {
  readonly name: string;
  readonly signals: readonly string[];
  readonly series: readonly Series[];
}

/** Rows of a series. */
export const rowCount = (series: Series): number => series.tsMs.length;

/** Hours a series spans, pauses over ten minutes left out. */
export function hoursOf(series: Pick<Series, 'tsMs'>): number {
  let ms = 0;
  for (let i = 1; i < series.tsMs.length; i += 1) {
    const step = series.tsMs[i]! - series.tsMs[i - 1]!;
    if (step > 0 && step < 600_000) ms += step;
  }
  return ms / 3_600_000;
}

const DATA = new URL('../../../shared/data/', import.meta.url);

export const DRIVES_FILE = new URL('carobd-drives.csv.gz', DATA).pathname;
export const SKAB_FILE = new URL('skab-valve1.csv.gz', DATA).pathname;

/** Reads a recording into memory, or null when the file is not there. `label` names a 0/1 column that is no signal. */
export async function loadSet(name: string, file: string, label?: string): Promise<SeriesSet | null> {
  if (!existsSync(file)) return null;
  const recording = await openRecording(file, { id: 'id', time: 'timestamp' });
  const signals = recording.signals.filter((signal) => signal !== label);
  const labelAt = label === undefined ? -1 : recording.signals.indexOf(label);
  const d = signals.length;
  const kept = recording.signals.flatMap((signal, c) => (signal === label ? [] : [c]));
  const series: Series[] = [];
  const filled = new Map<string, number>();
  const byId = new Map<string, Series>();
  for (const [id, n] of recording.ids) {
    const one = {
      id,
      tsMs: new Float64Array(n),
      values: new Float32Array(n * d),
      labels: new Uint8Array(n),
    };
    series.push(one);
    byId.set(id, one);
  }
  for await (const row of recording.rows()) {
    const one = byId.get(row.id)!;
    const i = filled.get(row.id) ?? 0;
    filled.set(row.id, i + 1);
    one.tsMs[i] = row.tsMs;
    for (let c = 0; c < d; c += 1) one.values[i * d + c] = row.values[kept[c]!]!;
    if (labelAt >= 0) one.labels[i] = row.values[labelAt]! > 0 ? 1 : 0;
  }
  return { name, signals, series };
}

/** Rows [from, to) of a series, sharing its memory. */
export function sliceSeries(series: Series, from: number, to: number): Series {
  const d = series.values.length / series.tsMs.length;
  return {
    id: series.id,
    tsMs: series.tsMs.subarray(from, to),
    values: series.values.subarray(from * d, to * d),
    labels: series.labels.subarray(from, to),
  };
}

/** Numbers in [0, 1) that follow from the seed alone (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}

export interface Split {
  readonly train: readonly Series[];
  readonly tune: readonly Series[];
  readonly test: readonly Series[];
}

/** 50 % / 15 % / 35 % of the drives, by drive, never by row. */
export function splitDrives(set: SeriesSet, seed: number): Split {
  const order = shuffled(set.series, seededRandom(seed));
  const train = Math.round(order.length * 0.5);
  const tune = Math.round(order.length * 0.15);
  return {
    train: order.slice(0, train),
    tune: order.slice(train, train + tune),
    test: order.slice(train + tune),
  };
}
