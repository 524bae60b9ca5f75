// The figures of the simulated fleet, as bench/quality/run.ts and fleet-run.ts print them.
import { type Figure, median } from '../support.ts';
import type { FleetResult } from './fleet-judge.ts';

const RECALL_BAR = { bar: { atLeast: 0.9 } } as const;

const foundOf = (delays: readonly (number | null)[]) => delays.filter((delay) => delay !== null);
const recallOf = (delays: readonly (number | null)[]) => foundOf(delays).length / delays.length;

/** Recall and delay over all, false alerts, then each family and each oddity. */
export function fleetFigures({ perFamily, whole, testS }: FleetResult): Figure[] {
  const seen = [...perFamily].filter(([, delays]) => delays.length > 0);
  const all = seen.flatMap(([, delays]) => delays);
  const groups = [...whole].filter(([, { cars }]) => cars > 0);
  const alerts = groups.reduce((sum, [, group]) => sum + group.alerts, 0);
  const carDays = (groups.reduce((sum, [, { cars }]) => sum + cars, 0) * testS) / 86_400;
  return [
    { what: 'fleet: recall over all families', value: recallOf(all), unit: '', ...RECALL_BAR },
    {
      what: 'fleet: median delay of those found',
      value: median(foundOf(all)),
      unit: 's',
      bar: { atMost: 60 },
    },
    {
      what: 'fleet: false alerts',
      value: alerts / carDays,
      unit: '/car-day',
      bar: { atMost: 1.5 },
      note: `${alerts} in ${carDays.toFixed(1)} car-days, 1/car-day asked`,
    },
    ...seen.map(([family, delays]): Figure => {
      const found = foundOf(delays);
      const delay = found.length > 0 ? `median delay ${median(found).toFixed(0)} s` : 'none found';
      return {
        what: `fleet: recall of ${family}`,
        value: recallOf(delays),
        unit: '',
        ...RECALL_BAR,
        note: `${found.length} of ${delays.length}, ${delay}`,
      };
    }),
    ...groups.map(
      ([kind, group]): Figure => ({
        what: `fleet: false alerts, ${kind === 'plain' ? 'nothing odd' : kind}`,
        value: group.alerts,
        unit: `in ${group.cars} cars`,
      }),
    ),
  ];
}

/** What no figure tells: families that were not judged, and why. */
export function fleetRemarks({ perFamily, leftOut }: FleetResult): string[] {
  const unseen = [...perFamily].filter(([, delays]) => delays.length === 0).map(([family]) => family);
  return [
    ...(unseen.length > 0 ? [`fleet: never to be seen within the drive: ${unseen.join(', ')}`] : []),
    `fleet: left out, they take hours or days: ${leftOut.join(', ')}`,
  ];
}
