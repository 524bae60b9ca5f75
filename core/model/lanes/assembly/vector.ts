// Words that every file here shares. A number of each of eight cars takes a slot: two vectors of four lanes. A row of
// n slots holds n numbers of each car. No operation mixes lanes, but for those of transpose.ts.

/** Bytes of a vector, and of a slot. */
export const VECTOR: usize = 16;
export const SLOT: usize = 32;

/** Bytes before the features in a wave's block: masks `restart`, `far` and `usable`. */
export const WAVE_HEAD: usize = 96;

/** Bytes of a slot that the wave's cars take: one vector of it, or both. */
let taken: usize = SLOT;

export function used(): usize {
  return taken;
}

/** How many cars the wave has: the second vector rests while four are enough. */
export function useLanes(cars: i32): void {
  taken = cars > 4 ? SLOT : VECTOR;
}

/** Bytes of a row of n slots. */
export function rowOf(n: i32): usize {
  return (<usize>n) << 5;
}

/**
 * Where a channel's number stands among those that hold for all cars, from the byte of its slot, or of a vector of
 * it.
 */
export function plain(at: usize): usize {
  return (at >> 5) << 2;
}

/** x · y + z, rounded once. */
export function madd(x: v128, y: v128, z: v128): v128 {
  return f32x4.relaxed_madd(x, y, z);
}

/** Of each lane `a` where the mask is set, otherwise `b`. */
export function choose(a: v128, b: v128, mask: v128): v128 {
  return v128.bitselect(a, b, mask);
}

/** The smaller of each lane; NaN where `a` is. One instruction, which f32x4.min is not. */
export function least(a: v128, b: v128): v128 {
  return f32x4.pmin(a, b);
}

/** The greater of each lane; NaN where `a` is. */
export function most(a: v128, b: v128): v128 {
  return f32x4.pmax(a, b);
}

export function within(value: v128, bound: f32): v128 {
  return most(least(value, f32x4.splat(bound)), f32x4.splat(-bound));
}
