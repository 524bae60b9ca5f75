import { describe, expect, it } from 'vitest';
import type { HeadShape } from '../../../core/model/heads/head.ts';
import { type RelationSpec, relationShape } from '../../../core/model/heads/relation/spec.ts';
import { seededRandom } from '../../../core/model/random.ts';
import { tailLevel } from '../../../core/model/tail.ts';
import type { HeldOutRows } from '../../../training/calibrate/held-out.ts';
import { countedFrom, fitStatisticTails } from '../../../training/calibrate/statistic-tails.ts';

const TAIL = { at: [0, 10, 20, 30], levels: [0, 0.5, 1.5, 2], slope: 0.1 };

describe('countedFrom', () => {
  it('takes the level off and gives 0 below it, at the knots, between and beyond them', () => {
    const cut = countedFrom(TAIL, 1);
    for (const value of [0, 12, 15, 17, 20, 26, 30, 300])
      expect(tailLevel(cut, value)).toBeCloseTo(Math.max(0, tailLevel(TAIL, value) - 1), 9);
  });

  it('begins beyond the last knot where the level does', () => {
    const cut = countedFrom(TAIL, 3);
    for (const value of [0, 30, 40, 45, 500])
      expect(tailLevel(cut, value)).toBeCloseTo(Math.max(0, tailLevel(TAIL, value) - 3), 9);
  });

  it('leaves a tail alone that counts from the beginning', () => {
    expect(countedFrom(TAIL, 0)).toBe(TAIL);
  });
});

describe('fitStatisticTails', () => {
  const ROWS = 400;
  /** Cars whose one statistic is exponential with mean 1; the first `broken` of them stand 100 higher. */
  function cars(count: number, broken: number): HeldOutRows[] {
    const random = seededRandom(3, 'test');
    return Array.from({ length: count }, (_, car) => ({
      series: { id: `car ${car}`, tsMs: new Float64Array(ROWS), values: new Float32Array(0) },
      raw: Float64Array.from({ length: ROWS }, () => -Math.log(1 - random()) + (car < broken ? 100 : 0)),
    }));
  }
  const fit = (
    judged: HeldOutRows[],
    oneRig: boolean,
    head: HeadShape = { statistics: ['one'], stateSize: 0 },
  ) => fitStatisticTails([head], judged, { several: false, oneRig })[0]!;

  it('does not let the oddest cars say how far a statistic usually goes', () => {
    const spoilt = fit(cars(30, 2), true);
    // P(X ≥ 5) = e⁻⁵: level 2.17.
    expect(tailLevel(spoilt, 5)).toBeGreaterThan(1.9);
    expect(tailLevel(spoilt, 5)).toBeLessThan(2.6);
    expect(tailLevel(spoilt, 101)).toBeGreaterThan(20);
  });

  it('needs all cars when there are few, and takes no more than three for broken in a large fleet', () => {
    expect(tailLevel(fit(cars(8, 1), true), 101)).toBeLessThan(3);
    expect(tailLevel(fit(cars(80, 3), true), 101)).toBeGreaterThan(20);
    expect(tailLevel(fit(cars(80, 6), true), 101)).toBeLessThan(3);
  });

  it('counts supporting statistics among cars from one row in ten on, leading ones from the beginning', () => {
    const leading = { statistics: ['one'], stateSize: 0, ranks: [1] };
    const judged = cars(30, 0);
    expect(tailLevel(fit(judged, false), 1)).toBe(0);
    expect(tailLevel(fit(judged, false), 5)).toBeCloseTo(tailLevel(fit(judged, true), 5) - 1, 6);
    expect(tailLevel(fit(judged, false, leading), 1)).toBeGreaterThan(0.3);
  });

  it('takes distances of averaged relations for leading, single channels for supporting', () => {
    const gauge = { span: 60, stream: 'others' };
    const relation = { gauges: [gauge, { ...gauge, tails: [] }] } as unknown as RelationSpec;
    expect(relationShape(relation, 2).ranks).toEqual([1, 0]);
  });
});
