// Which kinds of heads there are.
import { TelltaleError } from '../../errors.ts';
import type { Head, HeadSpec } from './head.ts';
import { createRangeHead, type RangeSpec } from './range.ts';
import { createRelationHead, type RelationSpec } from './relation.ts';
import { createResidualHead, type ResidualSpec } from './residual.ts';
import { createShockHead, type ShockSpec } from './shock.ts';
import { createStillHead, type StillSpec } from './still.ts';
import { createVariantHead, type VariantSpec } from './variant.ts';

const KINDS: Readonly<Record<string, (spec: HeadSpec, channels: number) => Head>> = {
  range: (spec, channels) => createRangeHead(spec as RangeSpec, channels),
  relation: (spec, channels) => createRelationHead(spec as RelationSpec, channels),
  residual: (spec, channels) => createResidualHead(spec as ResidualSpec, channels),
  shock: (spec, channels) => createShockHead(spec as ShockSpec, channels),
  still: (spec, channels) => createStillHead(spec as StillSpec, channels),
  variant: (spec, channels) => createVariantHead(spec as VariantSpec, channels, createHead),
};

/** Makes a bundle's head ready to run. @throws TelltaleError MODEL_INVALID */
export function createHead(spec: HeadSpec, channels: number): Head {
  const create = Object.hasOwn(KINDS, spec.kind) ? KINDS[spec.kind] : undefined;
  if (!create) throw new TelltaleError('MODEL_INVALID', `head ${spec.name}: unknown kind "${spec.kind}"`);
  return create(spec, channels);
}
