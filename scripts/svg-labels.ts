// What figures call each signal: the car catalogue's own words and units.
import { CAR_CATALOGUE_FILE, loadCatalogue } from '../core/catalogue.ts';

export async function catalogueLabels(): Promise<ReadonlyMap<string, { label: string; unit: string }>> {
  const { signals } = await loadCatalogue(CAR_CATALOGUE_FILE);
  return new Map(signals.map((s) => [s.name, { label: s.label ?? s.name, unit: s.unit }]));
}
