import { describe, expect, it } from 'vitest';
import { drawUnits, kinship } from '../../../../../core/model/heads/relation/fit-units.ts';
import { FAN_IN } from '../../../../../core/model/heads/relation/forecaster.ts';
import { INPUT_SPANS } from '../../../../../core/model/heads/relation/state.ts';
import type { Prepared } from '../../../../../core/model/prepared.ts';
import { normal, seededRandom } from '../../../../../core/model/random.ts';
import { prepare } from '../../../../../training/data/prepare.ts';

const ROWS = 4000;

/** Channels 0 and 1 wander, 2 is their sum; 3 and 4 wander, 5 is theirs. */
function wandering(channels: number): Prepared {
  const random = seededRandom(7, 'units');
  const values = new Float32Array(ROWS * channels);
  const state = new Float64Array(4);
  for (let r = 0; r < ROWS; r += 1) {
    for (let k = 0; k < 4; k += 1) state[k] = 0.9 * state[k]! + 0.4 * normal(random);
    const [a, b, c, d] = state as unknown as [number, number, number, number];
    const row = [a, b, a + b + 0.05 * normal(random), c, d, c + d + 0.05 * normal(random)];
    values.set(row.slice(0, channels), r * channels);
  }
  const all = Array.from({ length: channels }, (_, k) => k);
  const scaler = { signals: all, center: all.map(() => 0), scale: all.map(() => 1), clip: 8 };
  const tsMs = Float64Array.from({ length: ROWS }, (_, r) => r * 1000);
  return prepare([{ id: 'car', tsMs, values }], scaler, channels, { stepMs: 1000, gapMs: 60_000 });
}

const six = wandering(6);
const draw = (prepared: Prepared, units: number, severalCars = true) =>
  drawUnits(prepared, units, severalCars, seededRandom(1, 'draw'));

describe('units', () => {
  it('are kin by partial correlation: a sum to its parts, and nothing to what wanders on its own', () => {
    const related = kinship(six);
    const of = (i: number, j: number) => related[i * 6 + j]!;
    expect(of(2, 0)).toBeGreaterThan(0.9);
    expect(of(2, 1)).toBeGreaterThan(0.9);
    // The parts are not correlated, but given the sum each tells the other.
    expect(of(0, 1)).toBeGreaterThan(0.9);
    for (const i of [0, 1, 2]) for (const j of [3, 4, 5]) expect(of(i, j)).toBeLessThan(0.1);
    for (let k = 0; k < 6; k += 1) expect(of(k, k)).toBe(0);
    for (const [i, value] of related.entries()) expect(value).toBe(of(i % 6, Math.floor(i / 6)));
  });

  it('listen to three channels each, of those that are kin before any other', () => {
    const { unitInputs } = draw(six, 600);
    let kin = 0;
    for (let u = 0; u < 360; u += 1) {
      const inputs = unitInputs.slice(u * FAN_IN, (u + 1) * FAN_IN);
      expect(Math.max(...inputs)).toBeLessThan(INPUT_SPANS.length * 6);
      const channels = inputs.map((i) => i % 6);
      expect(new Set(channels).size).toBe(3);
      if (channels[0]! < 3 === channels[1]! < 3) kin += 1;
    }
    // Drawn without regard to kinship two of five pairs would be.
    expect(kin / 360).toBeGreaterThan(0.9);
  });

  it('know the car in the last two fifths of them, by one of its levels or two', () => {
    const { unitInputs } = draw(six, 100);
    const averages = INPUT_SPANS.length * 6;
    const levelsOf = (u: number) =>
      unitInputs.slice(u * FAN_IN, (u + 1) * FAN_IN).filter((i) => i >= averages);
    for (let u = 0; u < 60; u += 1) expect(levelsOf(u)).toHaveLength(0);
    for (let u = 60; u < 100; u += 1) expect(levelsOf(u)).toHaveLength(1 + (u % 2));
    expect(Math.max(...unitInputs)).toBeLessThan(averages + 6);
    expect(Math.max(...draw(six, 100, false).unitInputs)).toBeLessThan(averages);
  });

  it('are the same from the same numbers, and there are some for a single channel too', () => {
    expect(draw(six, 50)).toEqual(draw(six, 50));
    const { unitInputs } = draw(wandering(1), 10);
    expect(unitInputs).toHaveLength(30);
    for (const i of unitInputs) expect(i).toBeLessThanOrEqual(INPUT_SPANS.length);
  });
});
