// What a person should know of a recording that was scored: columns that are not what they were in training, signals that the model
// does not see as it sees others, rows that come at another rate, and alerts that are up nearly all the time.
import { counted, percent } from '../core/counted.ts';
import type { ModelBundle } from '../core/model/bundle.ts';
import { hasChanged } from '../core/model/features.ts';
import type { Recording } from '../core/recording.ts';
import type { ColumnFacts } from '../core/recording-column.ts';
import type { RowOrder } from '../core/recording-order.ts';
import type { RecordingRow } from '../core/recording-rows.ts';

/** Names told of in one line; the others are counted. */
const MOST_NAMED = 6;

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMED;
  return more <= 1 ? names.join(', ') : `${names.slice(0, MOST_NAMED).join(', ')} and ${more} more`;
}

/** Signals of the model that the recording has a number for. */
export const signalsGiven = ({ columns }: Recording, names: readonly string[]): string[] =>
  names.filter((name) => columns.some((column) => column.name === name && column.count > 0));

/** Signals of the model that the recording lacks or cannot give in every row, and columns the model does not know. */
export function columnRemarks({ columns, ignored, signals }: Recording, names: readonly string[]): string[] {
  const found = names.flatMap((name) => columns.find((column) => column.name === name) ?? []);
  const left = names.filter((name) => ignored.includes(name));
  const absent = names.filter(
    (name) => !left.includes(name) && !found.some((column) => column.name === name),
  );
  const named = (which: (column: ColumnFacts) => boolean) => found.filter(which).map(({ name }) => name);
  const empty = named(({ count, unreadable }) => count === 0 && unreadable === 0);
  const text = named(({ count, unreadable }) => count === 0 && unreadable > 0);
  const holed = found.flatMap(({ name, count, unreadable }) =>
    count > 0 && unreadable > 0 ? [`${name} (${percent(unreadable, count + unreadable)})`] : [],
  );
  const extra = signals.filter((name) => !names.includes(name));
  const line = (what: string, which: readonly string[]) =>
    which.length === 0 ? [] : [`${what}: ${listed(which)}`];
  return [
    ...line('lacks signals of the model, taken as missing', absent),
    ...line('ignores signals of the model, taken as missing', left),
    ...line('columns that are empty here, taken as missing', empty),
    ...line('columns without a number here, taken as missing', text),
    ...line('cells that are no numbers, each taken as missing', holed),
    ...line('has columns the model does not know, not used', extra),
  ];
}

/** Readings of signals that are no channels of the model: they (almost) never moved in training, or were hardly there. */
export class UnusualSignals {
  readonly #bundle: ModelBundle;
  readonly #still: ReadonlySet<number>;
  readonly #signals: readonly number[];
  /** By signal: the rows in which it was something else, and the first of them. */
  readonly #moved = new Map<number, { rows: number; readonly first: string }>();

