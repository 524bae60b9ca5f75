import { describe, expect, it } from 'vitest';
import type { GroundTruth } from '../../core/events.ts';
import { FAULT_IDS, FAULTS, type FaultId, suits } from '../../simulator/faults.ts';
import { Fleet } from '../../simulator/fleet.ts';
import { SENSOR_COUNT, sensorIndex } from '../../simulator/sensors.ts';
import { START_MS, scenarioWith } from './support.ts';

const COMPACT = scenarioWith({
  cars: 3,
  fleets: [{ name: 'a', share: 1, models: { compact: 1 }, coldStartPct: 0 }],
});
const ELECTRIC = scenarioWith({ cars: 3, fleets: [{ name: 'a', share: 1, models: { 'ev-compact': 1 } }] });

interface Twins {
  readonly sick: Fleet;
  readonly well: Fleet;
  readonly truth: GroundTruth[];
  /** Drives both; collects `pick` of each second of car 0 as [sick, well]. */
  drive(seconds: number, pick: (fleet: Fleet) => number, when?: (fleet: Fleet) => boolean): [number, number];
}

/** Two equal fleets, in one of which car 0 has the fault at full strength; means over the seconds driven. */
function twins(fault: FaultId, severity: number, rampS = 1): Twins {
  const scenario = suits(FAULTS.get(fault)!, new Fleet(COMPACT, START_MS).cars[0]!.model)
    ? COMPACT
    : ELECTRIC;
  const [sick, well] = [new Fleet(scenario, START_MS), new Fleet(scenario, START_MS)];
  for (let n = 0; n < 300; n += 1) {
    sick.step();
    well.step();
  }
  expect(sick.break(0, fault, { severity, rampS })).toBe(true);
  const truth: GroundTruth[] = [];
  return {
    sick,
    well,
    truth,
    drive: (seconds, pick, when = () => true) => {
      let [a, b, count] = [0, 0, 0];
      for (let n = 0; n < seconds; n += 1) {
        sick.step();
        well.step();
        truth.push(...sick.takeTruth());
        if (!when(sick) || !when(well)) continue;
        a += pick(sick);
        b += pick(well);
        count += 1;
      }
      expect(count).toBeGreaterThan(20);
      return [a / count, b / count];
    },
  };
}

const idle = (f: Fleet) => f.state.speedMs[0]! < 0.3;
const column =
  (name: 'coolantC' | 'oilC' | 'oilKpa' | 'batteryV' | 'vibrationMs2' | 'mapKpa' | 'mafGs') => (f: Fleet) =>
    f.state[name][0]!;
const trims = (f: Fleet) => f.state.shortTrimPct[0]! + f.state.longTrimPct[0]!;

