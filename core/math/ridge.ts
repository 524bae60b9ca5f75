// Ridge readouts of many targets from one pool of inputs, cross-fitted: the Gram matrix is gathered per fold, so
// leaving a fold out is a subtraction. Each target may forbid inputs (its own channel); they are taken out of the
// inverse by blocks (Schur complement), so one inversion serves all targets.
import { addFour, invertNested, invertSpd, solveSpd } from './linear-algebra.ts';

/** Sampled rows: inputs count × width, targets count × targets; row r is of fold `folds[r]`. */
export interface RidgeRows {
  readonly count: number;
  readonly width: number;
  readonly inputs: Float32Array;
  readonly folds: Uint8Array;
}

/**
 * The rows of each fold that are not skipped, four at a time (zeros where a fold has no more), one behind the other: as
 * doubles no number is widened more than once.
 */
function eachFour(
  { count, width, inputs, folds }: RidgeRows,
  foldCount: number,
  skip: Uint8Array,
  visit: (fold: number, four: Float64Array, places: readonly number[]) => void,
): void {
  const four = new Float64Array(4 * width);
  for (let fold = 0; fold < foldCount; fold += 1) {
    let places: number[] = [];
    const flush = () => {
      four.fill(0, places.length * width);
      visit(fold, four, places);
      places = [];
    };
    for (let r = 0; r < count; r += 1) {
      if (folds[r] !== fold || skip[r] === 1) continue;
      four.set(inputs.subarray(r * width, (r + 1) * width), places.length * width);
      places.push(r);
      if (places.length === 4) flush();
    }
    if (places.length > 0) flush();
  }
}

/** sums[a] += Σ four[i][a]·other[i], for each input a and the first `reach(a)` numbers of the four rows of `other`, `size` wide. */
function addProducts(
  sums: Float64Array,
  four: Float64Array,
  width: number,
  other: Float64Array,
  size: number,
  reach: (a: number) => number,
): void {
  for (let a = 0; a < width; a += 1)
    addFour(
      sums,
      a * size,
      four[a]!,
      four[width + a]!,
      four[2 * width + a]!,
      four[3 * width + a]!,
      other,
      0,
      size,
      reach(a),
    );
}

/** Per-fold Gram matrices of the inputs, width × width, both halves filled. Rows with `skip` 1 are left out. */
export function gramsOf(rows: RidgeRows, foldCount: number, skip: Uint8Array): Float64Array[] {
  const { width } = rows;
  const grams = Array.from({ length: foldCount }, () => new Float64Array(width * width));
  eachFour(rows, foldCount, skip, (fold, four) => {
    addProducts(grams[fold]!, four, width, four, width, (a) => a + 1);
  });
  for (const gram of grams)
    for (let a = 0; a < width; a += 1)
      for (let b = 0; b < a; b += 1) gram[b * width + a] = gram[a * width + b]!;
  return grams;
}

/** Per-fold products inputsᵀ·targets, width × targets. */
export function crossesOf(
  rows: RidgeRows,
  foldCount: number,
  skip: Uint8Array,
  targets: Float32Array,
  targetCount: number,
): Float64Array[] {
  const { width } = rows;
  const crosses = Array.from({ length: foldCount }, () => new Float64Array(width * targetCount));
  const wanted = new Float64Array(4 * targetCount);
  eachFour(rows, foldCount, skip, (fold, four, places) => {
    for (const [i, place] of places.entries())
      wanted.set(targets.subarray(place * targetCount, (place + 1) * targetCount), i * targetCount);
    addProducts(crosses[fold]!, four, width, wanted, targetCount, () => targetCount);
  });
  return crosses;
}

/** Sum over folds but `left` (−1: all). */
export function sumWithout(parts: readonly Float64Array[], left: number): Float64Array {
  const sum = new Float64Array(parts[0]!.length);
  parts.forEach((part, k) => {
    if (k !== left) for (let i = 0; i < sum.length; i += 1) sum[i]! += part[i]!;
  });
  return sum;
}

/** gram + λ·rows·I; the constant (input 0) is not held back. */
function heldBack(gram: Float64Array, width: number, lambda: number): Float64Array {
  const held = gram.slice();
  const rows = Math.max(1, gram[0]!);
  for (let a = 0; a < width; a += 1) held[a * width + a]! += a === 0 ? 1e-6 : lambda * rows + 1e-9;
  return held;
}

/** Inverse of gram + λ·rows·I. */
export function ridgeInverse(gram: Float64Array, width: number, lambda: number): Float64Array {
  return invertSpd(heldBack(gram, width, lambda), width);
}

/** The same, and beside it that of the first `leading` inputs alone. */
export function ridgeInverses(gram: Float64Array, width: number, leading: number, lambda: number) {
  return invertNested(heldBack(gram, width, lambda), width, leading);
}

/**
 * Weights of one target that may use every input but `forbidden`: β = P_SS·b − P_SE·P_EE⁻¹·P_ES·b with P the inverse of
 * all. Writes width weights at `out[at]`, 0 where forbidden.
 */
export function maskedSolve(
  inverse: Float64Array,
  width: number,
  cross: Float64Array,
  targetCount: number,
  target: number,
  forbidden: readonly number[],
  out: Float64Array,
  at: number,
): void {
  const banned = new Uint8Array(width);
  for (const e of forbidden) banned[e] = 1;
  const q = new Float64Array(width);
  for (let b = 0; b < width; b += 1) {
    const value = banned[b] === 1 ? 0 : cross[b * targetCount + target]!;
    if (value === 0) continue;
    // The inverse is symmetric: along its row, not down its column.
    const line = b * width;
    for (let a = 0; a < width; a += 1) q[a]! += inverse[line + a]! * value;
  }
  const n = forbidden.length;
  if (n > 0) {
    const block = new Float64Array(n * n);
    const right = new Float64Array(n);
    forbidden.forEach((a, i) => {
      right[i] = q[a]!;
      forbidden.forEach((b, j) => {
        block[i * n + j] = inverse[a * width + b]!;
      });
    });
    solveSpd(block, n, right, 1);
    for (let i = 0; i < n; i += 1) {
      const e = forbidden[i]! * width;
      for (let a = 0; a < width; a += 1) q[a]! -= inverse[e + a]! * right[i]!;
    }
  }
  for (let a = 0; a < width; a += 1) out[at + a] = banned[a] === 1 ? 0 : q[a]!;
}
