// Functions of four numbers at once. Errors against the exact value, over the range stated, are held by a test.
import { choose, least, madd, most, plain, rowOf, SLOT, used } from './vector';

/**
 * tanh, error below 4e-7: the rational minimax of degree 13 over 6 of the Eigen library
 * (Eigen/src/Core/MathFunctionsImpl.h), beyond ±7.905 the value there.
 */
export function tanh4(value: v128): v128 {
  const bound = f32x4.splat(7.905311107635498);
  const x = most(least(value, bound), f32x4.neg(bound));
  const y = f32x4.mul(x, x);
  let p = f32x4.splat(-2.76076847742355e-16);
  p = madd(p, y, f32x4.splat(2.00018790482477e-13));
  p = madd(p, y, f32x4.splat(-8.60467152213735e-11));
  p = madd(p, y, f32x4.splat(5.12229709037114e-8));
  p = madd(p, y, f32x4.splat(1.48572235717979e-5));
  p = madd(p, y, f32x4.splat(6.37261928875436e-4));
  p = madd(p, y, f32x4.splat(4.89352455891786e-3));
  let q = f32x4.splat(1.19825839466702e-6);
  q = madd(q, y, f32x4.splat(1.18534705686654e-4));
  q = madd(q, y, f32x4.splat(2.268434632439e-3));
  q = madd(q, y, f32x4.splat(4.89352518554385e-3));
  return f32x4.div(f32x4.mul(p, x), q);
}

/** exp for |value| ≤ 80, relative error below 2e-7: by powers of two and a polynomial (Cephes, expf). */
export function exp4(value: v128): v128 {
  const n = f32x4.nearest(f32x4.mul(value, f32x4.splat(<f32>Math.LOG2E)));
  let r = madd(n, f32x4.splat(-0.693359375), value);
  r = madd(n, f32x4.splat(2.1219444e-4), r);
  let p = f32x4.splat(1.98756915e-4);
  p = madd(p, r, f32x4.splat(1.3981999507e-3));
  p = madd(p, r, f32x4.splat(8.3334519073e-3));
  p = madd(p, r, f32x4.splat(4.1665795894e-2));
  p = madd(p, r, f32x4.splat(1.6666665459e-1));
  p = madd(p, r, f32x4.splat(5.0000001201e-1));
  p = f32x4.add(madd(p, f32x4.mul(r, r), r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(p, power);
}

/** ln for 1 ≤ value < infinity, error below 2e-7 relative to the greater of 1e-7 and the value (Cephes, logf). */
export function log4(value: v128): v128 {
  const e = i32x4.shr_s(i32x4.sub(value, i32x4.splat(0x3f3504f3)), 23);
  const x = f32x4.sub(i32x4.sub(value, i32x4.shl(e, 23)), f32x4.splat(1));
  const n = f32x4.convert_i32x4_s(e);
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(7.0376836292e-2);
  p = madd(p, x, f32x4.splat(-1.151461031e-1));
  p = madd(p, x, f32x4.splat(1.167699874e-1));
  p = madd(p, x, f32x4.splat(-1.2420140846e-1));
  p = madd(p, x, f32x4.splat(1.4249322787e-1));
  p = madd(p, x, f32x4.splat(-1.6668057665e-1));
  p = madd(p, x, f32x4.splat(2.0000714765e-1));
  p = madd(p, x, f32x4.splat(-2.4999993993e-1));
  p = madd(p, x, f32x4.splat(3.3333331174e-1));
  let y = f32x4.mul(f32x4.mul(p, x), z);
  y = f32x4.sub(y, f32x4.mul(n, f32x4.splat(2.1219444e-4)));
  y = f32x4.sub(y, f32x4.mul(z, f32x4.splat(0.5)));
  return f32x4.add(f32x4.add(x, y), f32x4.mul(n, f32x4.splat(0.693359375)));
}

/**
 * ln(1 + value) for value ≥ 0, relative error below 4e-7: what 1 + value loses of a small value is put back (Kahan).
 */
export function logOneMore4(value: v128): v128 {
  const one = f32x4.splat(1);
  const whole = f32x4.add(value, one);
  const kept = f32x4.sub(whole, one);
  const log = f32x4.mul(log4(whole), f32x4.div(value, kept));
  return choose(value, log, f32x4.eq(kept, f32x4.splat(0)));
}

/**
 * How rare numbers are, by tails (core/model/tail.ts), a row in place: each a sum over the stretches between knots of
 * how far it reaches into each. All terms are ≥ 0, so nothing cancels; a stretch that nobody reaches is the end.
 * `tails`: a pointer a slot, to the first level, how many stretches, then of each where it begins, how long it is,
 * its slope.
 */
export function tailLevels(n: i32, tails: usize, row: usize): void {
  const zero = f32x4.splat(0);
  const pairs = used() === SLOT;
  for (let at: usize = 0; at < rowOf(n); at += SLOT) {
    const tail: usize = load<u32>(tails + plain(at));
    const a = v128.load(row + at);
    const b = pairs ? v128.load(row + at, 16) : a;
    let levelA = v128.load32_splat(tail);
    let levelB = levelA;
    let knot = tail + 8;
    const end = knot + 12 * <usize>load<i32>(tail, 4);
    while (knot < end) {
      const from = v128.load32_splat(knot);
      if (!v128.any_true(v128.or(f32x4.gt(a, from), f32x4.gt(b, from)))) break;
      const length = v128.load32_splat(knot, 4);
      const slope = v128.load32_splat(knot, 8);
      levelA = madd(least(most(zero, f32x4.sub(a, from)), length), slope, levelA);
      levelB = madd(least(most(zero, f32x4.sub(b, from)), length), slope, levelB);
      knot += 12;
    }
    v128.store(row + at, levelA);
    v128.store(row + at, levelB, 16);
  }
}
