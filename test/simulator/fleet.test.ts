import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CAR_CATALOGUE_FILE, loadCatalogue } from '../../core/catalogue.ts';
import { telemetryTopic } from '../../core/topics.ts';
import { payloadOf } from '../../simulator/encode.ts';
import { Fleet } from '../../simulator/fleet.ts';
import { MODELS, vinOf } from '../../simulator/models.ts';
import { SENSOR_COUNT, SENSORS, sensorIndex } from '../../simulator/sensors.ts';
import { rig, START_MS, scenarioWith } from './support.ts';

const lively = () =>
  scenarioWith({
    fleets: [{ name: 'all', share: 1, models: { compact: 2, suv: 1, 'ev-compact': 1 }, usage: 'trips' }],
    network: { duplicatePct: 3, malformedPct: 3, clockJumpsPerCarDay: 400, tunnelsPerCarHour: 5 },
    hazards: [
      { fault: 'misfire', perCarDay: 500, repairAfter: '1m' },
      { fault: 'tyre-blow-out', perCarDay: 300, repairAfter: '2m' },
      { fault: 'sensor-stuck', perCarDay: 300 },
    ],
    faults: [{ fault: 'vacuum-leak', at: '1m', cars: { count: 3 } }],
  });

/** Hash of all bytes that each car sends in so many seconds, truth included. */
function bytesByCar(range: { first: number; count: number } | undefined, seconds: number) {
  const { fleet, script, telemeter } = rig(lively(), range);
  const hashes = fleet.cars.map(() => createHash('sha256'));
  for (let n = 0; n < seconds; n += 1) {
    fleet.step();
    script.apply();
    for (const truth of fleet.takeTruth())
      hashes[fleet.slotOf.get(truth.vin)!]!.update(telemeter.truth(truth));
    fleet.cars.forEach((_, car) => {
      if (telemeter.due(car)) for (const packet of telemeter.packets(car)) hashes[car]!.update(packet);
    });
  }
  return new Map(fleet.cars.map((car, i) => [car.vin, hashes[i]!.digest('hex')]));
}

