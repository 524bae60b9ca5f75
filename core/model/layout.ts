// How a bundle's heads stand beside each other: where each one's state and statistics begin.
import type { ModelBundle } from './bundle.ts';
import { BASELINE_STATE } from './car-baseline.ts';
import type { HeadShape, HeadSpec } from './heads/head.ts';
import { shapeOf } from './heads/kinds.ts';

export interface PlacedHead extends HeadShape {
  readonly spec: HeadSpec;
  /** Places among the slots of a car's state, and among the statistics. */
  readonly stateAt: number;
  readonly statisticsAt: number;
}

export interface Layout {
  readonly heads: readonly PlacedHead[];
  /** `head.statistic` of each. */
  readonly statistics: readonly string[];
  /** Slots of all heads; behind them what is usual for the car, then its losses. */
  readonly headSlots: number;
  readonly baselineAt: number;
  readonly lossesAt: number;
}

/** Heads begin at multiples of it, as the kernel moves states between cars and lanes. */
const TOGETHER = 4;

/** @throws TelltaleError MODEL_INVALID */
export function layOut(bundle: ModelBundle): Layout {
  const channels = bundle.scaler.signals.length;
  let next = 0;
  let count = 0;
  const heads = bundle.heads.map((spec): PlacedHead => {
    const shape = shapeOf(spec, channels);
    const stateSize = TOGETHER * Math.ceil(shape.stateSize / TOGETHER);
    const placed = { ...shape, spec, stateSize, stateAt: next, statisticsAt: count };
    next += stateSize;
    count += shape.statistics.length;
    return placed;
  });
  return {
    heads,
    statistics: heads.flatMap(({ spec, statistics }) => statistics.map((name) => `${spec.name}.${name}`)),
    headSlots: next,
    baselineAt: next,
    lossesAt: next + BASELINE_STATE,
  };
}
