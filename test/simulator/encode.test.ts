import { generate, type Packet, parser } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { carTopic, encodePublish, encodeTelemetry, patchIdentifier } from '../../simulator/encode.ts';
import { SENSOR_COUNT, SENSORS, SENSORS_OF } from '../../simulator/sensors.ts';

function parse(bytes: Buffer): Packet {
  const packets: Packet[] = [];
  const p = parser();
  p.on('packet', (packet: Packet) => packets.push(packet));
  p.parse(bytes);
  expect(packets).toHaveLength(1);
  return packets[0]!;
}

describe('the packet writer', () => {
  it('writes what a packet library and JSON.stringify would', () => {
    const readings = Float64Array.from({ length: SENSOR_COUNT }, (_, k) => (k * 37.4219) % 200);
    readings[13] = -7.5;
    readings[14] = -0.78125;
    readings[16] = 1.004;
    readings[7] = Number.NaN;
    const packet = encodeTelemetry(
      carTopic('TLT"1'),
      1_795_254_507_001,
      1_795_254_508_035,
      readings,
      SENSORS_OF.combustion,
    );
    patchIdentifier(packet, 513, false);
    const signals = Object.fromEntries(
      [...SENSORS_OF.combustion].map((k) => {
        const { name, decimals } = SENSORS[k]!;
        const scale = 10 ** decimals;
        return [name, Number.isNaN(readings[k]!) ? null : Math.round(readings[k]! * scale) / scale];
      }),
    );
    const payload = JSON.stringify({ vin: 'TLT"1', seq: 1_795_254_507_001, ts: 1_795_254_508_035, signals });
    const parsed = parse(packet);
    expect(parsed).toMatchObject({
      cmd: 'publish',
      topic: 'cars/TLT"1/telemetry',
      qos: 1,
      messageId: 513,
      dup: false,
    });
    expect(parsed.cmd === 'publish' && parsed.payload.toString()).toBe(payload);
  });

  it('marks a redelivery and keeps the rest', () => {
    const packet = encodePublish('fleet/x', Buffer.from('hello'));
    patchIdentifier(packet, 65_535, true);
    expect(parse(packet)).toMatchObject({ topic: 'fleet/x', messageId: 65_535, dup: true, qos: 1 });
  });

  it('agrees with mqtt-packet byte for byte where lengths take two bytes', () => {
    const payload = Buffer.alloc(300, 'a');
    const packet = encodePublish('cars/A/telemetry', payload);
    patchIdentifier(packet, 7, false);
    const theirs = generate({
      cmd: 'publish',
      topic: 'cars/A/telemetry',
      payload,
      qos: 1,
      dup: false,
      retain: false,
      messageId: 7,
    });
    expect(packet.equals(theirs)).toBe(true);
  });

  it('refuses a payload past its bound', () => {
    expect(() => encodePublish('t', Buffer.alloc(17_000))).toThrow(RangeError);
  });
});
