// Which kinds of heads run in lanes: the same as heads/heads.ts has.
import { TelltaleError } from '../../errors.ts';
import type { HeadSpec } from '../heads/head.ts';
import type { RangeSpec } from '../heads/range.ts';
import type { RelationSpec } from '../heads/relation.ts';
import type { ResidualSpec } from '../heads/residual.ts';
import type { ShockSpec } from '../heads/shock.ts';
import type { StillSpec } from '../heads/still.ts';
import type { VariantSpec } from '../heads/variant.ts';
import type { LaneHead, LanePlace } from './head.ts';
import { createLaneRelation } from './relation.ts';
import { createLaneRange, createLaneResidual, createLaneShock, createLaneStill } from './simple.ts';
import { createLaneVariant } from './variant.ts';

const KINDS: Readonly<Record<string, (spec: HeadSpec, place: LanePlace) => LaneHead>> = {
  range: (spec, place) => createLaneRange(spec as RangeSpec, place),
  relation: (spec, place) => createLaneRelation(spec as RelationSpec, place),
  residual: (spec, place) => createLaneResidual(spec as ResidualSpec, place),
  shock: (spec, place) => createLaneShock(spec as ShockSpec, place),
  still: (spec, place) => createLaneStill(spec as StillSpec, place),
  variant: (spec, place) => createLaneVariant(spec as VariantSpec, place, createLaneHead),
};

/** Makes a bundle's head ready to run in lanes. @throws TelltaleError MODEL_INVALID */
export function createLaneHead(spec: HeadSpec, place: LanePlace): LaneHead {
  const create = Object.hasOwn(KINDS, spec.kind) ? KINDS[spec.kind] : undefined;
  if (!create) throw new TelltaleError('MODEL_INVALID', `head ${spec.name}: unknown kind "${spec.kind}"`);
  return create(spec, place);
}
