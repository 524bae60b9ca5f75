// The still head of a model (core/model/heads/still.ts): which signals stood still, what they were, and whether one that moves is an
// alert by itself. There is nothing else to fit.
import type { StillSignals } from '../../core/model/features.ts';
import type { StillSpec } from '../../core/model/heads/still.ts';
import type { FittedScaler } from '../scaling.ts';

/** Events over which a signal must be something else to be evidence, and after which that is the car's usual state. */
const SPAN = 30;
const SLOW = 2400;

/** The signals that stood still, with what they were. */
export function stillSignals({ leftOut, medians }: Pick<FittedScaler, 'leftOut' | 'medians'>): {
  -readonly [Key in keyof StillSignals]: number[];
} {
  const signals = leftOut.flatMap(({ signal, why }) => (why === 'constant' ? [signal] : []));
  return { signals, values: signals.map((signal) => medians[signal]!) };
}

/** The head that watches them; none where nothing stood still. */
export function stillHeads({ signals }: StillSignals): StillSpec[] {
  if (signals.length === 0) return [];
  return [{ kind: 'still', name: 'still', signals: signals.length, span: SPAN, slow: SLOW }];
}

/** The head's statistic from which it is as loud as an alert: about 20 events in which one signal is something else. */
export const LOUD = 0.5;
/**
 * Alerts that a budget must allow over the whole history for it to be known that these signals move less often than alerts may come:
 * what never happened in n chances happens in fewer than 3 of n, with 95 % confidence (the rule of three, Hanley & Lippman-Hand 1983).
 * A shorter history leaves a signal that moves as evidence among other.
 */
export const ALERTS_TO_KNOW = 3;