  constructor(bundle: ModelBundle) {
    this.#bundle = bundle;
    this.#still = new Set(bundle.still.signals);
    const watched = new Set(bundle.scaler.signals);
    this.#signals = bundle.catalogue.signals.flatMap((_, i) =>
      watched.has(i) || (bundle.medians[i] ?? null) === null ? [] : [i],
    );
  }

  see({ id, timeText, values }: RecordingRow): void {
    for (const signal of this.#signals) {
      const value = values[signal]!;
      if (!hasChanged(value, this.#bundle.medians[signal]!)) continue;
      const seen = this.#moved.get(signal);
      if (seen) seen.rows += 1;
      else this.#moved.set(signal, { rows: 1, first: `${value} at ${id} ${timeText}` });
    }
  }

  remarks(): string[] {
    const told = (still: boolean) =>
      [...this.#moved]
        .filter(([signal]) => this.#still.has(signal) === still)
        .map(([signal, { rows, first }]) => {
          const { name } = this.#bundle.catalogue.signals[signal]!;
          return `${name} (${Number(this.#bundle.medians[signal]!.toPrecision(6))}; here something else in ${counted(rows, 'row')}, first ${first})`;
        });
    const still = told(true);
    const unwatched = told(false);
    return [
      ...(still.length > 0 ? [`always the same in training: ${listed(still)}`] : []),
      ...(unwatched.length > 0
        ? [`hardly ever moved or hardly measured in training, so not watched: ${listed(unwatched)}`]
        : []),
    ];
  }
}

/** Ids told apart for one lost signal; of more, there are at least so many. */
const MOST_IDS = 10_000;

/** Signals that ids stopped measuring, or never began to: what was foretold from them counted less in those rows. */
export class LostSignals {
  readonly #bundle: ModelBundle;
  readonly #lost = new Map<number, { rows: number; readonly ids: Set<string>; readonly first: string }>();

  constructor(bundle: ModelBundle) {
    this.#bundle = bundle;
  }

  /** @param lost places in the catalogue, as in a finding */
  see({ id, timeText }: RecordingRow, lost: readonly number[]): void {
    for (const signal of lost) {
      let seen = this.#lost.get(signal);
      if (!seen) {
        seen = { rows: 0, ids: new Set(), first: `${id} ${timeText}` };
        this.#lost.set(signal, seen);
      }
      seen.rows += 1;
      if (seen.ids.size < MOST_IDS) seen.ids.add(id);
    }
  }

  /** @param given signals that the recording has a number for: of the others it is said already that they are missing */
  remarks(given: readonly string[]): string[] {
    const told = [...this.#lost].flatMap(([signal, { rows, ids, first }]) => {
      const { name } = this.#bundle.catalogue.signals[signal]!;
      return given.includes(name)
        ? [
            `${name} (${counted(rows, 'row')} of ${ids.size < MOST_IDS ? '' : 'at least '}${counted(ids.size, 'id')}, first ${first})`,
          ]
        : [];
    });
    if (told.length === 0) return [];
    return [
      `signals that are not measured for longer than is usual, so they say nothing there: ${listed(told)}`,
    ];
  }
}

/** Older rows in a row after which the time of an id is taken to begin anew, as training takes it. */
const BEGUN_ANEW = 10;

interface LastRow {
  newestMs: number;
  older: number;
  readonly values: Float64Array;
}

/** Rows that are older than the one before, or that come twice: what orderRemarks tells. */
export class RowsInTime implements RowOrder {
  readonly #last = new Map<string, LastRow>();
  outOfOrder = 0;
  begunAnew = 0;
  twice = 0;

  see(id: string, tsMs: number, values: Float64Array): void {
    const last = this.#last.get(id);
    if (!last) {
      this.#last.set(id, { newestMs: tsMs, older: 0, values: values.slice() });
      return;
    }
    if (tsMs < last.newestMs) {
      last.older += 1;
      this.outOfOrder += 1;
      if (last.older < BEGUN_ANEW) return;
      this.outOfOrder -= 1;
      this.begunAnew += 1;
    } else if (tsMs === last.newestMs && values.every((value, k) => Object.is(value, last.values[k])))
      this.twice += 1;
    last.older = 0;
    last.newestMs = tsMs;
    last.values.set(values);
  }
}

/** Steps between rows that are kept to tell the usual one: when there are as many, every other is let go. */
const MOST_STEPS = 20_000;
/** How far the usual step may be from that of training, as a factor. */
const MOST_APART = 2;

/** How far rows of one id come apart, against what the model was trained on: by an even choice of all rows. */
export class RowSteps {
  #steps: number[] = [];
  #stride = 1;
  #seen = 0;

  see(stepMs: number): void {
    if (!(stepMs > 0 && Number.isFinite(stepMs))) return;
    if (this.#seen % this.#stride === 0) this.#steps.push(stepMs);
    this.#seen += 1;
    if (this.#steps.length < MOST_STEPS) return;
    this.#steps = this.#steps.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }

  remarks(trainedMs: number): string[] {
    const sorted = this.#steps.toSorted((a, b) => a - b);
    const usual = sorted[sorted.length >> 1];
    if (usual === undefined) return [];
    if (usual <= MOST_APART * trainedMs && trainedMs <= MOST_APART * usual) return [];
    const seconds = (ms: number) => `${Number((ms / 1000).toPrecision(3))} s`;
    return [
      `rows come ${seconds(usual)} apart, in training it was ${seconds(trainedMs)}: scores mean little at another rate; train on rows that come as these do`,
    ];
  }
}

/** Rows from which on an alert that is up most of the time says more of the recording than of any car. */
const MANY_ROWS = 100;

/** Whether the alerts are news at all. */
export function alertRemarks(rows: number, rowsInAlert: number): string[] {
  if (rows < MANY_ROWS || rowsInAlert <= rows / 2) return [];
  return [
    `${rowsInAlert.toLocaleString('en')} of ${counted(rows, 'row')} are in alert: this recording is unlike what the model was trained on`,
  ];
}
