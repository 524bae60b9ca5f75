import { assert, constant, dictionary, double, integer, oneof, property, record, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CAR_CATALOGUE_FILE, loadCatalogue } from '../../core/catalogue.ts';
import { telemetryTopic } from '../../core/topics.ts';
import { compileJudge, isClientId, MAX_PAYLOAD_BYTES } from '../../ingest/judge.ts';
import { CATALOGUE } from './rig.ts';

const judge = compileJudge(CATALOGUE);
const event = { vin: 'CAR1', seq: 7, ts: 1_700_000_000_000, signals: { speedKmh: 88.5, coolantC: null } };
const TOPIC = 'cars/CAR1/telemetry';
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

/** What becomes of an event of CAR1 with these changes. */
const verdictOf = (changes: object) => judge('CAR1', TOPIC, bytes({ ...event, ...changes }));

describe('a judge', () => {
  it('accepts telemetry and ground truth of the client itself', () => {
    expect(judge('CAR1', TOPIC, bytes(event))).toEqual({ kind: 'telemetry' });
    const truth = {
      vin: 'CAR1',
      ts: 1,
      faultId: 'f1',
      fault: 'overheating',
      severity: 0.5,
      phase: 'started',
    };
    expect(judge('CAR1', 'cars/CAR1/ground-truth', bytes(truth))).toEqual({ kind: 'ground-truth' });
  });

  it('accepts an event without some or all signals, and both ends of a range', () => {
    expect(verdictOf({ signals: {} })).toEqual({ kind: 'telemetry' });
    expect(verdictOf({ signals: { speedKmh: 0, coolantC: 150 } })).toEqual({ kind: 'telemetry' });
  });

  it.each([
    ['not-json', Buffer.from('{"vin":"CAR1",'), /JSON|Unexpected|property/],
    ['not-json', Buffer.from([0x7b, 0xff, 0x7d]), /not UTF-8/],
    ['not-json', Buffer.alloc(0), /JSON/],
    ['wrong-schema', bytes(null), /object/],
    ['wrong-schema', bytes([event]), /object/],
    ['wrong-schema', bytes({ ...event, seq: '7' }), /\/seq must be integer/],
    ['wrong-schema', bytes({ ...event, seq: -1 }), /\/seq must be >= 0/],
    ['wrong-schema', bytes({ ...event, seq: 2 ** 53 }), /\/seq must be <=/],
    ['wrong-schema', bytes({ ...event, ts: 1.5 }), /\/ts must be integer/],
    ['wrong-schema', bytes({ ...event, extra: 1 }), /additional properties/],
    ['wrong-schema', bytes({ vin: 'CAR1', seq: 1, ts: 1 }), /signals/],
    ['wrong-schema', bytes({ ...event, signals: { speedKmh: 'fast' } }), /\/signals\/speedKmh/],
    [
      'impossible-value',
      Buffer.from('{"vin":"CAR1","seq":1,"ts":1,"signals":{"speedKmh":1e999}}'),
      /speedKmh Infinity/,
    ],
    ['impossible-value', bytes({ ...event, signals: { coolantC: 900 } }), /coolantC 900 is above 150 °C/],
    ['impossible-value', bytes({ ...event, signals: { speedKmh: -0.1 } }), /speedKmh -0.1 is below 0 km\/h/],
    [
      'unknown-signal',
      bytes({ ...event, signals: { fuelL: 3, a: 1, b: 2, c: 3 } }),
      /fuelL, a, b and 1 more/,
    ],
    ['unknown-signal', Buffer.from('{"vin":"CAR1","seq":1,"ts":1,"signals":{"__proto__":1}}'), /__proto__/],
    ['foreign-vin', bytes({ ...event, vin: 'CAR2' }), /vin CAR2 in an event of client CAR1/],
    ['too-large', Buffer.alloc(MAX_PAYLOAD_BYTES + 1, 0x20), /65537 bytes/],
  ] as const)('refuses as %s, case %#', (reason, payload, detail) => {
    expect(judge('CAR1', TOPIC, payload)).toEqual({
      kind: 'dead',
      reason,
      detail: expect.stringMatching(detail),
    });
  });

  it.each([
    ['cars/CAR2/telemetry', 'foreign-vin'],
    ['cars/CAR2/ground-truth', 'foreign-vin'],
    ['cars/CAR1/telemetry/x', 'unknown-topic'],
    ['cars/CAR1', 'unknown-topic'],
    ['telemetry', 'unknown-topic'],
    ['fleet/commands', 'unknown-topic'],
    ['$SYS/x/heartbeat', 'unknown-topic'],
    ['cars/CAR1/commands', 'unknown-topic'],
  ] as const)('refuses what is published to %s as %s', (topic, reason) => {
    expect(judge('CAR1', topic, bytes(event))).toMatchObject({ kind: 'dead', reason });
  });

  it('refuses ground truth of another car and one that has another schema', () => {
    const truth = { vin: 'CAR2', ts: 1, faultId: 'f', fault: 'x', severity: 1, phase: 'started' };
    const topic = 'cars/CAR1/ground-truth';
    expect(judge('CAR1', topic, bytes(truth))).toMatchObject({ reason: 'foreign-vin' });
    expect(judge('CAR1', topic, bytes({ ...truth, phase: 'begun' }))).toMatchObject({
      reason: 'wrong-schema',
    });
    expect(judge('CAR1', topic, Buffer.from('nope'))).toMatchObject({ reason: 'not-json' });
  });

  it('accepts exactly what readers of the log can read and the catalogue allows', () => {
    const reading = oneof(constant(null), double(), integer({ min: -60, max: 320 }), constant('x'));
    const name = oneof(constant('speedKmh'), constant('coolantC'), string({ maxLength: 3 }));
    const events = record(
      {
        vin: oneof(constant('CAR1'), constant('CAR2'), string({ maxLength: 4 })),
        seq: oneof(integer({ min: 0 }), double()),
        ts: oneof(integer({ min: 0 }), double()),
        signals: dictionary(name, reading, { maxKeys: 3 }),
        more: integer(),
      },
      { requiredKeys: ['vin', 'seq', 'ts', 'signals'] },
    );
    const ranges = new Map(CATALOGUE.signals.map((signal) => [signal.name, signal]));
    const allowed = (payload: Buffer): boolean => {
      try {
        const { vin, signals } = telemetryTopic.decode(payload);
        return (
          vin === 'CAR1' &&
          Object.entries(signals).every(([key, value]) => {
            const range = ranges.get(key);
            return range !== undefined && (value === null || (value >= range.min && value <= range.max));
          })
        );
      } catch {
        return false;
      }
    };
    assert(
      property(events, (value) => {
        const payload = bytes(value);
        return (judge('CAR1', TOPIC, payload).kind === 'telemetry') === allowed(payload);
      }),
      { numRuns: 2000, seed: 5 },
    );
  });

  it('compiles the car catalogue and accepts a full event of it', async () => {
    const car = await loadCatalogue(CAR_CATALOGUE_FILE);
    const signals = Object.fromEntries(car.signals.map(({ name, min, max }) => [name, (min + max) / 2]));
    expect(compileJudge(car)('CAR1', TOPIC, bytes({ ...event, signals }))).toEqual({ kind: 'telemetry' });
  });
});

it('a client id is what can stand as a VIN in a topic', () => {
  expect(['WVWZZZ1JZXW000001', 'drive 7', 'ü'].map(isClientId)).toEqual([true, true, true]);
  expect(['', 'a/b', 'a+', '#', 'a\u0000', 'x'.repeat(65), undefined].map(isClientId)).toEqual(
    Array(7).fill(false),
  );
});
