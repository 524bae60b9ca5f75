// What the detector finds on the simulated fleet, fault family by fault family: recall, delay from the moment a fault can be seen,
// and false alerts of cars that stay whole, half of them odd in a harmless way. A part of bench/quality/run.ts, on its own.
//   node bench/quality/fleet-run.ts [--cars 864] [--minutes 25] [--whole 480] [--each 12] [--seed 11] [--json]
import { CAR_CATALOGUE_FILE, loadCatalogue } from '../../core/catalogue.ts';
import { loadBackend } from '../../core/model/backend.ts';
import { argument, printFigures } from '../support.ts';
import { fleetFigures, fleetRemarks } from './fleet-figures.ts';
import { FLEET_SIZES, measureFleet } from './fleet-judge.ts';

const { full } = FLEET_SIZES;
const size = {
  seed: argument('seed', full.seed),
  trainCars: argument('cars', full.trainCars),
  trainS: 60 * argument('minutes', full.trainS / 60),
  wholeCars: argument('whole', full.wholeCars),
  perFamily: argument('each', full.perFamily),
  testS: full.testS,
};
const result = await measureFleet(await loadCatalogue(CAR_CATALOGUE_FILE), size, await loadBackend('auto'));
const history = `${size.trainCars} cars × ${size.trainS / 60} min of history`;
printFigures(`simulated fleet, seed ${size.seed}, ${history}`, fleetFigures(result));
for (const remark of fleetRemarks(result)) console.error(remark);
