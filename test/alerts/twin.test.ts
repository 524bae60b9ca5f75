import { describe, expect, it } from 'vitest';
import { ALL_CARS, filterOf } from '../../alerts/car-filter.ts';
import { SampleRing } from '../../alerts/sample-ring.ts';
import { Twin } from '../../alerts/twin.ts';
import { CATALOGUE, makeScore, T0 } from './support.ts';

const twinOf = (more = {}) => new Twin({ catalogue: CATALOGUE, model: 'm1', ...more });

describe('the twin', () => {
  it('holds the newest state and the minutes before, missing readings included', () => {
    const twin = twinOf();
    for (let s = 0; s < 3; s += 1) twin.apply(makeScore('CAR1', s, 0.4, { values: [90 + s, null, 1] }), 0);
    const car = twin.car('CAR1', 0);
    expect(car).toMatchObject({
      vin: 'CAR1',
      ts: T0 + 2000,
      score: 5 * Math.sqrt(0.4),
      threshold: 5,
      values: [92, null, 1],
    });
    expect(car?.history).toEqual({
      ts: [T0, T0 + 1000, T0 + 2000],
      ratio: [0.4, 0.4, 0.4],
      values: [
        [90, 91, 92],
        [null, null, null],
        [1, 1, 1],
      ],
      expected: [
        [92, 92, 92],
        [14.1, 14.1, 14.1],
        [1, 1, 1],
      ],
    });
    expect(twin.car('CAR1', T0 + 1000)?.history.ts).toEqual([T0 + 2000]);
    expect(twin.car('CAR2', 0)).toBeNull();
  });

  it('smooths the level over about eight events', () => {
    const twin = twinOf();
    twin.apply(makeScore('CAR1', 0, 0), 0);
    twin.apply(makeScore('CAR1', 1, 9), 0);
    // 0 + 2/9 × (9 − 0)
    expect(twin.car('CAR1', 0)?.level).toBe(2);
  });

  it('lists the strangest first, in pages, and only the cars that may be seen', () => {
    const twin = twinOf();
    for (const [vin, ratio] of [
      ['A', 0.1],
      ['B', 2],
      ['C', 0.5],
      ['D', 0.5],
    ] as const)
      twin.apply(makeScore(vin, 0, ratio), 0);
    const names = (...args: Parameters<Twin['tiles']>) => twin.tiles(...args).tiles.map(({ vin }) => vin);
    expect(names(0, ALL_CARS, 0, 10)).toEqual(['B', 'C', 'D', 'A']);
    expect(names(0, ALL_CARS, 1, 2)).toEqual(['C', 'D']);
    expect(twin.tiles(0, filterOf(['A', 'X', 'C', 'D']), 0, 1)).toMatchObject({
      total: 3,
      tiles: [{ vin: 'C' }],
    });
  });

  it('learns the usual residual from calm cars only', () => {
    const twin = twinOf();
    // Calm residuals of the coolant: 3 and −4, so a root mean square of √12.5; a strange car says nothing.
    twin.apply(makeScore('CAR1', 0, 0.1, { values: [95, 14.1, 1] }), 0);
    twin.apply(makeScore('CAR1', 1, 0.1, { values: [88, 14.1, 1] }), 0);
    twin.apply(makeScore('CAR2', 0, 5, { values: [192, 4, 1] }), 0);
    expect(twin.usual()[0]).toBeCloseTo(Math.sqrt(12.5), 3);
    expect(twin.usual()[1]).toBe(0);
  });

  it('takes of a score that is not told in full how strange the car is and that it was heard', () => {
    const twin = twinOf();
    const short = { values: [], expected: [], top: [] };
    // Before its first score that is told in full nothing is known of its readings.
    twin.apply(makeScore('CAR1', 0, 0.4, short), 100);
    expect(twin.car('CAR1', 0)).toMatchObject({ ts: T0, heardMs: 100, values: [null, null, null] });
    twin.apply(makeScore('CAR1', 1, 0.4, { values: [90, 13.9, 1] }), 200);
    for (let s = 2; s < 5; s += 1) twin.apply(makeScore('CAR1', s, 0.4, short), 100 * (s + 1));
    const car = twin.car('CAR1', 0);
    expect(car).toMatchObject({ ts: T0 + 4000, heardMs: 500, level: 0.4, values: [90, 13.9, 1] });
    expect(car?.history.ts).toEqual([T0 + 1000]);
    // The lambda was last known to be measured in the score that told it.
    twin.apply(makeScore('CAR1', 5, 0.4, { values: [90, 13.9, null] }), 600);
    expect(twin.car('CAR1', 0)?.lost).toEqual([null, null, T0 + 1000]);
    expect(twin.applied).toBe(6);
  });

  it('keeps late events out of the minutes', () => {
    const twin = twinOf();
    twin.apply(makeScore('CAR1', 9, 0.4), 0);
    twin.apply(makeScore('CAR1', 2, 0.4, { late: true }), 0);
    expect(twin.car('CAR1', 0)?.history.ts).toEqual([T0 + 9000]);
  });

  it('gives the minutes to cars of interest when they do not suffice for all', () => {
    const twin = twinOf({ samples: 10, historyBytes: 2 * SampleRing.bytes(3, 10) });
    const samples = (vin: string) => twin.car(vin, 0)?.history.ts.length;
    for (const vin of ['A', 'B', 'C']) twin.apply(makeScore(vin, 0, 0.1), 0);
    // C is strange: A, calm for longest, gives way.
    twin.apply(makeScore('C', 1, 3), 0);
    for (const vin of ['A', 'B', 'C']) twin.apply(makeScore(vin, 2, 0.1), 0);
    expect(samples('C')).toBe(2);
    expect(samples('B')).toBe(2);
    // Asked for, A takes the place of C, which has been of no interest since.
    expect(samples('A')).toBe(0);
    twin.apply(makeScore('A', 3, 0.1), 0);
    expect(samples('A')).toBe(1);
    expect(twin.size).toBe(3);
  });

  it('bounds the number of cars: the one silent for longest goes', () => {
    const twin = twinOf({ maxCars: 2 });
    for (const [i, vin] of ['A', 'B', 'A', 'C'].entries()) twin.apply(makeScore(vin, i, 0.1), 0);
    expect(
      twin
        .tiles(0, ALL_CARS, 0, 10)
        .tiles.map(({ vin }) => vin)
        .toSorted(),
    ).toEqual(['A', 'C']);
  });
});

describe('a ring of samples', () => {
  it('keeps the newest ones', () => {
    const ring = new SampleRing(1, 3);
    for (let i = 0; i < 5; i += 1) ring.push(i, i / 10, [i], [null]);
    expect(ring.since(-1)).toEqual({
      ts: [2, 3, 4],
      ratio: [0.2, 0.3, 0.4],
      values: [[2, 3, 4]],
      expected: [[null, null, null]],
    });
    expect(SampleRing.bytes(1, 3)).toBe(3 * (8 + 4 * 3));
  });
});
