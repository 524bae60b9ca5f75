import { describe, expect, it } from 'vitest';
import { budgetVerdict } from '../../../training/evaluate/verdict.ts';
import { coverageLines, coverageOf } from '../../../training/report/coverage.ts';

const verdict = (askedPerHour: number, met: number, hours: number, cars: number) =>
  budgetVerdict({ askedPerHour, metPerHour: met / hours }, { hours, cars });

describe('what is said of a budget', () => {
  it('is that it is not kept where more is met than chance gives, with the figures, why, and what to do', () => {
    expect(verdict(1 / 24, 10, 22.4, 100)).toEqual({
      over: true,
      text: 'over its budget: asked for 0.042 false alerts an hour (0.93 in 22.4 h), met 0.45 (10) on cars not used to set it, because 13 min of each car say little of how odd others are. Train again when there is more history; until then expect so many, or ask for what can be met with --alert-budget',
    });
    expect(verdict(0.5, 20, 20, 5).text).toContain('because cars differ more than those it was set on');
  });

  it('is that it is kept, as far as the hours tell, where chance explains what was met', () => {
    // 0.93 are asked for: up to three are within chance, four are not.
    expect([0, 1, 3, 4].map((met) => verdict(1 / 24, met, 22.4, 100).over)).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect(verdict(1 / 24, 1, 22.4, 100).text).toMatch(
      /^keeps its budget as far as 22\.4 h can tell: asked for/,
    );
  });

  it('is that it is not known where no cars could be kept apart', () => {
    expect(verdict(0.5, Number.NaN, 1, 2)).toMatchObject({
      over: false,
      text: expect.stringMatching(/not known/),
    });
  });
});

describe('what a model was trained on', () => {
  it('is said with period, cars, who was judged and who was left out, names up to a bound', () => {
    const series = Array.from({ length: 30 }, (_, c) => ({
      id: `car${String(c).padStart(2, '0')}`,
      tsMs: Float64Array.of(1000 * c, 1000 * c + 500),
      values: new Float32Array(2),
    }));
    const folds = { count: 8, ofRow: new Uint8Array(60), byTime: false };
    const coverage = coverageOf(series, { folds, judgedOn: series.slice(3, 5), leftOut: ['z', 'y'] });
    expect(coverage).toMatchObject({ fromMs: 0, toMs: 29_500, cars: { count: 30 } });
    expect(coverage.cars.names).toHaveLength(20);
    const said = Object.fromEntries(coverageLines(coverage));
    expect(said).toMatchObject({
      period: '0.0 s to 29.5 s',
      'faults put into': '2 (car03, car04)',
      'cars left out': '2 (y, z)',
    });
    expect(said.cars).toMatch(/^30 \(car00, .*, car19, …\)$/);
    expect(coverageLines({ ...coverage, byTime: true })[2]![1]).toBe(
      'no car: too few, so 8 stretches of time in turn',
    );
  });
});
