// What the detector finds on the simulated fleet, fault family by fault family: recall, delay from the moment a fault can be seen,
// and false alerts of cars that stay whole.
//   node bench/quality/fleet-run.ts [--cars 100] [--minutes 30] [--whole 120] [--each 4] [--seed 7] [--json]
import { CAR_CATALOGUE_FILE, loadCatalogue } from '../../core/catalogue.ts';
import { loadBackend } from '../../core/model/backend.ts';
import { argument, type Figure, median, printFigures } from '../support.ts';
import { measureFleet } from './fleets.ts';

const TEST_S = 1500;
const RECALL_BAR = { bar: { atLeast: 0.9 } } as const;

const cars = argument('cars', 100);
const minutes = argument('minutes', 30);
const result = await measureFleet(
  await loadCatalogue(CAR_CATALOGUE_FILE),
  {
    seed: argument('seed', 7),
    trainCars: cars,
    trainS: minutes * 60,
    wholeCars: argument('whole', 120),
    perFamily: argument('each', 4),
    testS: TEST_S,
  },
  await loadBackend('auto'),
);

const recallOf = (delays: readonly (number | null)[]) =>
  delays.filter((delay) => delay !== null).length / delays.length;
const delayOf = (delays: readonly (number | null)[]) => median(delays.filter((delay) => delay !== null));

const seen = [...result.perFamily].filter(([, delays]) => delays.length > 0);
const unseen = [...result.perFamily].filter(([, delays]) => delays.length === 0).map(([family]) => family);
const all = seen.flatMap(([, delays]) => delays);
const figures: Figure[] = [
  { what: 'all families, event recall', value: recallOf(all), unit: '', ...RECALL_BAR },
  { what: 'all families, median delay of those found', value: delayOf(all), unit: 's', bar: { atMost: 60 } },
  {
    what: 'false alerts of whole cars',
    value: result.falsePerCarDay,
    unit: '/car-day',
    bar: { atMost: 1 },
  },
  ...seen.map(([family, delays]): Figure => {
    const found = delays.filter((delay) => delay !== null).length;
    const delay = found > 0 ? `median delay ${delayOf(delays)} s` : 'none found';
    return {
      what: `${family}, event recall`,
      value: recallOf(delays),
      unit: '',
      ...RECALL_BAR,
      note: `${found} of ${delays.length}, ${delay}`,
    };
  }),
];
printFigures(`Simulated fleet: history of ${cars} cars × ${minutes} min, 1 alert per car-day asked`, figures);
if (!process.argv.includes('--json')) {
  if (unseen.length > 0) console.log(`\n  never became visible within the drive: ${unseen.join(', ')}`);
  console.log(`\n  left out, they take hours or days: ${result.leftOut.join(', ')}`);
}
