// What a bundle says of the range head.
import { TelltaleError } from '../../../errors.ts';
import type { Tail } from '../../tail.ts';
import { checkSpan, type HeadShape, type HeadSpec } from '../head.ts';

export interface RangeSpec extends HeadSpec {
  readonly kind: 'range';
  /** Events averaged, ≥ 1. */
  readonly span: number;
  /** One a channel: how strange a high reading is, by the feature. */
  readonly high: readonly Tail[];
  /** One a channel: how strange a low reading is, by the feature's negative. */
  readonly low: readonly Tail[];
}

/** For each channel whether it was measured since the car began, then its average. @throws TelltaleError MODEL_INVALID */
export function rangeShape({ name, span, high, low }: RangeSpec, channels: number): HeadShape {
  checkSpan(span, name);
  if (high?.length !== channels || low?.length !== channels)
    throw new TelltaleError('MODEL_INVALID', `head ${name}: its tails do not fit ${channels} channels`);
  return { statistics: ['strangest'], stateSize: 2 * channels };
}
