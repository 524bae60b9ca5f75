import type { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { TelltaleError } from '../../../core/errors.ts';
import type { RelationSpec } from '../../../core/model/heads/relation/spec.ts';
import { decodeFloats, encodeFloats } from '../../../core/model/numbers.ts';
import { dealFolds } from '../../../training/data/folds.ts';
import { prepare } from '../../../training/data/prepare.ts';
import { fitScaler } from '../../../training/data/scaling.ts';
import type { Series } from '../../../training/data/series.ts';
import { fitLosses } from '../../../training/fit/losses.ts';
import {
  fitRelations,
  fitRelationsBeside,
  type RelationWork,
  shareOut,
} from '../../../training/fit/relations.ts';
import { drive, SMALL_CATALOGUE } from '../../support/small-fleet.ts';

const WIDTH = SMALL_CATALOGUE.signals.length;

function workOf(rows: number, cars = 6): RelationWork {
  const series = Array.from({ length: cars }, (_, i): Series => {
    const events = [...drive({ vin: `C${i}`, rows, seed: i })];
    const values = events.flatMap(({ signals }) => SMALL_CATALOGUE.signals.map(({ name }) => signals[name]!));
    return {
      id: `C${i}`,
      tsMs: Float64Array.from(events, ({ ts }) => ts),
      values: Float32Array.from(values),
    };
  });
  const { scaler, ...range } = fitScaler(series, WIDTH);
  const whole = prepare(series, scaler, WIDTH, { stepMs: 1000, gapMs: 60_000 });
  const { reconstruction: _, ...prepared } = whole;
  const channels = Array.from({ length: prepared.channels }, (_, k) => k);
  const variants = [{ channels, rows: new Uint8Array(prepared.count).fill(1) }];
  const losses = fitLosses(whole, series, WIDTH, variants, range);
  const folds = dealFolds(series, 1);
  return { prepared, variants, folds, losses, seed: 1, trim: 0.03, relationRows: undefined };
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

  it('are the same where several threads share the variants, each head in its place', async () => {
    const work = workOf(300, 6);
    const rowsOf = (isOwn: (row: number) => boolean) =>
      Uint8Array.from({ length: work.prepared.count }, (_, r) => (isOwn(r) ? 1 : 0));
    const [whole] = work.variants;
    const short = whole!.channels.slice(1);
    const variants = [
      { channels: short, rows: rowsOf((r) => r < 600) },
      { channels: whole!.channels, rows: rowsOf((r) => r >= 600) },
    ];
    const precision = work.losses.kinds[0]!.precision;
    const all = decodeFloats(precision, whole!.channels.length ** 2, 'kind');
    const n = whole!.channels.length;
    const shorter = encodeFloats(
      Float64Array.from({ length: short.length ** 2 }, (_, i) => {
        return all[short[Math.floor(i / short.length)]! * n + short[i % short.length]!]!;
      }),
    );
    const kinds = [{ channels: short, precision: shorter }, work.losses.kinds[0]!];
    const two = { ...work, variants, losses: { ...work.losses, kinds } };
    const beside = await fitRelationsBeside(two, silent);
    expect(beside).toEqual(await fitRelations(two, () => {}));
    expect(beside.final.map(({ name }) => name)).toEqual(['relation-1', 'relation-2']);
    expect(shareOut([5, 40, 20, 12], 2)).toEqual([[1], [0, 2, 3]]);
    expect(shareOut([5], 2)).toEqual([[0]]);
  });

  it('are given up at once when training is stopped, and the thread with them', async () => {
    const stop = new AbortController();
    const work = workOf(2000);
    const begun = new Promise<Worker>((resolve) => process.once('worker', resolve));
    const told: number[] = [];
    const progress = (done: number) => {
      told.push(done);
      stop.abort();
    };
    const stopped = fitRelationsBeside(work, { signal: stop.signal, progress });
    const thread = await begun;
    expect(thread.threadId).toBeGreaterThan(0);
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' });
    // Nothing was heard after the first word of how far it is, and a thread that has ended has no id.
    expect(told).toEqual([0]);
    expect(thread.threadId).toBe(-1);
    await expect(fitRelationsBeside(work, { ...silent, signal: stop.signal })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });

  it('say what went wrong in the thread, or in hearing of it', async () => {
    const work = workOf(100);
    const unfit = { ...work, relationRows: Number.NaN };
    await expect(fitRelationsBeside(unfit, silent)).rejects.toMatchObject({
      constructor: TelltaleError,
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/units/),
    });
    const broken = { ...work, folds: { ...work.folds, ofRow: work.folds.ofRow.map(() => 99) } };
    await expect(fitRelationsBeside(broken, silent)).rejects.toThrow(/undefined/);
    const deaf = () => {
      throw new Error('nobody listens');
    };
    await expect(fitRelationsBeside(work, { ...silent, progress: deaf })).rejects.toThrow('nobody listens');
  });

  it('know a channel that most cars lack by those that have it', async () => {
    const { prepared, ...work } = workOf(60, 60);
    const { channels, count } = prepared;
    const last = channels - 1;
    const present = prepared.present.slice();
    const features = prepared.features.slice();
    // Five cars of sixty have it.
    for (let r = 5 * 60; r < count; r += 1) {
      present[r * channels + last] = 0;
      features[r * channels + last] = 0;
    }
    const reachOf = async (of: RelationWork['prepared']) => {
      const [head] = (await fitRelations({ ...work, prepared: of }, () => {})).final;
      const gauge = (head as RelationSpec).gauges.find(({ stream, reach }) => stream === 'fine' && reach);
      return decodeFloats(gauge!.reach!, 3 * channels, 'test')[last]!;
    };
    const ratio = (await reachOf({ ...prepared, present, features })) / (await reachOf(prepared));
    // Five short stretches tell it roughly; the zeros of all others would make it a thousandth.
    expect(ratio).toBeGreaterThan(0.4);
    expect(ratio).toBeLessThan(10);
  });
});
