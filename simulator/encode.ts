// Writes telemetry as MQTT 3.1.1 PUBLISH packets, byte by byte into one scratch buffer: at tens of thousands of events a
// second JSON.stringify and a packet library would cost more than the physics. The result is what they would have made.
import { mqttTopics } from '../core/topics.ts';
import { SENSORS } from './sensors.ts';

const scratch = Buffer.allocUnsafe(16_384);
const NAMES = SENSORS.map((spec) => Buffer.from(`"${spec.name}":`));
const SCALES = SENSORS.map((spec) => 10 ** spec.decimals);
const DECIMALS = SENSORS.map((spec) => spec.decimals);
const NULL = Buffer.from('null');

/** Where in a packet its identifier stands: after the fixed header (3 bytes) and the topic. */
export interface CarTopic {
  readonly vin: string;
  /** Length-prefixed topic name. */
  readonly topic: Buffer;
  readonly opening: Buffer;
}

function lengthPrefixed(text: string): Buffer {
  const bytes = Buffer.from(text);
  const out = Buffer.allocUnsafe(bytes.length + 2);
  out.writeUInt16BE(bytes.length, 0);
  bytes.copy(out, 2);
  return out;
}

export function carTopic(vin: string): CarTopic {
  return {
    vin,
    topic: lengthPrefixed(mqttTopics.telemetry(vin)),
    opening: Buffer.from(`{"vin":${JSON.stringify(vin)},"seq":`),
  };
}

/** Writes the topic and an identifier of 0; returns where the payload begins. */
function putHead(topic: Buffer): number {
  const at = put(topic, 3);
  scratch[at] = 0;
  scratch[at + 1] = 0;
  return at + 2;
}

function put(bytes: Buffer, at: number): number {
  for (let i = 0; i < bytes.length; i += 1) scratch[at + i] = bytes[i]!;
  return at + bytes.length;
}

/** Writes a whole number ≥ 0 up to 2^53. */
function putWhole(value: number, start: number): number {
  let at = start;
  if (value >= 1e9) {
    const high = Math.floor(value / 1e9);
    at = putWhole(high, at);
    return putDigits(value - high * 1e9, 9, at);
  }
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits += 1;
  return putDigits(value, digits, at);
}

function putDigits(value: number, digits: number, at: number): number {
  let rest = value | 0;
  for (let p = at + digits - 1; p >= at; p -= 1) {
    const next = (rest / 10) | 0;
    scratch[p] = 48 + rest - next * 10;
    rest = next;
  }
  return at + digits;
}

/** Writes a reading with at most `decimals` decimals, without trailing zeros, as JSON would. */
function putReading(value: number, k: number, start: number): number {
  let at = start;
  const scale = SCALES[k]!;
  let fixed = Math.round(value * scale);
  if (fixed < 0) {
    scratch[at] = 45;
    at += 1;
    fixed = -fixed;
  }
  const whole = Math.floor(fixed / scale);
  at = putWhole(whole, at);
  let fraction = fixed - whole * scale;
  if (fraction === 0) return at;
  let digits = DECIMALS[k]!;
  while (fraction % 10 === 0) {
    fraction /= 10;
    digits -= 1;
  }
  scratch[at] = 46;
  return putDigits(fraction, digits, at + 1);
}

/** Fills in the fixed header of a QoS 1 PUBLISH whose content ends at `end` of the scratch buffer, and copies the packet. */
function seal(end: number): Buffer {
  // Remaining length always as two bytes: enough for 16,383, and the identifier's place stays known.
  const remaining = end - 3;
  scratch[0] = 0x32;
  scratch[1] = (remaining & 0x7f) | 0x80;
  scratch[2] = remaining >> 7;
  return Buffer.from(scratch.subarray(0, end));
}

/**
 * A telemetry PUBLISH with QoS 1 and identifier 0 (`patchIdentifier` sets it on sending).
 * `readings` in catalogue order, NaN → null; `kinds` the signals this car has.
 */
export function encodeTelemetry(
  car: CarTopic,
  seq: number,
  tsMs: number,
  readings: Float64Array,
  kinds: Uint8Array,
): Buffer {
  let at = put(car.opening, putHead(car.topic));
  at = putWhole(seq, at);
  at = put(TS, at);
  at = putWhole(tsMs, at);
  at = put(SIGNALS, at);
  for (let n = 0; n < kinds.length; n += 1) {
    const k = kinds[n]!;
    if (n > 0) {
      scratch[at] = 44;
      at += 1;
    }
    at = put(NAMES[k]!, at);
    const value = readings[k]!;
    at = Number.isNaN(value) ? put(NULL, at) : putReading(value, k, at);
  }
  scratch[at] = 125;
  scratch[at + 1] = 125;
  return seal(at + 2);
}

const TS = Buffer.from(',"ts":');
const SIGNALS = Buffer.from(',"signals":{');

/** A QoS 1 PUBLISH of any payload up to 16,000 bytes, identifier 0. */
export function encodePublish(topic: string, payload: Buffer): Buffer {
  const name = lengthPrefixed(topic);
  if (payload.length + name.length > 16_000) throw new RangeError(`payload of ${payload.length} bytes`);
  const at = putHead(name);
  payload.copy(scratch, at);
  return seal(at + payload.length);
}

/** Sets the identifier of a packet made here; `again` marks a redelivery (MQTT 3.1.1, 3.3.1-1). */
export function patchIdentifier(packet: Buffer, id: number, again: boolean): void {
  const at = 5 + packet.readUInt16BE(3);
  packet.writeUInt16BE(id, at);
  packet[0] = again ? 0x3a : 0x32;
}

/** The payload of a packet made here. */
export const payloadOf = (packet: Buffer): Buffer => packet.subarray(7 + packet.readUInt16BE(3));
