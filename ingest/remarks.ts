// What was accepted, but not all of it: readings that are taken as missing, names that nobody reads, events without a reading.
// All of it is counted; each cause is one line with how many there were, of how many cars, and an example.
import type { Catalogue, SignalSpec } from '../core/catalogue.ts';
import { counted } from '../core/counted.ts';
import { invariant } from '../core/errors.ts';
import type { Metrics } from '../core/metrics.ts';
import { printable } from '../core/printable.ts';
import type { NoReading } from '../core/telemetry-reader.ts';

/** Something in an event that no reader will use. */
export interface Remark {
  readonly reason: NoReading | 'unknown-signal' | 'unknown-field' | 'no-reading';
  /** The catalogue's name; empty where the remark is on no signal of it. */
  readonly signal: string;
  readonly count: number;
  /** What was sent, or the first of the names. */
  readonly examples: readonly unknown[];
}

/** Signals told one by one; the others of a reason share a line. */
const MAX_SIGNALS_TOLD = 20;
/** Cars counted of one cause. */
const MAX_CARS = 100;
/** Names kept of one cause, and characters of each. */
const MAX_NAMES = 3;
const MAX_QUOTED = 40;

interface Tally {
  count: number;
  readonly cars: Set<string>;
  readonly names: string[];
}

export interface RemarksOptions {
  readonly catalogue: Catalogue;
  readonly metrics: Metrics;
  /** Tells a line, or counts it when its cause was told a moment ago. */
  readonly report: (cause: string, line: string) => void;
}

export class Remarks {
  readonly #options: RemarksOptions;
  readonly #specs: ReadonlyMap<string, SignalSpec>;
  readonly #tallies = new Map<string, Tally>();
  readonly #readings: ReturnType<Metrics['counter']>;
  readonly #events: ReturnType<Metrics['counter']>;

  constructor(options: RemarksOptions) {
    this.#options = options;
    this.#specs = new Map(options.catalogue.signals.map((spec) => [spec.name, spec]));
    this.#readings = options.metrics.counter('telltale_ingest_readings_total');
    this.#events = options.metrics.counter('telltale_ingest_odd_events_total');
  }

  /** Counts and tells what was remarked on an accepted event of a car. */
  add(vin: string, remarks: readonly Remark[]): void {
    for (const remark of remarks) {
      const { reason, signal, count } = remark;
      if (reason === 'unknown-field' || reason === 'no-reading') this.#events.inc({ reason }, count);
      else this.#readings.inc({ reason, signal }, count);
      const { cause, tally, own } = this.#tallyOf(reason, signal);
      tally.count += count;
      if (tally.cars.size < MAX_CARS) tally.cars.add(vin);
      if (signal === '')
        for (const name of remark.examples.map((one) => quoted(String(one))))
          if (tally.names.length < MAX_NAMES && !tally.names.includes(name)) tally.names.push(name);
      this.#options.report(cause, `ingest: ${this.#line(remark, own, tally, vin)}`);
    }
  }

  #tallyOf(reason: Remark['reason'], signal: string) {
    const ownCause = `${reason} ${signal}`;
    const own = this.#tallies.has(ownCause) || this.#tallies.size < MAX_SIGNALS_TOLD || signal === '';
    const cause = own ? ownCause : `${reason} of other signals`;
    let tally = this.#tallies.get(cause);
    if (!tally) {
      tally = { count: 0, cars: new Set(), names: [] };
      this.#tallies.set(cause, tally);
    }
    return { cause, tally, own };
  }

  #line({ reason, signal, examples }: Remark, own: boolean, tally: Tally, vin: string): string {
    const many = (what: string) => `${counted(tally.count, what)} of ${carsIn(tally)}`;
    const first = tally.names.join(', ');
    if (reason === 'no-reading')
      return `${many('event')} without any reading (e.g. from ${quoted(vin)}): nothing of them can be scored`;
    if (reason === 'unknown-field')
      return `${many('event')} with fields that nobody reads (such as ${first}): the rest of them is taken`;
    if (reason === 'unknown-signal')
      return `${many('reading')} under names that catalogue ${this.#options.catalogue.name} does not have (such as ${first}): left out`;
    const example = `(e.g. ${shown(examples[0])} from ${quoted(vin)}), taken as missing`;
    if (!own)
      return `${many('reading')} of other signals (now ${signal}) that are ${reason === 'out-of-range' ? 'out of range' : 'no numbers'} ${example}`;
    if (reason === 'not-a-number')
      return `${signal}: ${many('reading')} ${tally.count === 1 ? 'is no number' : 'are no numbers'} ${example}`;
    const spec = this.#specs.get(signal);
    invariant(spec !== undefined, 'a range is known of a signal of the catalogue');
    const range = `outside ${spec.min}…${spec.max}${spec.unit === '' ? '' : ` ${spec.unit}`}`;
    const codes = (spec.missing ?? []).length > 0 ? ' or a code for "not available"' : '';
    return `${signal}: ${many('reading')} ${range}${codes} ${example}`;
  }
}

const carsIn = ({ cars }: Tally): string =>
  cars.size === MAX_CARS ? `${MAX_CARS} or more cars` : counted(cars.size, 'car');

const quoted = (text: string): string => printable(text, MAX_QUOTED);

/** What was sent for a reading. Lists and objects are only named: they may be nested deeper than a stack. */
function shown(sent: unknown): string {
  if (typeof sent === 'string') return `"${quoted(sent)}"`;
  if (typeof sent === 'object') return Array.isArray(sent) ? 'a list' : 'an object';
  return String(sent);
}
