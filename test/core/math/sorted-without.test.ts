import { describe, expect, it } from 'vitest';
import { sortedWithout } from '../../../core/math/sorted-without.ts';
import { seededRandom } from '../../../core/model/random.ts';

describe('values sorted once for all folds', () => {
  it.each([
    ['drawn', (random: () => number) => Math.fround(20 * (random() - 0.5))],
    [
      'of few sizes, zeros of both signs among them',
      (random: () => number) => [-1, -0, 0, 0.5][Math.floor(4 * random())]!,
    ],
    ['tiny', (random: () => number) => Math.fround(1e-40 * (random() - 0.5))],
  ])('are the values of all others, rising: %s', (_, draw) => {
    const random = seededRandom(5, 'sorted');
    const values = Float64Array.from({ length: 500 }, () => draw(random));
    const folds = Uint8Array.from({ length: 500 }, () => Math.floor(7 * random()) * 40);
    const without = sortedWithout(values.slice(), folds);
    for (const left of [-1, 0, 80, 240]) {
      const wanted = values.filter((_, i) => folds[i] !== left).sort();
      expect([...without(left)].map((value) => value + 0)).toEqual([...wanted].map((value) => value + 0));
    }
  });

  it('are none when one fold has all', () => {
    expect(sortedWithout(Float64Array.of(2, 1), Uint8Array.of(3, 3))(3)).toHaveLength(0);
  });
});
