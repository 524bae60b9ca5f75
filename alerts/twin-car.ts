// One car in the twin: what is known of it now.
import type { SignalShare } from '../core/events.ts';

/** What is known of a car that has sent no score to this twin: from an alert, or from the twin of a former model. */
export interface RememberedCar {
  readonly ts: number;
  readonly heardMs: number;
  readonly score: number;
  readonly threshold: number;
  readonly level: number;
  readonly top: readonly SignalShare[];
  readonly values: readonly (number | null)[];
  readonly expected: readonly (number | null)[];
}

/** What is known of a car now; changed in place, as it is with every event. */
export interface Car extends Mutable<RememberedCar> {
  /** Event time of the newest score that was told in full: of `values`, `expected` and `top`. */
  toldTs: number;
  /** Rises with each score of any car: the car with the smallest has been silent for longest. */
  heardAt: number;
  /** Event time of the last reading of each signal that was measured and is not any more; null while none is. */
  lost: ReadonlyMap<number, number> | null;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A car never heard of. @param nothing a null for each signal */
export const newCar = (nothing: readonly null[], level: number): Car => ({
  ...{ ts: 0, toldTs: 0, heardMs: 0, heardAt: 0, score: 0, threshold: 1, level },
  ...{ top: [], values: nothing, expected: nothing, lost: null },
});

/** A car as something else remembers it. */
export function rememberedCar(car: RememberedCar, heardAt: number): Car {
  const { ts, heardMs, score, threshold, level, top, values, expected } = car;
  return {
    ...{ ts, toldTs: ts, heardMs, heardAt, score, threshold, level },
    ...{ top, values, expected, lost: null },
  };
}

/** When each signal that is not measured now was last measured: most often none is lost, and there is nothing to keep. */
export function lostOf(before: Car, values: readonly (number | null)[]): ReadonlyMap<number, number> | null {
  let lost: Map<number, number> | null = null;
  for (let i = 0; i < values.length; i += 1) {
    if (values[i] !== null) continue;
    const sinceMs = typeof before.values[i] === 'number' ? before.toldTs : before.lost?.get(i);
    if (sinceMs === undefined) continue;
    lost ??= new Map();
    lost.set(i, sinceMs);
  }
  return lost;
}
