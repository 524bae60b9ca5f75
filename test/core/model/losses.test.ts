import { describe, expect, it } from 'vitest';
import { createLossFollower, type LossSpec } from '../../../core/model/losses.ts';
import { encodeFloats } from '../../../core/model/numbers.ts';

/** Three channels, signals 0 to 2, of which the first two go together; signal 3 is followed besides. */
const SPEC: LossSpec = {
  gaps: [2, 2, 5, 2],
  lowest: [-3, -3, -3],
  highest: [3, 3, 3],
  // Covariance 1, 0.8, 0; 0.8, 1, 0; 0, 0, 1.
  kinds: [
    {
      channels: [0, 1, 2],
      precision: encodeFloats([1, -0.8, 0, -0.8, 1, 0, 0, 0, 0.36].map((x) => x / 0.36)),
    },
  ],
};

function followed(spec = SPEC) {
  const follower = createLossFollower(spec, [0, 1, 2, 3]);
  const state = new Float32Array(follower.stateSize);
  let first = true;
  const step = (...present: readonly number[]) => {
    const losses = follower.follow(Uint8Array.from(present), first, state, 0);
    first = false;
    return losses;
  };
  return { follower, state, step };
}

describe('a lost channel', () => {
  it('is one not measured for longer than is usual for it', () => {
    const { step } = followed();
    expect(step(1, 1, 1, 1)).toBeNull();
    expect(step(0, 1, 0, 1)).toBeNull();
    expect(step(0, 1, 0, 1)).toBeNull();
    expect([...step(0, 1, 0, 1)!.lost]).toEqual([1, 0, 0]);
    expect([...step(0, 1, 0, 1)!.lost]).toEqual([1, 0, 0]);
    expect([...step(0, 1, 0, 1)!.lost]).toEqual([1, 0, 0]);
    expect([...step(0, 1, 0, 1)!.lost]).toEqual([1, 0, 1]);
  });

  it('is at once one that a car begins without', () => {
    const { step } = followed();
    expect([...step(1, 0, 1, 1)!.lost]).toEqual([0, 1, 0]);
  });

  it('is the same pattern as long as it lasts, and is remembered for a while after its return', () => {
    const { step } = followed();
    const lost = step(1, 0, 1, 1)!;
    expect(step(1, 0, 1, 1)).toBe(lost);
    const back = step(1, 1, 1, 1)!;
    expect([...back.lost]).toEqual([0, 0, 0]);
    expect([...back.since]).toEqual([0, 1, 0]);
    expect([...back.width]).toEqual([0, 1, 0]);
    let events = 1;
    for (let now: ReturnType<typeof step> = back; now !== null; events += 1) now = step(1, 1, 1, 1);
    expect(events).toBe(1025);
    expect(step(1, 1, 1, 1)).toBeNull();
  });

  it('stands where the others make it most likely, within what the history knows', () => {
    const { follower, step } = followed();
    step(1, 0, 1, 1);
    const features = Float64Array.of(2, 0, 1);
    follower.guess(features);
    expect(features[1]).toBeCloseTo(1.6, 5);
    const far = Float64Array.of(8, 0, 1);
    follower.guess(far);
    expect(far[1]).toBe(3);
  });

  it('is guessed less surely when what goes with it is lost as well', () => {
    const { step } = followed();
    expect([...step(1, 0, 1, 1)!.width]).toEqual([0, 1, 0]);
    const both = followed().step(0, 0, 1, 1)!;
    expect(both.all).toBe(false);
    // Alone its spread is 0.6, without the other 1.
    expect(both.width[0]).toBeCloseTo(1 / 0.6, 5);
    expect(both.width[1]).toBeCloseTo(1 / 0.6, 5);
    expect(followed().step(0, 0, 0, 1)!.all).toBe(true);
  });

  it('is none that cars of its kind do not measure', () => {
    const kinds = [
      { channels: [0, 1], precision: encodeFloats([1, 0, 0, 1]) },
      { channels: [0, 2], precision: encodeFloats([1, 0, 0, 1]) },
    ];
    const { follower, step } = followed({ ...SPEC, kinds });
    expect(step(1, 1, 0, 1)).toBeNull();
    for (let i = 0; i < 20; i += 1) expect(step(1, 1, 0, 1)).toBeNull();
    expect(follower.channelsOfKind()).toEqual([0, 1]);
    // It stays of its kind when nothing tells the two apart.
    for (let i = 0; i < 2; i += 1) step(1, 0, 0, 1);
    expect([...step(1, 0, 0, 1)!.lost]).toEqual([0, 1, 0]);
  });

  it('is told of other signals too', () => {
    const { follower, state, step } = followed();
    step(1, 1, 1, 1);
    for (let i = 0; i < 2; i += 1) step(1, 1, 1, 0);
    expect(follower.isLost(3, state, 0)).toBe(false);
    expect(step(1, 1, 1, 0)).toBeNull();
    expect(follower.isLost(3, state, 0)).toBe(true);
  });

  it('keeps a bounded number of patterns, which are made anew with the same numbers', () => {
    const { step } = followed();
    const first = step(1, 0, 1, 1)!;
    // Nine bins of three channels' returns make more patterns than are kept.
    for (let i = 0; i < 3000; i += 1) step(i % 7 < 4 ? 0 : 1, i % 11 < 4 ? 0 : 1, i % 13 < 7 ? 0 : 1, 1);
    const again = followed().step(1, 0, 1, 1)!;
    expect(again).toEqual(first);
  });
});

it('refuses what does not fit', () => {
  expect(() => createLossFollower({ ...SPEC, kinds: [] }, [0])).toThrow(/lost signals/);
  expect(() => createLossFollower(SPEC, [9])).toThrow(/lost signals/);
  const kinds = [{ channels: [1, 0], precision: encodeFloats([1, 0, 0, 1]) }];
  expect(() => createLossFollower({ ...SPEC, kinds }, [0])).toThrow(/kind 0 of cars/);
});
