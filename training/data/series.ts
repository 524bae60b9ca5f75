// What models are fitted on: stretches of rows of a car in time order. A car may come in several stretches (sampled
// history); everything that is split or held out is split by car.

/** Consecutive rows of one car. */
export interface Series {
  readonly id: string;
  /** Event times, ms, length n, not falling. */
  readonly tsMs: Float64Array;
  /** Readings in catalogue order, n × signals, row after row; NaN: missing. */
  readonly values: Float32Array;
}

export const rowsIn = (series: readonly Series[]): number =>
  series.reduce((sum, { tsMs }) => sum + tsMs.length, 0);

export const carsIn = (series: readonly Series[]): string[] => [...new Set(series.map(({ id }) => id))];

/** Hours of driving: event time between consecutive rows, pauses longer than `gapMs` left out. */
export function hoursIn(series: readonly Series[], gapMs: number): number {
  let ms = 0;
  for (const { tsMs } of series) {
    for (let i = 1; i < tsMs.length; i += 1) {
      const step = tsMs[i]! - tsMs[i - 1]!;
      if (step > 0 && step <= gapMs) ms += step;
    }
  }
  return ms / 3_600_000;
}

/** The usual time between two rows, ms: the median of positive steps (1,000 when there are none). */
export function usualStepMs(series: readonly Series[]): number {
  const steps: number[] = [];
  for (const { tsMs } of series) {
    const stride = Math.max(1, Math.floor(tsMs.length / 2000));
    for (let i = stride; i < tsMs.length; i += stride) {
      const step = tsMs[i]! - tsMs[i - 1]!;
      if (step > 0) steps.push(step);
    }
  }
  steps.sort((a, b) => a - b);
  return steps[steps.length >> 1] ?? 1000;
}

/**
 * Cuts each series into `parts` stretches of equal length, each a car of its own to those who hold out by car; for data
 * with too few cars to hold any out.
 */
export function cutByTime(series: readonly Series[], width: number, parts: number): Series[] {
  return series.flatMap(({ id, tsMs, values }) =>
    Array.from({ length: parts }, (_, p) => {
      const from = Math.floor((tsMs.length * p) / parts);
      const to = Math.floor((tsMs.length * (p + 1)) / parts);
      return {
        id: `${id}#${p}`,
        tsMs: tsMs.subarray(from, to),
        values: values.subarray(from * width, to * width),
      };
    }),
  );
}
