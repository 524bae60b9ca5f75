// A counter that begins anew was once taken for redeliveries, and a car that had restarted was never scored again.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, contentHash, MAX_GAPS, MAX_MARKS, MAX_SESSIONS, newSequence } from '../../core/sequence.ts';

const T0 = 1_700_000_000_000;
interface Told {
  readonly seq: number;
  /** Seconds after T0. */
  readonly at: number;
  readonly hash?: number;
  readonly session?: number;
}
const identity = ({ seq, at, hash = 1 + seq * 7919 + at * 31, session = 0 }: Told) => ({
  seq,
  tsMs: T0 + Math.round(1000 * at),
  hash: hash >>> 0,
  session,
});
const kinds = (events: readonly Told[], sequence = newSequence()) =>
  events.map((event) => admit(sequence, identity(event)).kind);
const drive = (from: number, to: number, at: number, session = 0): Told[] =>
  Array.from({ length: to - from }, (_, i) => ({ seq: from + i, at: at + i, session }));
const only = (kind: string, count: number) => Array.from({ length: count }, () => kind);

describe('a session', () => {
  it('remembers the gaps and admits what falls into them, once', () => {
    const sequence = newSequence();
    const at = (...seqs: number[]) =>
      kinds(
        seqs.map((seq) => ({ seq, at: seq })),
        sequence,
      );
    expect(at(5, 6, 9, 7, 7, 8, 8, 5, 2, 2)).toEqual([
      'next',
      'next',
      'next',
      'filled',
      'duplicate',
      'filled',
      'duplicate',
      'duplicate',
      'filled',
      'duplicate',
    ]);
    expect(sequence).toMatchObject([{ highest: 9, gaps: [0, 1, 3, 4] }]);
  });

  it('admits each number exactly once in any order, as long as the gaps fit', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60), { maxLength: 150 }), (numbers) => {
        const sequence = newSequence();
        const seen = new Set<number>();
        for (const seq of numbers) {
          expect(kinds([{ seq, at: seq }], sequence)[0] === 'duplicate').toBe(seen.has(seq));
          seen.add(seq);
        }
      }),
    );
  });

  it('closes the oldest gap when there are too many, and says of what lies in it that it cannot tell', () => {
    const sequence = newSequence();
    kinds(
      Array.from({ length: MAX_GAPS + 1 }, (_, i) => ({ seq: 2 * i + 1, at: 2 * i + 1 })),
      sequence,
    );
    expect(sequence[0]!.gaps.length).toBe(2 * MAX_GAPS);
    // Never seen, as its mark tells; the second time it cannot be told from what was.
    expect(kinds([{ seq: 0, at: 0 }], sequence)).toEqual(['filled']);
    expect(kinds([{ seq: 0, at: 0 }], sequence)).toEqual(['forgotten']);
    expect(kinds([{ seq: 2, at: 2 }], sequence)).toEqual(['filled']);
  });

  it('keeps a bounded number of marks, the first always', () => {
    const sequence = newSequence();
    kinds(drive(3, 5003, 0), sequence);
    expect(sequence[0]!.markCount).toBeLessThanOrEqual(MAX_MARKS);
    expect([...sequence[0]!.marks.subarray(0, 3)]).toEqual([3, T0, T0]);
  });
});

