import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../scoring/byte-writer.ts';

const written = (write: (writer: ByteWriter) => void) => {
  const writer = new ByteWriter();
  write(writer);
  return Buffer.from(writer.finish()).toString();
};

describe('ByteWriter', () => {
  it.each([
    [0, 3, '0'],
    [-0.0001, 2, '0'],
    [7, 0, '7'],
    [100, 2, '100'],
    [0.05, 2, '0.05'],
    [-12.5, 1, '-12.5'],
    [1.999, 2, '2'],
    [1_700_000_000_123, 0, '1700000000123'],
    [Number.NaN, 2, 'null'],
    [Number.POSITIVE_INFINITY, 2, 'null'],
    [1e300, 2, '1e+300'],
    [123_456_789.25, 4, '123456789.25'],
  ])('writes %d with %i decimals as %s', (value, decimals, text) => {
    expect(written((writer) => writer.number(value, decimals))).toBe(text);
  });

  it('writes JSON numbers within half a unit of the last decimal', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.integer({ min: 0, max: 9 }),
        (value, decimals) => {
          const text = written((writer) => writer.number(value, decimals));
          expect(text).toMatch(/^-?(0|[1-9]\d*)(\.\d*[1-9])?$/);
          expect(Math.abs(JSON.parse(text) - value)).toBeLessThanOrEqual(0.5 * 10 ** -decimals + 1e-9);
        },
      ),
    );
  });

  it('keeps readings of up to two decimals exactly', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(10 ** 8), max: 10 ** 8 }), (hundredths) => {
        expect(JSON.parse(written((writer) => writer.reading(hundredths / 100, 6))) + 0).toBe(
          hundredths / 100 + 0,
        );
      }),
    );
  });

  it('grows with what is written, and starts anew', () => {
    const writer = new ByteWriter();
    for (let i = 0; i < 3000; i += 1) writer.text('äb');
    expect(writer.finish().length).toBe(9000);
    expect(writer.finish().length).toBe(0);
  });
});
