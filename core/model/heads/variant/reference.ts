// A head for one variant of vehicle: cars that measure the same signals. A fleet of combustion and electric cars is two
// crowds; one covariance over both would call the scarcer of them strange. The inner head sees its variant's channels
// only, and rests (statistics 0, state untouched) while a car of another variant is followed.
import { type Losses, lossesAmong } from '../../losses.ts';
import type { Head, HeadInput } from '../head.ts';
import { createHead, type HeadKinds } from '../kind.ts';
import { belongsTo, type VariantSpec, variantShape } from './spec.ts';

/** Makes the head ready to run. @throws TelltaleError MODEL_INVALID */
export function createVariantHead(spec: VariantSpec, channels: number, kinds: HeadKinds): Head {
  const { name } = spec;
  const shape = variantShape(spec, channels, kinds);
  const width = spec.channels.length;
  const own = Int32Array.from(spec.channels);
  const belongs = belongsTo(spec, channels);
  const head = createHead(spec.head, width, kinds);
  const input: HeadInput = {
    features: new Float64Array(width),
    present: new Uint8Array(width),
    reconstruction: new Float64Array(width),
    restart: true,
    steps: 1,
  };
  const parts = new Float64Array(width);
  const inner = new WeakMap<Losses, Losses>();
  const lossesOf = (outer: Losses): Losses => {
    const own = inner.get(outer) ?? lossesAmong(outer, spec.channels);
    inner.set(outer, own);
    return own;
  };
  let active = false;

  return {
    name,
    ...shape,
    step: (outer, state, at, statistics, statisticsAt) => {
      const followed = state[at] === 1;
      active = belongs(outer.present, outer.restart, followed);
      state[at] = active ? 1 : 0;
      if (!active) {
        statistics.fill(0, statisticsAt, statisticsAt + head.statistics.length);
        return;
      }
      for (let k = 0; k < width; k += 1) {
        const channel = own[k]!;
        input.features[k] = outer.features[channel]!;
        input.present[k] = outer.present[channel]!;
        input.reconstruction[k] = outer.reconstruction[channel]!;
      }
      input.restart = outer.restart || !followed;
      input.steps = outer.steps;
      input.losses = outer.losses ? lossesOf(outer.losses) : null;
      head.step(input, state, at + 1, statistics, statisticsAt);
    },
    blame: (index, out) => {
      out.fill(0);
      if (!active) return;
      head.blame(index, parts);
      for (let k = 0; k < width; k += 1) out[own[k]!] = parts[k]!;
    },
    ...(head.expected
      ? {
          expected: (out: Float64Array) => {
            if (!active) return;
            head.expected?.(parts);
            for (let k = 0; k < width; k += 1) out[own[k]!] = parts[k]!;
          },
        }
      : {}),
  };
}
