// The still head: signals that were the same in every row of the history. No relation can be learnt of them, so they
// are no channels; but when one of them is something else for once, that has never happened to any car. It is evidence
// for as long as it lasts, until it has become the car's usual state. Where the history is long, it has a voice besides
// (core/model/heads/constant/fit.ts).
import { LOST, NOT_MEASURED } from '../../features.ts';
import { type Head, smoothingTable } from '../head.ts';
import { type ConstantSpec, constantShape } from './spec.ts';

/** Makes the head ready to run. @throws TelltaleError MODEL_INVALID */
export function createConstantHead(spec: ConstantSpec, channels: number): Head {
  const { name, signals, span, slow } = spec;
  const shape = constantShape(spec);
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
