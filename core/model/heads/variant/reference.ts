// A head for one variant of vehicle: cars that measure the same signals. A fleet of combustion and electric cars is two crowds;
// one covariance over both would call the scarcer of them strange. The inner head sees its variant's channels only, and rests
// (statistics 0, state untouched) while a car of another variant is followed.
import { TelltaleError } from '../../../errors.ts';
import { fitOf, marksOf } from '../../car-kind.ts';
import { type Losses, lossesAmong } from '../../losses.ts';
import type { Head, HeadInput, HeadShape, HeadSpec } from '../head.ts';

export interface VariantSpec extends HeadSpec {
  readonly kind: 'variant';
  /** Channels its cars measure, rising. */
  readonly channels: readonly number[];
  /** Channels of every other variant, to tell whose a car is. */
  readonly others: readonly (readonly number[])[];
  /** The head that follows its cars; its channel k is `channels[k]`. */
  readonly head: HeadSpec;
}

/** First whether the car is followed here, then the inner head's state. @throws TelltaleError MODEL_INVALID */
export function variantShape(
  spec: VariantSpec,
  channels: number,
  shapeOf: (spec: HeadSpec, channels: number) => HeadShape,
): HeadShape {
  const { name } = spec;
  const bad = [spec.channels, ...spec.others].some((list) =>
    list.some((channel, i) => !(channel > (list[i - 1] ?? -1) && channel < channels)),
  );
  if (bad || spec.channels.length === 0)
    throw new TelltaleError('MODEL_INVALID', `head ${name}: its channels do not fit`);
  // Signals that stood still are nobody's channels.
  if (spec.head.kind === 'still')
    throw new TelltaleError('MODEL_INVALID', `head ${name}: a head for all cars is within that of a variant`);
  const inner = shapeOf(spec.head, spec.channels.length);
  return { ...inner, stateSize: 1 + inner.stateSize };
}

/**
 * Whether a car is of a variant, by what its event measured: an event that fits no variant better than another (few signals in it) leaves
 * the car with the one it had.
 */
export function belongsTo(
  { channels: own, others }: VariantSpec,
  channels: number,
): (present: Uint8Array, restart: boolean, followed: boolean) => boolean {
  const [mine, ...theirs] = marksOf([own, ...others], channels);
  return (present, restart, followed) => {
    const here = fitOf(mine!, present);
    for (const marks of theirs) {
      const there = fitOf(marks, present);
      if (there > here || (there === here && !restart && !followed)) return false;
    }
    return true;
  };
}

/** Makes the head ready to run. `create` makes the inner head. @throws TelltaleError MODEL_INVALID */
export function createVariantHead(
  spec: VariantSpec,
  channels: number,
  create: (spec: HeadSpec, channels: number) => Head,
): Head {
  const { name } = spec;
  const shape = variantShape(spec, channels, create);
  const width = spec.channels.length;
  const own = Int32Array.from(spec.channels);
  const belongs = belongsTo(spec, channels);
  const head = create(spec.head, width);
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
