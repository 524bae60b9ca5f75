import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openRecording } from '../../core/recording.ts';
import { checkTable, compareDrives, drivesOfRecording, simulatedDrives } from '../../simulator/check.ts';
import { FACTS, line, quantile } from '../../simulator/facts.ts';

const REAL = new URL('../../../shared/data/carobd-drives.csv.gz', import.meta.url).pathname;

describe('the facts', () => {
  it('are worked out right: quantiles, slope and correlation by hand', () => {
    expect(quantile([5, 1, 3, 2, 4], 0.5)).toBe(3);
    expect(quantile([], 0.5)).toBeNaN();
    // y = 2x + 1 without noise.
    const { slope, correlation } = line([
      [0, 1],
      [1, 3],
      [2, 5],
    ]);
    expect(slope).toBeCloseTo(2, 10);
    expect(correlation).toBeCloseTo(1, 10);
  });

  it('find the gear, the standstill and the warm-up of a drive made by hand', () => {
    const speedKmh = Float64Array.from({ length: 400 }, (_, t) => (t < 100 ? 0 : 60));
    const engineRpm = speedKmh.map((v) => (v === 0 ? 700 : v * 35.2));
    // 6 °C a minute: five minutes from 45 to 75 °C.
    const coolantC = Float64Array.from({ length: 400 }, (_, t) => 40 + t / 10);
    const drives = [
      new Map([
        ['speedKmh', speedKmh],
        ['engineRpm', engineRpm],
        ['coolantC', coolantC],
      ]),
    ];
    const of = (name: string) => FACTS.find((f) => f.name === name)!.of(drives);
    expect(of('fourth gear')).toBeCloseTo(35.25, 1);
    expect(of('standing still')).toBeCloseTo(0.25, 10);
    expect(of('warming up, 45 to 75 °C')).toBeCloseTo(6, 1);
    expect(of('speed when moving, median')).toBe(60);
  });

  it('tell a fleet from itself by nothing', () => {
    const drives = simulatedDrives(2, 6, 900);
    const rows = compareDrives(drives, drives);
    expect(rows.length).toBeGreaterThanOrEqual(30);
    expect(rows.every((row) => row.alike)).toBe(true);
    expect(checkTable(rows).split('\n')).toHaveLength(rows.length + 1);
  });

  it.skipIf(!existsSync(REAL))('make the simulated fleet out to be like the real drives', async () => {
    const real = await drivesOfRecording(await openRecording(REAL));
    const rows = compareDrives(real, simulatedDrives(1));
    expect(real.length).toBeGreaterThan(35);
    expect(rows).toHaveLength(FACTS.length);
    const alike = rows.filter((row) => row.alike).length;
    expect(alike, checkTable(rows)).toBeGreaterThanOrEqual(29);
  });
});
