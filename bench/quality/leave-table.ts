// The leave-one-out table: of each part the difference it makes, with the noise beside it.
import type { Figure } from '../support.ts';
import { seededRandom } from './data.ts';
import { hindsight, type Outcome, type Reached } from './leave.ts';

export interface Measure {
  readonly name: string;
  readonly digits: number;
  readonly of: (outcome: Outcome) => number;
}

const AP: Measure = { name: 'AP', digits: 3, of: (one) => one.averagePrecision };
const HINDSIGHT: Measure = { name: 'recall, hindsight', digits: 3, of: (one) => hindsight(one.reached) };
/** What is told of trials with faults in them, and of rigs, where only rows are labelled. */
export const EVENTS: readonly Measure[] = [
  AP,
  HINDSIGHT,
  { name: 'recall', digits: 3, of: (one) => one.budgets[0]!.recall },
  { name: 'false alerts', digits: 1, of: (one) => one.budgets[0]!.falseAlerts },
  { name: 'delay, s', digits: 1, of: (one) => one.budgets[0]!.delayS },
  { name: 'recall at a quarter', digits: 3, of: (one) => one.budgets[1]!.recall },
  { name: 'false alerts at a quarter', digits: 1, of: (one) => one.budgets[1]!.falseAlerts },
];
export const ROWS: readonly Measure[] = [AP, { name: 'F1', digits: 3, of: (one) => one.f1 }];

export interface Row {
  readonly part: string;
  /** One a split, run or fleet, beside `whole` of the same. */
  readonly outcomes: readonly { readonly without: Outcome; readonly whole: Outcome }[];
  /** µs an event and CPU seconds of fitting that the part costs; null: not measured. */
  readonly costUs: number | null;
  readonly fitS: number | null;
}

/** Mean and standard error of the mean. */
export function meanOf(values: readonly number[]): { readonly mean: number; readonly error: number } {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: n > 1 ? Math.sqrt(squares / (n - 1) / n) : Number.NaN };
}

const RESAMPLES = 200;
const SEED = 1;

/**
 * How much the difference in hindsight depends on which faults and which whole cars there happened to be: its spread over draws of them
 * with replacement, the same for both. Of several fleets together: the standard error of the mean.
 */
export function drawnError(pairs: readonly { readonly without: Reached; readonly whole: Reached }[]): number {
  const random = seededRandom(SEED);
  const drawn = (n: number) => Array.from({ length: n }, () => Math.floor(random() * n));
  const differences = Array.from({ length: RESAMPLES }, () => {
    const each = pairs.map(({ without, whole }) => {
      const faults = drawn(whole.faults.length);
      const cars = drawn(whole.whole.length);
      const of = (one: Reached) =>
        hindsight({
          faults: faults.map((i) => one.faults[i]!),
          whole: cars.map((i) => one.whole[i]!),
          most: one.most,
        });
      return of(without) - of(whole);
    });
    return each.reduce((a, b) => a + b, 0) / each.length;
  });
  const { mean } = meanOf(differences);
  return Math.sqrt(differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (RESAMPLES - 1));
}

/** Nothing where one model is all there is. */
const noise = (error: number, digits: number) => (Number.isNaN(error) ? '' : ` ± ${error.toFixed(digits)}`);
const signed = (value: number, digits: number) =>
  `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
/** No cost is below nothing: what is, is the clock's doing. */
const cost = (value: number | null, digits: number) =>
  value === null ? '' : Math.max(0, value).toFixed(digits);

/** The mean difference and its standard error; of fewer than three models that of hindsight is drawn. */
function differenceOf({ of }: Measure, outcomes: Row['outcomes']) {
  const { mean, error } = meanOf(outcomes.map((one) => of(one.without) - of(one.whole)));
  if (of !== HINDSIGHT.of || outcomes.length > 2) return { mean, error };
  const pairs = outcomes.map(({ without, whole }) => ({ without: without.reached, whole: whole.reached }));
  return { mean, error: drawnError(pairs) };
}

/** A markdown table: the whole model first, then for each part how its absence differs. */
export function tableOf(measures: readonly Measure[], rows: readonly Row[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const whole = rows[0]!.outcomes.map((one) => one.whole);
  const wholeCells = measures.map(({ digits, of }) => {
    const { mean, error } = meanOf(whole.map(of));
    return `${mean.toFixed(digits)}${noise(error, digits)}`;
  });
  const without = rows.map(({ part, outcomes, costUs, fitS }) => [
    part,
    ...measures.map((measure) => {
      const { mean, error } = differenceOf(measure, outcomes);
      return `${signed(mean, measure.digits)}${noise(error, measure.digits)}`;
    }),
    cost(costUs, 1),
    cost(fitS, 0),
  ]);
  return [
    line(['without', ...measures.map(({ name }) => name), 'costs, µs', 'fit, CPU s']),
    `|${'---|'.repeat(measures.length + 3)}`,
    line(['(nothing: the whole)', ...wholeCells, '', '']),
    ...without.map(line),
  ].join('\n');
}

/** The same as figures, to be kept. */
export function figuresOf(set: string, measures: readonly Measure[], rows: readonly Row[]): Figure[] {
  return rows.flatMap(({ part, outcomes }) =>
    measures.map((measure): Figure => {
      const { mean, error } = differenceOf(measure, outcomes);
      return {
        what: `${set}: without ${part}, ${measure.name}`,
        value: mean,
        unit: '',
        note: `± ${error.toPrecision(2)}, ${outcomes.length} pairs`,
      };
    }),
  );
}
