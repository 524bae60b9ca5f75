// The range head: each channel on its own, against what it ever read in training. It knows no relations and holds no residual
// within bounds, so what lies far outside everything seen is strange within seconds, whatever the other heads make of it.
import { TelltaleError } from '../../../errors.ts';
import { type Tail, tailLevel } from '../../tail.ts';
import { checkSpan, type Head, type HeadShape, type HeadSpec, smoothingTable } from '../head.ts';

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