describe('a fleet', () => {
  it('sends the same bytes for the same seed, whole or split over processes', () => {
    const whole = bytesByCar(undefined, 420);
    const parts = [
      ...bytesByCar({ first: 0, count: 5 }, 420),
      ...bytesByCar({ first: 5, count: 1 }, 420),
      ...bytesByCar({ first: 6, count: 6 }, 420),
    ];
    expect(whole.size).toBe(12);
    expect(new Set(whole.values()).size).toBe(12);
    expect(parts).toEqual([...whole]);
  });

  it('sends other bytes for another seed', () => {
    const payload = (seed: number) => payloadOf(rig(scenarioWith({ seed })).second()[0]![0]!).toString();
    expect(payload(5)).not.toBe(payload(6));
  });

  it('names the signals of the car catalogue, in its order and within its ranges', async () => {
    const { signals } = await loadCatalogue(CAR_CATALOGUE_FILE);
    expect(SENSORS.map((s) => s.name)).toEqual(signals.map((s) => s.name));
    for (const [k, spec] of SENSORS.entries()) {
      expect(spec.min, spec.name).toBeGreaterThanOrEqual(signals[k]!.min);
      expect(spec.max, spec.name).toBeLessThanOrEqual(signals[k]!.max);
    }
  });

  it('publishes valid telemetry: only signals the car has, rising sequence, its phase in the time', () => {
    const { fleet, second } = rig(scenarioWith());
    second();
    const batch = second();
    for (const [car, [packet]] of batch.entries()) {
      const event = telemetryTopic.decode(payloadOf(packet!));
      const facts = fleet.cars[car]!;
      expect(event.vin).toBe(facts.vin);
      expect(event.seq).toBe(START_MS + 1);
      expect(event.ts).toBe(START_MS + 2000 + facts.phaseMs);
      expect('packV' in event.signals).toBe(facts.electric);
      expect('coolantC' in event.signals).toBe(!facts.electric);
      expect(Object.keys(event.signals)).toHaveLength(facts.electric ? 17 : 23);
    }
  });

  it('stays in physical bounds for two hours of mixed driving', () => {
    const fleet = new Fleet(scenarioWith({ cars: 40 }), START_MS);
    const s = fleet.state;
    let moving = 0;
    for (let n = 0; n < 7200; n += 1) {
      fleet.step();
      for (let car = 0; car < fleet.size; car += 1) {
        if (s.speedMs[car]! > 0) moving += 1;
        if (s.speedMs[car]! * 3.6 > 190 || Number.isNaN(s.speedMs[car]!))
          throw new Error(`speed ${s.speedMs[car]}`);
        if (!fleet.cars[car]!.electric && (s.coolantC[car]! > 103 || s.rpm[car]! > 6500))
          throw new Error(`coolant ${s.coolantC[car]} rpm ${s.rpm[car]}`);
        if (fleet.cars[car]!.electric && !(s.packV[car]! > 230 && s.packV[car]! < 470))
          throw new Error(`pack ${s.packV[car]} V`);
      }
    }
    expect(moving / (7200 * 40)).toBeGreaterThan(0.75);
    expect(moving / (7200 * 40)).toBeLessThan(0.97);
  });

  it('keeps revs and speed in the ratio of the gear', () => {
    const fleet = new Fleet(
      scenarioWith({ fleets: [{ name: 'a', share: 1, models: { compact: 1 } }] }),
      START_MS,
    );
    const compact = MODELS[0];
    const errors: number[] = [];
    for (let n = 0; n < 1200; n += 1) {
      fleet.step();
      const { rpm, speedMs, gear } = fleet.state;
      for (let car = 0; car < fleet.size; car += 1) {
        if (gear[car]! < 3) continue;
        const expected = (speedMs[car]! * 60 * compact.overallRatios[gear[car]! - 1]!) / (2 * Math.PI * 0.3);
        errors.push(Math.abs(rpm[car]! - expected) / expected);
      }
    }
    expect(errors.length).toBeGreaterThan(3000);
    expect(errors.sort((a, b) => a - b)[Math.floor(errors.length / 2)]).toBeLessThan(0.03);
  });

  it('measures the same whatever was measured before', () => {
    const [a, b] = [new Fleet(scenarioWith(), START_MS), new Fleet(scenarioWith(), START_MS)];
    const [x, y] = [new Float64Array(SENSOR_COUNT), new Float64Array(SENSOR_COUNT)];
    for (let n = 0; n < 50; n += 1) {
      a.step();
      b.step();
      a.measure(3, x);
    }
    a.measure(3, x);
    b.measure(3, y);
    expect([...x]).toEqual([...y]);
  });

  it('drops about one reading in four hundred', () => {
    const fleet = new Fleet(scenarioWith({ cars: 60 }), START_MS);
    const out = new Float64Array(SENSOR_COUNT);
    let [missing, all] = [0, 0];
    for (let n = 0; n < 400; n += 1) {
      fleet.step();
      for (let car = 0; car < fleet.size; car += 1) {
        out.fill(0);
        all += fleet.measure(car, out).length;
        missing += out.reduce((count, value) => count + (Number.isNaN(value) ? 1 : 0), 0);
      }
    }
    expect(all / missing).toBeGreaterThan(350);
    expect(all / missing).toBeLessThan(450);
  });

  it('gives VINs with a right check digit', () => {
    // 49 CFR 565.15, by hand for TLTCMP15?T1000000: 3·8+3·7+3·6+3·5+4·4+7·3+1·2+5·10+3·9+1·8 = 202 = 18·11 + 4.
    expect(vinOf(MODELS[0], 0)).toBe('TLTCMP154T1000000');
    expect(new Set(Array.from({ length: 500 }, (_, i) => vinOf(MODELS[1], i))).size).toBe(500);
  });

  it('parks, cools and starts again when cars are used for trips', () => {
    const scenario = scenarioWith({
      cars: 30,
      fleets: [{ name: 'a', share: 1, models: { compact: 1 }, usage: 'trips', coldStartPct: 0 }],
    });
    const { fleet, second } = rig(scenario);
    let [silent, sent] = [0, 0];
    let coldest = 100;
    for (let n = 0; n < 5400; n += 1) {
      for (const [car, packets] of second().entries()) {
        if (packets.length === 0) silent += 1;
        else sent += 1;
        if (packets.length === 0) coldest = Math.min(coldest, fleet.state.coolantC[car]!);
      }
    }
    expect(silent / (silent + sent)).toBeGreaterThan(0.2);
    expect(silent / (silent + sent)).toBeLessThan(0.7);
    expect(coldest).toBeLessThan(70);
  });

  it('sends at the interval of the scenario, cars spread over it', () => {
    const { second } = rig(scenarioWith({ every: '10s' }));
    const perSecond = Array.from({ length: 20 }, () => second().flat().length);
    expect(perSecond.reduce((a, b) => a + b)).toBe(24);
    expect(Math.max(...perSecond)).toBeLessThan(12);
  });

  it('has every sensor the faults name', () => {
    expect(sensorIndex.get('coolantC')).toBe(9);
    expect(SENSOR_COUNT).toBe(31);
  });
});
