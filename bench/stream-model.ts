// A model of the cars that bench/whole-stream.ts drives: the same fleets at the same pace, other cars, trained and
// released before the stream begins. How well it detects is another bench's claim (bench/quality); here it must cost
// what a model costs.
import { CAR_CATALOGUE_FILE, loadCatalogue } from '../core/catalogue.ts';
import type { Log } from '../core/log/log.ts';
import { loadBackend } from '../core/model/backend.ts';
import type { ModelBundle } from '../core/model/bundle.ts';
import { modelsTopic } from '../core/topics.ts';
import { Fleet } from '../simulator/fleet.ts';
import { completeScenario } from '../simulator/scenario.ts';
import type { ScenarioFile } from '../simulator/scenario-schema.ts';
import { SENSOR_COUNT } from '../simulator/sensors.ts';
import { trainModel } from '../training/calibrate/train-model.ts';
import type { Series } from '../training/data/series.ts';

const CARS = 24;
const ROWS = 500;
const SEED = 4711;
/** One false alert of a car in a day, as the demo asks. */
const ALERTS_PER_HOUR = 0.042;

/** Cars of these fleets without a fault, one row each `everyS` seconds. */
export function history(scenario: ScenarioFile, everyS: number): Series[] {
  const plan = { ...scenario, cars: CARS, seed: SEED, faults: [], hazards: [], harmless: [] };
  const fleet = new Fleet(completeScenario(plan), Date.now() - ROWS * everyS * 1000);
  const out = new Float64Array(SENSOR_COUNT);
  const series = fleet.cars.map(({ vin }) => ({
    id: vin,
    tsMs: new Float64Array(ROWS),
    values: new Float32Array(ROWS * SENSOR_COUNT).fill(Number.NaN),
  }));
  for (let row = 0; row < ROWS; row += 1) {
    for (let second = 0; second < everyS; second += 1) fleet.step();
    for (const [car, { tsMs, values }] of series.entries()) {
      tsMs[row] = fleet.nowMs;
      for (const k of fleet.measure(car, out)) values[row * SENSOR_COUNT + k] = out[k]!;
    }
  }
  return series;
}

export async function trainForStream(scenario: ScenarioFile, everyS: number): Promise<ModelBundle> {
  const { bundle, model } = await trainModel({
    catalogue: await loadCatalogue(CAR_CATALOGUE_FILE),
    series: history(scenario, everyS),
    seed: 1,
    alertsPerHour: ALERTS_PER_HOUR,
    backend: await loadBackend('wasm'),
    signal: new AbortController().signal,
    maxSteps: 150,
  });
  model.dispose();
  return bundle;
}

/** Makes the bundle champion of a log, as training would; the moment it takes charge. */
export async function release(log: Log, version: string, bundle: ModelBundle): Promise<number> {
  const facts = { version, ts: Date.now(), by: 'bench', note: '' };
  await log.append(modelsTopic.name, [
    { key: `release/${version}`, value: modelsTopic.encode({ kind: 'release', ...facts, bundle }) },
    {
      key: 'alias/champion',
      value: modelsTopic.encode({ kind: 'alias', alias: 'champion', previous: [], ...facts }),
    },
  ]);
  return facts.ts;
}
