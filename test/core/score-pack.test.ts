import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Score } from '../../core/events.ts';
import { scoresIn } from '../../core/score-cursor.ts';
import { packScores, ScorePacker } from '../../core/score-pack.ts';
import { scoreCursor, scoresTopic } from '../../core/topics.ts';

const T0 = 1_700_000_000_000;
const FULL: Score = {
  ...{ vin: 'WVW1', seq: 7, ts: T0, receivedTs: T0 + 9, partition: 3, offset: 41, model: 'v1' },
  ...{ score: 3.1302, threshold: 1.5, late: false, values: [90.25, null], expected: [50, null] },
  top: [{ signal: 'speedKmh', value: 90.25, expected: 50, share: 1 }],
  lost: ['coolantC'],
};
const CALM: Score = {
  ...{ vin: 'Wagen Ä 2', seq: 2 ** 53 - 1, ts: T0 + 1, receivedTs: T0 + 5, partition: 3, offset: 2 ** 47 },
  ...{ model: 'v1', score: 0.25, threshold: 1.5, late: true, values: [], expected: [], top: [] },
};

const topic = scoresTopic('v1');

describe('a record of scores', () => {
  it('gives back what was packed, told in full or not', () => {
    const value = packScores([FULL, CALM, FULL]);
    expect(scoresIn(value)).toBe(3);
    expect(topic.decode(value)).toEqual([FULL, CALM, FULL]);
    // Where a calm event stands and its score: 48 bytes and its name.
    expect(packScores([CALM, CALM]).length - packScores([CALM]).length).toBe(
      48 + Buffer.byteLength('Wagen Ä 2'),
    );
  });

  it('gives back any scores', () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    const reading = fc.option(number);
    const whole = fc.nat(2 ** 40);
    const readings = fc.array(reading, { minLength: 3, maxLength: 3 });
    const score = fc.record({
      vin: fc.string({ minLength: 1, maxLength: 64, unit: 'binary' }).map((text) => text.toWellFormed()),
      ...{ seq: whole, ts: whole, receivedTs: whole, offset: whole, score: number, late: fc.boolean() },
      told: fc.boolean(),
      values: readings,
      expected: readings,
    });
    fc.assert(
      fc.property(fc.array(score, { minLength: 1, maxLength: 20 }), (list) => {
        const facts = { partition: 1, model: 'm', threshold: 2, top: [] };
        const scores = list.map(({ told, values, expected, ...one }) => ({
          ...{ ...one, ...facts },
          ...(told ? { values, expected } : { values: [], expected: [] }),
        }));
        expect(topic.decode(packScores(scores))).toEqual(scores);
      }),
    );
  });

  it('is read in the former form too, a score as JSON, by the time of its record', () => {
    const { receivedTs: _none, ...former } = FULL;
    const value = Buffer.from(JSON.stringify(former));
    expect(scoresIn(value)).toBe(1);
    expect(topic.decode(value)).toEqual([{ ...FULL, receivedTs: 0 }]);
    const cursor = scoreCursor();
    cursor.open(value, 77);
    expect(cursor.next()).toBe(true);
    expect([cursor.receivedTs, cursor.vin, cursor.isTold, cursor.top]).toEqual([77, 'WVW1', true, FULL.top]);
    expect(cursor.next()).toBe(false);
    // And the packed one after it by the same cursor.
    cursor.open(packScores([CALM]), 78);
    expect(cursor.next()).toBe(true);
    expect(cursor.toScore()).toEqual(CALM);
    expect(cursor.next()).toBe(false);
  });

  it('closes a record before it grows too large, and one for each partition, at the time of its newest score', () => {
    const packer = new ScorePacker('v1', 1.5, 2);
    const add = (partition: number, offset: number, receivedTs: number) =>
      packer.add(partition, { ...CALM, offset, receivedTs }, null, null);
    for (let i = 0; i < 10_000; i += 1) add(3, i, T0 + (i % 7));
    add(4, 1, T0);
    const records = packer.finish();
    expect(records.map(({ value }) => scoresIn(value)).reduce((sum, count) => sum + count, 0)).toBe(10_001);
    expect(Math.max(...records.map(({ value }) => value.length))).toBeLessThan(300_000);
    expect(records.length).toBe(4);
    expect(records.map(({ timestampMs }) => timestampMs)).toEqual([T0 + 6, T0 + 6, T0 + 6, T0]);
    expect(records.flatMap(({ value }) => topic.decode(value)).map(({ offset }) => offset)).toEqual([
      ...Array(10_000).keys(),
      1,
    ]);
    expect(packer.finish()).toEqual([]);
  });

  it('is refused where it is cut, is of a newer form, or its words are none', () => {
    const whole = packScores([CALM, FULL]);
    for (let length = 0; length < whole.length; length += 1)
      expect(() => topic.decode(whole.subarray(0, length))).toThrow(/scores/);
    expect(() => topic.decode(Buffer.from([2, 0, 0]))).toThrow(/a newer telltale wrote it/);
    expect(() => topic.decode(Buffer.concat([whole.subarray(0, -1), Buffer.from('x')]))).toThrow(
      /event 3-41 .* not JSON/,
    );
  });
});
