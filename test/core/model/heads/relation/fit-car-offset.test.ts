import { describe, expect, it } from 'vitest';
import { lessCarOffset, priorEventsOf } from '../../../../../core/model/heads/relation/fit-car-offset.ts';
import type { Sample } from '../../../../../core/model/heads/relation/readers.ts';
import { normal, seededRandom } from '../../../../../core/model/random.ts';

const CARS = 60;
const ROWS = 80;
const STRIDE = 15;
const SPREAD = Float64Array.of(2);

/** One channel, a row each 15 events: what car `car` has in row `row`, in spreads of 2. */
function sampleOf(of: (car: number, row: number) => number): { sample: Sample; values: Float32Array } {
  const count = CARS * ROWS;
  const values = Float32Array.from({ length: count }, (_, r) => 2 * of(Math.floor(r / ROWS), r % ROWS));
  const sample: Sample = {
    count,
    width: 1,
    channels: 1,
    inputs: new Float32Array(count),
    folds: new Uint8Array(count),
    present: new Uint8Array(count).fill(1),
    movement: new Float32Array(count),
    known: Uint32Array.from({ length: count }, (_, r) => 1 + STRIDE * (r % ROWS)),
  };
  return { sample, values };
}

/** Cars differ by `between`, rows of one by `within`. */
function carsThatDiffer(between: number, within: number) {
  const random = seededRandom(3, 'habits');
  const cars = Array.from({ length: CARS }, () => between * normal(random));
  return sampleOf((car) => cars[car]! + within * normal(random));
}

describe("a car's habit", () => {
  it('is weighed against as many events as one car tells its own from chance by: 15 × within² / between²', () => {
    const { sample, values } = carsThatDiffer(0.5, 1);
    const [events] = priorEventsOf(sample, values, SPREAD);
    expect(events).toBeGreaterThan(35);
    expect(events).toBeLessThan(90);
  });

  it('is hardly believed where cars do not differ, and soon where that is all they do', () => {
    const alike = carsThatDiffer(0, 1);
    expect(priorEventsOf(alike.sample, alike.values, SPREAD)[0]).toBeGreaterThan(1000);
    const apart = carsThatDiffer(1, 0.05);
    expect(priorEventsOf(apart.sample, apart.values, SPREAD)[0]).toBe(5);
  });

  it('is not believed at all of a single stretch', () => {
    const { sample, values } = carsThatDiffer(1, 0.1);
    const one = { ...sample, count: ROWS, known: sample.known.subarray(0, ROWS) };
    expect(priorEventsOf(one, values, SPREAD)[0]).toBe(2400);
  });

  it('is taken off as it becomes known, and anew in each stretch', () => {
    const { sample, values } = sampleOf((car) => (car === 0 ? 0.4 : 0));
    const off = lessCarOffset(sample, values, SPREAD, Float64Array.of(60));
    expect(off[0]).toBeCloseTo(0.8, 6);
    expect(off[ROWS - 1]!).toBeLessThan(0.1);
    expect(off[ROWS]).toBe(0);
  });

  it('does not take up a fault at once', () => {
    const { sample, values } = sampleOf((_, row) => (row < 60 ? 0 : 5));
    const off = lessCarOffset(sample, values, SPREAD, Float64Array.of(60));
    // Four minutes of five spreads: hardly a tenth of it has become habit.
    expect(off[75]!).toBeGreaterThan(9);
  });
});
