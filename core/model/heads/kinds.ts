// The kinds of heads there are, one a line: those that are fitted alike are fitted, and stand in a bundle, in this
// order.
import { constantKind } from './constant/kind.ts';
import { jumpKind } from './jump/kind.ts';
import type { HeadKinds } from './kind.ts';
import { rangeKind } from './range/kind.ts';
import { relationKind } from './relation/kind.ts';
import { residualKind } from './residual/kind.ts';
import { variantKind } from './variant/kind.ts';

export const HEAD_KINDS: HeadKinds = [
  relationKind,
  rangeKind,
  jumpKind,
  constantKind,
  residualKind,
  variantKind,
];
