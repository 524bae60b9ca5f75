// How a bundle's heads stand beside each other: where each one's state and statistics begin.
import { TelltaleError } from '../errors.ts';
import type { ModelBundle } from './bundle.ts';
import { BASELINE_STATE } from './car-baseline.ts';
import type { HeadShape, HeadSpec } from './heads/head.ts';
import { type HeadKinds, kindOf, shapeOf } from './heads/kind.ts';
import { HEAD_KINDS } from './heads/kinds.ts';

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
export function layOut(bundle: ModelBundle, kinds: HeadKinds = HEAD_KINDS): Layout {
  const channels = bundle.scaler.signals.length;
  const quiet = bundle.still.signals.length;
  let next = 0;
  let count = 0;
  const heads = bundle.heads.map((spec): PlacedHead => {
    const watched = kindOf(spec, kinds).constants?.(spec) ?? quiet;
    if (watched !== quiet)
      throw new TelltaleError(
        'MODEL_INVALID',
        `damaged: head ${spec.name} is for ${watched} signals that stood still, there are ${quiet}`,
      );
    const shape = shapeOf(spec, channels, kinds);
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