describe('the faults', () => {
  it('count twelve families and more, each in the table with words', () => {
    expect(FAULT_IDS).toHaveLength(16);
    for (const family of FAULTS.values()) {
      expect(family.about.length).toBeGreaterThan(20);
      expect(family.strength(1)).toBeGreaterThanOrEqual(family.strength(0.25));
      for (const signal of family.moves) expect(sensorIndex.has(signal), signal).toBe(true);
    }
  });

  it.each(FAULT_IDS.map((id) => [id] as const))('%s can be seen, and its truth says from when', (id) => {
    const { truth, drive, sick } = twins(id, 1, 60);
    drive(id === 'tyre-leak' ? 20_000 : 2400, () => 0);
    const phases = truth.filter((t) => t.vin === sick.cars[0]!.vin && t.fault === id);
    expect(phases.map((t) => t.phase)).toEqual(['started', 'visible']);
    expect(phases[1]!.ts).toBeGreaterThanOrEqual(phases[0]!.ts + 3000);
    expect(new Set(phases.map((t) => t.faultId)).size).toBe(1);
    expect(sick.repair(0)).toBe(1);
    expect(sick.takeTruth().map((t) => t.phase)).toEqual(['repaired']);
    expect(sick.faultsActive).toBe(0);
  });

  it('vacuum leak: trims up by 15–30 % at idle, gone at speed; manifold pressure up by 3–8 kPa at idle', () => {
    const a = twins('vacuum-leak', 1);
    const [sickIdle, wellIdle] = a.drive(3000, trims, idle);
    expect(sickIdle - wellIdle).toBeGreaterThan(12);
    expect(sickIdle - wellIdle).toBeLessThan(32);
    const b = twins('vacuum-leak', 1);
    const [mapSick, mapWell] = b.drive(3000, column('mapKpa'), idle);
    expect(mapSick - mapWell).toBeGreaterThan(3);
    expect(mapSick - mapWell).toBeLessThan(9);
    const c = twins('vacuum-leak', 1);
    const [sickFast, wellFast] = c.drive(3000, trims, (f) => f.state.rpm[0]! > 2400);
    expect(sickFast - wellFast).toBeLessThan(7);
  });

  it('dirty air-flow sensor: reads 10–30 % low, trims up by 10–25 % under load too', () => {
    const [sick, well] = twins('dirty-maf', 1).drive(1500, column('mafGs'));
    expect(1 - sick / well).toBeGreaterThan(0.1);
    expect(1 - sick / well).toBeLessThan(0.3);
    const loaded = (f: Fleet) => f.state.loadPct[0]! > 55;
    const [s, w] = twins('dirty-maf', 1).drive(2500, trims, loaded);
    expect(s - w).toBeGreaterThan(10);
    expect(s - w).toBeLessThan(31);
  });

  it('stuck-open thermostat: too cool, colder with speed', () => {
    const fast = (f: Fleet) => f.state.speedMs[0]! > 12;
    const t = twins('thermostat-stuck-open', 1);
    t.drive(900, () => 0);
    const [sick, well] = t.drive(1800, column('coolantC'), fast);
    expect(well).toBeGreaterThan(84);
    expect(sick).toBeLessThan(75);
    expect(sick).toBeGreaterThan(45);
  });

  it.each([0.25, 0.5, 1])(
    'overheating at severity %d: climbs past 104 °C, held near 115–125 °C by boiling; oil follows',
    (severity) => {
      const t = twins('overheating', severity);
      let [hottest, oil] = [0, 0];
      t.drive(2400, (f) => {
        if (f === t.sick) {
          hottest = Math.max(hottest, f.state.coolantC[0]!);
          oil = Math.max(oil, f.state.oilC[0]!);
        }
        return 0;
      });
      expect(hottest).toBeGreaterThan(104);
      expect(hottest).toBeLessThan(129);
      expect(oil).toBeGreaterThan(108);
    },
  );

  it('alternator: below 13 V, then discharging to 12.5–12.0 V', () => {
    for (const severity of [0.25, 1]) {
      const t = twins('alternator', severity);
      const [sick, well] = t.drive(600, column('batteryV'));
      expect(well).toBeGreaterThan(13.4);
      expect(sick).toBeLessThan(13);
    }
    const t = twins('alternator', 1);
    t.drive(600, () => 0);
    const [later] = t.drive(900, column('batteryV'));
    expect(later).toBeLessThan(12.6);
    expect(later).toBeGreaterThan(11.7);
  });

  it('misfire: vibration × 1.5–3 in bursts', () => {
    const burst = (t: Twins) => () => t.sick.state.misfire[0]! > 0;
    const t = twins('misfire', 1);
    const [sick, well] = t.drive(900, column('vibrationMs2'), burst(t));
    expect(sick / well).toBeGreaterThan(1.5);
    expect(sick / well).toBeLessThan(3);
  });

  it('oil pressure: 20–60 % down, worst at hot idle', () => {
    const [hotSick, hotWell] = twins('oil-pressure-loss', 1).drive(2500, column('oilKpa'), idle);
    const fast = (f: Fleet) => f.state.rpm[0]! > 2000;
    const [fastSick, fastWell] = twins('oil-pressure-loss', 1).drive(2500, column('oilKpa'), fast);
    expect(1 - hotSick / hotWell).toBeGreaterThan(0.45);
    expect(1 - hotSick / hotWell).toBeLessThan(0.72);
    expect(1 - fastSick / fastWell).toBeLessThan(1 - hotSick / hotWell);
    expect(1 - fastSick / fastWell).toBeGreaterThan(0.2);
  });

  it('mount wear: vibration up by 50–200 %', () => {
    const [sick, well] = twins('mount-wear', 1).drive(900, column('vibrationMs2'));
    expect(sick / well).toBeGreaterThan(1.5);
    expect(sick / well).toBeLessThan(3);
  });

  it('blow-out: one tyre empties, the others do not; repair fills it', () => {
    const t = twins('tyre-blow-out', 1);
    const out = new Float64Array(SENSOR_COUNT);
    t.drive(60, () => 0);
    t.sick.measure(0, out);
    const low = [...out.subarray(19, 23)].filter((kpa) => kpa < 30);
    expect(low).toHaveLength(1);
    t.sick.repair(0, 'tyre-blow-out');
    t.sick.step();
    t.sick.measure(0, out);
    expect(Math.min(...out.subarray(19, 23))).toBeGreaterThan(180);
  });

  it('cell ageing: the pack sags further under the same current', () => {
    const t = twins('ev-cell-ageing', 1);
    const [sick, well] = t.drive(900, (f) => f.state.cellSpreadMv[0]!);
    expect(sick - well).toBeGreaterThan(20);
  });

  it('slip: revs above the gear by 5–15 % under load', () => {
    const t = twins('transmission-slip', 1);
    const inGear = (f: Fleet) => f.state.gear[0]! > 2 && f.state.pedal[0]! > 0.35;
    const ratio = (f: Fleet) =>
      f.state.rpm[0]! / f.state.speedMs[0]! / [0, 14.6, 7.8, 5.37, 3.98, 3.36][f.state.gear[0]!]!;
    const [sick, well] = t.drive(3000, ratio, inGear);
    expect(sick / well).toBeGreaterThan(1.04);
    expect(sick / well).toBeLessThan(1.22);
  });

  it('live several at once in one car, each with its own truth', () => {
    const fleet = new Fleet(COMPACT, START_MS);
    for (const id of ['alternator', 'misfire', 'vacuum-leak'])
      expect(fleet.break(1, id, { severity: 1, rampS: 1, repairMs: START_MS + 500_000 })).toBe(true);
    expect(fleet.break(1, 'misfire', { severity: 1 })).toBe(false);
    expect(fleet.break(1, 'ev-cell-ageing', { severity: 1 })).toBe(false);
    const truth: GroundTruth[] = [...fleet.takeTruth()];
    for (let n = 0; n < 520; n += 1) {
      fleet.step();
      truth.push(...fleet.takeTruth());
    }
    for (const id of ['alternator', 'misfire', 'vacuum-leak'])
      expect(truth.filter((t) => t.fault === id).map((t) => t.phase)).toEqual([
        'started',
        'visible',
        'repaired',
      ]);
    expect(fleet.state.leakGs[1]).toBe(0);
    expect(fleet.faultsActive).toBe(0);
  });

  it('need more shadows than there was room for, and cars do not notice', () => {
    const scenario = scenarioWith({ cars: 60 });
    const [many, none] = [new Fleet(scenario, START_MS), new Fleet(scenario, START_MS)];
    for (let car = 1; car < 60; car += 1) many.break(car, 'tyre-leak', { severity: 0.25 });
    for (let n = 0; n < 60; n += 1) {
      many.step();
      none.step();
    }
    const [x, y] = [new Float64Array(SENSOR_COUNT), new Float64Array(SENSOR_COUNT)];
    many.measure(0, x);
    none.measure(0, y);
    expect([...x]).toEqual([...y]);
    expect(many.faultsActive).toBe(59);
  });
});
