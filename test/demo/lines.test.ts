import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { renamedLine } from '../../core/car-ids.ts';
import type { Alert } from '../../core/events.ts';
import { openRecording } from '../../core/recording.ts';
import { alertLine } from '../../demo/alert-lines.ts';
import { drivesOf, idsOf, splitDrives } from '../../demo/drives.ts';
import { stageLines } from '../../demo/stages.ts';

const alert: Alert = {
  alertId: 'a',
  vin: 'CAR1',
  phase: 'raised',
  severity: 'critical',
  ts: Date.UTC(2026, 0, 1, 10, 4, 31),
  raisedTs: Date.UTC(2026, 0, 1, 10, 4, 31),
  model: 'm1',
  score: 12,
  threshold: 10,
  top: [],
  reason: 'coolant temperature too high:\n118 °C',
};

describe('alertLine', () => {
  it('begins with alert, ends with the reason, on one line', () => {
    expect(alertLine(alert)).toBe('alert 10:04:31 CAR1 critical: coolant temperature too high: 118 °C');
  });

  it('gives other phases their own first word', () => {
    expect(alertLine({ ...alert, phase: 'cleared' })).toMatch(/^cleared 10:04:31 CAR1: /);
  });
});

describe('stageLines', () => {
  const run = {
    telemetry: 95,
    deadLetters: 5,
    scored: 95,
    late: 0,
    hours: 2,
    published: 100,
    broken: 0,
    liveDrives: 4,
    alerts: 3,
  };

  it('says that the stages agree, and alerts an hour', () => {
    expect(stageLines(run)).toEqual([
      'events: published 100 = in log 100 = scored 95 + dead letters 5',
      'alerts: 3 in 2.00 h on 4 live drives, 1.50 an hour',
    ]);
  });

  it('says where they do not', () => {
    expect(stageLines({ ...run, scored: 94 })[0]).toContain('in log 100 ≠ scored 94 + dead letters 5');
    expect(stageLines({ ...run, published: 99, broken: 2, late: 1 })).toHaveLength(4);
  });
});

describe('splitDrives', () => {
  const ids = Array.from({ length: 10 }, (_, i) => `drive${i}`);

  it('cuts the drives in two, each in one part, the same for the same seed', () => {
    const { history, live } = splitDrives(ids, 1);
    expect([history.length, live.length]).toEqual([6, 4]);
    expect([...history, ...live].sort()).toEqual(ids);
    expect(splitDrives([...ids].reverse(), 1)).toEqual({ history, live });
    expect(splitDrives(ids, 2)).not.toEqual({ history, live });
  });

  it('keeps one drive on each side at least', () => {
    expect(splitDrives(['a', 'b'], 1).live).toHaveLength(1);
  });
});

describe('drives of a recording', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'telltale-drives-')), 'r.csv');
  afterAll(() => rmSync(dirname(file), { recursive: true }));
  const open = (rows: readonly string[]) => {
    writeFileSync(file, `id,time,x\n${rows.join('\n')}\n`);
    return openRecording(file);
  };

  it('of one car are its first rows and the others', async () => {
    const rows = Array.from({ length: 20 }, (_, i) => `a,${i},${i % 3}`);
    const { history, live, oneCar } = await drivesOf(await open(rows), 1);
    const times = async ({ tape }: typeof history) => {
      const found: number[] = [];
      for await (const { tsMs } of tape.rows()) found.push(tsMs / 1000);
      return found;
    };
    expect(oneCar).toBe(true);
    expect(await times(history)).toEqual(Array.from({ length: 12 }, (_, i) => i));
    expect(await times(live)).toEqual(Array.from({ length: 8 }, (_, i) => 12 + i));
  });

  it('are refused where ids have hardly a row', async () => {
    const recording = await open(Array.from({ length: 20 }, (_, i) => `a${i},${i},${i % 3}`));
    await expect(drivesOf(recording, 1)).rejects.toThrow(/20 ids of 1\.0 rows on average: .* --id/);
  });

  it('drive under names that a topic can hold, and are told by their own', () => {
    const vins = new Map([
      ...['Truck #1', 'Truck #2', 'Truck #3', '\u001b[31m/'].map((id, i) => [id, `safe ${i}`] as const),
      ['car', 'car'] as const,
    ]);
    expect(renamedLine(vins)).toMatch(/driven are "Truck #1" as "safe 0", .*"safe 2" and 1 more$/);
    expect(renamedLine(new Map([['\u001b[31m/', 'x']]))).toContain('"\\u001b[31m/" as "x"');
    expect(renamedLine(new Map([['car', 'car']]))).toBeNull();
    expect(idsOf(vins)('safe 1')).toBe('Truck #2');
    expect(idsOf(vins)('car')).toBe('car');
  });
});
