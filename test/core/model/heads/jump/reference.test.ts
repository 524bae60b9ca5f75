import { describe, expect, it } from 'vitest';
import { createJumpHead, jumpOf } from '../../../../../core/model/heads/jump/reference.ts';
import type { JumpSpec } from '../../../../../core/model/heads/jump/spec.ts';
import { encodeFloats } from '../../../../../core/model/numbers.ts';
import { follow } from '../follow.ts';

/** Levels rise by 1 for each unit. */
const TAIL = { at: [0, 1], levels: [0, 1], slope: 1 };
const spec = (over: Partial<JumpSpec> = {}): JumpSpec => ({
  kind: 'shock',
  name: 'shock',
  seldom: [0.5, 1],
  gauge: {
    span: 1,
    precision: encodeFloats([1, 0, 0, 1]),
    tails: [TAIL, TAIL],
  },
  ...over,
});

describe('jumpOf', () => {
  it('is what a movement has beyond what is seldom exceeded, in multiples of it, signed and bounded', () => {
    expect(jumpOf(0.5, 0.5)).toBe(0);
    expect(jumpOf(1.5, 0.5)).toBe(2);
    expect(jumpOf(-1.5, 0.5)).toBe(-2);
    expect(jumpOf(1e6, 0.5)).toBe(20);
  });
});

describe('the shock head', () => {
  it('is silent on usual movements and speaks on a jump, up or down', () => {
    const step = follow(createJumpHead(spec(), 2));
    expect(step([0, 0], [1, 1], true)).toBe(0);
    expect(step([0.5, -1])).toBe(0);
    expect(step([2, -1])).toBe(2);
    expect(step([2, -4])).toBe(2);
    expect(step([2, -4])).toBe(0);
  });

  it('holds a jump over its span', () => {
    const step = follow(createJumpHead(spec({ gauge: { ...spec().gauge, span: 3 } }), 2));
    step([0, 0], [1, 1], true);
    expect(step([2.5, 0])).toBe(2);
    expect(step([2.5, 0])).toBe(1);
    expect(step([2.5, 0])).toBe(0.5);
  });

  it('sees no jump across a restart, and one across a gap in a single reading', () => {
    const step = follow(createJumpHead(spec(), 2));
    step([0, 0], [1, 1], true);
    expect(step([0, 9], [1, 1], true)).toBe(0);
    expect(step([0, 0], [1, 0])).toBe(0);
    expect(step([0, 7])).toBe(1);
  });

  it('takes the usual step of a coarse reading for no shock, up or down, however the state rounds', () => {
    // Steps of 0.5 in a feature of this scale: neither the feature nor the step is a number a state of 32 bits can hold.
    const coarse = (reading: number) => (reading - 31.7) / 3.49;
    const head = createJumpHead(spec({ seldom: [Math.fround(0.5 / 3.49), 1] }), 2);
    const step = follow(head);
    step([coarse(34.5), 0], [1, 1], true);
    for (const reading of [35, 34.5, 35, 34.5, 34, 34.5]) expect(step([coarse(reading), 0])).toBe(0);
    expect(step([coarse(35.5), 0])).toBeCloseTo(1, 5);
  });

  it('blames the channel that jumped', () => {
    const head = createJumpHead(spec(), 2);
    const step = follow(head);
    step([0, 0], [1, 1], true);
    step([1.5, 0.2]);
    const parts = new Float64Array(2);
    head.blame(0, parts);
    expect([...parts]).toEqual([2, 0]);
  });

  it('refuses movements that do not fit its channels', () => {
    expect(() => createJumpHead(spec({ seldom: [1] }), 2)).toThrow(/2 channels/);
    expect(() => createJumpHead(spec({ seldom: [1, 0] }), 2)).toThrow(/2 channels/);
  });
});
