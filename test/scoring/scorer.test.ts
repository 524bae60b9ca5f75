import { describe, expect, it } from 'vitest';
import type { Score } from '../../core/events.ts';
import type { LogRecord, RecordBatch } from '../../core/log/log.ts';
import { createDetector } from '../../core/model/detector.ts';
import { scoresTopic } from '../../core/topics.ts';
import { CLOCK_SET_BACK } from '../../scoring/follow.ts';
import { Scorer } from '../../scoring/scorer.ts';
import { handBundle, identityHead } from '../support/hand-bundle.ts';

const detector = createDetector(handBundle({ heads: [identityHead({ span: 4 })] }));
const topic = scoresTopic('v1');
const scorer = () =>
  new Scorer({ detector, version: 'v1', scoresTopic: topic.name, stateTopic: 'scorer-state.v1' });

interface Event {
  readonly seq: number;
  readonly ts?: number;
  readonly speedKmh?: number | null;
  readonly vin?: string;
  /** When it was taken in; default: T0 and an ms for each record before it. */
  readonly receivedMs?: number;
}

const T0 = 1_700_000_000_000;

function batchOf(events: readonly (Event | string)[], firstOffset = 0): RecordBatch {
  const records = events.map((event, i): LogRecord => {
    const offset = firstOffset + i;
    if (typeof event === 'string') return { offset, timestampMs: 5, key: 'A', value: Buffer.from(event) };
    const { seq, ts = T0 + 1000 * seq, speedKmh = 50, vin = 'A', receivedMs = T0 + offset } = event;
    const value = Buffer.from(JSON.stringify({ vin, seq, ts, signals: { speedKmh, coolantC: 90 } }));
    return { offset, timestampMs: receivedMs, key: vin, value };
  });
  return { topic: 'telemetry', partition: 3, records, highWatermark: firstOffset + records.length };
}

const scoresOf = (outputs: readonly { topic: string; value: Uint8Array | null }[]): Score[] =>
  outputs.filter((one) => one.topic === topic.name).flatMap((one) => topic.decode(one.value!));

