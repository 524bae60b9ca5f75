// The bytes of a record of `scores.<model>`: the scores of a batch of events, one after another, in the order of their
// offsets. A score says as much as its readers need (docs/design/0009): of a calm event where it stands, when it was,
// and its score, at fixed places that are read without parsing; of one that is told in full also the readings, what was
// expected, and the signals to blame.
//
// Layout, little-endian. Head: form u8 (1), bytes of the model's name u8, signals u16, events u32, threshold f64,
// partition u32, name. Each event: bytes of the whole u32, flags u8, 0 u8, bytes of the VIN u16, seq f64, ts f64,
// receivedTs f64, offset f64, score f64, VIN; with READINGS (a flag): a value f64 and then an expectation f64 for each
// signal, NaN for none; with WORDS: JSON of `top` and `lost` to the end. Records of the former form, one score as JSON,
// begin with `{`; score-cursor.ts reads both.
import { invariant } from './errors.ts';
import type { Score, SignalShare } from './events.ts';

export const FORM = 1;
export const HEAD_BYTES = 20;
export const EVENT_BYTES = 48;
/** What an event's flags say. */
export const LATE = 1;
export const ASCII = 2;
export const READINGS = 4;
export const WORDS = 8;
/** A record is closed when it has grown past this, so that it stays far below what a log takes. */
const MAX_PACK_BYTES = 256 * 1024;

/** A score as it is packed; `readings` and `words` for one that is told in full. */
export interface PackedScore {
  readonly vin: string;
  readonly seq: number;
  readonly ts: number;
  readonly receivedTs: number;
  readonly offset: number;
  readonly score: number;
  readonly late: boolean;
}

/** Values and expectations in catalogue order; NaN: missing. */
export interface Readings {
  readonly values: ArrayLike<number>;
  readonly expected: ArrayLike<number>;
}

/** What a person is told of a score. */
export interface Words {
  readonly top: readonly SignalShare[];
  readonly lost: readonly string[];
}

export interface ScoreRecord {
  /** The VIN of its first event: that its partition follows from is the same for all of them. */
  readonly key: string;
  readonly value: Uint8Array;
  /** Ingest time of its newest event: whoever seeks by time finds no later record than he needs. */
  readonly timestampMs: number;
}

/** Packs scores of one model into records. */
export class ScorePacker {
  readonly #model: Buffer;
  readonly #threshold: number;
  readonly #signals: number;
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
  #at = 0;
  #events = 0;
  #partition = 0;
  #key = '';
  #newestMs = 0;
  #records: ScoreRecord[] = [];

  constructor(model: string, threshold: number, signals: number) {
    this.#model = Buffer.from(model);
    this.#threshold = threshold;
    this.#signals = signals;
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#at + count));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer, larger.byteOffset, larger.byteLength);
  }

  #begin(partition: number, vin: string): void {
    this.#partition = partition;
    this.#key = vin;
    this.#newestMs = 0;
    this.#reserve(HEAD_BYTES + this.#model.length);
    this.#at = HEAD_BYTES + this.#model.length;
  }

  add(partition: number, score: PackedScore, readings: Readings | null, words: Words | null): void {
    const { vin } = score;
    if (this.#events > 0 && (this.#at > MAX_PACK_BYTES || partition !== this.#partition)) this.#close();
    if (this.#events === 0) this.#begin(partition, vin);
    const vinBytes = Buffer.byteLength(vin);
    const tail = words === null ? null : Buffer.from(JSON.stringify(words));
    const readingBytes = readings === null ? 0 : 16 * this.#signals;
    const length = EVENT_BYTES + vinBytes + readingBytes + (tail?.length ?? 0);
    this.#reserve(length);
    const view = this.#view;
    const at = this.#at;
    const ascii = vinBytes === vin.length;
    view.setUint32(at, length, true);
    view.setUint8(
      at + 4,
      (score.late ? LATE : 0) | (ascii ? ASCII : 0) | (readings ? READINGS : 0) | (tail ? WORDS : 0),
    );
    view.setUint8(at + 5, 0);
    view.setUint16(at + 6, vinBytes, true);
    view.setFloat64(at + 8, score.seq, true);
    view.setFloat64(at + 16, score.ts, true);
    view.setFloat64(at + 24, score.receivedTs, true);
    view.setFloat64(at + 32, score.offset, true);
    view.setFloat64(at + 40, score.score, true);
    this.#bytes.write(vin, at + EVENT_BYTES, ascii ? 'latin1' : 'utf8');
    let next = at + EVENT_BYTES + vinBytes;
    if (readings !== null) {
      for (let i = 0; i < this.#signals; i += 1, next += 16) {
        view.setFloat64(next, readings.values[i] ?? Number.NaN, true);
        view.setFloat64(next + 8, readings.expected[i] ?? Number.NaN, true);
      }
    }
    if (tail !== null) this.#bytes.set(tail, next);
    this.#at = at + length;
    this.#events += 1;
    this.#newestMs = Math.max(this.#newestMs, score.receivedTs);
  }

  #close(): void {
    const view = this.#view;
    view.setUint8(0, FORM);
    view.setUint8(1, this.#model.length);
    view.setUint16(2, this.#signals, true);
    view.setUint32(4, this.#events, true);
    view.setFloat64(8, this.#threshold, true);
    view.setUint32(16, this.#partition, true);
    this.#bytes.set(this.#model, HEAD_BYTES);
    const value = Buffer.from(this.#bytes.subarray(0, this.#at));
    this.#records.push({ key: this.#key, value, timestampMs: this.#newestMs });
    this.#events = 0;
    this.#at = 0;
  }

  /** The records of what was added since the last call; none of nothing. */
  finish(): readonly ScoreRecord[] {
    if (this.#events > 0) this.#close();
    const records = this.#records;
    this.#records = [];
    return records;
  }
}

/** The scores of one record, which are of one model and partition. */
export function packScores(scores: readonly Score[]): Uint8Array {
  const [first] = scores;
  invariant(first !== undefined, 'a record of scores without a score');
  const signals = scores.reduce((most, { values }) => Math.max(most, values.length), 0);
  const packer = new ScorePacker(first.model, first.threshold, signals);
  const numbers = (column: readonly (number | null)[]) => column.map((value) => value ?? Number.NaN);
  for (const score of scores) {
    const { values, expected, top, lost = [], receivedTs = score.ts } = score;
    const readings = values.length > 0 ? { values: numbers(values), expected: numbers(expected) } : null;
    const words = top.length > 0 || lost.length > 0 ? { top, lost } : null;
    packer.add(first.partition, { ...score, receivedTs }, readings, words);
  }
  const records = packer.finish();
  invariant(records.length === 1, `${scores.length} scores do not fit into one record`);
  return records[0]!.value;
}
