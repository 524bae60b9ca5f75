import { describe, expect, it } from 'vitest';
import { firstModelText } from '../../training/first-model.ts';
import type { Coverage } from '../../training/report/coverage.ts';

const none = { count: 0, names: [] };
const coverage: Coverage = {
  ...{ fromMs: 0, toMs: 599_000, cars: { count: 100, names: [] }, folds: 3, byTime: false },
  ...{ judgedOn: none, leftOut: none },
};
const kind = (name: string, found: number, events = 8) => ({
  ...{ kind: name, about: '', events, found, medianDelayS: null },
});

describe('what a first model says of itself', () => {
  it('is what it found of the faults that were put in, kind by kind', () => {
    const synthetic = [kind('bias', 7), kind('late', 1), kind('frozen', 0, 0), kind('gain', 2)];
    expect(firstModelText(coverage, { synthetic })).toBe(
      'a first model, of 10 min of 100 cars. Of faults put into one signal of cars it had not seen it finds 41.7 %, most of what leaps, hardly any of what comes late. ' +
        'What cars did not do in those 10 min it has never seen, and may take for a fault',
    );
  });

  it('names no kind where none stands out', () => {
    expect(firstModelText(coverage, { synthetic: [kind('gain', 3)] })).toContain(
      'it finds 37.5 %. What cars',
    );
  });
});
