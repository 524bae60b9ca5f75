// What the detector finds: real drives with injected faults, pump-rig runs, unlabelled training data with faults in
// it, and the simulator's fleet.
//   node bench/quality/run.ts [--seeds 5] [--quick] [--json]
// Drives are split by drive 50/15/35; train and tune drives together are one unlabelled history, as `telltale train --csv` would
// get them; the threshold never sees a test drive. The recordings are not part of the project: where one is absent, it says so.
import { CAR_CATALOGUE_FILE, loadCatalogue } from '../../core/catalogue.ts';
import { loadBackend } from '../../core/model/backend.ts';
import { argument, type Figure, printFigures } from '../support.ts';
import { DRIVES_FILE, loadSet, SKAB_FILE } from './data.ts';
import { type DriveResult, measureDrives } from './drives.ts';
import { fleetFigures, fleetRemarks } from './fleet-figures.ts';
import { FLEET_SIZES, measureFleet } from './fleet-judge.ts';
import { measureRigs } from './rigs.ts';

const quick = process.argv.includes('--quick');
const seeds = Array.from({ length: argument('seeds', quick ? 1 : 5) }, (_, i) => i + 1);
const backend = await loadBackend('auto');
const figures: Figure[] = [];
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

const drives = await loadSet('real drives', DRIVES_FILE);
if (drives === null) console.error('real drives: the recording is not here, left out');
else {
  const runs: DriveResult[][] = [];
  for (const seed of seeds) runs.push(await measureDrives(drives, seed, backend, { baselines: true }));
  const names = runs[0]!.map(({ name }) => name);
  for (const [m, name] of names.entries()) {
    const of = (pick: (result: DriveResult) => number) => mean(runs.map((run) => pick(run[m]!)));
    const own = m === 0;
    figures.push(
      {
        what: `drives: ${name}, average precision`,
        value: of((r) => r.averagePrecision),
        unit: '',
        ...(own ? { bar: { atLeast: 0.8 } } : {}),
      },
      { what: `drives: ${name}, ROC AUC`, value: of((r) => r.rocAuc), unit: '' },
    );
    for (const [b, asked] of [0.5, 0.125].entries()) {
      figures.push(
        {
          what: `drives: ${name}, event recall at ${asked}/h`,
          value: of((r) => r.budgets[b]!.recall),
          unit: '',
          ...(own ? { bar: { atLeast: b === 0 ? 0.6 : 0.45 } } : {}),
        },
        {
          what: `drives: ${name}, false alerts met at ${asked}/h`,
          value: of((r) => r.budgets[b]!.falsePerHour),
          unit: '/h',
          ...(own ? { bar: { atMost: asked * 1.5 } } : {}),
        },
      );
      if (own)
        figures.push({
          what: `drives: ${name}, median delay at ${asked}/h`,
          value: of((r) => r.budgets[b]!.medianDelayS),
          unit: 's',
        });
    }
  }
  for (const kind of Object.keys(runs[0]![0]!.perKind)) {
    const events = runs.flatMap((run) => run[0]!.perKind[kind] ?? []);
    const found = events.filter((delay) => delay !== null);
    figures.push({
      what: `drives: recall at 0.5/h of ${kind}`,
      value: found.length / Math.max(1, events.length),
      unit: '',
      note: `${found.length} of ${events.length}`,
    });
  }
  if (!quick) {
    for (const trim of [0.03, 0]) {
      const [spoiled] = await measureDrives(drives, 1, backend, { baselines: false, spoilt: 0.04, trim });
      const how = trim > 0 ? 'trimmed' : 'untrimmed';
      figures.push(
        {
          what: `drives: 4 % unlabelled faults in training, ${how}, average precision`,
          value: spoiled!.averagePrecision,
          unit: '',
        },
        {
          what: `drives: 4 % unlabelled faults in training, ${how}, recall at 0.5/h`,
          value: spoiled!.budgets[0]!.recall,
          unit: '',
        },
      );
    }
  }
}

const rigs = await loadSet('rig runs', SKAB_FILE, 'label');
if (rigs === null) console.error('rig runs: the recording is not here, left out');
else {
  const results = await measureRigs(quick ? { ...rigs, series: rigs.series.slice(0, 4) } : rigs, backend);
  figures.push(
    {
      what: 'rigs: mean average precision',
      value: mean(results.map((r) => r.averagePrecision)),
      unit: '',
      bar: { atLeast: 0.87 },
    },
    {
      what: 'rigs: mean F1, threshold without labels',
      value: mean(results.map((r) => r.f1)),
      unit: '',
      bar: { atLeast: 0.8 },
    },
    { what: 'rigs: training of one run', value: mean(results.map((r) => r.seconds)), unit: 's' },
  );
}
const fleet = await measureFleet(
  await loadCatalogue(CAR_CATALOGUE_FILE),
  FLEET_SIZES[quick ? 'quick' : 'full'],
  backend,
);
figures.push(...fleetFigures(fleet));
for (const remark of fleetRemarks(fleet)) console.error(remark);
printFigures('quality', figures);
