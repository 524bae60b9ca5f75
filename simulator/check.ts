// `telltale simulate --check`: is the fleet believable? The same facts from real drives (a recording with OBD-II columns)
// and from simulated drives of the same kind, side by side.

import { counted } from '../core/counted.ts';
import { TelltaleError } from '../core/errors.ts';
import { openRecording, type Recording, readingOf } from '../core/recording.ts';
import type { Context } from '../core/service.ts';
import type { Settings } from '../core/settings.ts';
import { type Drive, FACTS } from './facts.ts';
import { Fleet } from './fleet.ts';
import { completeScenario } from './scenario.ts';
import { SENSOR_COUNT, SENSORS, sensorIndex } from './sensors.ts';

/** Names that OBD-II loggers give to columns, lower case, and ours. */
const COLUMN_NAMES: Readonly<Record<string, string>> = {
  engine_rpm: 'engineRpm',
  vehicle_speed: 'speedKmh',
  engine_load: 'loadPct',
  coolant_temperature: 'coolantC',
  long_term_fuel_trim_bank_1: 'longTrimPct',
  short_term_fuel_trim_bank_1: 'shortTrimPct',
  intake_manifold_pressure: 'mapKpa',
  intake_air_temp: 'intakeC',
  timing_advance: 'timingDeg',
  control_module_voltage: 'batteryV',
};

const MIN_ROWS = 300;
/** A drive's grid is no longer than a day, whatever its clock did. */
const MAX_SECONDS = 86_400;

/** The drives of a recording on a grid of seconds (the last row of each; NaN where there is none), under our names. */
export async function drivesOfRecording(recording: Recording): Promise<readonly Drive[]> {
  const known = recording.signals.flatMap((column) => {
    const name = COLUMN_NAMES[column.toLowerCase()] ?? (sensorIndex.has(column) ? column : undefined);
    return name === undefined ? [] : [{ column, name }];
  });
  const seconds = new Map<string, Map<number, Float64Array>>();
  for await (const row of recording.rows(known.map(({ column }) => column))) {
    if (row.fault !== null) continue;
    const second = Math.floor(row.tsMs / 1000);
    const drive = seconds.get(row.id) ?? new Map<number, Float64Array>();
    drive.set(second, row.values);
    seconds.set(row.id, drive);
  }
  return [...seconds.values()]
    .filter((drive) => drive.size >= MIN_ROWS)
    .map((drive) => {
      const from = Math.min(...drive.keys());
      const length = Math.min(MAX_SECONDS, Math.max(...drive.keys()) - from + 1);
      const cell = (row: number, c: number) => drive.get(from + row)?.[c] ?? Number.NaN;
      return new Map(
        known.map(({ name }, c) => [name, Float64Array.from({ length }, (_, row) => cell(row, c))]),
      );
    });
}

/** Drives of one model in town, engines cold at the start in two cases of three, as people log them. */
export function simulatedDrives(seed: number, cars = 41, seconds = 2400): readonly Drive[] {
  const scenario = completeScenario({
    name: 'check',
    seed,
    cars,
    weather: { meanC: 27, swingC: 3, spreadC: 3 },
    fleets: [
      {
        name: 'town',
        share: 1,
        models: { compact: 1 },
        styles: { calm: 2, normal: 2 },
        roads: { urban: 1 },
        coldStartPct: 65,
      },
    ],
  });
  const fleet = new Fleet(scenario, Date.UTC(2026, 4, 12, 14));
  const columns = fleet.cars.map(() => SENSORS.map(() => new Float64Array(seconds)));
  const out = new Float64Array(SENSOR_COUNT);
  for (let row = 0; row < seconds; row += 1) {
    fleet.step();
    for (let car = 0; car < fleet.size; car += 1) {
      out.fill(Number.NaN);
      fleet.measure(car, out);
      for (let k = 0; k < SENSOR_COUNT; k += 1) columns[car]![k]![row] = out[k]!;
    }
  }
  return columns.map((drive) => new Map(SENSORS.map((spec, k) => [spec.name, drive[k]!])));
}

export interface CheckRow {
  readonly name: string;
  readonly unit: string;
  readonly measured: number;
  readonly simulated: number;
  readonly near: number;
  readonly alike: boolean;
}

/** Every fact that the real drives can tell, measured and simulated. */
export function compareDrives(real: readonly Drive[], simulated: readonly Drive[]): readonly CheckRow[] {
  return FACTS.flatMap(({ name, unit, near, of }) => {
    const measured = of(real);
    if (Number.isNaN(measured)) return [];
    const value = of(simulated);
    return [{ name, unit, measured, simulated: value, near, alike: Math.abs(measured - value) <= near }];
  });
}

const shown = (value: number) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2));

/** The comparison as a table. */
export function checkTable(rows: readonly CheckRow[]): string {
  const cells = rows.map((r) => [
    r.name,
    shown(r.measured),
    shown(r.simulated),
    `± ${shown(r.near)}`,
    r.unit,
    r.alike ? 'alike' : 'differs',
  ]);
  const head = ['fact', 'measured', 'simulated', 'believable', 'unit', ''];
  const width = head.map((_, c) => Math.max(...[head, ...cells].map((line) => line[c]!.length)));
  const text = (line: readonly string[]) =>
    line
      .map((cell, c) => (c >= 1 && c <= 3 ? cell.padStart(width[c]!) : cell.padEnd(width[c]!)))
      .join('  ')
      .trimEnd();
  return [head, ...cells].map(text).join('\n');
}

/** @throws TelltaleError CONFIG_INVALID without --csv */
export async function runCheck(settings: Settings, context: Context): Promise<void> {
  if (settings.csv === '')
    throw new TelltaleError('CONFIG_INVALID', '--check: name a recording of real drives with --csv');
  const recording = await openRecording(settings.csv, readingOf(settings));
  for (const remark of recording.remarks) context.warn(`${recording.file}: ${remark}`);
  const real = await drivesOfRecording(recording);
  const rows = compareDrives(real, simulatedDrives(settings.fleetSeed ?? 1));
  if (settings.json) {
    context.say(JSON.stringify(rows));
    return;
  }
  const alike = rows.filter((row) => row.alike).length;
  for (const line of checkTable(rows).split('\n')) context.say(line);
  context.say(`${counted(real.length, 'real drive')}; ${alike} of ${rows.length} facts alike`);
}
