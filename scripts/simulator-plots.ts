// Draws docs/img/fault-*.svg: for each fault the signals it moves, in a car that has it and in the same car without it,
// and, given real drives, docs/img/fleet-drives.svg: simulated and measured drives side by side.
// `node scripts/simulator-plots.ts [FILE.csv.gz]` writes them.
import { mkdir, writeFile } from 'node:fs/promises';
import { openRecording } from '../core/recording.ts';
import { drivesOfRecording, simulatedDrives } from '../simulator/check.ts';
import { type Drive, quantile } from '../simulator/facts.ts';
import { FAULTS, type FaultFamily, suits } from '../simulator/faults.ts';
import { Fleet } from '../simulator/fleet.ts';
import { completeScenario, type Scenario } from '../simulator/scenario.ts';
import { SENSOR_COUNT, SENSORS, sensorIndex } from '../simulator/sensors.ts';
import { type Panel, renderPanels } from './svg.ts';
import { catalogueLabels } from './svg-labels.ts';

const FOLDER = new URL('../docs/img/', import.meta.url).pathname;
const START_MS = Date.UTC(2026, 3, 14, 9);
const BEFORE_S = 600;
const labels = await catalogueLabels();

function oneCar(electric: boolean): Scenario {
  const models = electric ? { 'ev-compact': 1 } : { compact: 1 };
  const fleets = [{ name: 'a', share: 1, models, coldStartPct: 0, roads: { urban: 3, rural: 2 } }];
  return completeScenario({ name: 'plot', seed: 12, cars: 1, fleets });
}

interface Story {
  readonly startS: number;
  readonly lengthS: number;
  readonly rampS: number;
}

/** How long each fault is shown and how fast it comes: slow ones are drawn together. */
function storyOf(family: FaultFamily): Story {
  if (family.id === 'tyre-leak') return { startS: 3600, lengthS: 12 * 3600, rampS: 1 };
  if (family.id === 'overheating') return { startS: 300, lengthS: 2400, rampS: 180 };
  if (family.id === 'sensor-stuck' || family.id === 'misfire') return { startS: 120, lengthS: 480, rampS: 1 };
  return { startS: 300, lengthS: 1500, rampS: Math.min(600, family.course.rampS) };
}

/** Readings of a car's signals second by second, with the fault from `startS` on, or without it. */
function readings(family: FaultFamily, story: Story, broken: boolean): Float64Array[] {
  const electric = !suits(family, new Fleet(oneCar(false), START_MS).cars[0]!.model);
  const fleet = new Fleet(oneCar(electric), START_MS);
  for (let n = 0; n < BEFORE_S; n += 1) fleet.step();
  const columns = SENSORS.map(() => new Float64Array(story.lengthS));
  const out = new Float64Array(SENSOR_COUNT).fill(Number.NaN);
  for (let row = 0; row < story.lengthS; row += 1) {
    if (broken && row === story.startS) fleet.break(0, family.id, { severity: 1, rampS: story.rampS });
    fleet.step();
    fleet.measure(0, out);
    columns.forEach((column, k) => {
      column[row] = out[k]!;
    });
  }
  return columns;
}

/** The signals that the fault moved most, by how far the two runs part against the signal's own spread. */
function moved(family: FaultFamily, sick: Float64Array[], well: Float64Array[], startS: number): number[] {
  const parts = SENSORS.map((_, k) => {
    let [gap, spread] = [0, 1e-9];
    for (let row = startS; row < sick[k]!.length; row += 1) {
      const [a, b] = [sick[k]![row]!, well[k]![row]!];
      if (Number.isNaN(a + b)) continue;
      gap += Math.abs(a - b);
      spread += Math.abs(b - well[k]![0]!) + SENSORS[k]!.noise;
    }
    return { k, part: gap / spread };
  }).filter(({ part }) => part > 0);
  const told = family.moves.map((name) => sensorIndex.get(name)!);
  const best = parts.sort((a, b) => b.part - a.part).map(({ k }) => k);
  const tyre = family.id.startsWith('tyre');
  const first = tyre ? [...best.filter((k) => told.includes(k)).slice(0, 1), ...told] : told;
  return [...new Set([...first.filter((k) => sick[k]!.some((v) => !Number.isNaN(v))), ...best])].slice(
    0,
    tyre ? 2 : 3,
  );
}

