// All baselines, fitted on the same rows.
import type { Backend } from '../../../core/model/backend.ts';
import type { Prepared } from '../../../core/model/prepared.ts';
import type { Baseline } from './baseline.ts';
import { fitIsolationForest } from './isolation-forest.ts';
import { fitLimits, fitMahalanobis, fitPrincipalComponents } from './linear.ts';
import { fitPlainAutoencoder } from './plain-autoencoder.ts';

/** Bounded in time whatever the number of rows: each thins them to 20,000. */
export async function fitBaselines(
  prepared: Prepared,
  seed: number,
  backend: Backend,
  signal: AbortSignal,
): Promise<Baseline[]> {
  return [
    fitLimits(prepared),
    fitMahalanobis(prepared),
    fitPrincipalComponents(prepared),
    fitIsolationForest(prepared, seed),
    await fitPlainAutoencoder(prepared, seed, backend, signal),
  ];
}
