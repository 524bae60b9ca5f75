import { describe, expect, it } from 'vitest';
import type { Series } from '../../../training/data/series.ts';
import { PERTURBATIONS, perturb } from '../../../training/evaluate/perturb.ts';

const ROWS = 6000;
const scaler = { signals: [0, 2], center: [10, 5], scale: [2, 1], clip: 8 };
const series: Series = {
  id: 'a',
  tsMs: Float64Array.from({ length: ROWS }, (_, i) => i * 1000),
  values: Float32Array.from({ length: ROWS * 3 }, (_, i) => 10 + Math.sin(i / 7)),
};

describe('perturb', () => {
  const [one] = perturb([series], 3, scaler, 1);

  it('changes only labelled rows of the struck signal and leaves the original alone', () => {
    const struck = new Map<number, number>();
    for (const { signal, from, to } of one!.events) for (let r = from; r < to; r += 1) struck.set(r, signal);
    for (let r = 0; r < ROWS; r += 1) {
      expect(one!.labels[r]).toBe(struck.has(r) ? 1 : 0);
      for (let c = 0; c < 3; c += 1)
        if (struck.get(r) !== c) expect(one!.series.values[r * 3 + c]).toBe(series.values[r * 3 + c]);
    }
    expect(series.values[0]).toBe(10);
  });

  it('deals every kind, never strikes an unused signal, and never overlaps', () => {
    expect(new Set(one!.events.map(({ kind }) => kind))).toEqual(new Set(Object.keys(PERTURBATIONS)));
    expect(one!.events.every(({ signal }) => signal !== 1)).toBe(true);
    one!.events.slice(1).forEach(({ from }, i) => {
      expect(from).toBeGreaterThan(one!.events[i]!.to);
    });
  });

  it('follows from the seed', () => {
    expect(perturb([series], 3, scaler, 1)[0]!.series.values).toEqual(one!.series.values);
    expect(perturb([series], 3, scaler, 2)[0]!.events).not.toEqual(one!.events);
  });

  it('freezes at the reading of the first struck row', () => {
    const { signal, from, to } = one!.events.find(({ kind }) => kind === 'frozen')!;
    const at = (r: number) => one!.series.values[r * 3 + signal];
    expect(at(from)).toBe(series.values[from * 3 + signal]);
    for (let r = from; r < to; r += 1) expect(at(r)).toBe(at(from));
  });

  it('leaves a series alone that is too short', () => {
    const short = { ...series, tsMs: series.tsMs.subarray(0, 40), values: series.values.subarray(0, 120) };
    expect(perturb([short], 3, scaler, 1)[0]!.events).toEqual([]);
  });
});
