import { describe, expect, it } from 'vitest';
import { fitRelationHead } from '../../../../../core/model/heads/relation/fit.ts';
import { createRelationHead } from '../../../../../core/model/heads/relation/reference.ts';
import { decodeFloats } from '../../../../../core/model/numbers.ts';
import { type Prepared, rowInput } from '../../../../../core/model/prepared.ts';
import { normal, seededRandom } from '../../../../../core/model/random.ts';
import { prepare } from '../../../../../training/data/prepare.ts';
import type { Series } from '../../../../../training/data/series.ts';

const CARS = 6;
const ROWS = 600;
const SCALER = { signals: [0, 1, 2], center: [0, 0, 0], scale: [1, 1, 1], clip: 8 };
const TIME = { stepMs: 1000, gapMs: 60_000 };

/** Signal 2 follows from 0 and 1, bent; 0 and 1 wander on their own. */
function drive(id: string, seed: number): Series {
  const random = seededRandom(seed, 'drive');
  const values = new Float32Array(ROWS * 3);
  let a = 0;
  let b = 0;
  for (let r = 0; r < ROWS; r += 1) {
    a = 0.97 * a + 0.24 * normal(random);
    b = 0.97 * b + 0.24 * normal(random);
    values.set([a, b, Math.tanh(a) + 0.5 * b + 0.05 * normal(random)], r * 3);
  }
  return { id, tsMs: Float64Array.from({ length: ROWS }, (_, r) => r * 1000), values };
}

const drives = Array.from({ length: CARS }, (_, c) => drive(`car${c}`, c));
const prepared = prepare(drives, SCALER, 3, TIME);
const folds = Uint8Array.from({ length: CARS * ROWS }, (_, r) => Math.floor(r / ROWS) % 3);
const fitted = await fitRelationHead(prepared, folds, 3, { seed: 1, trim: 0.03, progress: async () => {} });

/** Statistics row after row, and the index of one of them by name. */
function run(rows: Prepared) {
  const head = createRelationHead(fitted.final, 3);
  const state = new Float32Array(head.stateSize);
  const out = new Float64Array(head.statistics.length);
  const input = rowInput(rows);
  const parts = new Float64Array(3);
  const expected = new Float64Array(3);
  const last = { statistics: new Map<string, number>(), expected, parts };
  for (let r = 0; r < rows.count; r += 1) head.step(input(r), state, 0, out, 0);
  head.statistics.forEach((name, s) => {
    last.statistics.set(name, out[s]!);
  });
  head.expected?.(expected);
  head.blame(0, parts);
  return last;
}

