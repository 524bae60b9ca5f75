// The relation head: each channel foretold from all the others, and what is left watched by gauges (reference.ts says
// how).
// Sees: a relation that broke while every reading stays in its range; a channel that moves too little or too much.
// Misses: what all channels agree on, as a car that is used as none was before (range/).
// Worth: nearly all of the model. Without the stream `others` average precision on drives is 0.020 lower, without
// `jitter` 0.019, without all per-channel limits 0.023; 400 units for 704 cost 0.014 ± 0.008. 21 µs of 28 to 30 an
// event, in plain JavaScript. Fitted in a thread of its own (training/fit/relations.ts).
import type { HeadKind } from '../kind.ts';
import { createLaneRelation } from './lanes.ts';
import { createRelationHead } from './reference.ts';
import { type RelationSpec, relationShape } from './spec.ts';

export const relationKind: HeadKind<RelationSpec> = {
  kind: 'relation',
  shape: relationShape,
  reference: createRelationHead,
  lanes: createLaneRelation,
};
