import { describe, expect, it } from 'vitest';
import { LOST, MOVED, NOT_MEASURED, STILL } from '../../../../../core/model/features.ts';
import { constantHeads } from '../../../../../core/model/heads/constant/fit.ts';
import { constantKind } from '../../../../../core/model/heads/constant/kind.ts';
import { createConstantHead } from '../../../../../core/model/heads/constant/reference.ts';
import type { ConstantSpec } from '../../../../../core/model/heads/constant/spec.ts';
import type { HeadInput } from '../../../../../core/model/heads/head.ts';

const spec: ConstantSpec = { kind: 'still', name: 'still', signals: 2, span: 3, slow: 200 };

/** Leads a head of one channel and two signals that stood still. */
function follow(head = createConstantHead(spec, 1)) {
  const state = new Float32Array(head.stateSize);
  const out = new Float64Array(1);
  return (moved: number[], restart = false, steps = 1): number => {
    const input: HeadInput = {
      features: new Float64Array(1),
      present: new Uint8Array(1),
      reconstruction: new Float64Array(1),
      moved: Uint8Array.from(moved),
      restart,
      steps,
    };
    head.step(input, state, 0, out, 0);
    return out[0]!;
  };
}

describe('the still head', () => {
  it('says nothing while all is as it always was', () => {
    const step = follow();
    for (let i = 0; i < 5; i += 1) expect(step([STILL, STILL], i === 0)).toBe(0);
  });

  it('averages what is something else: a half, three quarters, and the root of the squares of two', () => {
    const step = follow();
    step([STILL, STILL], true);
    // Less the little that has become usual: 2/201 of the event.
    expect(step([MOVED, STILL])).toBeCloseTo(0.5 - 2 / 201, 5);
    expect(step([MOVED, STILL])).toBeGreaterThan(0.72);
    const both = follow();
    expect(both([MOVED, MOVED], true)).toBeCloseTo(Math.SQRT2 * (0.5 - 2 / 201), 5);
  });

  it('holds what it knows of a signal that was not measured', () => {
    const step = follow();
    const before = step([MOVED, STILL], true);
    expect(step([NOT_MEASURED, NOT_MEASURED])).toBeCloseTo(before, 6);
  });

  it('fades when the signal is lost', () => {
    const step = follow();
    for (let i = 0; i < 6; i += 1) step([MOVED, STILL], i === 0);
    // Half of it is left after each event of a span of three, less what has become usual.
    expect(step([LOST, STILL])).toBeGreaterThan(0.4);
    for (let i = 0; i < 12; i += 1) step([LOST, STILL]);
    expect(step([LOST, STILL])).toBeLessThan(0.01);
  });

  it('takes what lasts for the car’s usual state, over pauses too', () => {
    const step = follow();
    for (let i = 0; i < 1000; i += 1) step([MOVED, STILL], i === 0);
    expect(step([MOVED, STILL])).toBeLessThan(0.01);
    step([MOVED, STILL], true);
    step([MOVED, STILL]);
    expect(step([MOVED, STILL])).toBeLessThan(0.01);
  });

  it('counts what was missed between two events: two steps weigh as two', () => {
    const one = follow();
    one([STILL, STILL], true);
    one([MOVED, STILL]);
    const two = follow();
    two([STILL, STILL], true);
    expect(two([MOVED, STILL], false, 2)).toBeCloseTo(one([MOVED, STILL]), 6);
  });

  it('forgets over a pause what it was told of before, not what is usual', () => {
    const step = follow();
    step([STILL, STILL], true);
    for (let i = 0; i < 5; i += 1) step([MOVED, STILL]);
    expect(step([STILL, STILL], true)).toBe(0);
  });

  it('as it is shipped is half sure after eleven events, sure after a minute, and used to it after an hour', () => {
    const [shipped] = constantHeads({ signals: [3, 4], values: [0, 1] });
    const step = follow(createConstantHead(shipped!, 1));
    step([STILL, STILL], true);
    const said = Array.from({ length: 3600 }, () => step([MOVED, STILL]));
    expect(
      said.findIndex(
        (value) => value >= constantKind.shape(constantHeads({ signals: [0], values: [0] })[0]!, 1, []).loud!,
      ),
    ).toBe(10);
    expect(said[60]).toBeGreaterThan(0.9);
    expect(said[3599]).toBeLessThan(0.06);
  });

  it('blames the signal, behind the channels', () => {
    const head = createConstantHead(spec, 1);
    follow(head)([STILL, MOVED], true);
    const parts = new Float64Array(3);
    head.blame(0, parts);
    expect(parts[0]).toBe(0);
    expect(parts[1]).toBe(0);
    expect(parts[2]).toBeGreaterThan(0);
  });

  it('refuses what does not fit', () => {
    expect(() => createConstantHead({ ...spec, signals: 0 }, 1)).toThrow(/0 signals/);
    expect(() => createConstantHead({ ...spec, slow: 3 }, 1)).toThrow(/spans 3 and 3 do not fit/);
  });
});
