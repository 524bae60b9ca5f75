import { describe, expect, it } from 'vitest';
import { fitRangeHead } from '../../../training/heads/range.ts';
import type { Prepared } from '../../../training/prepared.ts';

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
  };
}
const slopeOf = (prepared: Prepared) => fitRangeHead(prepared, 0.03).high[0]!.slope;

describe('the range head', () => {
  it('takes the next car to be half a spread apart where a few stretches do not tell', () => {
    expect(slopeOf(preparedOf(1))).toBeCloseTo(1 / (0.5 * Math.LN10), 5);
    expect(slopeOf(preparedOf(3))).toBeCloseTo(1 / (0.5 * Math.LN10), 5);
  });

  it('is as steep as cars are alike where many tell', () => {
    expect(slopeOf(preparedOf(8))).toBeGreaterThan(100);
    expect(slopeOf(preparedOf(8, 1))).toBeLessThan(0.2);
  });
});
