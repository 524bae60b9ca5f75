// An isolation forest (Liu, Ting & Zhou 2008): random cuts separate what is strange sooner. 100 trees of 256 rows, as
// there.

import type { Prepared } from '../../../core/model/prepared.ts';
import { type Random, seededRandom } from '../../../core/model/random.ts';
import { type Baseline, thinned } from './baseline.ts';

const TREES = 100;
const ROWS = 256;
const DEPTH = 8;
const ROWS_AT_ONCE = 256;

/** Trees as flat arrays; a leaf has channel −1 and its path length as `cut`. */
interface Tree {
  readonly channel: Int32Array;
  readonly cut: Float64Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
}

/** Mean path length of an unsuccessful search among n rows (Liu et al., equation 1). */
function meanPath(n: number): number {
  if (n <= 1) return 0;
  return 2 * (Math.log(n - 1) + 0.5772156649) - (2 * (n - 1)) / n;
}

function grow(rows: Float64Array, channels: number, chosen: readonly number[], random: Random): Tree {
  const channel: number[] = [];
  const cut: number[] = [];
  const left: number[] = [];
  const right: number[] = [];
  const build = (members: readonly number[], depth: number): number => {
    const node = channel.length;
    channel.push(-1);
    cut.push(depth + meanPath(members.length));
    left.push(-1);
    right.push(-1);
    if (depth >= DEPTH || members.length <= 1) return node;
    const k = Math.floor(random() * channels);
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (const r of members) {
      min = Math.min(min, rows[r * channels + k]!);
      max = Math.max(max, rows[r * channels + k]!);
    }
    if (!(max > min)) return node;
    const at = min + random() * (max - min);
    const below = members.filter((r) => rows[r * channels + k]! < at);
    const above = members.filter((r) => rows[r * channels + k]! >= at);
    channel[node] = k;
    cut[node] = at;
    left[node] = build(below, depth + 1);
    right[node] = build(above, depth + 1);
    return node;
  };
  build(chosen, 0);
  return {
    channel: Int32Array.from(channel),
    cut: Float64Array.from(cut),
    left: Int32Array.from(left),
    right: Int32Array.from(right),
  };
}

export function fitIsolationForest(prepared: Prepared, seed: number): Baseline {
  const { channels } = prepared;
  const { rows, count } = thinned(prepared, 20_000);
  const random = seededRandom(seed, 'forest');
  const size = Math.min(ROWS, count);
  const trees = Array.from({ length: TREES }, () => {
    const chosen = Array.from({ length: size }, () => Math.floor(random() * count));
    return grow(rows, channels, chosen, random);
  });
  const usual = Math.max(1e-9, meanPath(size));
  return {
    name: 'isolation forest',
    about: `${TREES} trees of ${size} rows`,
    score: ({ features, count: n }) => {
      // Path lengths first, some rows at a time by one tree after the other: both then stay in the processor's cache.
      const paths = new Float64Array(n);
      for (let from = 0; from < n; from += ROWS_AT_ONCE) {
        const to = Math.min(n, from + ROWS_AT_ONCE);
        for (const { channel, cut, left, right } of trees) {
          for (let r = from; r < to; r += 1) {
            let node = 0;
            while (channel[node]! >= 0)
              node = features[r * channels + channel[node]!]! < cut[node]! ? left[node]! : right[node]!;
            paths[r]! += cut[node]!;
          }
        }
      }
      return paths.map((path) => 2 ** (-path / TREES / usual));
    },
  };
}
