// A head for one variant of vehicle in lanes (core/model/heads/variant/reference.ts). Cars of a wave are of the same
// variants, so a head either follows all of them or rests.

import { Frame } from '../../lanes/frame.ts';
import type { LaneHead, LanePlace } from '../../lanes/head.ts';
import { SLOT } from '../../lanes/kernel.ts';
import type { Losses } from '../../losses.ts';
import { lossesAmong } from '../../losses.ts';
import { createLanes, type HeadKinds } from '../kind.ts';
import type { VariantSpec } from './spec.ts';

export function createLaneVariant(
  spec: VariantSpec,
  { frame: outer, state, codes }: LanePlace,
  kinds: HeadKinds,
): LaneHead {
  const { memory } = outer;
  const width = spec.channels.length;
  const made = new WeakMap<Losses, Losses>();
  const frame = new Frame(width, outer, (losses) => {
    const own = made.get(losses) ?? lossesAmong(losses, spec.channels);
    made.set(losses, own);
    return own;
  });
  // Behind the flag that says whether the car is followed here.
  const head = createLanes(spec.head, { frame, state: state + SLOT, codes }, kinds);
  const { pick } = memory.kernel;
  const own = memory.putInts(spec.channels);
  const parts = new Float64Array(width);
  const among = (out: Float64Array): void => {
    for (let k = 0; k < width; k += 1) out[spec.channels[k]!] = parts[k]!;
  };
  return {
    setPast: (lane, restart, steps) => frame.setPast(lane, restart, steps),
    step: (statistics) => {
      pick(width, own, outer.features, frame.features);
      pick(width, own, outer.present, frame.present);
      pick(width, own, outer.said, frame.said);
      head.step(statistics);
    },
    blame: (lane, index, out) => {
      out.fill(0);
      head.blame(lane, index, parts);
      among(out);
    },
    ...(head.expected
      ? {
          expected: (lane: number, out: Float64Array) => {
            head.expected?.(lane, parts);
            among(out);
          },
        }
      : {}),
  };
}
