// From the bytes of a telemetry event to numbers in catalogue order: the hot path of scoring, and how training reads history.
// Ingest has validated every event; here only what both rely on is looked at again, and null says that it does not hold.
// The log keeps what cars sent; what a reading is worth is decided here, once: of no number, and of one that the catalogue calls
// impossible (a sensor's code for "not available"), nothing is known, and it is missing like one that was not sent.
//
// Events in the form that JSON.stringify gives, with names that need no escape, are read byte by byte, several times faster
// than through JSON.parse; everything else is left to JSON.parse. Both ways give the same numbers to the last bit.
import type { Catalogue, SignalSpec } from './catalogue.ts';

/** One event. The object and its array are reused by the next read. */
export interface TelemetryEvent {
  vin: string;
  seq: number;
  tsMs: number;
  /** 32-bit hash of the session mark that the car gave, 0: none. */
  session: number;
  /** Readings in catalogue order; NaN: missing, no number, or impossible. */
  readonly values: Float64Array;
}

export type TelemetryReader = (bytes: Uint8Array) => TelemetryEvent | null;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const DOT = 0x2e;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const ZERO = 0x30;
const NINE = 0x39;
const LETTER_N = 0x6e;

/** Powers of ten that 64-bit floats hold exactly. */
const TENS = Float64Array.from({ length: 23 }, (_, i) => 10 ** i);
/** Digits whose value a 64-bit float surely holds exactly. */
const EXACT_DIGITS = 15;

/** Why something that was sent for a signal is no reading of it. */
export type NoReading = 'not-a-number' | 'out-of-range';

