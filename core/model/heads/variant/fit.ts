// The heads of several variants: each head fitted on the rows of one is put into one that follows its cars only.

import type { Variant } from '../../prepared.ts';
import type { HeadSpec } from '../head.ts';
import { isOfVariant, type VariantSpec } from './spec.ts';

/** The fitted head of one variant; wrapped where there are several. */
export function wrapHead(head: HeadSpec, variants: readonly Variant[], index: number): HeadSpec {
  if (variants.length === 1) return head;
  const spec: VariantSpec = {
    kind: 'variant',
    name: `${head.name}-${index + 1}`,
    ...(head.share === undefined ? {} : { share: head.share }),
    channels: variants[index]!.channels,
    others: variants.filter((_, i) => i !== index).map(({ channels }) => channels),
    head,
  };
  return spec;
}

/**
 * The heads with their variant's factor on their shares: what makes a threshold on the common score keep the same
 * budget for each variant, so that the one least known does not set it for all.
 */
export function weighVariants(
  heads: readonly HeadSpec[],
  variants: readonly Variant[],
  factors: readonly number[],
): HeadSpec[] {
  const placeOf = new Map(variants.map(({ channels }, v) => [channels.join(), v]));
  return heads.map((head) => {
    if (!isOfVariant(head)) return head;
    const factor = factors[placeOf.get(head.channels.join())!]!;
    return { ...head, share: (head.share ?? 1) * factor };
  });
}

/** The place of the variant a head follows; −1: it follows all cars. */
export function variantPlace(head: HeadSpec, variants: readonly Variant[]): number {
  if (!isOfVariant(head)) return -1;
  const own = head.channels.join();
  return variants.findIndex(({ channels }) => channels.join() === own);
}
