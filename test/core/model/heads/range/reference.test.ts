import { describe, expect, it } from 'vitest';
import { createRangeHead } from '../../../../../core/model/heads/range/reference.ts';
import type { RangeSpec } from '../../../../../core/model/heads/range/spec.ts';
import { follow } from '../follow.ts';

/** Levels rise by 1 for each unit above 1. */
const TAIL = { at: [0, 1], levels: [0, 1], slope: 1 };
const spec = (over: Partial<RangeSpec> = {}): RangeSpec => ({
  kind: 'range',
  name: 'range',
  span: 1,
  high: [TAIL, TAIL],
  low: [TAIL, TAIL],
  ...over,
});

describe('the range head', () => {
  it('says how strange the strangest channel is, up or down', () => {
    const step = follow(createRangeHead(spec(), 2));
    expect(step([0, 0], [1, 1], true)).toBe(0);
    expect(step([3, 0])).toBe(3);
    expect(step([0, -5])).toBe(5);
  });

  it('blames the channel that is far out', () => {
    const head = createRangeHead(spec(), 2);
    follow(head)([1, -3], [1, 1], true);
    const parts = new Float64Array(2);
    head.blame(0, parts);
    expect([...parts]).toEqual([1, 9]);
  });

  it('averages over its span: (0 + 4)/2 with a weight of a half', () => {
    const step = follow(createRangeHead(spec({ span: 3 }), 2));
    step([0, 0], [1, 1], true);
    expect(step([4, 0])).toBe(2);
    expect(step([4, 0])).toBe(3);
  });

  it('finds nothing strange in a channel that was never measured, and forgets on a restart', () => {
    const step = follow(createRangeHead(spec(), 2));
    expect(step([9, 0], [0, 1], true)).toBe(0);
    expect(step([9, 0])).toBe(9);
    expect(step([0, 0], [0, 1])).toBe(9);
    expect(step([0, 0], [0, 1], true)).toBe(0);
  });

  it('refuses tails that do not fit and an impossible span', () => {
    expect(() => createRangeHead(spec({ high: [TAIL] }), 2)).toThrow('do not fit 2 channels');
    expect(() => createRangeHead(spec({ span: 0 }), 2)).toThrow('span 0');
  });
});
