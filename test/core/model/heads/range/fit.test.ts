import { describe, expect, it } from 'vitest';
import { fewestStretches, rangeFits } from '../../../../../core/model/heads/range/fit.ts';
import type { Prepared } from '../../../../../core/model/prepared.ts';

/** One channel that never rises above where it rests; `cars` stretches, each `apart` above the one before. */
function preparedOf(cars: number, apart = 0): Prepared {
  const rows = 400;
  const count = cars * rows;
  return {
    channels: 1,
    count,
    features: Float32Array.from(
      { length: count },
      (_, r) => (r % 10 === 0 ? -1 : 0) + apart * Math.floor(r / rows),
    ),
    present: new Uint8Array(count).fill(1),
    reconstruction: new Float32Array(count),
    first: Uint8Array.from({ length: count }, (_, r) => (r % rows === 0 ? 1 : 0)),
    steps: new Uint8Array(count).fill(1),
    losses: new Map(),
  };
}
/** Each stretch a fold of its own, but for the last `together` that share one. */
const foldsOf = ({ count }: Prepared, together = 1) => {
  const stretches = count / 400;
  return Uint8Array.from({ length: count }, (_, r) => Math.min(stretches - together, Math.floor(r / 400)));
};
const slopeOf = (prepared: Prepared, together = 1) =>
  rangeFits(prepared, foldsOf(prepared, together), 16, 0.03)(-1).high[0]!.slope;

describe('the range head', () => {
  it('takes the next car to be half a spread apart where a few stretches do not tell', () => {
    expect(slopeOf(preparedOf(1))).toBeCloseTo(1 / (0.5 * Math.LN10), 5);
    expect(slopeOf(preparedOf(3))).toBeCloseTo(1 / (0.5 * Math.LN10), 5);
  });

  it('decides that by what the judges are left with too: four cars are three to each of them', () => {
    const unknown = 1 / (0.5 * Math.LN10);
    expect(slopeOf(preparedOf(4))).toBeCloseTo(unknown, 5);
    expect(slopeOf(preparedOf(5))).toBeGreaterThan(100);
    expect(slopeOf(preparedOf(6), 3)).toBeCloseTo(unknown, 5);
    // Three cars held out by time: a judge whose fold lies in the middle sees more stretches than there are cars.
    const three = preparedOf(3);
    const byTime = Uint8Array.from({ length: three.count }, (_, r) => Math.floor((r % 400) / 50));
    expect([...fewestStretches(three, byTime, 8)]).toEqual([3]);
  });

  it('is as steep as cars are alike where many tell', () => {
    expect(slopeOf(preparedOf(8))).toBeGreaterThan(100);
    expect(slopeOf(preparedOf(8, 1))).toBeLessThan(0.2);
  });
});
