// `telltale serve`: the alerts room's server; with --control also the page's button that breaks simulated cars, which goes
// over MQTT and so needs the simulator's client, handed over here because rooms do not import each other.
import { runServe } from '../alerts/command.ts';
import type { FaultChoice } from '../alerts/wire.ts';
import type { Context } from '../core/service.ts';
import type { Settings } from '../core/settings.ts';
import { credentials } from '../simulator/command.ts';
import { connectFleetControl } from '../simulator/control.ts';
import { FAULTS } from '../simulator/faults.ts';

/** What a car of each kind measures and the other does not: the server knows cars by their signals alone. */
const TELLING = {
  all: [],
  combustion: ['engineRpm', 'lambda', 'oilKpa', 'mafGs'],
  electric: ['motorRpm', 'packV', 'socPct', 'cellSpreadMv'],
} as const;

/** What the page may cause, in the words of the simulator. */
export const faultChoices = (): FaultChoice[] =>
  [...FAULTS.values()].map(({ id, about, moves, cars }) => ({
    name: id,
    label: about,
    moves: [...moves],
    needs: [...TELLING[cars]],
  }));

export async function runServeCommand(settings: Settings, context: Context): Promise<void> {
  if (!settings.control) return runServe(settings, context);
  const { mqttHost: host, mqttPort: port } = settings;
  const control = await connectFleetControl({ host, port, ...credentials(settings) });
  try {
    const fleetControl = control.send;
    await runServe(settings, context, [], { fleetControl, faults: faultChoices() });
  } finally {
    await control.close();
  }
}
