// The constant head: a signal that was the same in every row of the history is something else.
// Sees: a warning lamp, a code, a switch that never moved; of a long history it is an alert by itself.
// Misses: everything else; such signals are no channels of any other head.
// Worth: not measured. It is evidence that no other head has, and costs next to nothing.
import type { HeadKind } from '../kind.ts';
import { constantHeads } from './fit.ts';
import { createLaneConstant } from './lanes.ts';
import { createConstantHead } from './reference.ts';
import { type ConstantSpec, constantShape } from './spec.ts';

export const constantKind: HeadKind<ConstantSpec> = {
  kind: 'still',
  shape: constantShape,
  reference: createConstantHead,
  lanes: createLaneConstant,
  constants: ({ signals }) => signals,
  watches: constantHeads,
};
