// How the embedded log stands on disk: binary keys in (topic, partition, offset) order, and a short header before each
// value. Pure functions; embedded-store.ts says in which tables they are.
import { createHash } from 'node:crypto';
import { TelltaleError } from '../errors.ts';
import type { LogRecord } from './log.ts';

/** Written once per store; another number is refused. */
export const FORMAT_VERSION = 1;

/** topic id u32, partition u16, offset u48, all big-endian so that byte order is offset order. */
export const RECORD_KEY_BYTES = 12;

export function writeRecordKey(into: Buffer, topicId: number, partition: number, offset: number): Buffer {
  into.writeUInt32BE(topicId, 0);
  into.writeUInt16BE(partition, 4);
  into.writeUIntBE(offset, 6, 6);
  return into;
}

export function recordKey(topicId: number, partition: number, offset: number): Buffer {
  return writeRecordKey(Buffer.allocUnsafe(RECORD_KEY_BYTES), topicId, partition, offset);
}

export const offsetOfKey = (key: Buffer): number => key.readUIntBE(6, 6);

/** Key of a partition's own entry: topic id u32, partition u16. */
export function partitionKey(topicId: number, partition: number): Buffer {
  const key = Buffer.allocUnsafe(6);
  key.writeUInt32BE(topicId, 0);
  key.writeUInt16BE(partition, 4);
  return key;
}

/** Longest record key that the index of a compacted topic holds as it is; a longer one stands there by its SHA-256. */
const INDEXED_KEY_BYTES = 512;

/** Key of a compacted topic's index: the partition's key, one byte of kind, the record's key or its hash. */
export function indexKey(topicId: number, partition: number, key: Uint8Array): Buffer {
  const plain = key.length <= INDEXED_KEY_BYTES;
  const name = plain ? key : createHash('sha256').update(key).digest();
  const kind = Buffer.of(plain ? 0 : 1);
  return Buffer.concat([partitionKey(topicId, partition), kind, name]);
}

/** What the store keeps of a partition besides its records. */
export interface PartitionState {
  /** Offset of the next record. */
  next: number;
  /** No record below it is retained. */
  earliest: number;
  /** Greatest timestamp so far, ms since the epoch. */
  maxTimestampMs: number;
  /** Bytes of its records, keys and headers included. */
  bytes: number;
}

const STATE_BYTES = 26;

export function encodeState(state: PartitionState): Buffer {
  const into = Buffer.allocUnsafe(STATE_BYTES);
  into.writeUIntBE(state.next, 0, 6);
  into.writeUIntBE(state.earliest, 6, 6);
  into.writeUIntBE(state.maxTimestampMs, 12, 6);
  into.writeDoubleBE(state.bytes, 18);
  return into;
}

export function decodeState(from: Buffer): PartitionState {
  if (from.length !== STATE_BYTES) throw corrupt(`a partition's entry has ${from.length} bytes`);
  return {
    next: from.readUIntBE(0, 6),
    earliest: from.readUIntBE(6, 6),
    maxTimestampMs: from.readUIntBE(12, 6),
    bytes: from.readDoubleBE(18),
  };
}

// A stored record: timestamp u48, flags u8, key length u16, [greatest timestamp so far u48], key, value.
const TOMBSTONE = 1;
/** The record is older than one before it: the greatest timestamp so far follows the header. */
const OUT_OF_ORDER = 2;
export const HEADER_BYTES = 9;
const MAX_TIMESTAMP_BYTES = 6;
/** Room before the value that `encodeRecord` may need, besides the key. */
export const MAX_HEADER_BYTES = HEADER_BYTES + MAX_TIMESTAMP_BYTES;

/** Writes a record into `scratch` and returns its length. `key` is UTF-8. */
export function encodeRecord(
  scratch: Buffer,
  key: Uint8Array,
  value: Uint8Array | null,
  timestampMs: number,
  maxTimestampMs: number,
): number {
  const late = timestampMs < maxTimestampMs;
  scratch.writeUIntBE(timestampMs, 0, 6);
  scratch[6] = (value === null ? TOMBSTONE : 0) | (late ? OUT_OF_ORDER : 0);
  scratch.writeUInt16BE(key.length, 7);
  let at = HEADER_BYTES;
  if (late) {
    scratch.writeUIntBE(maxTimestampMs, at, 6);
    at += MAX_TIMESTAMP_BYTES;
  }
  scratch.set(key, at);
  at += key.length;
  if (value !== null) {
    scratch.set(value, at);
    at += value.length;
  }
  return at;
}

const keyStart = (stored: Buffer): number =>
  (stored[6]! & OUT_OF_ORDER) === 0 ? HEADER_BYTES : MAX_HEADER_BYTES;

/** The record at `offset`; its value is a view of `stored`. */
export function decodeRecord(stored: Buffer, offset: number): LogRecord {
  if (stored.length < HEADER_BYTES) throw corrupt(`record ${offset} has ${stored.length} bytes`);
  const start = keyStart(stored);
  const end = start + stored.readUInt16BE(7);
  return {
    offset,
    timestampMs: stored.readUIntBE(0, 6),
    key: stored.toString('utf8', start, end),
    value: (stored[6]! & TOMBSTONE) === 0 ? stored.subarray(end) : null,
  };
}

export const timestampOf = (stored: Buffer): number => stored.readUIntBE(0, 6);

/** Greatest timestamp of the partition up to this record: rises with the offset, so it can be searched by halves. */
export function maxTimestampOf(stored: Buffer): number {
  return (stored[6]! & OUT_OF_ORDER) === 0 ? timestampOf(stored) : stored.readUIntBE(HEADER_BYTES, 6);
}

/** The record's key as its bytes. */
export function keyBytesOf(stored: Buffer): Buffer {
  const start = keyStart(stored);
  return stored.subarray(start, start + stored.readUInt16BE(7));
}

export function corrupt(what: string): TelltaleError {
  return new TelltaleError('LOG_CORRUPT', `the embedded log cannot be read: ${what}`);
}
