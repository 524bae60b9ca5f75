// The still head: signals that were the same in every row of the history. No relation can be learnt of them, so they are no channels;
// but when one of them is something else for once, that has never happened to any car. It is evidence for as long as it lasts, until it
// has become the car's usual state. Where the history is long, it has a voice besides (core/model/heads/constant/fit.ts).
import { TelltaleError } from '../../../errors.ts';
import { LOST, NOT_MEASURED } from '../../features.ts';
import { checkSpan, type Head, type HeadShape, type HeadSpec, smoothingTable } from '../head.ts';

export interface StillSpec extends HeadSpec {
  readonly kind: 'still';
  /** How many signals stood still, ≥ 1: as many as `HeadInput.moved` tells. */
  readonly signals: number;
  /** Events averaged, ≥ 1. */
  readonly span: number;
  /** Events after which what a signal has become is usual for the car, > span. */
  readonly slow: number;
}

/**
 * The average of each signal's being something else, then how usual that is for the car, which a pause does not change.
 * @throws TelltaleError MODEL_INVALID
 */
export function stillShape({ name, signals, span, slow }: StillSpec): HeadShape {
  if (!(Number.isInteger(signals) && signals >= 1))
    throw new TelltaleError('MODEL_INVALID', `head ${name}: ${signals} signals`);
  checkSpan(span, name);
  if (!(slow > span && slow <= 100_000))
    throw new TelltaleError('MODEL_INVALID', `head ${name}: spans ${span} and ${slow} do not fit`);
  return { statistics: ['moved'], stateSize: 2 * signals };
}

/** Makes the head ready to run. @throws TelltaleError MODEL_INVALID */
export function createStillHead(spec: StillSpec, channels: number): Head {
  const { name, signals, span, slow } = spec;
  const shape = stillShape(spec);
  const fast = smoothingTable(span);
  const habit = smoothingTable(slow);
  const parts = new Float64Array(signals);
  return {
    name,
    ...shape,
    step: ({ moved, restart, steps }, state, at, statistics, statisticsAt) => {
      let sum = 0;
      for (let i = 0; i < signals; i += 1) {
        const old = restart ? 0 : state[at + i]!;
        const now = moved?.[i] ?? NOT_MEASURED;
        const usual = state[at + signals + i]!;
        const told = now !== NOT_MEASURED && now !== LOST;
        // What is lost says nothing more, and what it said fades.
        if (told || now === LOST) state[at + i] = old + fast[steps]! * ((told ? now : 0) - old);
        else state[at + i] = old;
        if (told) state[at + signals + i] = usual + habit[steps]! * (now - usual);
        parts[i] = Math.max(0, state[at + i]! - state[at + signals + i]!) ** 2;
        sum += parts[i]!;
      }
      statistics[statisticsAt] = Math.sqrt(sum);
    },
    blame: (_index, out) => {
      out.fill(0);
      out.set(parts, channels);
    },
  };
}
