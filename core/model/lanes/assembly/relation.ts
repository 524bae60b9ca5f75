// The relation head's own steps (core/model/heads/relation/forecaster.ts and streams.ts say what they mean): averages and
// levels of the readings, and the four streams of evidence. States lie as stateLayout (state.ts) has it, in
// slots.
import { exp4 } from './functions';
import { choose, least, madd, most, plain, rowOf, SLOT, used, VECTOR, WAVE_HEAD, within } from './vector';

const SPANS = 3;
const MOST_COUNTED: f32 = 1e6;
const EDGE: f32 = 3;
const CLIP: f32 = 8;
const FINE_CLIP: f32 = 20;
const MOST_MOVEMENT: f32 = 6;
const FLEET_WEIGHT: f32 = 600;
const MOST_NEWS: f32 = 0.3;
const DOUBT: f32 = 150;

/**
 * Averages of the readings over each span, into the state and into `inputs` behind its first slot. `weights`: a slot
 * a span. `loss`: for each channel whether it is lost, then for each whether it has just come back (i32 masks).
 * `off`: what its guess was off then.
 */
export function averageReadings(
  n: i32,
  wave: usize,
  loss: usize,
  weights: usize,
  state: usize,
  inputs: usize,
  off: usize,
): void {
  const row = rowOf(n);
  for (let half: usize = 0; half < used(); half += VECTOR) {
    for (let at = half; at < row; at += SLOT) {
      const lost = loss + plain(at);
      const value = v128.load(wave + WAVE_HEAD + at);
      const told = v128.or(v128.load(wave + WAVE_HEAD + row + at), v128.load32_splat(lost));
      const back = v128.load32_splat(lost + plain(row));
      const restart = v128.load(wave + half);
      let guessedOff = f32x4.splat(0);
      let average = state + SLOT + at;
      let input = inputs + SLOT + at;
      for (let s = 0; s < SPANS; s += 1) {
        const old = v128.or(v128.load(average), restart);
        const fresh = f32x4.ne(old, old);
        const news = f32x4.sub(value, old);
        if (s === 0) guessedOff = v128.andnot(news, fresh);
        let next = madd(v128.load(weights + rowOf(s) + half), news, old);
        next = choose(f32x4.add(old, guessedOff), next, back);
        next = choose(choose(value, next, fresh), old, told);
        v128.store(average, next);
        v128.store(input, v128.and(next, f32x4.eq(next, next)));
        average += row;
        input += row;
      }
      v128.store(off + at, guessedOff);
    }
  }
}

/**
 * The car's count of events and its own levels, into the state and into `levels`; how far each channel is on the
 * move, into `inputs` behind the averages; how far it moved since the event before, into `movement`.
 */
export function followLevels(
  n: i32,
  wave: usize,
  loss: usize,
  slowest: f32,
  state: usize,
  inputs: usize,
  levels: usize,
  off: usize,
  movement: usize,
): void {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const nothing = f32x4.splat(NaN);
  const row = rowOf(n);
  const level = state + SLOT + 3 * row;
  const before = level + row;
  const away = level + 9 * row;
  for (let half: usize = 0; half < used(); half += VECTOR) {
    const restart = v128.load(wave + half);
    const events = least(f32x4.add(v128.load(state + half), one), f32x4.splat(MOST_COUNTED));
    const count = choose(one, events, restart);
    v128.store(state + half, count);
    const weight = most(f32x4.splat(slowest), f32x4.div(one, count));
    for (let at = half; at < row; at += SLOT) {
      const value = v128.load(wave + WAVE_HEAD + at);
      const present = v128.load(wave + WAVE_HEAD + row + at);
      const lost = v128.load32_splat(loss + plain(at));
      const back = v128.load32_splat(loss + plain(row) + plain(at));
      const old = v128.andnot(v128.load(level + at), restart);
      const moved = f32x4.mul(weight, f32x4.sub(value, old));
      let next = f32x4.add(old, v128.and(moved, v128.or(present, lost)));
      // What the level is off when a channel comes back, by as much of it as was guessed.
      const gone = v128.andnot(v128.load(away + at), restart);
      const longer = v128.and(lost, f32x4.ge(gone, zero));
      let left = f32x4.add(gone, v128.and(one, longer));
      const corrected = v128.and(back, f32x4.gt(gone, zero));
      const always = f32x4.ge(gone, f32x4.sub(count, one));
      left = choose(v128.and(f32x4.neg(gone), always), left, corrected);
      const share = least(f32x4.div(gone, count), one);
      next = f32x4.add(next, v128.and(f32x4.mul(v128.load(off + at), share), corrected));
      v128.store(away + at, left);
      v128.store(level + at, next);
      v128.store(levels + at, next);
      const newest = inputs + SLOT + at;
      v128.store(newest + 3 * row, f32x4.abs(f32x4.sub(v128.load(newest), v128.load(newest + row))));
      // As NaN is all ones, a car that begins has none.
      const former = v128.or(v128.load(before + at), restart);
      const known = v128.and(present, f32x4.eq(former, former));
      v128.store(movement + at, v128.and(f32x4.abs(f32x4.sub(value, former)), known));
      v128.store(before + at, choose(value, choose(nothing, former, lost), present));
    }
  }
}

