// Where a car's state of the relation head lies: what forecaster (forecaster.ts), streams (streams.ts) and gauges
// remember of it.

/** Averages of the readings that the forecaster sees, in events; the first is also what it foretells. */
export const INPUT_SPANS = [4, 16, 100] as const;

/** The streams of evidence, in the order in which their newest averages stand in a car's state. */
export const STREAMS = ['others', 'own', 'fine', 'jitter'] as const;

/** Streams that a car's habits are taken off: `own`, `fine`, `jitter`. */
const HABITS = 3;

/**
 * Where things lie in a car's state: a count of its events, then blocks of `channels` floats. `away`: events for which
 * the channel was lost, so that what is known of it is known from so many fewer.
 */
export const stateLayout = (channels: number) => ({
  count: 0,
  averages: 1,
  level: 1 + INPUT_SPANS.length * channels,
  before: 1 + (INPUT_SPANS.length + 1) * channels,
  habits: 1 + (INPUT_SPANS.length + 2) * channels,
  fresh: 1 + (INPUT_SPANS.length + 2 + HABITS) * channels,
  away: 1 + (INPUT_SPANS.length + 2 + HABITS + STREAMS.length) * channels,
  gauges: 1 + (INPUT_SPANS.length + 3 + HABITS + STREAMS.length) * channels,
});
