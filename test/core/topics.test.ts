import { describe, expect, it } from 'vitest';
import type { ModelRelease } from '../../core/events.ts';
import {
  alertsTopic,
  deadLettersTopic,
  FIXED_TOPICS,
  modelsTopic,
  scoresTopic,
  telemetryTopic,
} from '../../core/topics.ts';

const event = { vin: 'WVWZZZ1', seq: 7, ts: 1_700_000_000_000, signals: { coolantC: 90.5, oilC: null } };

describe('topics', () => {
  it('carry a value through encode and decode unchanged', () => {
    expect(telemetryTopic.decode(telemetryTopic.encode(event))).toEqual(event);
  });

  it.each([
    ['{', 'not JSON'],
    [JSON.stringify({ ...event, vin: 'a/b' }), '/vin'],
    [JSON.stringify({ ...event, seq: -1 }), '/seq'],
    [JSON.stringify({ ...event, signals: 'hot' }), '/signals'],
    [JSON.stringify({ ...event, signals: [90] }), '/signals'],
  ])('refuse %s and say where', (text, where) => {
    expect(() => telemetryTopic.decode(Buffer.from(text))).toThrow(
      expect.objectContaining({ code: 'RECORD_INVALID', message: expect.stringContaining(where) }),
    );
  });

  it('hold telemetry as cars sent it, with what is no reading and what nobody reads', () => {
    const sent = { ...event, colour: 'red', signals: { coolantC: 'hot', flux: [1], rpm: 65_535 } };
    expect(telemetryTopic.decode(Buffer.from(JSON.stringify(sent)))).toEqual(sent);
  });

  it('refuse bytes that are no UTF-8', () => {
    expect(() => telemetryTopic.decode(Uint8Array.of(0x22, 0xff, 0x22))).toThrow('telemetry: not JSON');
  });

  it('validate the other schemas too', () => {
    const letter = {
      reason: 'not-json',
      detail: 'd',
      topic: 't',
      client: 'c',
      receivedTs: 1,
      payloadBase64: '',
    } as const;
    expect(deadLettersTopic.decode(deadLettersTopic.encode(letter))).toEqual(letter);
    expect(() =>
      deadLettersTopic.decode(Buffer.from(JSON.stringify({ ...letter, reason: 'bad mood' }))),
    ).toThrow('/reason');
    const alias: ModelRelease = {
      kind: 'alias',
      alias: 'champion',
      version: 'm1',
      previous: [],
      ts: 1,
      by: 'me',
      note: '',
    };
    expect(modelsTopic.decode(modelsTopic.encode(alias))).toEqual(alias);
    expect(() => alertsTopic.decode(Buffer.from('{}'))).toThrow('required');
  });

  it('have one owner and one name each', () => {
    const names = FIXED_TOPICS.map((t) => t.name);
    expect(new Set(names).size).toBe(names.length);
    expect(scoresTopic('m1').name).toBe('scores.m1');
  });
});
