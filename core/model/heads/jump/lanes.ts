// The jump head in lanes: the jumps of the wave's cars, then a gauge.
import { createLaneGauge } from '../../gauge/lanes.ts';
import type { LaneHead, LanePlace } from '../../lanes/head.ts';
import { SLOT } from '../../lanes/kernel.ts';
import type { JumpSpec } from './spec.ts';

export function createLaneJump({ name, seldom, gauge }: JumpSpec, { frame, state }: LanePlace): LaneHead {
  const { n, memory, block } = frame;
  const { shocks } = memory.kernel;
  const bounds = memory.put(seldom);
  const jumps = memory.row(n);
  const follower = createLaneGauge(gauge, frame, name);
  const averages = state + SLOT * 2 * n;
  return {
    step: (statistics) => {
      shocks(n, block, frame.loss, state, bounds, jumps);
      follower.step(jumps, averages, 0, statistics);
    },
    blame: (lane, _index, parts) => follower.blame(lane, parts),
  };
}
