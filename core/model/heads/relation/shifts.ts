// What a lost channel does to the relation head: to the averages of each gauge, and to what is foretold.

import { chooseStretches, eachShift, type Guesses, rowsWithout, ShiftSums } from '../../gauge/shifts.ts';
import { decodeFloats, encodeFloats } from '../../numbers.ts';
import type { Prepared } from '../../prepared.ts';
import { rowInput } from '../../prepared.ts';
import { createRelationHead } from './reference.ts';
import type { RelationGauge, RelationSpec } from './spec.ts';
import { stateLayout } from './state.ts';

/** Measures losses on a head fitted without regard to them; what is returned adds what was found to it, or to one of a fold. */
export function shiftsOf(
  spec: RelationSpec,
  prepared: Prepared,
  guesses: Guesses,
): (spec: RelationSpec) => RelationSpec {
  const { channels } = prepared;
  const head = createRelationHead(spec, channels);
  const spreads = decodeFloats(spec.spreads, 4 * channels, 'spreads');
  const gaugesAt = stateLayout(channels).gauges;
  const watched = spec.gauges.length * channels;
  const sums = spec.gauges.map(({ reach }) => new ShiftSums(channels, reach === undefined));
  const foretold = new ShiftSums(channels, false);
  const expected = new Float64Array(channels);
  eachShift(
    head,
    channels,
    chooseStretches(prepared),
    rowsWithout(guesses, rowInput(prepared)),
    {
      length: watched + channels,
      read: (state, out, at) => {
        out.set(state.subarray(gaugesAt, gaugesAt + watched), at);
        head.expected!(expected);
        // What is not told because it is in doubt is as far off as can be told here.
        for (let k = 0; k < channels; k += 1)
          out[at + watched + k] = (Number.isNaN(expected[k]!) ? 0 : expected[k]!) / spreads[k]!;
      },
    },
    (lost, shift) => {
      for (let g = 0; g < sums.length; g += 1) sums[g]!.take(lost, shift, g * channels);
      foretold.take(lost, shift, watched);
    },
  );
  return (one) => ({
    ...one,
    shifts: encodeFloats(foretold.sizes()),
    gauges: one.gauges.map((gauge, g): RelationGauge => {
      const { precision } = gauge;
      const own =
        precision === undefined
          ? sums[g]!.sizes()
          : sums[g]!.directions(decodeFloats(precision, channels * channels, 'precision'));
      return { ...gauge, shifts: encodeFloats(own) };
    }),
  });
}