describe('a restart', () => {
  it.each([1, 5, 31, 300, 5000])(
    'is told at once after %i events, whatever the number it begins with',
    (uptime) => {
      for (const first of [0, 1, Math.floor(uptime / 2), Math.max(0, uptime - 2)]) {
        const sequence = newSequence();
        kinds(drive(0, uptime, 0), sequence);
        const again = drive(first, first + uptime + 20, uptime + 40);
        expect(kinds(again, sequence)).toEqual([
          uptime > first ? 'restart' : 'next',
          ...only('next', again.length - 1),
        ]);
        // What comes again of both sessions is known.
        expect(kinds(again, sequence)).toEqual(only('duplicate', again.length));
        expect(kinds(drive(0, uptime, 0), sequence)).toEqual(only('duplicate', uptime));
      }
    },
  );

  it('is told although the clock fell behind', () => {
    const sequence = newSequence();
    kinds(drive(0, 300, 0), sequence);
    const again = drive(0, 30, 290);
    expect(kinds(again, sequence)).toEqual(['restart', ...only('next', 29)]);
    expect(kinds(again, sequence)).toEqual(only('duplicate', 30));
  });

  it('is told where number and time repeat, by what the first event says', () => {
    const sequence = newSequence();
    kinds(drive(0, 300, 0), sequence);
    const again = drive(0, 30, 0).map((event) => ({ ...event, hash: 77 + event.seq }));
    expect(kinds(again, sequence)).toEqual(['restart', ...only('next', 29)]);
  });

  it('may be followed by the rest of the session before', () => {
    const sequence = newSequence();
    kinds(drive(0, 300, 0), sequence);
    kinds(drive(0, 3, 400), sequence);
    const rest = [...drive(305, 308, 305), { seq: 301, at: 301 }, { seq: 299, at: 299 }];
    expect(kinds(rest, sequence)).toEqual(['filled', 'filled', 'filled', 'filled', 'duplicate']);
    expect(kinds(drive(3, 6, 403), sequence)).toEqual(only('next', 3));
  });

  it('is not made of one number out of this world: the next event is a new one, and so are all after it', () => {
    const sequence = newSequence();
    kinds(drive(0, 100, 0), sequence);
    expect(kinds([{ seq: 4e15, at: 700 }], sequence)).toEqual(['next']);
    const after = kinds(drive(100, 900, 100), sequence);
    expect(after).not.toContain('duplicate');
    expect(after).not.toContain('forgotten');
  });

  it('is told for certain by a session mark, even of the same numbers, times and contents', () => {
    const sequence = newSequence();
    expect(kinds(drive(0, 50, 0, 11), sequence)).toEqual(only('next', 50));
    expect(kinds(drive(0, 50, 0, 12), sequence)).toEqual(['restart', ...only('next', 49)]);
    expect(kinds(drive(0, 50, 0, 11), sequence)).toEqual(only('duplicate', 50));
    expect(kinds([{ seq: 50, at: 50, session: 11 }], sequence)).toEqual(['filled']);
    expect(kinds([{ seq: 50, at: 50, session: 12 }], sequence)).toEqual(['next']);
  });

  it('may bear a name that was there before: a day, a device, a boot count that was lost', () => {
    const sequence = newSequence();
    // The same name all along, and a counter that begins anew twice.
    for (const at of [0, 1000, 2000]) {
      const again = kinds(drive(0, 50, at, 7), sequence);
      expect(again.filter((kind) => kind === 'duplicate' || kind === 'forgotten')).toEqual([]);
    }
    // What comes again of each is still known.
    for (const at of [2000, 1000, 0])
      expect(kinds(drive(0, 50, at, 7), sequence)).toEqual(only('duplicate', 50));
    expect(kinds([{ seq: 50, at: 2050, session: 7 }], sequence)).toEqual(['next']);
    // Another session between two of the name.
    const other = newSequence();
    kinds([...drive(0, 50, 0, 7), ...drive(0, 50, 100, 8)], other);
    expect(kinds(drive(0, 50, 200, 7), other)[0]).toBe('restart');
  });

  it('pushes out the oldest session, of which redeliveries then count as forgotten', () => {
    const sequence = newSequence();
    for (let boot = 0; boot <= MAX_SESSIONS; boot += 1) kinds(drive(0, 10, 100 * boot, 1 + boot), sequence);
    expect(sequence.length).toBe(MAX_SESSIONS);
    expect(kinds([{ seq: 3, at: 3, session: 1 }], sequence)).toEqual(['forgotten']);
  });
});

/** What a car sends over some restarts, and how a network delivers it: lost, out of order, again. */
const delivery = fc
  .record({
    sessions: fc.array(
      fc.record({
        events: fc.integer({ min: 1, max: 120 }),
        first: fc.constantFrom('zero', 'one', 'saved'),
        pauseS: fc.integer({ min: 1, max: 300 }),
        lostShare: fc.constantFrom(0, 0, 0.1),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    seed: fc.integer(),
  })
  .map(({ sessions, seed }) => {
    let state = seed >>> 0;
    const random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const sent: (Told & { readonly id: number })[] = [];
    let at = 0;
    let reached = 0;
    for (const { events, first, pauseS, lostShare } of sessions) {
      at += pauseS;
      let seq = first === 'zero' ? 0 : first === 'one' ? 1 : Math.floor(random() * (reached + 1));
      for (let e = 0; e < events; e += 1, seq += 1, at += 1)
        if (random() >= lostShare)
          sent.push({ seq, at, id: sent.length, hash: Math.floor(random() * 2 ** 32) });
      reached = seq;
    }
    // Out of order by a place, and stretches of the last twenty again, as after a lost connection.
    const delivered: (typeof sent)[number][] = [];
    for (let e = 0; e < sent.length; e += 1) {
      delivered.push(sent[e]!);
      if (delivered.length > 1 && random() < 0.1) {
        const last = delivered.length - 1;
        [delivered[last - 1], delivered[last]] = [delivered[last]!, delivered[last - 1]!];
      }
      if (random() < 0.05) delivered.push(...sent.slice(Math.max(0, e - Math.floor(20 * random())), e + 1));
    }
    return delivered;
  });

it('each event of any restarts, reorders and redeliveries is new exactly once', () => {
  fc.assert(
    fc.property(delivery, (events) => {
      const sequence = newSequence();
      const seen = new Set<number>();
      for (const event of events) {
        const { kind } = admit(sequence, identity(event));
        expect(kind === 'duplicate' || kind === 'forgotten', JSON.stringify(event)).toBe(seen.has(event.id));
        seen.add(event.id);
      }
    }),
    { numRuns: 500 },
  );
});

it('the hash of readings tells any one of them', () => {
  const values = Float64Array.of(1, Number.NaN, 0.1, -7);
  const hash = contentHash(values);
  const before = hash();
  for (let i = 0; i < values.length; i += 1) {
    const kept = values[i]!;
    values[i] = Number.isNaN(kept) ? 0 : kept + 1e-9;
    expect(hash()).not.toBe(before);
    values[i] = kept;
  }
  expect(hash()).toBe(before);
});
