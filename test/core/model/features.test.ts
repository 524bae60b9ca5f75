import { expect, it } from 'vitest';
import {
  applyScaler,
  hasChanged,
  MOVED,
  NOT_MEASURED,
  STILL,
  tellChanged,
} from '../../../core/model/features.ts';

const SCALER = { signals: [0, 2], center: [10, -5], scale: [2, 0.5], clip: 8 };

it('scales, clips and stands a missing reading at the median', () => {
  const features = new Float64Array(2);
  const present = new Uint8Array(2);
  expect(applyScaler(SCALER, Float64Array.of(13, 99, -5.25), features, present)).toBe(2);
  expect([...features]).toEqual([1.5, -0.5]);
  expect(applyScaler(SCALER, Float64Array.of(1e6, 0, -1e6), features, present)).toBe(2);
  expect([...features]).toEqual([8, -8]);
  expect(applyScaler(SCALER, Float64Array.of(Number.NaN, 0, -4), features, present)).toBe(1);
  expect([...features]).toEqual([0, 2]);
  expect([...present]).toEqual([0, 1]);
});

it('reads a row in the middle of a matrix', () => {
  const features = new Float64Array(2);
  const rows = Float32Array.of(0, 0, 0, 12, 0, -4);
  applyScaler(SCALER, rows, features, new Uint8Array(2), 3);
  expect([...features]).toEqual([1, 2]);
});

it('tells a signal that is something else from one that is what it was but for rounding', () => {
  expect(hasChanged(Math.fround(0.1), 0.1)).toBe(false);
  expect(hasChanged(Math.fround(101.325), 101.325)).toBe(false);
  expect(hasChanged(2e-7, 1e-7)).toBe(true);
  expect(hasChanged(1e-8, 0)).toBe(true);
  expect(hasChanged(1, 0)).toBe(true);
  expect(hasChanged(Number.NaN, 0)).toBe(false);
  const moved = new Uint8Array(3);
  const still = { signals: [1, 2, 3], values: [5, 5, 5] };
  tellChanged(still, Float64Array.of(9, 9, 9, 6, 5, Number.NaN), moved, 2);
  expect([...moved]).toEqual([MOVED, STILL, NOT_MEASURED]);
});
