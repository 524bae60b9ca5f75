import { describe, expect, it } from 'vitest';
import { solveSpd } from '../../../core/math/linear-algebra.ts';
import {
  crossesOf,
  gramsOf,
  maskedSolve,
  type RidgeRows,
  ridgeInverse,
  sumWithout,
} from '../../../core/math/ridge.ts';
import { seededRandom } from '../../../core/model/random.ts';

const COUNT = 200;
const WIDTH = 6;
const random = seededRandom(3, 'ridge');
const inputs = Float32Array.from({ length: COUNT * WIDTH }, (_, i) => (i % WIDTH === 0 ? 1 : random() - 0.5));
const folds = Uint8Array.from({ length: COUNT }, (_, r) => r % 4);
const rows: RidgeRows = { count: COUNT, width: WIDTH, inputs, folds };
const none = new Uint8Array(COUNT);
// y = 2·x1 − 3·x4 + 1
const targets = Float32Array.from(
  { length: COUNT },
  (_, r) => 2 * inputs[r * WIDTH + 1]! - 3 * inputs[r * WIDTH + 4]! + 1,
);

describe('cross-fitted ridge', () => {
  it('recovers weights that explain everything', () => {
    const gram = sumWithout(gramsOf(rows, 4, none), -1);
    const cross = sumWithout(crossesOf(rows, 4, none, targets, 1), -1);
    const out = new Float64Array(WIDTH);
    maskedSolve(ridgeInverse(gram, WIDTH, 1e-9), WIDTH, cross, 1, 0, [], out, 0);
    for (const [a, weight] of [1, 2, 0, 0, -3, 0].entries()) expect(out[a]).toBeCloseTo(weight, 3);
  });

  it('gives, with inputs forbidden, what solving without them gives', () => {
    const gram = sumWithout(gramsOf(rows, 4, none), -1);
    const cross = sumWithout(crossesOf(rows, 4, none, targets, 1), -1);
    const lambda = 0.01;
    const out = new Float64Array(WIDTH);
    maskedSolve(ridgeInverse(gram, WIDTH, lambda), WIDTH, cross, 1, 0, [2, 4], out, 0);
    const kept = [0, 1, 3, 5];
    const small = Float64Array.from(
      kept.flatMap((a) =>
        kept.map((b) => gram[a * WIDTH + b]! + (a !== b ? 0 : a === 0 ? 1e-6 : lambda * COUNT + 1e-9)),
      ),
    );
    const expected = solveSpd(
      small,
      4,
      Float64Array.from(kept, (a) => cross[a]!),
      1,
    );
    kept.forEach((a, i) => {
      expect(out[a]).toBeCloseTo(expected[i]!, 9);
    });
    expect(out[2]).toBe(0);
    expect(out[4]).toBe(0);
  });

  it('leaves a fold out by subtraction', () => {
    const grams = gramsOf(rows, 4, none);
    const skip = Uint8Array.from(folds, (fold) => (fold === 2 ? 1 : 0));
    const direct = sumWithout(gramsOf(rows, 4, skip), -1);
    sumWithout(grams, 2).forEach((value, i) => {
      expect(value).toBeCloseTo(direct[i]!, 9);
    });
  });
});
