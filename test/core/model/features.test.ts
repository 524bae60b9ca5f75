import { expect, it } from 'vitest';
import { applyScaler } from '../../../core/model/features.ts';

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
