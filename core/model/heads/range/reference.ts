// The range head: each channel on its own, against what it ever read in training. It knows no relations and holds no
// residual within bounds, so what lies far outside everything seen is strange within seconds, whatever the other heads
// make of it.
import { tailLevel } from '../../tail.ts';
import { type Head, smoothingTable } from '../head.ts';
import { type RangeSpec, rangeShape } from './spec.ts';

/** Makes the head ready to run. @throws TelltaleError MODEL_INVALID */
export function createRangeHead(spec: RangeSpec, channels: number): Head {
  const { name, span, high, low } = spec;
  const table = smoothingTable(span);
  const levels = new Float64Array(channels);
  return {
    name,
    ...rangeShape(spec, channels),
    step: ({ features, present, restart, steps, losses }, state, at, statistics, statisticsAt) => {
      const weight = table[steps]!;
      let most = 0;
      for (let k = 0; k < channels; k += 1) {
        const average = at + channels + k;
        // A channel that is lost says nothing; when it comes back its average starts anew.
        if (restart || losses?.lost[k] === 1) state[at + k] = 0;
        if (present[k] === 1) {
          const old = state[at + k] === 1 ? state[average]! : features[k]!;
          state[average] = old + weight * (features[k]! - old);
          state[at + k] = 1;
        }
        const value = state[average]!;
        levels[k] =
          state[at + k] === 1 ? Math.max(tailLevel(high[k]!, value), tailLevel(low[k]!, -value)) : 0;
        if (levels[k]! > most) most = levels[k]!;
      }
      statistics[statisticsAt] = most;
    },
    // Squared: the strangest channel made the statistic, others count only where they are nearly as strange.
    blame: (_index, out) => {
      for (let k = 0; k < channels; k += 1) out[k] = levels[k]! ** 2;
    },
  };
}
