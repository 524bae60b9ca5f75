// A small fleet without physics for tests of training and scoring: six signals, three of them tied to each other, seeded, and
// ways to break a car. Not the simulator: rooms' tests stay independent of it.
import { type Catalogue, checkCatalogue } from '../../core/catalogue.ts';
import type { Telemetry } from '../../core/events.ts';
import type { Log } from '../../core/log/log.ts';
import { normal, seededRandom } from '../../core/model/random.ts';
import { telemetryTopic } from '../../core/topics.ts';

const signal = (name: string) => ({ name, unit: '', min: -1e6, max: 1e6 });

export const SMALL_CATALOGUE: Catalogue = checkCatalogue(
  {
    name: 'small',
    version: 1,
    signals: ['speedKmh', 'rpm', 'loadPct', 'coolantC', 'oilKpa', 'constant'].map(signal),
  },
  'test',
);

export interface SmallCar {
  readonly vin: string;
  readonly rows: number;
  readonly startMs?: number;
  readonly seed?: number;
  /** From this row on the coolant runs 25 °C hotter. */
  readonly overheatsFrom?: number;
}

/** Readings of one car: speed wanders, rpm and load follow it, coolant and oil pressure follow them. */
export function* drive(car: SmallCar): Generator<Telemetry> {
  const { vin, rows, startMs = 1_700_000_000_000, overheatsFrom = Number.POSITIVE_INFINITY } = car;
  const random = seededRandom(car.seed ?? 1, vin);
  let speed = 40 + 40 * random();
  let coolant = 88;
  for (let i = 0; i < rows; i += 1) {
    speed = Math.max(0, Math.min(130, speed + 2 * normal(random) + 0.01 * (60 - speed)));
    const rpm = 800 + 25 * speed + 30 * normal(random);
    const load = 15 + 0.4 * speed + 2 * normal(random);
    coolant += 0.05 * (88 + 0.03 * load - coolant) + 0.1 * normal(random);
    const hot = i >= overheatsFrom ? 25 : 0;
    const oil = 100 + 0.06 * rpm - 0.5 * (coolant - 88) + 4 * normal(random);
    yield {
      vin,
      seq: startMs + i,
      ts: startMs + 1000 * i,
      signals: {
        speedKmh: Math.round(speed),
        rpm: Math.round(rpm),
        loadPct: Math.round(load * 10) / 10,
        coolantC: Math.round((coolant + hot) * 10) / 10,
        oilKpa: Math.round(oil),
        constant: 7,
      },
    };
  }
}

export const recordOf = (event: Telemetry, timestampMs = event.ts) => ({
  key: event.vin,
  value: telemetryTopic.encode(event),
  timestampMs,
});

/** Appends all events of the cars, event by event in turn, in batches. */
export async function appendCars(log: Log, cars: readonly SmallCar[]): Promise<number> {
  const running = cars.map((car) => drive(car));
  let batch: ReturnType<typeof recordOf>[] = [];
  let count = 0;
  for (let open = running.length; open > 0; ) {
    open = 0;
    for (const car of running) {
      const next = car.next();
      if (next.done) continue;
      open += 1;
      batch.push(recordOf(next.value));
      count += 1;
    }
    if (batch.length >= 1000 || open === 0) {
      await log.append(telemetryTopic.name, batch);
      batch = [];
    }
  }
  return count;
}
