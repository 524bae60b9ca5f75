// The residual head: what is left of the readings when the autoencoder or a linear forecast has been taken off, made
// uncorrelated and averaged. A bundle has one for each of the two.
// Sees: a small lasting deviation of several channels together; on a single rig, minutes that do not come as they
// always did.
// Misses: relations that hold in some operating states only, which a linear whitening blurs.
// Worth: on drives nothing (0.000 ± 0.000), on rigs and fleets within noise. 3 to 4 µs of 28 to 30 an event, in plain
// JavaScript, and with the autoencoder's training about half the CPU of a fit. Fitted with the network
// (training/fit/network.ts).
import type { HeadKind } from '../kind.ts';
import { createLaneResidual } from './lanes.ts';
import { createResidualHead } from './reference.ts';
import { type ResidualSpec, residualShape } from './spec.ts';

export const residualKind: HeadKind<ResidualSpec> = {
  kind: 'residual',
  shape: residualShape,
  reference: createResidualHead,
  lanes: createLaneResidual,
  readsNetwork: ({ source }) => source === 'autoencoder',
};
