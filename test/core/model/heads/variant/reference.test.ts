import { describe, expect, it } from 'vitest';
import type { Head, HeadInput } from '../../../../../core/model/heads/head.ts';
import type { HeadKinds } from '../../../../../core/model/heads/kind.ts';
import { createVariantHead } from '../../../../../core/model/heads/variant/reference.ts';
import type { VariantSpec } from '../../../../../core/model/heads/variant/spec.ts';

/** Counts its events and gives the sum of its features. */
const counting = (channels: number): Head => ({
  name: 'inner',
  statistics: ['count', 'sum'],
  stateSize: 1,
  step: ({ features, restart }, state, at, statistics, statisticsAt) => {
    state[at] = restart ? 1 : state[at]! + 1;
    statistics[statisticsAt] = state[at]!;
    statistics[statisticsAt + 1] = Array.from(features).reduce((a, b) => a + b, 0);
  },
  blame: (_index, parts) => {
    for (let k = 0; k < channels; k += 1) parts[k] = k + 1;
  },
  expected: (out) => out.fill(7),
});

const KINDS: HeadKinds = [
  {
    kind: 'inner',
    shape: (_spec, channels) => counting(channels),
    reference: (_spec, channels) => counting(channels),
    lanes: () => expect.unreachable('nothing here runs in lanes'),
  },
];

const spec: VariantSpec = {
  kind: 'variant',
  name: 'x-1',
  channels: [0, 2],
  others: [[0, 1, 3]],
  head: { kind: 'inner', name: 'inner' },
};

const event = (present: readonly number[], restart = false): HeadInput => ({
  features: Float64Array.from(present, (p, k) => (p === 1 ? 10 ** k : 0)),
  present: Uint8Array.from(present),
  reconstruction: new Float64Array(4),
  restart,
  steps: 1,
});

const make = () => {
  const head = createVariantHead(spec, 4, KINDS);
  const state = new Float32Array(head.stateSize);
  const statistics = new Float64Array(2);
  const step = (input: HeadInput) => {
    head.step(input, state, 0, statistics, 0);
    return [...statistics];
  };
  return { head, state, step };
};

describe('the variant head', () => {
  it('shows the inner head its own channels only', () => {
    const { step } = make();
    expect(step(event([1, 0, 1, 0], true))).toEqual([1, 101]);
    expect(step(event([1, 0, 1, 0]))).toEqual([2, 101]);
  });

  it('rests while a car of another variant is followed, its state untouched', () => {
    const { head, state, step } = make();
    expect(step(event([1, 1, 0, 1], true))).toEqual([0, 0]);
    expect([...state]).toEqual([0, 0]);
    const parts = new Float64Array(4).fill(9);
    head.blame(0, parts);
    expect([...parts]).toEqual([0, 0, 0, 0]);
    const expected = new Float64Array(4).fill(5);
    head.expected?.(expected);
    expect([...expected]).toEqual([5, 5, 5, 5]);
  });

  it('keeps its car through an event that says nothing of the variant, and takes none by it', () => {
    const { step } = make();
    const own = make();
    own.step(event([1, 0, 1, 0], true));
    expect(own.step(event([1, 0, 0, 0]))).toEqual([2, 1]);
    step(event([1, 1, 0, 1], true));
    expect(step(event([1, 0, 0, 0]))).toEqual([0, 0]);
  });

  it('begins anew when a car turns out to be its own', () => {
    const { step } = make();
    step(event([1, 1, 0, 1], true));
    expect(step(event([1, 0, 1, 0]))).toEqual([1, 101]);
  });

  it('lays blame and expectation in the places of its channels', () => {
    const { head, step } = make();
    step(event([1, 0, 1, 0], true));
    const parts = new Float64Array(4);
    head.blame(0, parts);
    expect([...parts]).toEqual([1, 0, 2, 0]);
    const expected = new Float64Array(4);
    head.expected?.(expected);
    expect([...expected]).toEqual([7, 0, 7, 0]);
  });

  it('refuses channels that do not rise or do not exist', () => {
    const broken = (channels: number[]) => () => createVariantHead({ ...spec, channels }, 4, KINDS);
    expect(broken([2, 0])).toThrow(/channels do not fit/);
    expect(broken([0, 4])).toThrow(/channels do not fit/);
    expect(broken([])).toThrow(/channels do not fit/);
  });
});
