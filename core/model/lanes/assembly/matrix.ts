// A matrix times a vector, for all cars of a wave at once: most of the work of a score. Each output is summed in the
// order of its inputs, so a car's bits do not depend on who else is in the wave.
import { five, fivePairs, four, fourPairs, six, sixPairs } from './blocks';
import { tanh4 } from './functions';
import { madd, rowOf, SLOT, used, VECTOR } from './vector';

/**
 * `pack`: how many blocks, then of each its width (4 to 6 outputs), how many inputs it uses, the byte at which its
 * outputs begin, a constant for each output, and for each input its byte and its weight in each output (packs.ts
 * packs it).
 */
export function dense(input: usize, pack: usize, output: usize): void {
  let at = pack + 4;
  const pairs = used() === SLOT;
  for (let blocks = load<i32>(pack); blocks > 0; blocks -= 1) {
    const width = load<i32>(at);
    const inputs = load<i32>(at, 4);
    const to = output + load<u32>(at, 8);
    at += 12;
    if (width === 6) at = pairs ? sixPairs(input, inputs, at, to) : six(input, inputs, at, to);
    else if (width === 5) at = pairs ? fivePairs(input, inputs, at, to) : five(input, inputs, at, to);
    else at = pairs ? fourPairs(input, inputs, at, to) : four(input, inputs, at, to);
  }
}

/** tanh of a row, in place. */
export function tanhRow(row: usize, count: i32): void {
  for (let half: usize = 0; half < used(); half += VECTOR) {
    const end = row + rowOf(count);
    for (let at = row + half; at < end; at += SLOT) v128.store(at, tanh4(v128.load(at)));
  }
}

/** The units of the forecaster: `units` holds of each the bytes of its three inputs, their weights and a constant. */
export function tanhUnits(inputs: usize, units: usize, count: i32, output: usize): void {
  const end = units + 28 * <usize>count;
  for (let half: usize = 0; half < used(); half += VECTOR) {
    const from = inputs + half;
    let to = output + half;
    for (let at = units; at < end; at += 28) {
      let sum = v128.load32_splat(at, 24);
      sum = madd(v128.load(from + load<u32>(at)), v128.load32_splat(at, 12), sum);
      sum = madd(v128.load(from + load<u32>(at, 4)), v128.load32_splat(at, 16), sum);
      sum = madd(v128.load(from + load<u32>(at, 8)), v128.load32_splat(at, 20), sum);
      v128.store(to, tanh4(sum));
      to += SLOT;
    }
  }
}
