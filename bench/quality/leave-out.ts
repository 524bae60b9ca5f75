// What each part of the model is worth: a model is trained once for each split of the real drives, each rig run and each simulated fleet,
// its raw statistics are kept, and then each statistic, stream, head and voice is left out, all that follows is done again as training
// does it, and the difference is printed with its standard error beside it. What cannot be left out after the fact is trained anew.
//   node bench/quality/leave-out.ts [--only drives|rigs|fleets] [--splits 5] [--rigs 16] [--fleets 2] [--cars 200] [--retrain units|networks]
//     [--groups] [--keep DIR] [--json]
// `--groups` leaves out no statistic alone, in a third of the time. `--keep DIR` keeps recordings there and takes up those that are
// there, of the same sources. Costs are CPU time.
import { CAR_CATALOGUE_FILE, loadCatalogue } from '../../core/catalogue.ts';
import { loadBackend } from '../../core/model/backend.ts';
import type { Series } from '../../training/data/series.ts';
import { argument, printFigures } from '../support.ts';
import { DRIVES_FILE, loadSet, SKAB_FILE } from './data.ts';
import { FLEET_SIZES } from './fleet-judge.ts';
import { outcomeWithout } from './leave.ts';
import { costs } from './leave-cost.ts';
import { partsOf } from './leave-parts.ts';
import { EVENTS, figuresOf, type Measure, ROWS, type Row, tableOf } from './leave-table.ts';
import { type Change, planDrives, planFleet, planRig } from './plans.ts';
import { type Plan, type Recording, recordingOf } from './recordings.ts';

const TRAINING_ROWS = 400;
const FLEET_SEEDS = [7, 11, 3, 19];
const TURNS = 9;
const COST_ROWS = 3000;

/** What is trained anew to be left out. */
const CHANGES: Readonly<Record<string, Change>> = {
  'units: 400 for 704': { relationUnits: 400 },
  'units: 200 for 704': { relationUnits: 200 },
  'networks: neither autoencoder nor forecast': { heads: [] },
};

interface Source {
  readonly name: string;
  readonly from: number;
  readonly measures: readonly Measure[];
  /** One a split, run or fleet. */
  readonly plans: readonly ((change: Change) => Plan)[];
}

const word = (flag: string): string | null => {
  const at = process.argv.indexOf(`--${flag}`);
  return at < 0 ? null : (process.argv[at + 1] ?? null);
};
const folder = word('keep');
const only = word('only');
const retrain = word('retrain');
const backend = await loadBackend('auto');
const suffix = ({ relationUnits, heads }: Change) =>
  `${relationUnits ? `-${relationUnits}` : ''}${heads ? '-relations' : ''}`;

async function sources(): Promise<Source[]> {
  const found: Source[] = [];
  const seeds = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
  const wanted = (name: string) => only === null || only === name;
  const drives = wanted('drives') ? await loadSet('real drives', DRIVES_FILE) : undefined;
  if (drives === null) console.error('real drives: the recording is not here, left out');
  else if (drives !== undefined)
    found.push({
      name: 'drives',
      from: 0,
      measures: EVENTS,
      plans: seeds(argument('splits', 5)).map((seed) => (change) => ({
        ...planDrives(drives, seed, seed, change),
        name: `drives-${seed}${suffix(change)}`,
      })),
    });
  const rigs = wanted('rigs') ? await loadSet('rig runs', SKAB_FILE, 'label') : undefined;
  if (rigs === null) console.error('rig runs: the recording is not here, left out');
  else if (rigs !== undefined)
    found.push({
      name: 'rigs',
      from: TRAINING_ROWS,
      measures: ROWS,
      plans: rigs.series.slice(0, argument('rigs', rigs.series.length)).map((_, run) => (change) => ({
        ...planRig(rigs, run, TRAINING_ROWS, change),
        name: `rig-${run}${suffix(change)}`,
      })),
    });
  if (!wanted('fleets')) return found;
  const catalogue = await loadCatalogue(CAR_CATALOGUE_FILE);
  const trainCars = argument('cars', 200);
  found.push({
    name: `fleets of ${trainCars} cars`,
    from: 0,
    measures: EVENTS,
    plans: FLEET_SEEDS.slice(0, argument('fleets', 2)).map((seed) => (change) => ({
      ...planFleet(catalogue, { ...FLEET_SIZES.full, seed, trainCars }, change),
      name: `fleet-${seed}-${trainCars}${suffix(change)}`,
    })),
  });
  return found;
}

/** Rows to measure costs on. */
const someRows = (plan: Plan): Series => {
  const one = plan.train.series[0]!;
  const n = Math.min(COST_ROWS, one.tsMs.length);
  return {
    ...one,
    tsMs: one.tsMs.subarray(0, n),
    values: one.values.subarray(0, n * plan.catalogue.signals.length),
  };
};

/** Outcomes of the whole and of each part, recording after recording; costs on the first. */
async function leaveOut({ plans, from }: Source): Promise<Row[]> {
  const rows = new Map<string, { outcomes: Row['outcomes'][number][]; costUs: number | null }>();
  for (const [p, planOf] of plans.entries()) {
    const plan = planOf({});
    const recording = await recordingOf(plan, backend, folder);
    const whole = outcomeWithout(recording, { name: 'nothing' }, from);
    const parts = partsOf(recording.statistics, process.argv.includes('--groups'));
    const structural = parts.filter(({ drop }) => drop !== undefined);
    const costUs = p > 0 ? [] : costs(recording.content, structural, someRows(plan), TURNS).parts;
    for (const part of parts) {
      const row = rows.get(part.name) ?? { outcomes: [], costUs: costUs[structural.indexOf(part)] ?? null };
      rows.set(part.name, row);
      row.outcomes.push({ whole, without: outcomeWithout(recording, part, from) });
    }
    console.error(`${plan.name}: all parts left out`);
  }
  return [...rows].map(([part, row]) => ({ part, ...row, fitS: null }));
}

/** Outcomes of models trained anew with something changed, beside the whole. */
async function retrained({ plans, from }: Source): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [part, change] of Object.entries(CHANGES).filter(([name]) => name.startsWith(`${retrain}:`))) {
    const outcomes: Row['outcomes'][number][] = [];
    let fitS = 0;
    let costUs: number | null = null;
    for (const planOf of plans) {
      const pair: Recording[] = [];
      for (const plan of [planOf({}), planOf(change)]) pair.push(await recordingOf(plan, backend, folder));
      const [whole, other] = pair as [Recording, Recording];
      costUs ??= wholeCost(whole, planOf({})) - wholeCost(other, planOf(change));
      fitS += (whole.fitS - other.fitS) / plans.length;
      const [a, b] = [whole, other].map((one) => outcomeWithout(one, { name: 'nothing' }, from));
      outcomes.push({ whole: a!, without: b! });
    }
    rows.push({ part, outcomes, costUs, fitS });
    console.error(`${part}: trained anew`);
  }
  return rows;
}

const wholeCost = ({ content }: Recording, plan: Plan) =>
  costs(content, [{ name: 'nothing' }], someRows(plan), TURNS).whole;

for (const source of await sources()) {
  const rows = [...(await leaveOut(source)), ...(await retrained(source))];
  const title = `${source.name}, ${source.plans.length} models`;
  if (process.argv.includes('--json')) printFigures(title, figuresOf(source.name, source.measures, rows));
  else console.log(`\n${title}\n\n${tableOf(source.measures, rows)}`);
}
