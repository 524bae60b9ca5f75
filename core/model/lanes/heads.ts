// Which kinds of heads run in lanes: the same as core/model/heads/kinds.ts has.
import { TelltaleError } from '../../errors.ts';
import { createLaneConstant } from '../heads/constant/lanes.ts';
import type { ConstantSpec } from '../heads/constant/spec.ts';
import type { HeadSpec } from '../heads/head.ts';
import { createLaneJump } from '../heads/jump/lanes.ts';
import type { JumpSpec } from '../heads/jump/spec.ts';
import { createLaneRange } from '../heads/range/lanes.ts';
import type { RangeSpec } from '../heads/range/spec.ts';
import { createLaneRelation } from '../heads/relation/lanes.ts';
import type { RelationSpec } from '../heads/relation/spec.ts';
import { createLaneResidual } from '../heads/residual/lanes.ts';
import type { ResidualSpec } from '../heads/residual/spec.ts';
import { createLaneVariant } from '../heads/variant/lanes.ts';
import type { VariantSpec } from '../heads/variant/spec.ts';
import type { LaneHead, LanePlace } from './head.ts';

const KINDS: Readonly<Record<string, (spec: HeadSpec, place: LanePlace) => LaneHead>> = {
  range: (spec, place) => createLaneRange(spec as RangeSpec, place),
  relation: (spec, place) => createLaneRelation(spec as RelationSpec, place),
  residual: (spec, place) => createLaneResidual(spec as ResidualSpec, place),
  shock: (spec, place) => createLaneJump(spec as JumpSpec, place),
  still: (spec, place) => createLaneConstant(spec as ConstantSpec, place),
  variant: (spec, place) => createLaneVariant(spec as VariantSpec, place, createLaneHead),
};

/** Makes a bundle's head ready to run in lanes. @throws TelltaleError MODEL_INVALID */
export function createLaneHead(spec: HeadSpec, place: LanePlace): LaneHead {
  const create = Object.hasOwn(KINDS, spec.kind) ? KINDS[spec.kind] : undefined;
  if (!create) throw new TelltaleError('MODEL_INVALID', `head ${spec.name}: unknown kind "${spec.kind}"`);
  return create(spec, place);
}
