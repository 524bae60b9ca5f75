import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTelemetryReader } from '../../core/telemetry-reader.ts';

const CATALOGUE = {
  name: 'test',
  version: 1,
  signals: ['speedKmh', 'rpm', 'coolantC'].map((name) => ({ name, unit: '', min: -1e9, max: 1e9 })),
};
const read = createTelemetryReader(CATALOGUE);
const readText = (text: string) => {
  const event = read(Buffer.from(text));
  return event && { ...event, values: [...event.values] };
};

describe('the telemetry reader', () => {
  it('reads an event in catalogue order, missing readings as NaN', () => {
    const text =
      '{"vin":"CAR1","seq":7,"ts":1700000000000,"signals":{"rpm":812.5,"other":3,"speedKmh":-0.25}}';
    expect(readText(text)).toEqual({
      vin: 'CAR1',
      seq: 7,
      tsMs: 1_700_000_000_000,
      session: 0,
      values: [-0.25, 812.5, Number.NaN],
    });
  });

  it('takes a catalogue\'s codes for "not available" as missing, in either form', () => {
    const [speed, ...others] = CATALOGUE.signals;
    const own = createTelemetryReader({
      ...CATALOGUE,
      signals: [{ ...speed!, missing: [655.35, 255] }, ...others],
    });
    const event = (signals: string) => `{"vin":"a","seq":1,"ts":5,"signals":${signals}}`;
    for (const blank of ['', ' ']) {
      const of = (speedKmh: string) =>
        own(Buffer.from(event(`${blank}{"speedKmh":${speedKmh},"rpm":255}`)))?.values.slice();
      expect(of('655.35')).toEqual(Float64Array.of(Number.NaN, 255, Number.NaN));
      expect(of('255')).toEqual(Float64Array.of(Number.NaN, 255, Number.NaN));
      expect(of('254')).toEqual(Float64Array.of(254, 255, Number.NaN));
    }
  });

  it('reads what JSON allows in other forms', () => {
    const same = { vin: 'Ä"1', seq: 0, tsMs: 5, session: 0, values: [1200, Number.NaN, 0.1] };
    expect(
      readText(
        ' { "signals": {"coolantC": 1e-1, "rpm": null, "speedKmh": 1.2E3}, "ts":5, "vin":"\\u00c4\\"1", "seq":0 }',
      ),
    ).toEqual(same);
    expect(readText('{"vin":"Ä\\"1","seq":0,"ts":5,"signals":{"speedKmh":1200,"coolantC":0.1}}')).toEqual(
      same,
    );
  });

  it('reads a session mark, text or number, to the same number in any form; 0 where there is none', () => {
    const sessionOf = (mark: string, space = '') =>
      readText(`{"vin":"a","seq":1,"ts":1,${space}"session":${mark},"signals":{}}`)?.session;
    const [boot1, boot2, seven] = [sessionOf('"boot-1"')!, sessionOf('"boot-2"')!, sessionOf('7')!];
    expect(new Set([boot1, boot2, seven, 0]).size).toBe(4);
    expect([sessionOf('"boot-1"', ' '), sessionOf('7', ' ')]).toEqual([boot1, seven]);
    expect(readText('{"vin":"a","seq":2,"ts":1,"signals":{}}')?.session).toBe(0);
    expect([sessionOf('null'), sessionOf('{}')]).toEqual([0, 0]);
  });

  it.each([
    'not json',
    '',
    '[]',
    'null',
    '{}',
    '{"vin":"","seq":1,"ts":1,"signals":{}}',
    '{"vin":"a","seq":-1,"ts":1,"signals":{}}',
    '{"vin":"a","seq":1.5,"ts":1,"signals":{}}',
    '{"vin":"a","seq":1,"ts":"1","signals":{}}',
    '{"vin":"a","seq":1,"ts":1,"signals":null}',
    '{"vin":"a","seq":1,"ts":1,"signals":{}}x',
    '{"vin":"a","seq":1,"ts":1,"signals":{"rpm":01}}',
    '{"vin":"a","seq":1,"ts":1,"signals":{"rpm":1.}}',
    '{"vin":"a","seq":1,"ts":1,"signals":{"rpm":1,}}',
    '{"vin":"a","seq":1,"ts":1,"signals":{"rpm":nul}}',
  ])('takes %j for no event', (text) => {
    expect(readText(text)).toBeNull();
  });

  it.each([
    ['above', '65535', NaN],
    ['at the top', '250', 250],
    ['below', '-41', NaN],
    ['at the bottom', '-40', -40],
    ['a sentinel beyond 15 digits', '9223372036854775807', NaN],
    ['a sentinel with an exponent', '-1.7976931348623157e308', NaN],
    ['infinite', '1e999', NaN],
    ['text', '"NaN"', NaN],
    ['a number as text', '"12.5"', NaN],
    ['a boolean', 'true', NaN],
    ['a list', '[90]', NaN],
    ['nested', '{"value":90}', NaN],
    ['null', 'null', NaN],
  ])('takes a reading that is %s (%s) as %d, and the others as they are', (_, sent, value) => {
    const signals = [
      { name: 'coolantC', unit: '°C', min: -40, max: 250 },
      { name: 'rpm', unit: '', min: 0, max: 9000 },
    ];
    const own = createTelemetryReader({ name: 'own', version: 1, signals });
    const text = `{"vin":"a","seq":1,"ts":2,"signals":{"coolantC":${sent},"rpm":800,"x":7}}`;
    expect([...own(Buffer.from(text))!.values]).toEqual([value, 800]);
    // The other way of reading, by white space.
    expect([...own(Buffer.from(` ${text}`))!.values]).toEqual([value, 800]);
  });

  it('reads an event with fields it does not know', () => {
    expect(readText('{"trip":{"id":1},"vin":"a","seq":1,"ts":2,"signals":{"rpm":3}}')).toMatchObject({
      vin: 'a',
      values: [Number.NaN, 3, Number.NaN],
    });
  });

  it('gives the numbers JSON.parse gives, to the last bit, whatever the form', () => {
    const reading = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.constant(null),
      fc.constantFrom('NaN', '1', true, {}, []),
      fc.integer({ min: -2e9, max: 2e9 }),
    );
    const event = fc.record({
      vin: fc.string({ minLength: 1, maxLength: 12 }),
      seq: fc.maxSafeNat(),
      ts: fc.maxSafeNat(),
      signals: fc.dictionary(fc.constantFrom('speedKmh', 'rpm', 'coolantC', '__proto__', 'x'), reading),
    });
    fc.assert(
      fc.property(event, fc.boolean(), (given, spaced) => {
        const found = readText(JSON.stringify(given, null, spaced ? 1 : 0));
        const wanted = CATALOGUE.signals.map(({ name, min, max }) => {
          const sent = Object.hasOwn(given.signals, name) ? given.signals[name] : null;
          return typeof sent === 'number' && sent >= min && sent <= max ? sent : Number.NaN;
        });
        // JSON has no negative zero.
        expect(found).toEqual({
          vin: given.vin,
          seq: given.seq,
          tsMs: given.ts,
          session: 0,
          values: wanted.map((value) => (value === 0 ? found!.values[wanted.indexOf(value)]! : value)),
        });
        for (const [i, value] of wanted.entries())
          if (value === 0) expect(found!.values[i]! === 0).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
