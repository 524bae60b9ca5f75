// Many series at a time are followed as each would be alone.
import { expect, it } from 'vitest';
import { createDetector } from '../../../core/model/detector.ts';
import { MOST_IN_WAVE } from '../../../core/model/wave.ts';
import { followStretches } from '../../../training/calibrate/waves.ts';
import type { Series } from '../../../training/data/series.ts';
import { handBundle, identityHead } from '../../support/hand-bundle.ts';

/** A series of the small catalogue: its place makes it differ. */
function seriesOf(place: number, rows: number): Series {
  const values = new Float32Array(rows * 6);
  for (let r = 0; r < rows; r += 1) values.set([50 + place + r, 2000, 35, 90 - r, 200, 7], r * 6);
  return { id: `CAR${place}`, tsMs: Float64Array.from({ length: rows }, (_, i) => 1000 * i), values };
}

it('follows more stretches than a wave holds, of all lengths, each in order', () => {
  const detector = createDetector(handBundle({ heads: [identityHead({ span: 4 })] }));
  const stretches = Array.from({ length: 2 * MOST_IN_WAVE + 5 }, (_, i) => ({
    series: seriesOf(i, 3 + ((7 * i) % 23)),
    from: i % 3,
    to: i % 11 === 5 ? i % 3 : 3 + ((7 * i) % 23),
  }));
  const found = stretches.map(() => [] as [number, number][]);
  followStretches(detector, stretches, ({ score }, stretch, row) => found[stretch]!.push([row, score]));
  const right = stretches.map(({ series: { values, tsMs }, from, to }) => {
    const state = detector.newState();
    const scores: [number, number][] = [];
    for (let row = from; row < to; row += 1)
      scores.push([row, detector.step(state, values, tsMs[row]!, row * 6).score]);
    return scores;
  });
  expect(found).toEqual(right);
  expect(right.flat().length).toBeGreaterThan(500);
  expect(right.flat().some(([, score]) => score > 1)).toBe(true);
});
