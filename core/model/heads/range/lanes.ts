// The range head in lanes: one call of the kernel.

import type { LaneHead, LanePlace } from '../../lanes/head.ts';
import { packTails } from '../../lanes/packs.ts';
import type { RangeSpec } from './spec.ts';

export function createLaneRange(spec: RangeSpec, { frame, state }: LanePlace): LaneHead {
  const { n, memory, block } = frame;
  const { range } = memory.kernel;
  const weight = frame.weights.of(spec.span);
  const high = packTails(memory, spec.high);
  const low = packTails(memory, spec.low);
  const levels = memory.row(n);
  const lows = memory.row(n);
  return {
    step: (statistics) => range(n, block, frame.loss, weight, state, high, low, levels, lows, statistics),
    blame: (lane, _index, out) => {
      for (let k = 0; k < n; k += 1) out[k] = memory.of(levels, k, lane) * memory.of(levels, k, lane);
    },
  };
}
