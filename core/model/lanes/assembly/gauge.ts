// Averages and what gauges make of them (core/model/gauge/{gauge,reach}.ts and core/model/heads/residual/reference.ts say what they mean).
import { logOneMore4, tailLevels } from './functions';
import { choose, least, madd, most, plain, rowOf, SLOT, used, VECTOR } from './vector';

/** Share of what an average is too far out that one event takes off. */
const RELEASED: f32 = 0.3;
/** A shape below it is none. */
const LEAST_SHAPE: f32 = 1e-6;

/** An average that has taken in `value`, but for NaN: not known. */
function averaged(value: v128, old: v128, share: v128): v128 {
  return choose(madd(share, f32x4.sub(value, old), old), old, f32x4.eq(value, value));
}

/** Takes a row of `stream` (NaN: not known, the average stays) into averages that begin at 0. `weight`: a slot. */
export function average(n: i32, wave: usize, weight: usize, stream: usize, state: usize): void {
  const row = rowOf(n);
  for (let half: usize = 0; half < used(); half += VECTOR) {
    const restart = v128.load(wave + half);
    const share = v128.load(weight + half);
    for (let at = half; at < row; at += SLOT) {
      const old = v128.andnot(v128.load(state + at), restart);
      v128.store(state + at, averaged(v128.load(stream + at), old, share));
    }
  }
}

/**
 * The same for averages that are let go when the newest events, averaged in `fresh`, are nearer to the usual by more
 * than `release`.
 */
export function averageReleased(
  n: i32,
  wave: usize,
  weight: usize,
  stream: usize,
  state: usize,
  fresh: usize,
  release: f32,
): void {
  const zero = f32x4.splat(0);
  const sign = f32x4.splat(-0.0);
  const bound = f32x4.splat(release);
  const row = rowOf(n);
  for (let half: usize = 0; half < used(); half += VECTOR) {
    const restart = v128.load(wave + half);
    const share = v128.load(weight + half);
    for (let at = half; at < row; at += SLOT) {
      const old = v128.andnot(v128.load(state + at), restart);
      const next = averaged(v128.load(stream + at), old, share);
      // How much nearer: the difference in the direction of the average.
      const way = v128.and(next, sign);
      const nearer = f32x4.sub(v128.xor(f32x4.sub(next, v128.load(fresh + at)), way), bound);
      const less = least(f32x4.mul(f32x4.splat(RELEASED), most(nearer, zero)), f32x4.abs(next));
      v128.store(state + at, f32x4.sub(next, v128.xor(less, way)));
    }
  }
}

/** The Mahalanobis distance of averages over the root of n, from what the precision made of them. */
export function distance(n: i32, turned: usize, averages: usize, statistic: usize): void {
  for (let half: usize = 0; half < used(); half += VECTOR) {
    let sum = f32x4.splat(0);
    for (let at = half; at < rowOf(n); at += SLOT)
      sum = madd(v128.load(turned + at), v128.load(averages + at), sum);
    const mean = f32x4.div(most(f32x4.splat(0), sum), f32x4.splat(<f32>n));
    v128.store(statistic + half, f32x4.sqrt(mean));
  }
}

/**
 * The greatest level of a channel and half of the second. `inverses`: of each channel one over the root of the
 * precision's diagonal, 0: it says nothing. `tails`: n pointers. Levels go to `levels`.
 */
export function peak(
  n: i32,
  turned: usize,
  inverses: usize,
  tails: usize,
  levels: usize,
  statistic: usize,
): void {
  const zero = f32x4.splat(0);
  for (let half: usize = 0; half < used(); half += VECTOR) {
    for (let at = half; at < rowOf(n); at += SLOT) {
      const size = f32x4.abs(v128.load(turned + at));
      v128.store(levels + at, f32x4.mul(size, v128.load32_splat(inverses + plain(at))));
    }
  }
  tailLevels(n, tails, levels);
  for (let half: usize = 0; half < used(); half += VECTOR) {
    let first = zero;
    let second = zero;
    for (let at = half; at < rowOf(n); at += SLOT) {
      const told = f32x4.gt(v128.load32_splat(inverses + plain(at)), zero);
      const level = v128.and(v128.load(levels + at), told);
      v128.store(levels + at, level);
      second = most(second, least(first, level));
      first = most(first, level);
    }
    v128.store(statistic + half, madd(second, f32x4.splat(0.5), first));
  }
}

/**
 * The rarity of the rarest channel. `held`: what sizes are multiplied by, one a channel. `reach`: 3·n as ReachTails
 * has it. Rarities go to `rarities`.
 */
export function rarest(
  n: i32,
  averages: usize,
  held: usize,
  reach: usize,
  rarities: usize,
  statistic: usize,
): void {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const next = plain(rowOf(n));
  for (let half: usize = 0; half < used(); half += VECTOR) {
    let greatest = zero;
    for (let at = half; at < rowOf(n); at += SLOT) {
      const place = reach + plain(at);
      const size = f32x4.mul(f32x4.abs(v128.load(averages + at)), v128.load32_splat(held + plain(at)));
      const from = v128.load32_splat(place);
      let rarity = f32x4.div(size, from);
      const beyond = f32x4.gt(size, from);
      if (v128.any_true(beyond)) {
        const excess = most(zero, f32x4.div(f32x4.sub(size, from), v128.load32_splat(place + next)));
        const shape = load<f32>(place + 2 * next);
        const bend = f32x4.splat(shape);
        const more = shape < LEAST_SHAPE ? excess : f32x4.div(logOneMore4(f32x4.mul(bend, excess)), bend);
        rarity = choose(f32x4.add(one, more), rarity, beyond);
      }
      v128.store(rarities + at, rarity);
      greatest = most(greatest, rarity);
    }
    v128.store(statistic + half, greatest);
  }
}

/** Parts (turned × inverse)²; the root of their mean and that of the two largest, one behind the other. */
export function squares(n: i32, turned: usize, inverses: usize, parts: usize, statistics: usize): void {
  const zero = f32x4.splat(0);
  for (let half: usize = 0; half < used(); half += VECTOR) {
    let sum = zero;
    let first = zero;
    let second = zero;
    for (let at = half; at < rowOf(n); at += SLOT) {
      const size = f32x4.mul(v128.load(turned + at), v128.load32_splat(inverses + plain(at)));
      const part = f32x4.mul(size, size);
      v128.store(parts + at, part);
      sum = f32x4.add(sum, part);
      second = most(second, least(first, part));
      first = most(first, part);
    }
    v128.store(statistics + half, f32x4.sqrt(f32x4.div(sum, f32x4.splat(<f32>n))));
    const two = f32x4.mul(f32x4.add(first, second), f32x4.splat(0.5));
    v128.store(statistics + SLOT + half, f32x4.sqrt(two));
  }
}