/** Copies `count` inputs; those of the first `held` are held within EDGE, but for the very first, which is 1. */
export function heldInputs(inputs: usize, count: i32, held: i32, output: usize): void {
  const edge = rowOf(held);
  for (let half: usize = 0; half < used(); half += VECTOR) {
    for (let at = half; at < edge; at += SLOT) v128.store(output + at, within(v128.load(inputs + at), EDGE));
    for (let at = edge + half; at < rowOf(count); at += SLOT) v128.store(output + at, v128.load(inputs + at));
  }
}

/** What `value` is off the habit at `state`, which then learns from it where `learns`. */
function offHabit(value: v128, state: usize, share: v128, restart: v128, learns: v128): v128 {
  const habit = v128.andnot(v128.load(state), restart);
  const off = f32x4.sub(value, habit);
  const news = v128.and(f32x4.mul(share, within(off, MOST_NEWS)), learns);
  v128.store(state, f32x4.add(habit, news));
  return off;
}

function spreadFactor(log: v128): v128 {
  return exp4(within(log, 2));
}

/**
 * The streams others, own, fine, jitter into `streams`, a row each. `foretold`: 2·n, from others and from own;
 * `logs`: 3·n, of the usual spreads. `params`: 4·n spreads and n events of the fleet's, as RelationSpec has them. NaN
 * in jitter: not known.
 */
export function fillStreams(
  n: i32,
  wave: usize,
  loss: usize,
  slowest: f32,
  params: usize,
  state: usize,
  inputs: usize,
  foretold: usize,
  logs: usize,
  movement: usize,
  streams: usize,
): void {
  const one = f32x4.splat(1);
  const nothing = f32x4.splat(NaN);
  const row = rowOf(n);
  const next = plain(row);
  const habits = state + SLOT + 5 * row;
  const away = habits + 7 * row;
  for (let half: usize = 0; half < used(); half += VECTOR) {
    const restart = v128.load(wave + half);
    const far = v128.load(wave + SLOT + half);
    const events = v128.load(state + half);
    for (let at = half; at < row; at += SLOT) {
      const param = params + plain(at);
      const present = v128.load(wave + WAVE_HEAD + row + at);
      const value = v128.load(inputs + SLOT + at);
      const known = most(one, f32x4.sub(events, f32x4.abs(v128.load(away + at))));
      const fleet = f32x4.add(known, f32x4.splat(FLEET_WEIGHT));
      const weight = most(f32x4.splat(slowest), f32x4.div(one, fleet));
      const usual = f32x4.mul(v128.load32_splat(param), spreadFactor(v128.load(logs + at)));
      const others = within(f32x4.div(f32x4.sub(value, v128.load(foretold + at)), usual), CLIP);
      const left = f32x4.sub(value, v128.load(foretold + row + at));
      const changed = f32x4.div(left, v128.load32_splat(param + next));
      const own = offHabit(within(changed, CLIP), habits + at, weight, restart, present);
      const share = f32x4.div(one, f32x4.add(known, v128.load32_splat(param + 4 * next)));
      const off = offHabit(changed, habits + row + at, share, restart, present);
      const factor = spreadFactor(v128.load(logs + row + at));
      const doubt = madd(factor, factor, f32x4.mul(f32x4.splat(DOUBT), share));
      const fine = within(f32x4.div(off, f32x4.sqrt(doubt)), FINE_CLIP);
      const factor2 = spreadFactor(v128.load(logs + 2 * row + at));
      const trembling = f32x4.mul(v128.load32_splat(param + 2 * next), factor2);
      const movements = f32x4.div(v128.load(movement + at), trembling);
      const size = f32x4.sqrt(least(movements, f32x4.splat(MOST_MOVEMENT)));
      const moved = f32x4.sub(size, v128.load32_splat(param + 3 * next));
      const learns = v128.andnot(present, far);
      const jitter = offHabit(moved, habits + 2 * row + at, weight, restart, learns);
      const untold = v128.andnot(nothing, v128.andnot(v128.load32_splat(loss + plain(at)), present));
      v128.store(streams + at, v128.and(others, present));
      v128.store(streams + row + at, v128.and(own, present));
      v128.store(streams + 2 * row + at, v128.and(fine, present));
      v128.store(streams + 3 * row + at, choose(jitter, untold, learns));
    }
  }
}
