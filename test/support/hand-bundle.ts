// A bundle small enough to reckon with by hand: two signals of the small catalogue, a network that says 0, one static head
// that averages nothing (span 1) with the identity for whitening. Its statistic `norm` is the root mean square of the two
// z-scores, and the level of either statistic is the statistic itself.
import { catalogueHash } from '../../core/catalogue.ts';
import { type BundleContent, type ModelBundle, sealBundle } from '../../core/model/bundle.ts';
import { FEATURE_VERSION } from '../../core/model/features.ts';
import type { ResidualSpec } from '../../core/model/heads/residual/spec.ts';
import { HYSTERESIS } from '../../core/model/hysteresis.ts';
import { encodeFloats } from '../../core/model/numbers.ts';
import { SMALL_CATALOGUE } from './small-fleet.ts';

export const identityHead = (over: Partial<ResidualSpec> = {}): ResidualSpec => ({
  kind: 'residual',
  name: 'static',
  source: 'static',
  span: 1,
  whitening: encodeFloats([1, 0, 0, 1]),
  spread: encodeFloats([1, 1]),
  ...over,
});

/** Channels: speedKmh (median 50, spread 10) and coolantC (median 90, spread 2). */
export function handBundle(over: Partial<BundleContent> = {}): ModelBundle {
  const tail = { at: [0, 100], levels: [0, 100], slope: 1 };
  return sealBundle({
    format: 1,
    featureVersion: FEATURE_VERSION,
    catalogue: SMALL_CATALOGUE,
    catalogueHash: catalogueHash(SMALL_CATALOGUE),
    scaler: { signals: [0, 3], center: [50, 90], scale: [10, 2], clip: 8 },
    still: { signals: [], values: [] },
    // Two events without a reading are usual; a lost channel is guessed to be usual itself.
    losses: {
      gaps: SMALL_CATALOGUE.signals.map(() => 2),
      lowest: [-8, -8],
      highest: [8, 8],
      kinds: [{ channels: [0, 1], precision: encodeFloats([1, 0, 0, 1]) }],
    },
    medians: [50, 2000, 35, 90, 200, 7],
    network: [
      { outputs: 2, activation: 'linear', kernel: encodeFloats([0, 0, 0, 0]), bias: encodeFloats([0, 0]) },
    ],
    heads: [identityHead()],
    tails: [tail, tail],
    threshold: 1.5,
    hysteresis: { ...HYSTERESIS },
    stepMs: 1000,
    gapMs: 60_000,
    usual: { typical: 0, most: 0 },
    latenessMs: 30_000,
    card: { seed: 1, backend: 'none', rows: 3, cars: 1, hours: 0.1, train: {} },
    ...over,
  });
}
