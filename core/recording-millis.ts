// A column of milliseconds within the second, beside times in whole seconds: loggers write date, time and "Millis" apart.
import { wordsOf } from './time-words.ts';

const MILLIS = /^(?:millis|ms|msec|msecs|millisec|millisecs|millisecond|milliseconds|millisekunden)$/;
/** Rows that tell. */
const LEAST_ROWS = 3;

/** Whether a name says nothing but milliseconds: `Millis`, `ms`, `time_ms` do, `delay ms` does not. */
export function isMillisName(name: string): boolean {
  const words = wordsOf(name).filter((word) => !/^(?:time|zeit|of|in|second)$/.test(word));
  return words.length === 1 && MILLIS.test(words[0]!);
}

/** The milliseconds of a cell; NaN when it holds none. */
export function millisOf(cell: string | undefined): number {
  const text = (cell ?? '').trim();
  return /^\d{1,3}(?:\.0+)?$/.test(text) ? Number(text) : Number.NaN;
}

/** Looks at the cells of one such column. */
export class MillisSurvey {
  readonly index: number;
  #rows = 0;
  #others = 0;
  #most = 0;

  constructor(index: number) {
    this.index = index;
  }

  add(record: readonly string[]): void {
    const ms = millisOf(record[this.index]);
    this.#rows += 1;
    if (Number.isNaN(ms)) this.#others += 1;
    else if (ms > this.#most) this.#most = ms;
  }

  /** All but a few cells are milliseconds within a second, and some of them more than a tenth of it. */
  get isMillis(): boolean {
    return this.#rows >= LEAST_ROWS && this.#others <= 0.05 * this.#rows && this.#most >= 100;
  }
}

/** Reads times, as RecordingTimes has it. */
interface Reader {
  readonly ms: (record: readonly string[], id: string) => number;
  readonly text: (record: readonly string[]) => string;
  readonly why: (record: readonly string[]) => string;
}

/** Times in whole seconds with the milliseconds of a column of their own added. */
export function withMillis(
  {
    columns,
    remarks,
    reader,
  }: {
    readonly columns: readonly number[];
    readonly remarks: readonly string[];
    reader(): Reader;
  },
  index: number,
) {
  return {
    columns: [...columns, index],
    remarks,
    reader: (): Reader => {
      const whole = reader();
      return {
        ms: (record, id) => whole.ms(record, id) + millisOf(record[index]),
        text: (record) => `${whole.text(record)} ${record[index] ?? ''}`,
        why: (record) => (Number.isNaN(millisOf(record[index])) ? 'is no time' : whole.why(record)),
      };
    },
  };
}
