// Readings that no sensor gives are refused before anything is fitted: heads compute in 32 bits.
import type { Catalogue } from '../../core/catalogue.ts';
import { counted } from '../../core/counted.ts';
import { TelltaleError } from '../../core/errors.ts';
import type { Series } from './series.ts';

/** @throws TelltaleError TRAINING_DATA naming the signals that have readings past what 32 bits hold */
export function refuseEndless(series: readonly Series[], { signals }: Catalogue): void {
  const endless = new Map<string, number>();
  for (const { values } of series) {
    for (let i = 0; i < values.length; i += 1) {
      if (Math.abs(values[i]!) !== Number.POSITIVE_INFINITY) continue;
      const { name } = signals[i % signals.length]!;
      endless.set(name, (endless.get(name) ?? 0) + 1);
    }
  }
  if (endless.size === 0) return;
  const named = [...endless].slice(0, 5).map(([name, count]) => `${name} (${counted(count, 'reading')})`);
  const more = endless.size > named.length ? ` and ${endless.size - named.length} more` : '';
  throw new TelltaleError(
    'TRAINING_DATA',
    `readings beyond ±3.4e38, which no sensor gives: ${named.join(', ')}${more}. A placeholder for "not measured"? Leave such cells empty, or the signal out with --ignore`,
  );
}
