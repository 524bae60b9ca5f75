// Which cars somebody may see, as data: all, those named, those whose name begins so.

/** `vins` null is every car; `prefixes` adds each car whose name begins with one of them. */
export interface CarFilter {
  readonly vins: ReadonlySet<string> | null;
  readonly prefixes: readonly string[];
}

export const ALL_CARS: CarFilter = { vins: null, prefixes: [] };

export const seesCar = ({ vins, prefixes }: CarFilter, vin: string): boolean =>
  vins === null || vins.has(vin) || prefixes.some((prefix) => vin.startsWith(prefix));

/** The cars of an entry of the tokens file: `*` is all of them, a name that ends in `*` a prefix. */
export function filterOf(vins: '*' | readonly string[]): CarFilter {
  if (vins === '*' || vins.includes('*')) return ALL_CARS;
  const isPrefix = (vin: string) => vin.endsWith('*');
  return {
    vins: new Set(vins.filter((vin) => !isPrefix(vin))),
    prefixes: vins.filter(isPrefix).map((vin) => vin.slice(0, -1)),
  };
}

/** As a person writes it: null for all. */
export function namesOf({ vins, prefixes }: CarFilter, limit: number): string[] | null {
  if (vins === null) return null;
  return [...prefixes.map((prefix) => `${prefix}*`), ...vins].slice(0, limit);
}