async function drawFault(family: FaultFamily): Promise<void> {
  const story = storyOf(family);
  const [sick, well] = [readings(family, story, true), readings(family, story, false)];
  const panels = moved(family, sick, well, story.startS).map((k): Panel => {
    const { label, unit } = labels.get(SENSORS[k]!.name)!;
    return {
      title: `${label}${unit === '' ? '' : ` (${unit})`}`,
      lines: [
        { values: well[k]!, role: 'without' },
        { values: sick[k]!, role: 'with' },
      ],
      markS: story.startS,
    };
  });
  const legend = { with: 'with the fault', without: 'the same car without it' };
  await writeFile(`${FOLDER}fault-${family.id}.svg`, renderPanels(family.id, panels, legend));
}

type Curve = (drives: readonly Drive[]) => Float64Array;

/** Median coolant of cold-started cars over twenty minutes, °C. */
const warmUp: Curve = (drives) => {
  const cold = drives.map((d) => d.get('coolantC')!).filter((c) => c[0]! < 45);
  return Float64Array.from({ length: 1200 }, (_, t) =>
    quantile(
      cold.map((c) => c[t]!).filter((v) => !Number.isNaN(v)),
      0.5,
    ),
  );
};

/** Share of time in each bin of a value, %. */
function shares(value: (d: Drive, row: number) => number, low: number, high: number, perUnit: number): Curve {
  return (drives) => {
    const bins = new Float64Array(Math.ceil((high - low) * perUnit));
    let all = 0;
    for (const drive of drives) {
      const rows = drive.get('speedKmh')!.length;
      for (let row = 0; row < rows; row += 1) {
        const bin = Math.floor((value(drive, row) - low) * perUnit);
        if (!(bin >= 0 && bin < bins.length)) continue;
        bins[bin]! += 1;
        all += 1;
      }
    }
    return bins.map((n) => (100 * n) / all);
  };
}

const signal = (name: string) => (d: Drive, row: number) => d.get(name)?.[row] ?? Number.NaN;
const gears = (d: Drive, row: number) =>
  signal('speedKmh')(d, row) > 20 ? signal('engineRpm')(d, row) / signal('speedKmh')(d, row) : Number.NaN;
const moving = (d: Drive, row: number) => signal('speedKmh')(d, row) || Number.NaN;

const COMPARED: readonly { title: string; curve: Curve; x?: { from: number; to: number } }[] = [
  {
    title: 'gears: engine speed over road speed (rpm per km/h), % of time',
    curve: shares(gears, 25, 75, 2),
    x: { from: 25, to: 75 },
  },
  { title: 'speed when moving (km/h), % of time', curve: shares(moving, 0, 90, 0.5), x: { from: 0, to: 90 } },
  {
    title: 'engine load (%), % of time',
    curve: shares(signal('loadPct'), 0, 100, 0.5),
    x: { from: 0, to: 100 },
  },
  {
    title: 'manifold pressure (kPa), % of time',
    curve: shares(signal('mapKpa'), 10, 105, 0.5),
    x: { from: 10, to: 105 },
  },
  { title: 'warming up: coolant of cold-started cars (°C), median', curve: warmUp },
];

await mkdir(FOLDER, { recursive: true });
for (const family of FAULTS.values()) await drawFault(family);
const [file] = process.argv.slice(2);
if (file !== undefined) {
  const measured = await drivesOfRecording(await openRecording(file));
  const simulated = simulatedDrives(1);
  const panels = COMPARED.map(({ title, curve, x }): Panel => {
    const lines = [
      { values: curve(measured), role: 'without' as const },
      { values: curve(simulated), role: 'with' as const },
    ];
    return { title, lines, markS: null, ...(x === undefined ? {} : { x }) };
  });
  const legend = { without: 'measured', with: 'simulated' };
  await writeFile(`${FOLDER}fleet-drives.svg`, renderPanels('drives in town', panels, legend));
}
console.log(`wrote the figures of ${FAULTS.size} faults${file === undefined ? '' : ' and of the drives'}`);
