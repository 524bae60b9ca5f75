// Cars for bench/feed.ts: a dozen correlated signals from three hidden drives, and what breaks them.
import { normal, seededRandom } from '../core/model/random.ts';

export const SIGNALS = 20;
const HIDDEN = 3;

/** The readings of one car, second by second; a broken one has two signals far from where the others put them. */
export function drive(car: number): (broken: boolean) => number[] {
  const random = seededRandom(11, `car ${car}`);
  const hidden = new Float64Array(HIDDEN);
  return (broken) => {
    for (let h = 0; h < HIDDEN; h += 1) hidden[h] = 0.97 * hidden[h]! + 0.25 * normal(random);
    return Array.from({ length: SIGNALS }, (_, s) => {
      let value = 20 + 0.15 * normal(random);
      for (let h = 0; h < HIDDEN; h += 1) value += Math.sin(s * 1.7 + h * 2.3) * hidden[h]!;
      if (broken && (s === 4 || s === 9)) value += 9;
      return Math.round(value * 1000) / 1000;
    });
  };
}
