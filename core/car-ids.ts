// Ids of a recording as ids of cars: an id is a level of MQTT topics, so `Truck #1` drives as `Truck _1`, and no two become one.
import { Vin } from './events.ts';
import { shown } from './recording-fault.ts';

const FIT = new RegExp((Vin as { readonly pattern?: string }).pattern ?? '', 'u');
const MOST_NAMED = 3;
const MOST = (Vin as { readonly maxLength?: number }).maxLength ?? 64;

/** Whether an id can be a car's as it stands. */
export const fitsAsVin = (id: string): boolean => id !== '' && id.length <= MOST && FIT.test(id);

/** The id with `_` for whatever cannot stand in a topic, cut to its bound. */
function mended(id: string): string {
  const safe = [...id].map((letter) => (FIT.test(letter) ? letter : '_')).join('');
  return safe.length <= MOST ? safe : safe.slice(0, MOST).trimEnd();
}

/** The car of each id: itself where it can be one, else mended; numbered where the mended one is taken. */
export function vinsOf(ids: Iterable<string>): ReadonlyMap<string, string> {
  const all = [...ids].filter((id) => id !== '');
  const vins = new Map(all.filter(fitsAsVin).map((id) => [id, id]));
  const taken = new Set(vins.values());
  for (const id of all) {
    if (vins.has(id)) continue;
    const base = mended(id);
    let vin = base;
    for (let n = 2; taken.has(vin); n += 1) {
      const end = `~${n}`;
      vin = `${base.slice(0, MOST - end.length)}${end}`;
    }
    taken.add(vin);
    vins.set(id, vin);
  }
  return vins;
}

/** What to say of ids that drive under another name; nothing when none does. */
export function renamedLine(vins: ReadonlyMap<string, string>): string | null {
  const renamed = [...vins].filter(([id, vin]) => id !== vin);
  if (renamed.length === 0) return null;
  const some = renamed.slice(0, MOST_NAMED).map(([id, vin]) => `"${shown(id)}" as "${vin}"`);
  const more = renamed.length > some.length ? ` and ${renamed.length - some.length} more` : '';
  return `an id is a level of MQTT topics: it cannot hold #, + or /, control characters or more than 64 characters; driven are ${some.join(', ')}${more}`;
}
