import { describe, expect, it } from 'vitest';
import { dealFolds } from '../../training/folds.ts';
import { prepare } from '../../training/prepared.ts';
import { fitRelations, fitRelationsBeside, type RelationWork } from '../../training/relations.ts';
import { fitScaler } from '../../training/scaling.ts';
import type { Series } from '../../training/series.ts';
import { drive, SMALL_CATALOGUE } from '../support/small-fleet.ts';

const WIDTH = SMALL_CATALOGUE.signals.length;

function workOf(rows: number): RelationWork {
  const series = Array.from({ length: 6 }, (_, i): Series => {
    const events = [...drive({ vin: `C${i}`, rows, seed: i })];
    const values = events.flatMap(({ signals }) => SMALL_CATALOGUE.signals.map(({ name }) => signals[name]!));
    return {
      id: `C${i}`,
      tsMs: Float64Array.from(events, ({ ts }) => ts),
      values: Float32Array.from(values),
    };
  });
  const { scaler } = fitScaler(series, WIDTH);
  const { reconstruction: _, ...prepared } = prepare(series, scaler, WIDTH, { stepMs: 1000, gapMs: 60_000 });
  const channels = Array.from({ length: prepared.channels }, (_, k) => k);
  const variants = [{ channels, rows: new Uint8Array(prepared.count).fill(1) }];
  return { prepared, variants, folds: dealFolds(series, 1), seed: 1, trim: 0.03, relationRows: undefined };
}

const silent = { signal: new AbortController().signal, progress: () => {} };

describe('relation heads', () => {
  it('are fitted in a thread as they are where they are called, with word of how far it is', async () => {
    const work = workOf(300);
    const told: number[] = [];
    const beside = await fitRelationsBeside(work, { ...silent, progress: (done) => told.push(done) });
    const here = await fitRelations(work, () => {});
    expect(beside).toEqual(here);
    expect(here.final.map(({ kind }) => kind)).toEqual(['relation']);
    expect(here.folds).toHaveLength(work.folds.count);
    expect(here.folds[0]).not.toEqual(here.folds[1]);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.at(-1)).toBe(1);
    expect(told.length).toBeGreaterThan(4);
  });

  it('are given up at once when training is stopped', async () => {
    const stop = new AbortController();
    const work = workOf(2000);
    const startedMs = performance.now();
    const stopped = fitRelationsBeside(work, { signal: stop.signal, progress: () => stop.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' });
    expect(performance.now() - startedMs).toBeLessThan(5000);
    await expect(fitRelationsBeside(work, { ...silent, signal: stop.signal })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });

  it('say what went wrong in the thread', async () => {
    const work = workOf(100);
    const broken = { ...work, folds: { ...work.folds, ofRow: new Uint8Array(0) } };
    await expect(fitRelationsBeside(broken, silent)).rejects.toThrow(/./);
  });
});
