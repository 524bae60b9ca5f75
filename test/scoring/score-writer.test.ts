import { describe, expect, it } from 'vitest';
import type { Score } from '../../core/events.ts';
import { createDetector } from '../../core/model/detector.ts';
import { scoresTopic } from '../../core/topics.ts';
import { createScoreWriter, type ScoredEvent } from '../../scoring/score-writer.ts';
import { handBundle } from '../support/hand-bundle.ts';

// The score is the distance of the speed from 50, in spreads of 10: its root mean square over two signals and more (hand-bundle.ts).
// The threshold is 1.5.
const detector = createDetector(handBundle());
const topic = scoresTopic('v1');
const T0 = 1_700_000_000_000;

/** Scores of one car, an event a second; `speeds` by second. */
function told(speeds: readonly number[], isWatched?: (vin: string) => boolean, vin = 'A'): Score[] {
  const writer = createScoreWriter(detector, 'v1', isWatched);
  const state = detector.newState();
  let beforeMs = Number.NEGATIVE_INFINITY;
  speeds.forEach((speed, second) => {
    const values = Float64Array.of(speed, Number.NaN, Number.NaN, 90, Number.NaN, Number.NaN);
    const tsMs = T0 + 1000 * second;
    const finding = detector.step(state, values, tsMs);
    const event: ScoredEvent = {
      ...{ vin, seq: second, ts: tsMs, receivedTs: tsMs, offset: second, partition: 0, beforeMs },
      ...{ score: 0, late: false, readings: null, words: null },
    };
    writer.tell(event, finding, values, false);
    writer.add(event);
    beforeMs = tsMs;
  });
  return writer.finish().flatMap(({ value }) => topic.decode(value));
}

const placesTold = (scores: readonly Score[]) =>
  scores.flatMap(({ values }, second) => (values.length > 0 ? [second] : []));

describe('what is said of a score', () => {
  it('is short for a calm car, but for its first one and one in ten', () => {
    const scores = told(Array(40).fill(50));
    const [first, second, ...places] = placesTold(scores);
    expect([first, second! <= 10]).toEqual([0, true]);
    expect(places).toEqual([1, 2, 3].slice(0, places.length).map((turn) => second! + 10 * turn));
    expect(places.length).toBeGreaterThanOrEqual(2);
    expect(scores.every(({ score, threshold }) => score === 0 && threshold === 1.5)).toBe(true);
    expect(scores[second! + 1]).toMatchObject({ values: [], expected: [], top: [] });
  });

  it('is all of it on the way to the threshold and past it, with the signals to blame', () => {
    const speeds = Array(40).fill(50);
    speeds.splice(11, 3, 56, 80, 54);
    const scores = told(speeds);
    const calm = placesTold(told(Array(40).fill(50)));
    expect(placesTold(scores)).toEqual([...new Set([...calm, 11, 12])].toSorted((a, b) => a - b));
    const ratios = scores.slice(11, 14).map(({ score, threshold }) => score / threshold);
    expect(ratios.map((ratio) => [ratio >= 0.75, ratio >= 1])).toEqual([
      [true, false],
      [true, true],
      [false, false],
    ]);
    expect(scores[12]).toMatchObject({
      values: [80, null, null, 90, null, null],
      expected: [50, 2000, 35, 90, 200, 7],
      top: [{ signal: 'speedKmh', value: 80, expected: 50, share: 1 }],
    });
  });

  it('is all of it for a car that somebody looks at', () => {
    expect(placesTold(told(Array(12).fill(50), (vin) => vin === 'A')).length).toBe(12);
    expect(placesTold(told(Array(12).fill(50), (vin) => vin === 'B')).length).toBeLessThan(4);
  });

  it('is not all of it in the same second for all cars', () => {
    const seconds = new Set(
      Array.from({ length: 40 }, (_, i) => placesTold(told(Array(11).fill(50), undefined, `CAR${i}`))[1]),
    );
    expect(seconds.size).toBeGreaterThan(5);
  });
});
