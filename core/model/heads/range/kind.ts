// The range head: how far each channel's average over the last events goes, up and down.
// Sees: a reading, or its average, beyond all that was seen in the history.
// Misses: whatever stays in its range, however wrong for what the others say (relation/).
// Worth: on drives and fleets within noise of nothing, on rigs a little less than nothing (average precision 0.006 ±
// 0.003 higher without it); kept, as a single reading that no car ever had is what a person asks about first. 2 µs of
// 28 to 30 an event, in plain JavaScript.
import type { HeadKind } from '../kind.ts';
import { rangeFits } from './fit.ts';
import { createLaneRange } from './lanes.ts';
import { createRangeHead } from './reference.ts';
import { type RangeSpec, rangeShape } from './spec.ts';

export const rangeKind: HeadKind<RangeSpec> = {
  kind: 'range',
  shape: rangeShape,
  reference: createRangeHead,
  lanes: createLaneRange,
  fits: ({ prepared, folds, foldCount, trim }) => rangeFits(prepared, folds, foldCount, trim),
};
