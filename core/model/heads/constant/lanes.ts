// The constant head in lanes: one call of the kernel.

import type { LaneHead, LanePlace } from '../../lanes/head.ts';
import type { ConstantSpec } from './spec.ts';

export function createLaneConstant(
  { signals, span, slow }: ConstantSpec,
  { frame, state, codes }: LanePlace,
): LaneHead {
  const { n, memory, block } = frame;
  const { still } = memory.kernel;
  const weights = frame.weights.of(span, slow);
  const parts = memory.row(signals);
  return {
    step: (statistics) => still(signals, block, weights, codes, state, parts, statistics),
    blame: (lane, _index, out) => {
      out.fill(0);
      for (let i = 0; i < signals; i += 1) out[n + i] = memory.of(parts, i, lane);
    },
  };
}
