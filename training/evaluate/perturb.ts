// Synthetic faults for any data set: what goes wrong with sensors and couplings everywhere, put into copies of normal
// rows, so that a report can say what would be found where no fault was ever logged. Sizes are in robust standard
// deviations of the signal; one signal is struck at a time.
import type { Scaler } from '../../core/model/features.ts';
import { normal, type Random, seededRandom } from '../../core/model/random.ts';
import type { Series } from '../data/series.ts';

/** A reading of the copy from the row's place in the fault. */
interface Struck {
  /** Untouched reading of this row; `at(i)`: of another row of the series (bounded). */
  readonly now: number;
  readonly at: (row: number) => number;
  readonly row: number;
  readonly from: number;
  readonly length: number;
  /** One robust standard deviation, and the median. */
  readonly scale: number;
  readonly center: number;
  readonly random: Random;
  /** Fixed for the whole fault: +1 or −1, and uniform in [0, 1). */
  readonly sign: number;
  readonly draw: number;
}

export interface Perturbation {
  readonly about: string;
  readonly apply: (struck: Struck) => number;
}

export const PERTURBATIONS: Readonly<Record<string, Perturbation>> = {
  bias: {
    about: 'reads 1–2 σ too much or too little from one event to the next',
    apply: ({ now, sign, draw, scale }) => now + sign * (1 + draw) * scale,
  },
  drift: {
    about: 'drifts away to 1.5–3 σ at the end',
    apply: ({ now, sign, draw, scale, row, from, length }) =>
      now + (sign * 1.5 * (1 + draw) * scale * (row - from)) / length,
  },
  frozen: {
    about: 'stays at its last reading',
    apply: ({ at, from }) => at(from),
  },
  noise: {
    about: 'trembles by 0.5–1 σ about its reading',
    apply: ({ now, random, draw, scale }) => now + normal(random) * 0.5 * (1 + draw) * scale,
  },
  gain: {
    about: 'moves 1.4–1.8 times as far from its median as it should',
    apply: ({ now, center, draw }) => center + (now - center) * (1.4 + 0.4 * draw),
  },
  late: {
    about: 'follows 4–12 events late',
    apply: ({ at, row, draw }) => at(row - 4 - Math.floor(8 * draw)),
  },
  elsewhere: {
    about: 'shows what it showed at another time: every value possible, the relation to the others gone',
    apply: ({ at, row, length, draw }) => at(row - Math.round((2 + 3 * draw) * length)),
  },
};

export interface PerturbedEvent {
  readonly kind: string;
  readonly signal: number;
  /** Rows [from, to). */
  readonly from: number;
  readonly to: number;
}

export interface PerturbedSeries {
  readonly series: Series;
  /** 1 where a reading was changed. */
  readonly labels: Uint8Array;
  readonly events: readonly PerturbedEvent[];
}

/** Rows of a fault, and of normal driving between two. */
const SHORTEST = 60;
const LONGEST = 240;
const PAUSE = 240;

/** A copy of each series with faults of every kind in turn; too short a series stays as it is. */
export function perturb(
  series: readonly Series[],
  width: number,
  scaler: Scaler,
  seed: number,
): PerturbedSeries[] {
  const random = seededRandom(seed, 'perturb');
  const kinds = Object.keys(PERTURBATIONS);
  let turn = 0;
  return series.map((one) => {
    const n = one.tsMs.length;
    const values = one.values.slice();
    const labels = new Uint8Array(n);
    const events: PerturbedEvent[] = [];
    const longest = Math.min(LONGEST, Math.floor(n / 5));
    if (longest < 15) return { series: { ...one, values }, labels, events };
    const shortest = Math.min(SHORTEST, longest);
    const pause = Math.min(PAUSE, 2 * longest);
    let from = Math.min(Math.floor(n / 4), pause);
    while (true) {
      const length = shortest + Math.floor(random() * (longest - shortest + 1));
      if (from + length > n) break;
      const channel = Math.floor(random() * scaler.signals.length);
      const kind = kinds[turn % kinds.length]!;
      turn += 1;
      strike(one, values, labels, width, scaler, channel, kind, from, length, random);
      events.push({ kind, signal: scaler.signals[channel]!, from, to: from + length });
      from += length + pause + Math.floor(random() * pause);
    }
    return { series: { ...one, values }, labels, events };
  });
}

function strike(
  source: Series,
  values: Float32Array,
  labels: Uint8Array,
  width: number,
  scaler: Scaler,
  channel: number,
  kind: string,
  from: number,
  length: number,
  random: Random,
): void {
  const signal = scaler.signals[channel]!;
  const rows = source.tsMs.length;
  const at = (row: number) => source.values[((row + rows) % rows) * width + signal]!;
  const { apply } = PERTURBATIONS[kind]!;
  const fixed = {
    at,
    from,
    length,
    random,
    scale: scaler.scale[channel]!,
    center: scaler.center[channel]!,
    sign: random() < 0.5 ? -1 : 1,
    draw: random(),
  };
  for (let row = from; row < from + length; row += 1) {
    labels[row] = 1;
    const now = at(row);
    if (!Number.isNaN(now)) values[row * width + signal] = apply({ ...fixed, now, row });
  }
}
