// Where a twin begins to read the scores of its champion: bounded, and far enough back to know a fleet that has been
// silent for hours. A record holds the scores of a batch, one or thousands: they are counted from the end of the topic
// back.
import type { Log, PartitionOffset, PartitionRange } from '../core/log/log.ts';
import { scoresIn } from '../core/score-cursor.ts';

/** How far back: the minutes the charts show. */
const BACK_MS = 5 * 60_000;
/** Scores of a silent fleet that are read all the same: what its cars said last. */
const LEAST_SCORES = 60_000;
/** Scores of a busy fleet that are read at most, whatever the minutes hold. */
const MOST_SCORES = 300_000;
/** Records that are looked at first, and so many times as many each time that they do not suffice. */
const FIRST_RECORDS = 64;
const MORE_TIMES = 4;

export interface ScoresBack {
  /** Of the last record with which there are at least so many scores from there on. */
  offsetOf(scores: number): number;
}

/** The newest records of a partition with at least `most` scores in them, or all there are. */
async function countBack(
  log: Log,
  topic: string,
  { partition, earliest, end }: PartitionRange,
  most: number,
): Promise<ScoresBack> {
  let counts: { readonly offset: number; readonly scores: number }[] = [];
  for (let records = FIRST_RECORDS; ; records *= MORE_TIMES) {
    const from = Math.max(earliest, end - records);
    counts = [];
    const offsets = [{ partition, offset: from }];
    const to = { offsets: [{ partition, offset: end }] };
    for await (const batch of log.read(topic, { partitions: [partition], from: { offsets }, to }))
      for (const { offset, value } of batch.records)
        counts.push({ offset, scores: value === null ? 0 : scoresIn(value) });
    const all = counts.reduce((sum, { scores }) => sum + scores, 0);
    if (from === earliest || all >= most) break;
  }
  return {
    offsetOf: (wanted) => {
      let sum = 0;
      for (const { offset, scores } of counts.toReversed()) {
        sum += scores;
        if (sum >= wanted) return offset;
      }
      return earliest;
    },
  };
}

export async function twinStart(log: Log, topic: string, nowMs: number): Promise<PartitionOffset[]> {
  const ranges = await log.ranges(topic);
  const byTime = new Map(
    (await log.offsetsAt(topic, nowMs - BACK_MS)).map(({ partition, offset }) => [partition, offset]),
  );
  const each = (scores: number) => Math.ceil(scores / ranges.length);
  return Promise.all(
    ranges.map(async (range) => {
      const { partition, end } = range;
      const back = await countBack(log, topic, range, each(MOST_SCORES));
      const wanted = Math.min(byTime.get(partition) ?? end, back.offsetOf(each(LEAST_SCORES)));
      return { partition, offset: Math.max(back.offsetOf(each(MOST_SCORES)), wanted) };
    }),
  );
}
