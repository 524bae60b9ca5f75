// What a signal's readings may be: codes for "not available" and readings outside its possible range are taken as missing, and
// counted by signal, so that whoever reads the rows can say so.
import type { SignalSpec } from './catalogue.ts';
import { counted } from './counted.ts';
import { shown } from './recording-fault.ts';

/** Of one signal; null: anything may be a reading. */
type Limit = Pick<SignalSpec, 'min' | 'max' | 'missing'> | null;

/** The limits of signals, in the order in which their readings are asked for. */
export class Limits {
  readonly #names: readonly string[];
  readonly #limits: readonly Limit[];
  readonly #codes: readonly (ReadonlySet<number> | null)[];
  readonly #outside: Float64Array;
  readonly #coded: Float64Array;
  readonly #first: (number | undefined)[] = [];

  /** @param free positions of signals that have no range: whatever they read is news */
  constructor(signals: readonly SignalSpec[], free: ReadonlySet<number> = new Set()) {
    this.#names = signals.map(({ name }) => name);
    this.#limits = signals.map((signal, i) => (free.has(i) ? null : signal));
    this.#codes = signals.map(({ missing }) => (missing && missing.length > 0 ? new Set(missing) : null));
    this.#outside = new Float64Array(signals.length);
    this.#coded = new Float64Array(signals.length);
  }

  /** Whether somebody said that the signal has no codes: an empty list of them. */
  keepsAll(c: number): boolean {
    return this.#limits[c]?.missing?.length === 0;
  }

  /** The reading, or NaN when it is none. */
  take(c: number, value: number): number {
    const limit = this.#limits[c];
    if (this.#codes[c]?.has(value)) {
      this.#coded[c]! += 1;
      return Number.NaN;
    }
    if (!limit || (value >= limit.min && value <= limit.max) || Number.isNaN(value)) return value;
    this.#outside[c]! += 1;
    this.#first[c] ??= value;
    return Number.NaN;
  }

  /** What was taken as missing, a line for each cause. */
  remarks(): string[] {
    const each = (say: (c: number) => string, counts: Float64Array) =>
      this.#names.flatMap((name, c) => (counts[c]! > 0 ? [`${shown(name)} (${say(c)})`] : []));
    const coded = each((c) => counted(this.#coded[c]!, 'cell'), this.#coded);
    const outside = each((c) => {
      const { min, max } = this.#limits[c]!;
      return `${counted(this.#outside[c]!, 'cell')}, the first ${this.#first[c]}, possible ${round(min)} to ${round(max)}`;
    }, this.#outside);
    return [
      ...(coded.length > 0 ? [`codes for "not available", taken as missing: ${some(coded)}`] : []),
      ...(outside.length > 0 ? [`outside the catalogue's range, taken as missing: ${some(outside)}`] : []),
    ];
  }
}

/** Signals named in a line. */
const MOST_NAMED = 8;
const some = (parts: readonly string[]) =>
  parts.slice(0, MOST_NAMED).join(', ') +
  (parts.length > MOST_NAMED ? ` and ${parts.length - MOST_NAMED} more` : '');

const round = (value: number) => Number(value.toPrecision(4));