/** Why nothing is known from what was sent; null: it is a reading, or says itself that there is none. */
export function whyNoReading(
  sent: unknown,
  { min, max, missing }: Pick<SignalSpec, 'min' | 'max' | 'missing'>,
): NoReading | null {
  if (sent === null || sent === undefined) return null;
  if (typeof sent !== 'number') return 'not-a-number';
  // A code for "not available" is no possible reading, wherever it lies.
  return sent >= min && sent <= max && !missing?.includes(sent) ? null : 'out-of-range';
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A reader for one catalogue; null for bytes that are no telemetry event. */
export function createTelemetryReader(catalogue: Catalogue): TelemetryReader {
  const { signals } = catalogue;
  const event: TelemetryEvent = {
    vin: '',
    seq: 0,
    tsMs: 0,
    session: 0,
    values: new Float64Array(signals.length),
  };
  const quick = new QuickReader(signals, event);
  return (bytes) => (quick.read(bytes) || readSlowly(bytes, signals, event) ? event : null);
}

/** A session mark, text or number, as a number that is not 0 (FNV-1a, 32 bits); 0 of anything else. */
function sessionOf(mark: unknown): number {
  if (typeof mark !== 'string' && typeof mark !== 'number') return 0;
  const text = String(mark);
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0 || 1;
}

/** Any JSON, by the platform's parser. */
function readSlowly(bytes: Uint8Array, specs: readonly SignalSpec[], event: TelemetryEvent): boolean {
  let parsed: { vin?: unknown; seq?: unknown; ts?: unknown; session?: unknown; signals?: unknown } | null;
  try {
    parsed = JSON.parse(utf8.decode(bytes));
  } catch {
    return false;
  }
  if (typeof parsed !== 'object' || parsed === null) return false;
  const { vin, seq, ts, session, signals } = parsed;
  if (typeof vin !== 'string' || vin === '') return false;
  if (!Number.isSafeInteger(seq) || (seq as number) < 0) return false;
  if (!Number.isSafeInteger(ts) || (ts as number) < 0) return false;
  if (typeof signals !== 'object' || signals === null || Array.isArray(signals)) return false;
  for (let i = 0; i < specs.length; i += 1) {
    const spec = specs[i]!;
    const { name } = spec;
    const sent = Object.hasOwn(signals, name) ? (signals as Record<string, unknown>)[name] : undefined;
    event.values[i] = typeof sent === 'number' && whyNoReading(sent, spec) === null ? sent : Number.NaN;
  }
  event.vin = vin;
  event.seq = seq as number;
  event.tsMs = ts as number;
  event.session = sessionOf(session);
  return true;
}

/** The usual form alone: no white space, no escapes, ASCII, the keys of the schema once each. */
class QuickReader {
  readonly #event: TelemetryEvent;
  readonly #names: readonly Uint8Array[];
  readonly #byName: ReadonlyMap<string, number>;
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  /** Codes for "not available" of the signals that have some. */
  readonly #codes: readonly (readonly number[] | null)[];
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** The number read last. */
  #number = 0;

  constructor(signals: readonly SignalSpec[], event: TelemetryEvent) {
    this.#event = event;
    this.#names = signals.map(({ name }) => Buffer.from(name));
    this.#byName = new Map(signals.map(({ name }, i) => [name, i]));
    this.#min = Float64Array.from(signals, ({ min }) => min);
    this.#max = Float64Array.from(signals, ({ max }) => max);
    this.#codes = signals.map(({ missing }) => (missing && missing.length > 0 ? missing : null));
  }

  /** False when the bytes are not of the usual form; the event is then undefined. */
  read(bytes: Uint8Array): boolean {
    this.#bytes = bytes;
    this.#at = 0;
    let found = 0;
    this.#event.session = 0;
    if (!this.#take(OPEN)) return false;
    do {
      const key = this.#text();
      if (key === null || !this.#take(COLON)) return false;
      // Keys twice or unknown are left to the other reader.
      const bit = this.#field(key);
      if (bit === 0 || (found & bit) !== 0) return false;
      found |= bit;
    } while (this.#take(COMMA));
    return this.#take(CLOSE) && this.#at === bytes.length && (found & 0b1111) === 0b1111;
  }

  #field(key: string): number {
    const event = this.#event;
    if (key === 'vin') {
      const vin = this.#text();
      if (vin === null || vin === '') return 0;
      event.vin = vin;
      return 1;
    }
    if (key === 'signals') return this.#signals() ? 2 : 0;
    if (key === 'session') return this.#session() ? 16 : 0;
    if (key !== 'seq' && key !== 'ts') return 0;
    if (!this.#readNumber() || !Number.isSafeInteger(this.#number) || this.#number < 0) return 0;
    if (key === 'seq') event.seq = this.#number;
    else event.tsMs = this.#number;
    return key === 'seq' ? 4 : 8;
  }

  #session(): boolean {
    const mark = this.#bytes[this.#at] === QUOTE ? this.#text() : this.#readNumber() ? this.#number : null;
    this.#event.session = sessionOf(mark);
    return mark !== null;
  }

  #take(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  /** A string of plain ASCII. */
  #text(): string | null {
    if (!this.#take(QUOTE)) return null;
    const bytes = this.#bytes;
    let text = '';
    for (; this.#at < bytes.length; this.#at += 1) {
      const byte = bytes[this.#at]!;
      if (byte === QUOTE) {
        this.#at += 1;
        return text;
      }
      if (byte < 0x20 || byte > 0x7e || byte === 0x5c) return null;
      text += String.fromCharCode(byte);
    }
    return null;
  }

  #signals(): boolean {
    const { values } = this.#event;
    values.fill(Number.NaN);
    if (!this.#take(OPEN)) return false;
    if (this.#take(CLOSE)) return true;
    let next = 0;
    do {
      const index = this.#signalName(next);
      if (index === -2) return false;
      if (index >= 0) next = index + 1;
      if (this.#bytes[this.#at] === LETTER_N) {
        if (!this.#null()) return false;
        if (index >= 0) values[index] = Number.NaN;
      } else {
        if (!this.#readNumber()) return false;
        if (index >= 0) {
          const value = this.#number;
          const possible = value >= this.#min[index]! && value <= this.#max[index]!;
          values[index] = possible && !this.#codes[index]?.includes(value) ? value : Number.NaN;
        }
      }
    } while (this.#take(COMMA));
    return this.#take(CLOSE);
  }

  /** `"name":`; its place in the catalogue, −1 for a name that is not there, −2 for what is no name. */
  #signalName(likely: number): number {
    const expected = this.#names[likely];
    const bytes = this.#bytes;
    const start = this.#at;
    if (expected !== undefined && bytes[start] === QUOTE) {
      const end = start + 1 + expected.length;
      let i = 0;
      while (i < expected.length && bytes[start + 1 + i] === expected[i]) i += 1;
      if (i === expected.length && bytes[end] === QUOTE && bytes[end + 1] === COLON) {
        this.#at = end + 2;
        return likely;
      }
    }
    const name = this.#text();
    if (name === null || !this.#take(COLON)) return -2;
    return this.#byName.get(name) ?? -1;
  }

  #null(): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    const spelled = bytes[at + 1] === 0x75 && bytes[at + 2] === 0x6c && bytes[at + 3] === 0x6c;
    this.#at += 4;
    return spelled;
  }

  /**
   * A decimal of up to 15 digits without exponent: its digits are an exact whole number, and dividing that by an exact power of
   * ten rounds once, as JSON.parse does (Clinger 1990). Longer ones and exponents are left to the other reader.
   */
  #readNumber(): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    const negative = bytes[at] === MINUS;
    if (negative) at += 1;
    const start = at;
    let whole = 0;
    let byte = bytes[at]!;
    for (; byte >= ZERO && byte <= NINE; byte = bytes[at]!) {
      whole = whole * 10 + (byte - ZERO);
      at += 1;
    }
    let digits = at - start;
    if (digits === 0 || (digits > 1 && bytes[start] === ZERO)) return false;
    let decimals = 0;
    if (byte === DOT) {
      at += 1;
      const first = at;
      byte = bytes[at]!;
      for (; byte >= ZERO && byte <= NINE; byte = bytes[at]!) {
        whole = whole * 10 + (byte - ZERO);
        at += 1;
      }
      decimals = at - first;
      if (decimals === 0) return false;
      digits += decimals;
    }
    if (digits > EXACT_DIGITS || byte === 0x65 || byte === 0x45) return false;
    const value = decimals === 0 ? whole : whole / TENS[decimals]!;
    this.#number = negative ? -value : value;
    this.#at = at;
    return true;
  }
}
