// Reading records of `scores.<model>`: a cursor over the scores in them, which reads of each only what it is asked for.
// Both forms are read, the packed one (score-pack.ts) and the former one, a score as JSON: a fleet that runs survives
// the update.
import { TelltaleError } from './errors.ts';
import type { Score, SignalShare } from './events.ts';
import { ASCII, EVENT_BYTES, FORM, HEAD_BYTES, LATE, READINGS, WORDS, type Words } from './score-pack.ts';

const BRACE = 0x7b;

/** How many scores a record holds, without reading them. */
export function scoresIn(value: Uint8Array): number {
  if (value[0] !== FORM || value.length < HEAD_BYTES) return 1;
  return new DataView(value.buffer, value.byteOffset, value.byteLength).getUint32(4, true);
}

const broken = (what: string, cause?: unknown) =>
  new TelltaleError('RECORD_INVALID', `scores: ${what}`, { cause });

/**
 * The scores of one record after another. The cursor is the present score: `next` moves it on. What costs is read when
 * it is asked for: `values`, `expected`, `top`, `lost`.
 */
export class ScoreCursor implements Score {
  vin = '';
  seq = 0;
  ts = 0;
  /** Ingest time of the event. */
  receivedTs = 0;
  partition = 0;
  offset = 0;
  model = '';
  score = 0;
  threshold = 0;
  late = false;
  readonly #former: (bytes: Uint8Array) => Score;
  #single: Score | null = null;
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #signals = 0;
  #left = 0;
  #flags = 0;
  /** Where the present event's readings begin, and where the next event does. */
  #rest = 0;
  #end = 0;
  #modelBytes: Buffer = Buffer.alloc(0);

  /** @param former reads a record of the former form */
  constructor(former: (bytes: Uint8Array) => Score) {
    this.#former = former;
  }

  /** Stands before the first score of a record. @throws TelltaleError RECORD_INVALID */
  open(value: Uint8Array, timestampMs: number): void {
    this.#single = null;
    this.#left = 0;
    if (value[0] === BRACE) {
      this.#single = this.#former(value);
      this.receivedTs = this.#single.receivedTs ?? timestampMs;
      this.#left = 1;
      return;
    }
    if (value[0] !== FORM || value.length < HEAD_BYTES)
      throw broken(`form ${value[0]} of ${value.length} bytes is not known here; a newer telltale wrote it`);
    this.#bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    this.#view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    this.#end = HEAD_BYTES + this.#view.getUint8(1);
    const name = this.#bytes.subarray(HEAD_BYTES, this.#end);
    if (!name.equals(this.#modelBytes)) {
      this.#modelBytes = Buffer.from(name);
      this.model = this.#modelBytes.toString();
    }
    this.#signals = this.#view.getUint16(2, true);
    this.#left = this.#view.getUint32(4, true);
    this.threshold = this.#view.getFloat64(8, true);
    this.partition = this.#view.getUint32(16, true);
  }

  /** Moves on to the next score; false when there is none. @throws TelltaleError RECORD_INVALID */
  next(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    if (this.#single !== null) {
      this.#modelBytes = Buffer.alloc(0);
      const { vin, seq, ts, partition, offset, model, score, threshold, late } = this.#single;
      Object.assign(this, { vin, seq, ts, partition, offset, model, score, threshold, late });
      return true;
    }
    const view = this.#view;
    const at = this.#end;
    const length = at + EVENT_BYTES <= view.byteLength ? view.getUint32(at, true) : 0;
    const vinBytes = length === 0 ? 0 : view.getUint16(at + 6, true);
    const rest = at + EVENT_BYTES + vinBytes;
    const flags = length === 0 ? 0 : view.getUint8(at + 4);
    const told = (flags & READINGS) === 0 ? 0 : 16 * this.#signals;
    if (length === 0 || rest + told > at + length || at + length > view.byteLength)
      throw broken(`a record ends in the middle of an event, ${this.#left + 1} before its end`);
    this.#flags = flags;
    this.#rest = rest;
    this.#end = at + length;
    this.late = (flags & LATE) !== 0;
    this.seq = view.getFloat64(at + 8, true);
    this.ts = view.getFloat64(at + 16, true);
    this.receivedTs = view.getFloat64(at + 24, true);
    this.offset = view.getFloat64(at + 32, true);
    this.score = view.getFloat64(at + 40, true);
    this.vin = this.#bytes.toString((flags & ASCII) !== 0 ? 'latin1' : 'utf8', at + EVENT_BYTES, rest);
    return true;
  }

  /** Whether readings and expectations are told with the present score. */
  get isTold(): boolean {
    return this.#single === null ? (this.#flags & READINGS) !== 0 : this.#single.values.length > 0;
  }

  #column(first: number): (number | null)[] {
    const column: (number | null)[] = [];
    for (let i = 0, at = this.#rest + first; i < this.#signals; i += 1, at += 16) {
      const value = this.#view.getFloat64(at, true);
      column.push(Number.isNaN(value) ? null : value);
    }
    return column;
  }

  get values(): (number | null)[] {
    if (this.#single !== null) return this.#single.values;
    return this.isTold ? this.#column(0) : [];
  }

  get expected(): (number | null)[] {
    if (this.#single !== null) return this.#single.expected;
    return this.isTold ? this.#column(8) : [];
  }

  get #words(): Partial<Words> {
    if ((this.#flags & WORDS) === 0) return {};
    const from = this.#rest + (this.isTold ? 16 * this.#signals : 0);
    try {
      return JSON.parse(this.#bytes.toString('utf8', from, this.#end));
    } catch (cause) {
      throw broken(`what event ${this.partition}-${this.offset} says in words is not JSON`, cause);
    }
  }

  get top(): SignalShare[] {
    return this.#single !== null ? this.#single.top : [...(this.#words.top ?? [])];
  }

  get lost(): string[] {
    return this.#single !== null ? (this.#single.lost ?? []) : [...(this.#words.lost ?? [])];
  }

  /** The present score as a value of its own. */
  toScore(): Score {
    const { vin, seq, ts, receivedTs, partition, offset, model, score, threshold, late } = this;
    const { values, expected, top, lost } = this;
    return {
      ...{ vin, seq, ts, receivedTs, partition, offset, model, score, threshold, late },
      ...{ values, expected, top, ...(lost.length > 0 ? { lost } : {}) },
    };
  }
}
