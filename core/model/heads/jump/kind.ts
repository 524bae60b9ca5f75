// The jump head: a reading that jumped as readings of its kind do not.
// Sees: the one step by which a sensor goes off, where its new reading stays in range and soon is the car's habit.
// Misses: what creeps; what a single rig's own past cannot tell from its work, so it is not fitted on one.
// Worth: on fleets alerts come 16.5 s later without it; on drives within noise of nothing. 3 µs of 28 to 30
// an event, in plain JavaScript.
import type { HeadKind } from '../kind.ts';
import { jumpFits } from './fit.ts';
import { createLaneJump } from './lanes.ts';
import { createJumpHead } from './reference.ts';
import { type JumpSpec, jumpShape } from './spec.ts';

export const jumpKind: HeadKind<JumpSpec> = {
  kind: 'shock',
  shape: jumpShape,
  reference: createJumpHead,
  lanes: createLaneJump,
  fits: ({ prepared, folds, trim, oneRig }) => (oneRig ? null : jumpFits(prepared, folds, trim)),
};
