import { isDeepStrictEqual } from 'node:util';
import {
  assert,
  constant,
  constantFrom,
  dictionary,
  double,
  integer,
  oneof,
  property,
  record,
  string,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CAR_CATALOGUE_FILE, loadCatalogue } from '../../core/catalogue.ts';
import { createTelemetryReader } from '../../core/telemetry-reader.ts';
import { telemetryTopic } from '../../core/topics.ts';
import { compileJudge, isClientId, MAX_PAYLOAD_BYTES } from '../../ingest/judge.ts';
import { ANY_TIME, TIME_BOUNDS } from '../../ingest/plausible-time.ts';
import { CATALOGUE } from './rig.ts';

const NOW = 1_700_000_060_000;
const compiled = compileJudge(CATALOGUE, TIME_BOUNDS);
const judge = (client: string, topic: string, payload: Buffer) => compiled(client, topic, payload, NOW);
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
      ts: 1_700_000_000_000,
      faultId: 'f1',
      fault: 'overheating',
      severity: 0.5,
      phase: 'started',
    };
    expect(judge('CAR1', 'cars/CAR1/ground-truth', bytes(truth))).toEqual({ kind: 'ground-truth' });
  });

  it('accepts an event without some or all signals, and both ends of a range', () => {
    expect(verdictOf({ signals: { coolantC: 90 } })).toEqual({ kind: 'telemetry' });
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
    ['wrong-schema', bytes({ ...event, signals: [1] }), /\/signals must be object/],
    ['wrong-schema', bytes({ ...event, signals: null }), /\/signals must be object/],
    ['wrong-schema', bytes({ vin: 'CAR1', seq: 1, ts: 1 }), /signals/],
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
    [
      'implausible-time',
      1_700_000_000,
      /^1700000000 is 1970-01-20, 54 years before its receipt, .*looks like seconds: send milliseconds$/,
    ],
    [
      'implausible-time',
      1_700_000_000_000_000,
      /is \+055840-11-08, .* after its receipt.*looks like microseconds: send milliseconds$/,
    ],
    [
      'implausible-time',
      1_700_000_000_000_000_000,
      /must be <= .*looks like nanoseconds: send milliseconds$/,
    ],
    ['wrong-schema', 1_700_000_000.25, /must be integer; it looks like seconds: send milliseconds$/],
    ['wrong-schema', '2023-11-14T22:13:20Z', /must be integer: milliseconds since 1970$/],
    ['implausible-time', NOW - 946_684_800_000, /looks like a clock that counts from 2000/],
    ['implausible-time', NOW - 1024 * 7 * 86_400_000, /is 2004-03-30, 20 years before .*lost 1024 weeks/],
    ['implausible-time', 3_600_000, /is 1970-01-01, .*time since a start/],
    [
      'implausible-time',
      NOW - 2 * 366 * 86_400_000,
      /is 2021-11-12, 2 years before its receipt, at most 400 days.*is the clock set/,
    ],
    ['implausible-time', NOW + 86_400_000, /is 2023-11-15, 24 h after its receipt, at most 10 min/],
  ] as const)('refuses as %s an event time of %s', (reason, ts, detail) => {
    expect(verdictOf({ ts })).toEqual({ kind: 'dead', reason, detail: expect.stringMatching(detail) });
    const truth = { vin: 'CAR1', ts, faultId: 'f', fault: 'x', severity: 1, phase: 'started' };
    expect(judge('CAR1', 'cars/CAR1/ground-truth', bytes(truth))).toMatchObject({ kind: 'dead', reason });
  });

  it('takes times up to its bounds, and what others allow', () => {
    const { maxAgeMs, maxAheadMs } = TIME_BOUNDS;
    for (const [ts, kind] of [
      [NOW - maxAgeMs, 'telemetry'],
      [NOW - maxAgeMs - 1, 'dead'],
      [NOW + maxAheadMs, 'telemetry'],
      [NOW + maxAheadMs + 1, 'dead'],
    ] as const) {
      expect(verdictOf({ ts }).kind).toBe(kind);
      expect(compileJudge(CATALOGUE, ANY_TIME)('CAR1', TOPIC, bytes({ ...event, ts }), NOW).kind).toBe(
        'telemetry',
      );
    }
  });

  const remark = (reason: string, signal: string, ...examples: unknown[]) => ({
    ...{ reason, signal, examples },
    count: reason === 'unknown-signal' && examples.length === 3 ? 4 : 1,
  });

  it.each([
    ['above the range', '{"speedKmh":50,"coolantC":65535}', [remark('out-of-range', 'coolantC', 65_535)]],
    ['below the range', '{"coolantC":9,"speedKmh":-0.1}', [remark('out-of-range', 'speedKmh', -0.1)]],
    ['infinite', '{"coolantC":9,"speedKmh":1e999}', [remark('out-of-range', 'speedKmh', Infinity)]],
    ['text', '{"speedKmh":50,"coolantC":"NaN"}', [remark('not-a-number', 'coolantC', 'NaN')]],
    ['a number as text', '{"speedKmh":50,"coolantC":"12.5"}', [remark('not-a-number', 'coolantC', '12.5')]],
    ['a boolean', '{"speedKmh":50,"coolantC":true}', [remark('not-a-number', 'coolantC', true)]],
    ['nested', '{"speedKmh":50,"coolantC":{"v":1}}', [remark('not-a-number', 'coolantC', { v: 1 })]],
    ['a list', '{"speedKmh":50,"coolantC":[1]}', [remark('not-a-number', 'coolantC', [1])]],
    ['unknown', '{"speedKmh":50,"fuelL":3}', [remark('unknown-signal', '', 'fuelL')]],
    ['of a special name', '{"speedKmh":5,"__proto__":3}', [remark('unknown-signal', '', '__proto__')]],
    [
      'unknown, four',
      '{"a":1,"b":2,"speedKmh":5,"c":3,"d":4}',
      [remark('unknown-signal', '', 'a', 'b', 'c')],
    ],
    ['absent', '{}', [remark('no-reading', '')]],
    ['all null', '{"speedKmh":null,"coolantC":null}', [remark('no-reading', '')]],
    [
      'all impossible',
      '{"speedKmh":-1,"coolantC":999}',
      [
        remark('out-of-range', 'speedKmh', -1),
        remark('out-of-range', 'coolantC', 999),
        remark('no-reading', ''),
      ],
    ],
  ])('takes an event with a reading that is %s, and remarks on it', (_, signals, remarks) => {
    const text = `{"vin":"CAR1","seq":1,"ts":1700000000000,"signals":${signals}}`;
    expect(judge('CAR1', TOPIC, Buffer.from(text))).toEqual({ kind: 'telemetry', remarks });
  });

  it('remarks on a code for "not available" within the range, as readers take it for missing', () => {
    const [speed, coolant] = CATALOGUE.signals;
    const coded = { ...CATALOGUE, signals: [{ ...speed!, missing: [255, 254] }, coolant!] };
    const verdict = (signals: object) =>
      compileJudge(coded, TIME_BOUNDS)('CAR1', TOPIC, bytes({ ...event, signals }), NOW);
    expect(verdict({ speedKmh: 253, coolantC: 90 })).toEqual({ kind: 'telemetry' });
    expect(verdict({ speedKmh: null, coolantC: 90 })).toEqual({ kind: 'telemetry' });
    expect(verdict({ speedKmh: 254, coolantC: 90 })).toEqual({
      kind: 'telemetry',
      remarks: [remark('out-of-range', 'speedKmh', 254)],
    });
    expect(verdict({ speedKmh: 255 })).toEqual({
      kind: 'telemetry',
      remarks: [remark('out-of-range', 'speedKmh', 255), remark('no-reading', '')],
    });
  });

  it('takes an event with fields that nobody reads, and remarks on them', () => {
    expect(verdictOf({ driver: 'x', trip: 7 })).toEqual({
      kind: 'telemetry',
      remarks: [remark('unknown-field', '', 'driver', 'trip')],
    });
  });

  it.each(['', 'x'.repeat(100), 1.5, null, 7, 'boot 7'])(
    'takes the session mark %j without a word',
    (session) => {
      expect(verdictOf({ session })).toEqual({ kind: 'telemetry' });
    },
  );

  it.each([true, {}, [1]])(
    'takes an event with the session mark %j, which is none, and remarks on it',
    (session) => {
      expect(verdictOf({ session })).toEqual({
        kind: 'telemetry',
        remarks: [remark('unknown-field', '', 'session')],
      });
    },
  );

  it('takes more signals than a catalogue can have, and names longer than a catalogue may', () => {
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`s${i}`, i]));
    expect(verdictOf({ signals: { ...many, ['x'.repeat(300)]: 1, speedKmh: 1 } })).toEqual({
      kind: 'telemetry',
      remarks: [{ ...remark('unknown-signal', '', 's0', 's1', 's2'), count: 2001 }],
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
    const truth = { vin: 'CAR2', ts: NOW, faultId: 'f', fault: 'x', severity: 1, phase: 'started' };
    const topic = 'cars/CAR1/ground-truth';
    expect(judge('CAR1', topic, bytes(truth))).toMatchObject({ reason: 'foreign-vin' });
    expect(judge('CAR1', topic, bytes({ ...truth, phase: 'begun' }))).toMatchObject({
      reason: 'wrong-schema',
    });
    expect(judge('CAR1', topic, Buffer.from('nope'))).toMatchObject({ reason: 'not-json' });
  });

  it('accepts exactly what readers of the log can read, and remarks on exactly what they take as missing', () => {
    const reading = oneof(
      constant(null),
      double(),
      { weight: 6, arbitrary: integer({ min: -20, max: 160 }) },
      constant('x'),
      constant(true),
      constant({}),
    );
    const name = oneof(
      { weight: 3, arbitrary: constantFrom('speedKmh', 'coolantC') },
      string({ maxLength: 3 }),
    );
    const events = record(
      {
        vin: oneof({ weight: 6, arbitrary: constant('CAR1') }, constant('CAR2'), string({ maxLength: 4 })),
        seq: oneof({ weight: 9, arbitrary: integer({ min: 0 }) }, double()),
        ts: oneof({ weight: 9, arbitrary: integer({ min: NOW - 1e6, max: NOW }) }, double()),
        signals: dictionary(name, reading, { maxKeys: 3 }),
        more: integer(),
      },
      { requiredKeys: ['vin', 'seq', 'ts', 'signals'] },
    );
    const read = createTelemetryReader(CATALOGUE);
    const atAnyTime = compileJudge(CATALOGUE, ANY_TIME);
    const seen = { refused: 0, plain: 0, remarked: 0 };
    assert(
      property(events, (value) => {
        const payload = bytes(value);
        const verdict = atAnyTime('CAR1', TOPIC, payload, NOW);
        const found = read(payload);
        const good = found !== null && found.vin === 'CAR1';
        if (verdict.kind !== 'telemetry') {
          seen.refused += 1;
          return !good;
        }
        expect(telemetryTopic.decode(payload)).toEqual(JSON.parse(payload.toString()));
        const missed = (verdict.remarks ?? []).filter(({ reason }) =>
          ['out-of-range', 'not-a-number'].includes(reason),
        );
        seen[verdict.remarks ? 'remarked' : 'plain'] += 1;
        const { signals } = JSON.parse(payload.toString());
        const silent = CATALOGUE.signals.filter(
          (spec, i) =>
            Object.hasOwn(signals, spec.name) &&
            signals[spec.name] !== null &&
            Number.isNaN(found!.values[i]),
        );
        return (
          good &&
          isDeepStrictEqual(missed.map(({ signal }) => signal).sort(), silent.map((s) => s.name).sort())
        );
      }),
      { numRuns: 4000, seed: 5 },
    );
    expect(Math.min(seen.refused, seen.plain, seen.remarked)).toBeGreaterThan(50);
  });

  it('compiles the car catalogue and accepts a full event of it', async () => {
    const car = await loadCatalogue(CAR_CATALOGUE_FILE);
    const signals = Object.fromEntries(car.signals.map(({ name, min, max }) => [name, (min + max) / 2]));
    expect(compileJudge(car, TIME_BOUNDS)('CAR1', TOPIC, bytes({ ...event, signals }), NOW)).toEqual({
      kind: 'telemetry',
    });
  });
});

it('a client id is what can stand as a VIN in a topic', () => {
  expect(['WVWZZZ1JZXW000001', 'drive 7', 'ü'].map(isClientId)).toEqual([true, true, true]);
  expect(['', 'a/b', 'a+', '#', 'a\u0000', 'x'.repeat(65), undefined].map(isClientId)).toEqual(
    Array(7).fill(false),
  );
});