describe('the relation head', () => {
  const fresh = drive('fresh', 99);
  const broken: Series = { ...fresh, values: fresh.values.slice() };
  // The last 150 rows show signal 2 of another time: every value possible, the relation gone.
  for (let r = ROWS - 150; r < ROWS; r += 1) broken.values[r * 3 + 2] = -fresh.values[(r - 300) * 3 + 2]!;

  it('foretells a channel from the others on a car it has not seen', () => {
    let error = 0;
    let spread = 0;
    for (let upTo = 60; upTo < ROWS; upTo += 45) {
      const part: Series = {
        ...fresh,
        tsMs: fresh.tsMs.subarray(0, upTo),
        values: fresh.values.subarray(0, upTo * 3),
      };
      const { expected } = run(prepare([part], SCALER, 3, TIME));
      const newest = fresh.values[(upTo - 1) * 3 + 2]!;
      error += (expected[2]! - newest) ** 2;
      spread += newest ** 2;
    }
    expect(error).toBeLessThan(0.15 * spread);
  });

  it('rises by far when only the relation is broken, and blames the channels of that relation', () => {
    const calm = run(prepare([fresh], SCALER, 3, TIME));
    const loud = run(prepare([broken], SCALER, 3, TIME));
    for (const name of calm.statistics.keys()) {
      if (!name.startsWith('others')) continue;
      expect(loud.statistics.get(name)!).toBeGreaterThan(4 * calm.statistics.get(name)!);
    }
    expect(loud.parts[2]!).toBeGreaterThan(0);
  });

  it('sees a frozen sensor by its stillness', () => {
    const frozen: Series = { ...fresh, values: fresh.values.slice() };
    for (let r = ROWS - 150; r < ROWS; r += 1) frozen.values[r * 3] = fresh.values[(ROWS - 150) * 3]!;
    const jitter = [...run(prepare([fresh], SCALER, 3, TIME)).statistics].find(([name]) =>
      name.startsWith('jitter'),
    )!;
    const still = run(prepare([frozen], SCALER, 3, TIME)).statistics.get(jitter[0])!;
    expect(still).toBeGreaterThan(2 * jitter[1]);
  });

  it('knows by its own level what kind of car it is, and reads nothing into chance', async () => {
    // Of half the cars signal 1 follows signal 0, of the others its opposite; signal 1's level tells which. Signal 2 is each car's own.
    const cars = Array.from({ length: 24 }, (_, c): Series => {
      const random = seededRandom(c, 'kinds');
      const sign = c % 2 === 0 ? 1 : -1;
      const still = normal(random);
      const values = new Float32Array(ROWS * 3);
      let a = 0;
      for (let r = 0; r < ROWS; r += 1) {
        a = 0.9 * a + 0.4 * normal(random);
        values.set([a, sign * (a + 1) + 0.05 * normal(random), still + 0.05 * normal(random)], r * 3);
      }
      return { id: `car${c}`, tsMs: Float64Array.from({ length: ROWS }, (_, r) => r * 1000), values };
    });
    const rows = prepare(cars, SCALER, 3, TIME);
    const ofRow = Uint8Array.from({ length: 24 * ROWS }, (_, r) => Math.floor(r / ROWS / 2) % 4);
    const options = { seed: 1, trim: 0, maxRows: 3600, progress: async () => {} };
    const { final } = await fitRelationHead(rows, ofRow, 4, options);
    const spreads = decodeFloats(final.spreads, 12, 'test');
    // The others cannot tell the two kinds apart, its own level can.
    expect(spreads[1]!).toBeGreaterThan(0.8);
    expect(spreads[3 + 1]!).toBeLessThan(0.6 * spreads[1]!);
    // What the others foretell of signal 2 is hardly more wrong than its plain spread of about 1.
    expect(spreads[2]!).toBeLessThan(1.25);
  });

  it('calibrates long averages on the long stretches, however many short ones stand beside them', async () => {
    const longest = async (series: readonly Series[]) => {
      const rows = prepare(series, SCALER, 3, TIME);
      const ofRow = Uint8Array.from(series.flatMap(({ tsMs }, i) => Array.from(tsMs, () => i % 3)));
      const { final } = await fitRelationHead(rows, ofRow, 3, {
        ...{ seed: 1, trim: 0, maxRows: 600, progress: async () => {} },
      });
      return Math.max(...final.gauges.map(({ span }) => span));
    };
    const short = Array.from({ length: 40 }, (_, i): Series => {
      const { id, tsMs, values } = drives[i % CARS]!;
      return { id: `${id} short ${i}`, tsMs: tsMs.subarray(0, 60), values: values.subarray(0, 180) };
    });
    // An eighth of a stretch of 600.
    expect(await longest(drives)).toBe(75);
    // Of 6,000 rows 3,600 lie in stretches of 600 and 2,400 in stretches of 60: in 384 on average. The mean stretch has 130.
    expect(await longest([...drives, ...short])).toBe(48);
  });

  it('can be stopped between the parts of its work, and says how far it is', async () => {
    const seen: number[] = [];
    const stopped = fitRelationHead(prepared, folds, 3, {
      seed: 1,
      trim: 0.03,
      progress: async (done) => {
        seen.push(done);
        if (seen.length === 8) throw new Error('stop');
      },
    });
    await expect(stopped).rejects.toThrow('stop');
    expect(seen).toHaveLength(8);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBeLessThan(0.6);
  });

  it('fits the same from the same seed', async () => {
    const again = await fitRelationHead(prepared, folds, 3, {
      seed: 1,
      trim: 0.03,
      progress: async () => {},
    });
    expect(again).toEqual(fitted);
  });

  it('refuses units that do not fit the channels', () => {
    expect(() => createRelationHead({ ...fitted.final, unitInputs: [99] }, 3)).toThrow(/units do not fit/);
    expect(() => createRelationHead(fitted.final, 4)).toThrow(/MODEL_INVALID|numbers|fit/);
  });
});
