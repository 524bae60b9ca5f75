// Which kinds of heads there are.
import { TelltaleError } from '../../errors.ts';
import { createConstantHead } from './constant/reference.ts';
import { type ConstantSpec, constantShape } from './constant/spec.ts';
import type { Head, HeadShape, HeadSpec } from './head.ts';
import { createJumpHead } from './jump/reference.ts';
import { type JumpSpec, jumpShape } from './jump/spec.ts';
import { createRangeHead } from './range/reference.ts';
import { type RangeSpec, rangeShape } from './range/spec.ts';
import { createRelationHead } from './relation/reference.ts';
import { type RelationSpec, relationShape } from './relation/spec.ts';
import { createResidualHead } from './residual/reference.ts';
import { type ResidualSpec, residualShape } from './residual/spec.ts';
import { createVariantHead } from './variant/reference.ts';
import { type VariantSpec, variantShape } from './variant/spec.ts';

const KINDS: Readonly<Record<string, (spec: HeadSpec, channels: number) => Head>> = {
  range: (spec, channels) => createRangeHead(spec as RangeSpec, channels),
  relation: (spec, channels) => createRelationHead(spec as RelationSpec, channels),
  residual: (spec, channels) => createResidualHead(spec as ResidualSpec, channels),
  shock: (spec, channels) => createJumpHead(spec as JumpSpec, channels),
  still: (spec, channels) => createConstantHead(spec as ConstantSpec, channels),
  variant: (spec, channels) => createVariantHead(spec as VariantSpec, channels, createHead),
};

/** Makes a bundle's head ready to run. @throws TelltaleError MODEL_INVALID */
export function createHead(spec: HeadSpec, channels: number): Head {
  const create = Object.hasOwn(KINDS, spec.kind) ? KINDS[spec.kind] : undefined;
  if (!create) throw new TelltaleError('MODEL_INVALID', `head ${spec.name}: unknown kind "${spec.kind}"`);
  return create(spec, channels);
}

const SHAPES: Readonly<Record<string, (spec: HeadSpec, channels: number) => HeadShape>> = {
  range: (spec, channels) => rangeShape(spec as RangeSpec, channels),
  relation: (spec, channels) => relationShape(spec as RelationSpec, channels),
  residual: (spec, channels) => residualShape(spec as ResidualSpec, channels),
  shock: (spec, channels) => jumpShape(spec as JumpSpec, channels),
  still: (spec) => constantShape(spec as ConstantSpec),
  variant: (spec, channels) => variantShape(spec as VariantSpec, channels, shapeOf),
};

/** What is known of a bundle's head before it is made ready. @throws TelltaleError MODEL_INVALID */
export function shapeOf(spec: HeadSpec, channels: number): HeadShape {
  const shape = Object.hasOwn(SHAPES, spec.kind) ? SHAPES[spec.kind] : undefined;
  if (!shape) throw new TelltaleError('MODEL_INVALID', `head ${spec.name}: unknown kind "${spec.kind}"`);
  return shape(spec, channels);
}
