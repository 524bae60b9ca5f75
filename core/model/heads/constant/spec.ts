// What a bundle says of the constant head.
import { TelltaleError } from '../../../errors.ts';
import { checkSpan, type HeadShape, type HeadSpec } from '../head.ts';

export interface ConstantSpec extends HeadSpec {
  readonly kind: 'still';
  /** How many signals stood still, ≥ 1: as many as `HeadInput.moved` tells. */
  readonly signals: number;
  /** Events averaged, ≥ 1. */
  readonly span: number;
  /** Events after which what a signal has become is usual for the car, > span. */
  readonly slow: number;
}

/** The head's statistic from which it is as loud as an alert: one signal is something else for eleven events. */
const LOUD = 0.5;

/**
 * The average of each signal's being something else, then how usual that is for the car, which a pause does not change.
 * @throws TelltaleError MODEL_INVALID
 */
export function constantShape({ name, signals, span, slow }: ConstantSpec): HeadShape {
  if (!(Number.isInteger(signals) && signals >= 1))
    throw new TelltaleError('MODEL_INVALID', `head ${name}: ${signals} signals`);
  checkSpan(span, name);
  if (!(slow > span && slow <= 100_000))
    throw new TelltaleError('MODEL_INVALID', `head ${name}: spans ${span} and ${slow} do not fit`);
  return { statistics: ['moved'], loud: LOUD, stateSize: 2 * signals };
}
