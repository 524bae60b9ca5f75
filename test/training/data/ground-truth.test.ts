import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GroundTruth } from '../../../core/events.ts';
import { createFixedTopics } from '../../../core/log/create-topics.ts';
import { openEmbeddedLog } from '../../../core/log/embedded.ts';
import type { Log } from '../../../core/log/log.ts';
import { groundTruthTopic } from '../../../core/topics.ts';
import { sharedRecords } from '../../../training/data/champion.ts';
import { isTouched, readTruth } from '../../../training/data/ground-truth.ts';
import type { Series } from '../../../training/data/series.ts';
import { falseRises, judgeKnown } from '../../../training/evaluate/known-faults.ts';

/** One row a second from `fromS`, without readings: only times matter here. */
const series = (id: string, fromS: number, rows: number): Series => ({
  id,
  tsMs: Float64Array.from({ length: rows }, (_, i) => 1000 * (fromS + i)),
  values: new Float32Array(0),
});

/** One score reaches the threshold and the alert is up: a rise wherever the scores go from 0 to 1. */
const AT_ONCE = { hysteresis: { window: 1, raise: 1, release: 0 }, gapMs: 60_000 };

const scored = (id: string, fromS: number, text: string) => ({
  series: series(id, fromS, text.length),
  scores: Float64Array.from(text, Number),
});

describe('faults that happened', () => {
  it('are judged one by one: found by an alert that rises while they last, delay from the first judged row', () => {
    const rows = [scored('a', 0, '0000011000'), scored('a', 100, '1111100010'), scored('b', 0, '1110000000')];
    const fault = (id: string, kind: string, from: number, to: number) => ({
      ...{ id, kind, fromMs: 1000 * from, toMs: 1000 * to },
    });
    const truth = [
      fault('a', 'found', 3, 9),
      // Begins between the two stretches kept; the alert of row 100 rises on its first judged row.
      fault('a', 'sampled', 50, 103),
      // Was up before it began, and does not rise again while it lasts.
      fault('b', 'up already', 1, 5),
      fault('a', 'open', 106, Number.POSITIVE_INFINITY),
      fault('c', 'no row', 0, 5),
    ];
    expect(judgeKnown(truth, rows, 1, AT_ONCE)).toEqual([
      { car: 'a', kind: 'found', fromMs: 3000, judgedS: 5, delayS: 2 },
      { car: 'a', kind: 'sampled', fromMs: 50_000, judgedS: 2, delayS: 0 },
      { car: 'b', kind: 'up already', fromMs: 1000, judgedS: 3, delayS: null },
      { car: 'a', kind: 'open', fromMs: 106_000, judgedS: 3, delayS: 2 },
    ]);
  });

  it('that lie in two stretches of a car are one fault', () => {
    const rows = [scored('a', 0, '0000'), scored('a', 10, '0010')];
    const truth = [{ id: 'a', kind: 'k', fromMs: 2000, toMs: Number.POSITIVE_INFINITY }];
    expect(judgeKnown(truth, rows, 1, AT_ONCE)).toEqual([
      { car: 'a', kind: 'k', fromMs: 2000, judgedS: 4, delayS: 10 },
    ]);
  });

  it('are no false alerts', () => {
    const one = scored('a', 0, '0100100100');
    const truth = [{ id: 'a', kind: 'k', fromMs: 3000, toMs: 6000 }];
    expect(falseRises(one, 1, AT_ONCE, [])).toBe(3);
    expect(falseRises(one, 1, AT_ONCE, truth)).toBe(2);
    expect([series('a', 5, 3), series('a', 6, 3), series('b', 3, 3)].map((s) => isTouched(truth, s))).toEqual(
      [true, false, false],
    );
  });
});

describe('the ground truth of a log', () => {
  let dir: string;
  let log: Log;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'telltale-truth-'));
    log = openEmbeddedLog({ dir, prefix: '', clock: Date.now, warn: () => {} });
    await createFixedTopics(log, 2);
    const say = (vin: string, faultId: string, phase: GroundTruth['phase'], s: number) => ({
      key: vin,
      value: groundTruthTopic.encode({ vin, ts: 1000 * s, faultId, fault: 'leak', severity: 0.5, phase }),
    });
    await log.append(groundTruthTopic.name, [
      say('a', 'a1', 'started', 10),
      say('a', 'a1', 'visible', 20),
      say('a', 'a1', 'visible', 20),
      say('a', 'a1', 'repaired', 40),
      say('a', 'a2', 'visible', 150),
      say('a', 'a3', 'started', 60),
      say('b', 'b1', 'visible', 5),
      say('b', 'b1', 'repaired', 30),
      say('c', 'c1', 'visible', 50),
    ]);
  });

  afterAll(async () => {
    await log.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('gives the faults that the rows kept could show, from when they were visible, and counts the others', async () => {
    const kept = [series('a', 0, 100), series('a', 120, 10), series('a', 200, 10), series('b', 30, 100)];
    expect(await readTruth(log, kept)).toEqual({
      faults: [
        { id: 'a', kind: 'leak', fromMs: 20_000, toMs: 40_000 },
        { id: 'a', kind: 'leak', fromMs: 150_000, toMs: Number.POSITIVE_INFINITY },
      ],
      notKept: 0,
    });
    const holed = [series('a', 0, 15), series('a', 45, 10)];
    expect(await readTruth(log, holed)).toEqual({ faults: [], notKept: 1 });
  });
});

describe('records that two models share', () => {
  it('are counted over partitions', () => {
    const range = (partition: number, from: number, to: number) => ({ partition, from, to });
    expect(sharedRecords([range(0, 0, 100), range(1, 0, 100)], [range(0, 50, 200), range(2, 0, 9)])).toBe(
      0.25,
    );
    expect(sharedRecords([range(0, 0, 100)], [range(0, 100, 200)])).toBe(0);
  });
});
