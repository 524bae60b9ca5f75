// What a bundle says of the jump head.
import { TelltaleError } from '../../../errors.ts';
import type { GaugeSpec } from '../../gauge/gauge.ts';
import type { HeadShape, HeadSpec } from '../head.ts';

export interface JumpSpec extends HeadSpec {
  readonly kind: 'shock';
  /** What a channel's movement between two events seldom exceeds, in features, > 0. */
  readonly seldom: readonly number[];
  readonly gauge: GaugeSpec;
}

/**
 * For each channel whether it was measured since the car began, its last reading, then the gauge's averages.
 * @throws TelltaleError MODEL_INVALID
 */
export function jumpShape({ name, seldom, gauge }: JumpSpec, channels: number): HeadShape {
  if (seldom?.length !== channels || !seldom.every((value) => value > 0))
    throw new TelltaleError('MODEL_INVALID', `head ${name}: its movements do not fit ${channels} channels`);
  return { statistics: [`jump-${gauge.span}`], stateSize: 3 * channels };
}
