import { describe, expect, it } from 'vitest';
import type { Prepared } from '../../../../core/model/prepared.ts';
import { normal, seededRandom } from '../../../../core/model/random.ts';
import { smoothed } from '../../../../training/evaluate/baselines/baseline.ts';
import { fitIsolationForest } from '../../../../training/evaluate/baselines/isolation-forest.ts';
import {
  fitLimits,
  fitMahalanobis,
  fitPrincipalComponents,
} from '../../../../training/evaluate/baselines/linear.ts';

/** Two channels that go together, and one of their own. */
function rowsOf(rows: readonly (readonly [number, number, number])[]): Prepared {
  const count = rows.length;
  return {
    channels: 3,
    count,
    features: Float32Array.from(rows.flat()),
    present: new Uint8Array(count * 3).fill(1),
    reconstruction: new Float32Array(count * 3),
    first: Uint8Array.from({ length: count }, (_, r) => (r === 0 ? 1 : 0)),
    steps: new Uint8Array(count).fill(1),
    losses: new Map(),
  };
}

const random = seededRandom(5, 'rows');
const normalRows = rowsOf(
  Array.from({ length: 4000 }, (): [number, number, number] => {
    const a = normal(random);
    return [a, a + 0.1 * normal(random), normal(random)];
  }),
);
const typical = rowsOf([[0.2, 0.2, 0.1]]);
const apart = rowsOf([[1, -1, 0]]);
const far = rowsOf([[6, 6, 6]]);

describe('baselines', () => {
  it('limits: 1 at the limits of 99 % of readings, blind to what goes together', () => {
    const { score } = fitLimits(normalRows);
    // Limits of a standard normal at 0.5 % on either side are ± 2.58.
    expect(score(rowsOf([[0, 0, 2.58]]))[0]).toBeCloseTo(1, 0);
    expect(score(apart)[0]).toBeLessThan(0.6);
    expect(score(far)[0]).toBeGreaterThan(2);
  });

  it('Mahalanobis: sees what goes together', () => {
    const { score } = fitMahalanobis(normalRows);
    // Off the diagonal by (1, −1), where the spread across it is 0.1/√2: about 2/0.1.
    expect(score(apart)[0]).toBeGreaterThan(12);
    expect(score(apart)[0]).toBeLessThan(24);
    expect(score(typical)[0]).toBeLessThan(1);
  });

  it('PCA: what two components leave is the distance from the diagonal', () => {
    const { score, about } = fitPrincipalComponents(normalRows);
    expect(about).toContain('2 principal components');
    expect(score(apart)[0]).toBeCloseTo(Math.SQRT2, 1);
    expect(score(typical)[0]).toBeLessThan(0.1);
  });

  it('isolation forest: 0.5 is usual, far away is sooner alone, the same seed the same trees', () => {
    const forest = fitIsolationForest(normalRows, 1);
    expect(forest.score(typical)[0]).toBeLessThan(0.5);
    expect(forest.score(far)[0]).toBeGreaterThan(0.6);
    expect(fitIsolationForest(normalRows, 1).score(far)).toEqual(forest.score(far));
  });

  it('smooths anew at each beginning', () => {
    // Span 3 weighs the newest by a half.
    expect([...smoothed(Float64Array.of(1, 3, 8), Uint8Array.of(1, 0, 1), 3)]).toEqual([1, 2, 8]);
  });
});
