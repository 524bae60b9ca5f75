import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, newSequence } from '../../core/sequence.ts';
import { decodeSequence, encodeSequence, MOST_SEQUENCE_BYTES } from '../../scoring/sequence-bytes.ts';

const event = fc.record({
  seq: fc.oneof(fc.nat(200), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })),
  tsMs: fc.oneof(fc.nat(1e6), fc.integer({ min: 0, max: 8.64e15 })),
  hash: fc.integer({ min: 0, max: 0xffff_ffff }),
  session: fc.constantFrom(0, 1, 0xffff_ffff),
});

describe("what is remembered of a car's numbers", () => {
  it('comes back from its bytes as it was, and is refused where they are cut short', () => {
    let sessions = 0;
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), (events) => {
        const sequence = newSequence();
        for (const one of events) admit(sequence, one);
        sessions += sequence.length;
        const view = new DataView(new ArrayBuffer(5 + MOST_SEQUENCE_BYTES));
        const end = encodeSequence(sequence, view, 5);
        expect(decodeSequence(new DataView(view.buffer, 0, end), 5)).toEqual({ sequence, end });
        for (let cut = 5; cut < end; cut += 1)
          expect(decodeSequence(new DataView(view.buffer, 0, cut), 5), `${cut} of ${end}`).toBe(null);
      }),
      { seed: 1, numRuns: 150 },
    );
    expect(sessions).toBeGreaterThan(300);
  });

  it('takes few bytes of a car that counts', () => {
    const sequence = newSequence();
    for (let seq = 0; seq < 1000; seq += 1)
      admit(sequence, { seq: seq + 5e12, tsMs: 1.7e12 + 10_000 * seq, hash: 0xffff_ffff, session: 7 });
    const view = new DataView(new ArrayBuffer(MOST_SEQUENCE_BYTES));
    expect(encodeSequence(sequence, view, 0)).toBeLessThan(180);
  });
});
