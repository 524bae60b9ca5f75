// The still head of a model (core/model/heads/constant/reference.ts): which signals stood still, what they were, and
// whether one that moves is an alert by itself. There is nothing else to fit.
import type { ConstantSignals } from '../../features.ts';
import type { FittedScaler } from '../../fitted-scaler.ts';
import type { ConstantSpec } from './spec.ts';

/** Events over which a signal must be something else to be evidence, and after which that is the car's usual state. */
const SPAN = 30;
const SLOW = 2400;

/**
 * Alerts that a budget must allow over the rows in which a signal was measured for it to be known that it moves less
 * often than alerts may come: what never happened in n chances happens in fewer than 3 of n, with 95 % confidence (the
 * rule of three, Hanley & Lippman-Hand 1983).
 */
const ALERTS_TO_KNOW = 3;

export interface Watched {
  readonly still: { -readonly [Key in keyof ConstantSignals]: number[] };
  /** Whether one that moves is an alert by itself. */
  readonly known: boolean;
}

/**
 * The signals that stood still, with what they were. Of a long history only those are watched that it says enough of;
 * of a short one all, as evidence among other.
 * @param allowed alerts that the budget allows over all rows
 */
export function constantSignals(
  { leftOut, medians }: Pick<FittedScaler, 'leftOut' | 'medians'>,
  allowed: number,
): Watched {
  const constant = leftOut.filter(({ why }) => why === 'constant');
  const enough = constant.filter(({ measured = 0 }) => measured * allowed >= ALERTS_TO_KNOW);
  const signals = (enough.length > 0 ? enough : constant).map(({ signal }) => signal);
  return {
    still: { signals, values: signals.map((signal) => medians[signal]!) },
    known: enough.length > 0,
  };
}

/** The head that watches them; none where nothing stood still. */
export function constantHeads({ signals }: ConstantSignals): ConstantSpec[] {
  if (signals.length === 0) return [];
  return [{ kind: 'still', name: 'still', signals: signals.length, span: SPAN, slow: SLOW }];
}
