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
