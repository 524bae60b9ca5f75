import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { completeScenario, DEMO_SCENARIO, spanMs } from '../../simulator/scenario.ts';
import {
  loadScenario,
  parseScenario,
  READY_SCENARIOS,
  resolveScenario,
  SCHEMA_FILE,
} from '../../simulator/scenario-file.ts';
import { renderScenarioSchema } from '../../simulator/scenario-schema.ts';
import { chosenCars } from '../../simulator/script.ts';
import { rig, scenarioWith } from './support.ts';

const BASE = `name: x
cars: 10
fleets:
  - name: all
    share: 1
    models: { compact: 1 }
`;

describe('a scenario file', () => {
  it.each(READY_SCENARIOS.map((name) => [name] as const))('%s is ready to run', async (name) => {
    const scenario = completeScenario(await loadScenario(name), Date.UTC(2029, 1, 3, 15, 30));
    expect(scenario.name).toBe(name);
    const { second } = rig({ ...scenario, cars: 20, startMs: null });
    expect(second()).toHaveLength(20);
  });

  it('demo says what the demo in code says', async () => {
    const file = completeScenario(await loadScenario('demo'));
    expect(file).toEqual(completeScenario(DEMO_SCENARIO));
  });

  it('has a published schema that is the code’s', async () => {
    expect(JSON.parse(await readFile(SCHEMA_FILE, 'utf8'))).toEqual(JSON.parse(renderScenarioSchema()));
  });

  it.each([
    ['speeed: 2\n', 'f.yaml:7:1: unknown key "speeed" in the scenario'],
    ['network: { windw: 3 }\n', 'f.yaml:7:12: unknown key "windw" in network'],
    ['every: fast\n', 'f.yaml:7:8: every must be a time such as 90s, 15m, 2h or 1d'],
    ['every: 1500ms\n', 'f.yaml:7:8: every must be whole seconds, at least 1s'],
    ['faults:\n  - { fault: rust, at: 1m }\n', 'f.yaml:8:14: faults.0.fault must be one of vacuum-leak'],
    ['faults:\n  - fault: misfire\n', 'f.yaml:8:5: faults.0 lacks "at"'],
    [
      'faults:\n  - fault: misfire\n    at: 1m\n    cars:\n      fleet: nobody\n',
      'f.yaml:11:14: no fleet is named "nobody"',
    ],
    [
      'start: yesterday\n',
      'f.yaml:7:8: start must be an ISO time, yesterday with an hour such as 04:00, or now',
    ],
    ['seed: [1\n', 'f.yaml:8:1: '],
    [
      'network:\n  tunnel: [5m, 1m]\n',
      'f.yaml:8:11: network.tunnel: the shortest is longer than the longest',
    ],
    ['hazards:\n  - { fault: misfire, perCarDay: 0 }\n', 'f.yaml:8:34: hazards.0.perCarDay must be > 0'],
  ])('names the line and column of %j', (text, told) => {
    expect(() => parseScenario(BASE + text, 'f.yaml')).toThrow(told);
  });

  it('names every fault at once', () => {
    try {
      parseScenario(`${BASE}foo: 1\nbar: 2\nspeed: -1\n`, 'f.yaml');
      expect.unreachable();
    } catch (error) {
      const message = String((error as Error).message);
      expect(message).toContain('f.yaml:7:1: unknown key "foo"');
      expect(message).toContain('f.yaml:8:1: unknown key "bar"');
      expect(message).toContain('f.yaml:9:8: speed must be > 0');
      expect(error).toMatchObject({ code: 'SCENARIO_INVALID' });
    }
  });

  it('that is not there is told with the ready ones', async () => {
    await expect(loadScenario('nowhere.yaml')).rejects.toThrow(
      /nowhere\.yaml: there is no such file or folder \(.*demo, commute-day/s,
    );
  });

  it('gives way to the command line', () => {
    const file = parseScenario(`${BASE}seed: 3\nduration: 1h\n`, 'f.yaml');
    const scenario = resolveScenario(file, {
      cars: 4,
      seed: null,
      durationMs: 5000,
      speed: Number.POSITIVE_INFINITY,
    });
    expect(scenario).toMatchObject({ cars: 4, seed: 3, durationMs: 5000, speed: Number.POSITIVE_INFINITY });
  });

  it('starts yesterday, so that it is never too old for ingest, or where the command line says', async () => {
    const nowMs = Date.UTC(2029, 1, 3, 15, 30);
    const file = await loadScenario('commute-day');
    expect(resolveScenario(file, {}, nowMs).startMs).toBe(Date.UTC(2029, 1, 2, 4));
    expect(resolveScenario(file, {}, Date.UTC(2029, 2, 1)).startMs).toBe(Date.UTC(2029, 1, 28, 4));
    expect(resolveScenario(file, { startMs: 5000 }, nowMs).startMs).toBe(5000);
    expect(() => resolveScenario(file)).toThrow(/"yesterday 04:00" needs a clock/);
    expect(() => parseScenario(`${BASE}start: yesterday 24:00\n`, 'f.yaml')).toThrow('start must be');
  });

  it('reads spans', () => {
    expect(['250ms', '90s', '1.5m', '2h', '1d'].map(spanMs)).toEqual([
      250, 90_000, 90_000, 7_200_000, 86_400_000,
    ]);
  });
});

describe('a script', () => {
  const three = { fault: 'misfire' as const, at: '10s', cars: { count: 3 } };

  it('breaks as many cars as a plan counts, the same ones in a split fleet', () => {
    const scenario = scenarioWith({
      faults: [three],
      fleets: [{ name: 'a', share: 1, models: { compact: 1 } }],
    });
    const broken = (range?: { first: number; count: number }) => {
      const { fleet, second } = rig(scenario, range);
      for (let n = 0; n < 11; n += 1) second();
      return fleet.cars.filter((_, car) => fleet.faultsOf(car).length > 0).map((car) => car.vin);
    };
    const whole = broken();
    expect(whole).toHaveLength(3);
    expect([...broken({ first: 0, count: 7 }), ...broken({ first: 7, count: 5 })]).toEqual(whole);
  });

  it('counts among the cars a plan describes, in a whole fleet and in its parts', () => {
    const scenario = scenarioWith({ cars: 90 });
    const choice = { model: 'ev-compact', count: 4 };
    const vins = (range?: { first: number; count: number }) => {
      const { fleet } = rig(scenario, range);
      return chosenCars(fleet, choice, 7).map((car) => fleet.cars[car]!);
    };
    const whole = vins();
    expect(whole).toHaveLength(4);
    expect(whole.every((car) => car.model.id === 'ev-compact')).toBe(true);
    const parts = [...vins({ first: 0, count: 31 }), ...vins({ first: 31, count: 59 })];
    expect(parts.map((car) => car.vin)).toEqual(whole.map((car) => car.vin));
    expect(vinsOf(scenarioWith({ cars: 5 }), { count: 50 })).toBe(5);
  });

  it('mends after the time the plan gives', () => {
    const scenario = scenarioWith({ faults: [{ fault: 'alternator', at: '5s', repairAfter: '20s' }] });
    const { fleet, second } = rig(scenario);
    for (let n = 0; n < 6; n += 1) second();
    expect(fleet.faultsActive).toBe(12);
    for (let n = 0; n < 21; n += 1) second();
    expect(fleet.faultsActive).toBe(0);
  });

  it('chooses by firmware, model, fleet and VIN', () => {
    const { fleet } = rig(scenarioWith({ cars: 200 }));
    const of = (choice: Parameters<typeof chosenCars>[1]) => chosenCars(fleet, choice, 1);
    const electric = of({ model: 'ev-compact' });
    expect(electric.every((car) => fleet.cars[car]!.model.id === 'ev-compact')).toBe(true);
    expect(electric.length).toBeGreaterThan(20);
    expect(of({ vins: [fleet.cars[7]!.vin] })).toEqual([7]);
    expect(of({ firmware: '4.2.0' }).length + of({ firmware: '4.1.0' }).length).toBe(200);
    expect(of({ pct: 25 }).length).toBeGreaterThan(25);
    expect(of({ pct: 25 }).length).toBeLessThan(80);
    expect(of({})).toHaveLength(200);
  });

  it('bends the world for harmless oddities and bends it back, with no word in the truth', () => {
    const scenario = scenarioWith({
      harmless: [
        { kind: 'towing', at: '2s', lasts: '10s' },
        { kind: 'hill', at: '2s', lasts: '10s' },
        { kind: 'hot-day', at: '2s', lasts: '10s' },
        { kind: 'clock-jump', at: '2s', lasts: '10s' },
        { kind: 'cold-start', at: '2s' },
      ],
    });
    const { fleet, script, second } = rig(scenario);
    for (let n = 0; n < 3; n += 1) second();
    expect(fleet.state.extraMassKg[0]).toBeGreaterThan(400);
    expect(fleet.state.extraGrade[0]).toBeGreaterThan(0);
    expect(fleet.state.extraAmbientC[0]).toBe(14);
    expect(script.skewMs.some((ms) => Math.abs(ms) > 1000)).toBe(true);
    const combustion = fleet.cars.findIndex((car) => !car.electric);
    expect(fleet.state.coolantC[combustion]).toBeLessThan(40);
    for (let n = 0; n < 12; n += 1) second();
    expect(fleet.state.extraMassKg[0]).toBe(0);
    expect(fleet.state.extraGrade[0]).toBe(0);
    expect(script.skewMs.every((ms) => ms === 0)).toBe(true);
    expect(fleet.takeTruth()).toEqual([]);
  });

  it('sends duplicates and malformed payloads at their rates', () => {
    const { second, counts } = rig(
      scenarioWith({ cars: 100, network: { duplicatePct: 2, malformedPct: 1 } }),
    );
    let packets = 0;
    for (let n = 0; n < 200; n += 1) packets += second().flat().length;
    expect(counts.duplicates / 20_000).toBeCloseTo(0.02, 2);
    expect(counts.malformed / 20_000).toBeCloseTo(0.01, 2);
    expect(packets).toBe(20_000 + counts.duplicates + counts.malformed);
  });
});

function vinsOf(scenario: ReturnType<typeof scenarioWith>, choice: Parameters<typeof chosenCars>[1]): number {
  return chosenCars(rig(scenario).fleet, choice, 1).length;
}
