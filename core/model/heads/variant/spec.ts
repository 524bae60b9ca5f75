// What a bundle says of a head of one variant, and whether a car is of it.
import { TelltaleError } from '../../../errors.ts';
import { fitOf, marksOf } from '../../car-kind.ts';
import type { HeadShape, HeadSpec } from '../head.ts';
import { type Crowd, type HeadKinds, kindOf, shapeOf } from '../kind.ts';

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
export function variantShape(spec: VariantSpec, channels: number, kinds: HeadKinds): HeadShape {
  const { name } = spec;
  const bad = [spec.channels, ...spec.others].some((list) =>
    list.some((channel, i) => !(channel > (list[i - 1] ?? -1) && channel < channels)),
  );
  if (bad || spec.channels.length === 0)
    throw new TelltaleError('MODEL_INVALID', `head ${name}: its channels do not fit`);
  // Signals that stood still are nobody's channels.
  if (kindOf(spec.head, kinds).constants)
    throw new TelltaleError('MODEL_INVALID', `head ${name}: a head for all cars is within that of a variant`);
  const inner = shapeOf(spec.head, spec.channels.length, kinds);
  return { ...inner, stateSize: 1 + inner.stateSize };
}

/**
 * Whether a car is of a variant, by what its event measured: an event that fits no variant better than another (few
 * signals in it) leaves the car with the one it had.
 */
export function belongsTo({ channels: own, others }: VariantSpec, channels: number): Crowd['has'] {
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

export const isOfVariant = (spec: HeadSpec): spec is VariantSpec => spec.kind === 'variant';

/** The head itself, or the one within that of a variant. */
export const innerHead = (spec: HeadSpec): HeadSpec => (isOfVariant(spec) ? spec.head : spec);

/** The spec with its inner head changed; one that is of no variant is its own. */
export const withInner = (spec: HeadSpec, change: (inner: HeadSpec) => HeadSpec): HeadSpec => {
  if (!isOfVariant(spec)) return change(spec);
  const changed: VariantSpec = { ...spec, head: change(spec.head) };
  return changed;
};
