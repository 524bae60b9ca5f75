// A head of one variant: another head that follows only cars which measure the same signals.
// Sees: what the head in it sees, by what is usual for its own crowd.
// Misses: nothing of its own; what it costs is rows, which each variant has fewer of.
// Worth: whatever the head in it is worth; a history of one variant has none.
import { type HeadKind, readsNetwork } from '../kind.ts';
import { createLaneVariant } from './lanes.ts';
import { createVariantHead } from './reference.ts';
import { belongsTo, type VariantSpec, variantShape } from './spec.ts';

export const variantKind: HeadKind<VariantSpec> = {
  kind: 'variant',
  shape: variantShape,
  reference: createVariantHead,
  lanes: createLaneVariant,
  crowd: (spec, channels) => ({
    key: JSON.stringify([spec.channels, spec.others]),
    has: belongsTo(spec, channels),
  }),
  readsNetwork: ({ head }, kinds) => readsNetwork(head, kinds),
};
