// The steps of the simple heads (core/model/heads/{range,jump,residual,constant}/reference.ts say what they mean).
import { tailLevels } from './functions';
import { choose, least, madd, most, plain, rowOf, SLOT, used, VECTOR, WAVE_HEAD } from './vector';

const MOST_SHOCK: f32 = 20;
const LEAST_SHOCK: f32 = 1e-3;

/**
 * `state`: for each channel whether it was measured since the car began (1), then its average. `high`, `low`: n
 * pointers to tails. `lows`: a row to reckon in.
 */
export function range(
  n: i32,
  wave: usize,
  loss: usize,
  weight: usize,
  state: usize,
  high: usize,
  low: usize,
  levels: usize,
  lows: usize,
  statistic: usize,
): void {
  const one = f32x4.splat(1);
  const row = rowOf(n);
  for (let half: usize = 0; half < used(); half += VECTOR) {
    const restart = v128.load(wave + half);
    const share = v128.load(weight + half);
    for (let at = half; at < row; at += SLOT) {
      const value = v128.load(wave + WAVE_HEAD + at);
      const present = v128.load(wave + WAVE_HEAD + row + at);
      const anew = v128.or(restart, v128.load32_splat(loss + plain(at)));
      const seen = v128.andnot(f32x4.eq(v128.load(state + at), one), anew);
      const former = v128.load(state + row + at);
      const old = choose(former, value, seen);
      const now = choose(madd(share, f32x4.sub(value, old), old), former, present);
      v128.store(state + at, v128.and(one, v128.or(seen, present)));
      v128.store(state + row + at, now);
      v128.store(levels + at, now);
      v128.store(lows + at, f32x4.neg(now));
    }
  }
  tailLevels(n, high, levels);
  tailLevels(n, low, lows);
  for (let half: usize = 0; half < used(); half += VECTOR) {
    let greatest = f32x4.splat(0);
    for (let at = half; at < row; at += SLOT) {
      const known = f32x4.eq(v128.load(state + at), one);
      const level = v128.and(most(v128.load(levels + at), v128.load(lows + at)), known);
      v128.store(levels + at, level);
      greatest = most(greatest, level);
    }
    v128.store(statistic + half, greatest);
  }
}

/**
 * `state`: for each channel whether it was measured since the car began (1), then its last reading. What jumped goes
 * to `jumps`.
 */
export function shocks(n: i32, wave: usize, loss: usize, state: usize, seldom: usize, jumps: usize): void {
  const one = f32x4.splat(1);
  const sign = f32x4.splat(-0.0);
  const row = rowOf(n);
  for (let half: usize = 0; half < used(); half += VECTOR) {
    const restart = v128.load(wave + half);
    const far = v128.load(wave + SLOT + half);
    for (let at = half; at < row; at += SLOT) {
      const value = v128.load(wave + WAVE_HEAD + at);
      const present = v128.load(wave + WAVE_HEAD + row + at);
      const anew = v128.or(restart, v128.load32_splat(loss + plain(at)));
      const seen = v128.andnot(f32x4.eq(v128.load(state + at), one), anew);
      const last = v128.load(state + row + at);
      const bound = v128.load32_splat(seldom + plain(at));
      const movement = f32x4.sub(value, last);
      const beyond = f32x4.div(f32x4.sub(f32x4.abs(movement), bound), bound);
      const size = v128.or(least(beyond, f32x4.splat(MOST_SHOCK)), v128.and(movement, sign));
      const told = v128.andnot(v128.and(seen, present), far);
      v128.store(jumps + at, v128.and(size, v128.and(f32x4.gt(beyond, f32x4.splat(LEAST_SHOCK)), told)));
      v128.store(state + at, v128.and(one, v128.or(seen, present)));
      v128.store(state + row + at, choose(value, last, present));
    }
  }
}

/** What is left of each feature when `said` is taken off; 0 where it was not measured. */
export function leftOver(n: i32, wave: usize, said: usize, residual: usize): void {
  const row = rowOf(n);
  for (let half: usize = 0; half < used(); half += VECTOR) {
    for (let at = half; at < row; at += SLOT) {
      const off = f32x4.sub(v128.load(wave + WAVE_HEAD + at), v128.load(said + at));
      v128.store(residual + at, v128.and(off, v128.load(wave + WAVE_HEAD + row + at)));
    }
  }
}

/**
 * The same of a forecast from the event before. `state`: 1 when there was one, then its features; this event takes
 * its place.
 */
export function leftOfForecast(
  n: i32,
  wave: usize,
  loss: usize,
  state: usize,
  said: usize,
  residual: usize,
): void {
  const one = f32x4.splat(1);
  const row = rowOf(n);
  for (let half: usize = 0; half < used(); half += VECTOR) {
    const usable = v128.and(v128.load(wave + 2 * SLOT + half), f32x4.eq(v128.load(state + half), one));
    v128.store(state + half, one);
    for (let at = half; at < row; at += SLOT) {
      const value = v128.load(wave + WAVE_HEAD + at);
      const present = v128.load(wave + WAVE_HEAD + row + at);
      const told = v128.andnot(present, v128.load32_splat(loss + plain(row) + plain(at)));
      const off = f32x4.sub(value, v128.load(said + at));
      v128.store(residual + at, v128.and(off, v128.and(usable, told)));
      v128.store(state + SLOT + at, value);
    }
  }
}

/**
 * Signals that stood still in the history. `codes`: a row as features.ts has them (0 still, 1 moved, 2 not measured,
 * 3 lost). `weights`: of the fast average and of the car's habit. `state`: a row of each.
 */
export function still(
  n: i32,
  wave: usize,
  weights: usize,
  codes: usize,
  state: usize,
  parts: usize,
  statistic: usize,
): void {
  const zero = f32x4.splat(0);
  const row = rowOf(n);
  for (let half: usize = 0; half < used(); half += VECTOR) {
    const restart = v128.load(wave + half);
    const fast = v128.load(weights + half);
    const slow = v128.load(weights + SLOT + half);
    let sum = zero;
    for (let at = half; at < row; at += SLOT) {
      const code = v128.load(codes + at);
      const told = f32x4.lt(code, f32x4.splat(2));
      const now = v128.and(code, told);
      const counts = v128.or(told, f32x4.eq(code, f32x4.splat(3)));
      const old = v128.andnot(v128.load(state + at), restart);
      const usual = v128.load(state + row + at);
      const average = f32x4.add(old, v128.and(f32x4.mul(fast, f32x4.sub(now, old)), counts));
      const habit = f32x4.add(usual, v128.and(f32x4.mul(slow, f32x4.sub(now, usual)), told));
      v128.store(state + at, average);
      v128.store(state + row + at, habit);
      const off = most(zero, f32x4.sub(average, habit));
      const part = f32x4.mul(off, off);
      v128.store(parts + at, part);
      sum = f32x4.add(sum, part);
    }
    v128.store(statistic + half, f32x4.sqrt(sum));
  }
}