describe('the scorer', () => {
  it('writes a score that says what, where and why', () => {
    const { outputs, scored } = scorer().score(batchOf([{ seq: 1, speedKmh: 90.25 }], 41));
    expect(scored).toBe(1);
    expect(outputs[0]).toMatchObject({ key: 'A', timestampMs: T0 + 41 });
    // z 4.025, weight ⅖: 1.61; both statistics 1.61 / √2, together 1.61 long and 2·ln(1 + 1.61 / √2) = 1.5202 wide.
    expect(scoresOf(outputs)[0]).toEqual({
      vin: 'A',
      seq: 1,
      ts: T0 + 1000,
      partition: 3,
      offset: 41,
      model: 'v1',
      score: 3.1302,
      threshold: 1.5,
      late: false,
      receivedTs: T0 + 41,
      values: [90.25, null, null, 90, null, null],
      expected: [50, 2000, 35, 90, 200, 7],
      top: [{ signal: 'speedKmh', value: 90.25, expected: 50, share: 1 }],
    });
  });

  it('scores a redelivered event once, in the same batch or a later one', () => {
    const one = scorer();
    expect(one.score(batchOf([{ seq: 5 }, { seq: 6 }, { seq: 5 }]))).toMatchObject({
      scored: 2,
      duplicates: 1,
    });
    expect(one.score(batchOf([{ seq: 6 }, { seq: 4 }, { seq: 4 }]))).toMatchObject({
      scored: 1,
      duplicates: 2,
    });
    // Nothing new: no outputs at all, not even a state.
    expect(one.score(batchOf([{ seq: 6 }])).outputs).toEqual([]);
  });

  it('writes the scores of a batch into one record, and snapshots after it, one a car', () => {
    const eager = new Scorer({
      ...{ detector, version: 'v1', scoresTopic: topic.name, stateTopic: 'scorer-state.v1' },
      stateBytes: 1_000_000,
    });
    const { outputs } = eager.score(batchOf([{ seq: 1 }, { seq: 1, vin: 'B' }, { seq: 2 }]));
    expect(outputs.map(({ topic: name, key }) => `${name} ${key}`)).toEqual([
      'scores.v1 A',
      'scorer-state.v1 A',
      'scorer-state.v1 B',
    ]);
  });

  it('gives each event the score it has alone, in its order, however many cars are in a batch', () => {
    // 150 cars, more than a wave holds; some twice in a row, some late, one whose clock was set back.
    const events: Event[] = [];
    for (let turn = 1; turn <= 6; turn += 1)
      for (let car = 0; car < 150; car += 1) {
        const vin = `CAR${car}`;
        const speedKmh = 50 + ((7 * car + 11 * turn) % 60);
        events.push({ vin, seq: 2 * turn, ts: T0 + 2000 * turn, speedKmh });
        if (car % 9 === 0) events.push({ vin, seq: 2 * turn + 1, ts: T0 + 2000 * turn + 1000, speedKmh: 50 });
        if (car % 50 === 3) events.push({ vin, seq: 900 + turn, ts: T0 - 100_000, speedKmh: 99 });
      }
    const [together, alone] = [scorer(), scorer()];
    const whole = scoresOf(together.score(batchOf(events)).outputs);
    const single = events.flatMap((event, i) => scoresOf(alone.score(batchOf([event], i)).outputs));
    expect(whole.map(({ offset }) => offset)).toEqual(events.map((_, i) => i));
    expect(whole).toEqual(single);
    expect(whole.filter(({ late }) => late).length).toBeGreaterThan(10);
    expect(whole.filter(({ score, threshold }) => score > threshold).length).toBeGreaterThan(100);
  });

  it('marks a late event, scores it, and leaves the state as if it had not come', () => {
    const events = [{ seq: 100, speedKmh: 60 }, { seq: 101 }, { seq: 102 }];
    const late = { seq: 40, ts: T0 + 40_000, speedKmh: 120 };
    const [with_, without] = [scorer(), scorer()];
    const mixed = with_.score(batchOf([events[0]!, events[1]!, late, events[2]!]));
    expect(mixed).toMatchObject({ scored: 4, late: 1 });
    const [, , lateScore, last] = scoresOf(mixed.outputs);
    expect(lateScore).toMatchObject({ late: true, seq: 40 });
    expect(lateScore!.score).toBeGreaterThan(1.5);
    expect(last!.score).toBe(scoresOf(without.score(batchOf(events)).outputs)[2]!.score);
  });

  it('follows a clock that was set back', () => {
    const one = scorer();
    const receivedMs = T0 + 86_400_000;
    one.score(batchOf([{ seq: 1, ts: receivedMs, receivedMs }]));
    const events = Array.from({ length: CLOCK_SET_BACK + 5 }, (_, i) => ({
      seq: 2 + i,
      ts: T0 + 1000 * i,
      receivedMs: receivedMs + 1000 * i,
    }));
    const lates = scoresOf(one.score(batchOf(events)).outputs).map(({ late }) => late);
    expect(lates.filter((late) => late).length).toBe(CLOCK_SET_BACK - 1);
    expect(lates.slice(CLOCK_SET_BACK - 1)).toEqual(Array(6).fill(false));
  });

  it('is not silenced by one event with a number and a time out of this world, nor is the scorer after it', () => {
    let one = scorer();
    const live = (seq: number): Event => ({ seq, receivedMs: T0 + 1000 * seq });
    one.score(batchOf(Array.from({ length: 20 }, (_, i) => live(i))));
    const far = one.score(batchOf([{ seq: 4e15, ts: T0 + 600_000, receivedMs: T0 + 20_000 }]));
    expect(far.scored).toBe(1);
    const states = far.outputs.filter((output) => output.topic === 'scorer-state.v1');
    one = scorer();
    expect(one.restore('A', states[0]!.value!)).toBe(true);
    const after = one.score(batchOf(Array.from({ length: 700 }, (_, i) => live(20 + i))));
    expect(after).toMatchObject({ scored: 700, late: 0, duplicates: 0, forgotten: 0 });
    expect(scoresOf(after.outputs).every(({ late }) => !late)).toBe(true);
  });

  it('scores on when a counter begins anew, and tells whose and where', () => {
    const one = scorer();
    const first = Array.from({ length: 300 }, (_, seq) => ({ seq }));
    one.score(batchOf(first));
    const second = Array.from({ length: 600 }, (_, seq) => ({ seq, ts: T0 + 1000 * (300 + seq) }));
    const after = one.score(batchOf(second));
    expect(after).toMatchObject({ scored: 600, duplicates: 0, late: 0 });
    expect(after.restarts).toEqual([{ vin: 'A', before: 299, seq: 0 }]);
    // Both sessions again: nothing new.
    expect(one.score(batchOf([...first, ...second]))).toMatchObject({
      scored: 0,
      duplicates: 900,
      restarts: [],
    });
  });

  it('passes over what cannot be read, and counts it', () => {
    const result = scorer().score(batchOf(['{"vin":', { seq: 1 }, '[]']));
    expect(result).toMatchObject({ scored: 1, invalid: 2 });
  });

  it('passes over an event under another key than its car', () => {
    const { records, ...batch } = batchOf([{ seq: 1 }, { seq: 2 }]);
    const strange = [records[0]!, { ...records[1]!, key: 'B' }];
    expect(scorer().score({ ...batch, records: strange })).toMatchObject({ scored: 1, invalid: 1 });
  });

  it('takes no state of another layout or size, however it is broken', () => {
    const state = scorer()
      .score(batchOf([{ seq: 1 }, { seq: 5 }]))
      .outputs.at(-1)!.value!;
    expect(scorer().restore('A', state)).toBe(true);
    expect(scorer().restore('A', new Uint8Array([9, 9, 9]))).toBe(false);
    expect(
      scorer().restore(
        'A',
        Uint8Array.from(state, (byte, i) => (i === 0 ? 1 : byte)),
      ),
    ).toBe(false);
    for (let length = 0; length < state.length; length += 1)
      expect(scorer().restore('A', state.subarray(0, length)), `${length} bytes`).toBe(false);
  });
});
