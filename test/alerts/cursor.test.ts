import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor, MAX_CURSOR_LENGTH, startingPoint } from '../../alerts/cursor.ts';

describe('a cursor', () => {
  it('is short: seven bits of offset a byte, base64url', () => {
    // 0 → 00, 127 → 7f, 128 → 80 01, 300 → ac 02
    expect(encodeCursor([0, 127, 128, 300])).toBe(
      `c1.${Buffer.from('007f8001ac02', 'hex').toString('base64url')}`,
    );
  });

  it('comes back as it was, up to the largest offset, and fits its bound for 512 partitions', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat(), { maxLength: 512 }), (offsets) => {
        const cursor = encodeCursor(offsets);
        expect(cursor.length).toBeLessThanOrEqual(MAX_CURSOR_LENGTH);
        expect(decodeCursor(cursor)).toEqual(offsets);
      }),
    );
  });

  it('reads any word without failing', () => {
    fc.assert(
      fc.property(fc.string(), (word) => {
        const offsets = decodeCursor(`c1.${word}`);
        expect(
          offsets === null || offsets.every((offset) => Number.isSafeInteger(offset) && offset >= 0),
        ).toBe(true);
      }),
    );
    expect(decodeCursor('')).toBeNull();
    expect(decodeCursor('c1.gA')).toBeNull(); // ends inside a number
    expect(decodeCursor(`c1.${Buffer.alloc(9, 255).toString('base64url')}`)).toBeNull(); // past 2^53
    expect(decodeCursor(`c1.${'A'.repeat(MAX_CURSOR_LENGTH)}`)).toBeNull();
  });
});

describe('the starting point', () => {
  const ranges = [
    { partition: 0, earliest: 10, end: 20 },
    { partition: 1, earliest: 0, end: 5 },
  ];
  const at = (cursor: number[] | null) => {
    const { offsets, gap } = startingPoint(cursor, ranges);
    return [...offsets.map(({ offset }) => offset), gap];
  };

  it.each([
    ['in the retained range', [15, 3], [15, 3, false]],
    ['at the ends', [20, 5], [20, 5, false]],
    ['at the earliest', [10, 0], [10, 0, false]],
    ['before what is retained', [9, 3], [10, 3, true]],
    ['past the end', [15, 6], [15, 0, true]],
    ['of fewer partitions than there are now', [15], [15, 0, false]],
    ['of more partitions than there are', [15, 3, 1], [15, 3, true]],
    ['none', null, [10, 0, true]],
  ])('of a cursor %s', (_, cursor, expected) => {
    expect(at(cursor)).toEqual(expected);
  });
});
