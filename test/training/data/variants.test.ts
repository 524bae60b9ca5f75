import { describe, expect, it } from 'vitest';
import { weighVariants, wrapHead } from '../../../core/model/heads/variant/fit.ts';
import { type Prepared, variantRows } from '../../../core/model/prepared.ts';
import { prepare } from '../../../training/data/prepare.ts';
import type { Series } from '../../../training/data/series.ts';
import { findVariants, variantsAmong } from '../../../training/data/variants.ts';

const ROWS = 400;
/** A car that measures the channels of `pattern` (3 of them); reading = row number. */
function car(id: string, pattern: string): Series {
  const values = Float32Array.from({ length: ROWS * 3 }, (_, i) =>
    pattern[i % 3] === '1' ? Math.floor(i / 3) : Number.NaN,
  );
  return { id, tsMs: Float64Array.from({ length: ROWS }, (_, i) => i * 1000), values };
}
const cars = (prefix: string, count: number, pattern: string) =>
  Array.from({ length: count }, (_, i) => car(`${prefix}${i}`, pattern));
const scaler = { signals: [0, 1, 2], center: [0, 0, 0], scale: [1, 1, 1], clip: 1000 };
const prepared = (series: readonly Series[]): Prepared =>
  prepare(series, scaler, 3, { stepMs: 1000, gapMs: 60_000 });

const mixed = [...cars('c', 10, '110'), ...cars('e', 8, '101'), ...cars('odd', 1, '100')];

describe('variants', () => {
  it('are none where all cars measure the same: one with every channel', () => {
    const series = cars('c', 12, '111');
    const all = prepared(series);
    const { variants, variantOf } = findVariants(all, series);
    expect(variants.map(({ channels }) => channels)).toEqual([[0, 1, 2]]);
    expect(variantRows(all, variants[0]!)).toBe(all);
    expect(variantOf('c3')).toBe(0);
    const head = { kind: 'relation', name: 'r' };
    expect(wrapHead(head, variants, 0)).toBe(head);
  });

  it('are told by what cars measure, the larger first; a rare kind goes with the one it resembles', () => {
    const { variants, variantOf } = findVariants(prepared(mixed), mixed);
    expect(variants.map(({ channels }) => channels)).toEqual([
      [0, 1],
      [0, 2],
    ]);
    expect([variantOf('c0'), variantOf('e7'), variantOf('odd0')]).toEqual([0, 1, 0]);
    expect(variants.map(({ rows }) => rows.reduce((a, b) => a + b, 0))).toEqual([11 * ROWS, 8 * ROWS]);
  });

  it('are few cars no variant', () => {
    const series = [...cars('c', 10, '110'), ...cars('e', 7, '101')];
    expect(findVariants(prepared(series), series).variants).toHaveLength(1);
  });

  it('give their rows with their channels only', () => {
    const all = prepared(mixed);
    const { variants } = findVariants(all, mixed);
    const electric = variantRows(all, variants[1]!);
    expect([electric.count, electric.channels]).toEqual([8 * ROWS, 2]);
    expect([...electric.features.subarray(0, 6)]).toEqual([0, 0, 1, 1, 2, 2]);
    expect(electric.first.reduce((a, b) => a + b, 0)).toBe(8);
    const early = variantsAmong(variants, (row) => row < 10.5 * ROWS);
    expect(early.map(({ rows }) => rows.reduce((a, b) => a + b, 0))).toEqual([10 * ROWS, 0.5 * ROWS]);
  });

  it('have heads of their own that know the others, weighed by their factors', () => {
    const { variants } = findVariants(prepared(mixed), mixed);
    const inner = { kind: 'residual', name: 'a', share: 0.5 };
    const heads = variants.map((_, v) => wrapHead(inner, variants, v));
    expect(heads[1]).toMatchObject({
      name: 'a-2',
      channels: [0, 2],
      others: [[0, 1]],
      share: 0.5,
      head: inner,
    });
    expect(weighVariants(heads, variants, [1, 0.5]).map(({ share }) => share)).toEqual([0.5, 0.25]);
  });
});
