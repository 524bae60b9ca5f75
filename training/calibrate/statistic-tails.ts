// Puts the statistics of all heads on one scale. Two things are done so that the score ranks well and a history with
// faults in it does not blind the model:
// - Leading statistics (distances of averaged relations) count from the first strangeness on and rank the rows.
// Supporting
//   ones (single channels, jumps, movements, plain residuals) are noisy in between and speak only when they are rarely so high.
// - The oddest few cars, which may be the broken ones, do not say how far a statistic usually goes.

import { concat } from '../../core/math/concat.ts';
import { quantileOf } from '../../core/math/quantile.ts';
import { fitTail } from '../../core/model/fit-tail.ts';
import type { HeadShape } from '../../core/model/heads/head.ts';
import { statisticAt, type Tail } from '../../core/model/tail.ts';
import type { HeldOutRows } from './held-out.ts';

/** Level from which a supporting statistic counts: what one normal row in ten reaches says nothing. */
const SUPPORTING_FROM = 1;
/**
 * Cars, the oddest ones in a statistic, that its tail is not read from: one in nine, but no more than this. A large
 * fleet has many that are odd without being broken (towing, in the hills), and forgetting them makes each of their like
 * an alert.
 */
const ODDEST = 3;
const ODDEST_OF = 9;
/** Level a statistic gains at most by each unit beyond what was seen: one that always rested at 0 must not leap to infinity. */
const STEEPEST = 20;
/** A car is as odd as this quantile of its statistic is high. */
const ODDNESS = 0.9;

/** Level from which each statistic of a head counts among cars. */
const countsFrom = ({ statistics, ranks }: HeadShape): number[] =>
  statistics.map((_, i) => (ranks?.[i] === 1 ? 0 : SUPPORTING_FROM));

/** The tail whose levels begin at `from`: what it gave before less `from`, 0 where that was less. */
export function countedFrom(tail: Tail, from: number): Tail {
  if (from <= 0) return tail;
  const at = [statisticAt(tail, from)];
  const levels = [0];
  for (const [i, level] of tail.levels.entries()) {
    if (level <= from || !(tail.at[i]! > at.at(-1)!)) continue;
    at.push(tail.at[i]!);
    levels.push(level - from);
  }
  if (at.length === 1) {
    at.push(at[0]! + 1 / tail.slope);
    levels.push(1);
  }
  return { at, levels, slope: tail.slope };
}

/** Values of one statistic by car. */
function byCar(judged: readonly HeldOutRows[], count: number, s: number, resting: boolean): Float64Array[] {
  const cars = new Map<string, number[]>();
  for (const { series, raw } of judged) {
    let values = cars.get(series.id);
    if (!values) {
      values = [];
      cars.set(series.id, values);
    }
    // A statistic rests at 0 while cars of another variant are followed: those rows say nothing of it.
    for (let i = s; i < raw.length; i += count) if (raw[i]! > 0 || !resting) values.push(raw[i]!);
  }
  return [...cars.values()].filter(({ length }) => length > 0).map((values) => Float64Array.from(values));
}

function withoutOddest(cars: readonly Float64Array[]): readonly Float64Array[] {
  const oddest = Math.min(ODDEST, Math.floor(cars.length / ODDEST_OF));
  const oddness = cars.map((values) => quantileOf(values.slice().sort(), ODDNESS));
  const order = [...cars.keys()].sort((a, b) => oddness[a]! - oddness[b]! || a - b);
  return order.slice(0, cars.length - oddest).map((i) => cars[i]!);
}

/**
 * The tail of each statistic of `heads`, in order, from rows judged by what had not seen them. On a single rig all
 * statistics count from the first strangeness on: its few hours leave little to tell a supporting one's rare levels by.
 * @param several whether there are several variants of cars
 */
export function fitStatisticTails(
  heads: readonly HeadShape[],
  judged: readonly HeldOutRows[],
  { several, oneRig }: { readonly several: boolean; readonly oneRig: boolean },
): Tail[] {
  const from = heads.flatMap((head) => (oneRig ? head.statistics.map(() => 0) : countsFrom(head)));
  return from.map((level, s) => {
    const cars = withoutOddest(byCar(judged, from.length, s, several));
    const values = cars.length > 0 ? concat(cars) : new Float64Array(1);
    const tail = fitTail(values, 0);
    return countedFrom({ ...tail, slope: Math.min(STEEPEST, tail.slope) }, level);
  });
}
