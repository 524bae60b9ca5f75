// The schemas of everything that travels: each gives the static type, the validator and the reference page.
// Units stand last in field names; times are milliseconds since the epoch unless the name says otherwise.
import { type Static, type TSchema, Type } from 'typebox';

const Ms = (description: string) => Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000, description });

/** Characters of a signal's name at most; a column of a recording may be named by a sentence. */
export const MAX_SIGNAL_NAME = 200;

/** A car's identity; also a level of MQTT topics, so `/`, `+` and `#` cannot stand in it. */
export const Vin = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: '^[^/+#\\u0000-\\u001f]+$',
  description: 'The car: a VIN, or the id column of a recording',
});

const Reading = Type.Union([Type.Number(), Type.Null()]);

export const Telemetry = Type.Object(
  {
    vin: Vin,
    seq: Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description:
        'Rises strictly within a session of the car (gaps are allowed); tells redelivered events. A counter that begins anew after a restart of the car is told from a redelivery by time and content',
    }),
    session: Type.Optional(
      Type.Union([Type.String({ minLength: 1, maxLength: 64 }), Type.Integer()], {
        description:
          'Names the stretch between two restarts of the car in which `seq` rises, e.g. a boot count: then restarts are told for certain',
      }),
    ),
    ts: Ms('Event time: when the car measured'),
    signals: Type.Record(Type.String({ minLength: 1, maxLength: MAX_SIGNAL_NAME }), Reading, {
      maxProperties: 512,
      description: 'Signal name of the catalogue → reading in its unit; null or absent: not measured',
    }),
  },
  { additionalProperties: false, $id: 'Telemetry' },
);
export type Telemetry = Static<typeof Telemetry>;

/**
 * What stands in the log: an event whose frame can be read, with whatever the car sent in it. Which of it is a reading,
 * telemetry-reader.ts says, and nobody else.
 */
export const TelemetryRecord = Type.Object(
  {
    ...Telemetry.properties,
    session: Type.Optional(
      Type.Unknown({ description: 'As in Telemetry; what is no text and no number is none' }),
    ),
    signals: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      description:
        'Signal name → what was sent; only numbers within the range of the catalogue are readings, all else is missing',
    }),
  },
  { additionalProperties: true, $id: 'TelemetryRecord' },
);
export type TelemetryRecord = Static<typeof TelemetryRecord>;

export const GroundTruth = Type.Object(
  {
    vin: Vin,
    ts: Ms('When the phase began'),
    faultId: Type.String({ minLength: 1, description: 'One fault of one car; the same in all its phases' }),
    fault: Type.String({ minLength: 1, description: 'Fault family, e.g. overheating' }),
    severity: Type.Number({ minimum: 0, maximum: 1 }),
    phase: Type.Enum(['started', 'visible', 'repaired']),
  },
  { additionalProperties: false, $id: 'GroundTruth' },
);
export type GroundTruth = Static<typeof GroundTruth>;

export const SignalShare = Type.Object(
  {
    signal: Type.String({ minLength: 1 }),
    value: Reading,
    expected: Reading,
    share: Type.Number({ description: "This signal's part of the score, 0..1" }),
  },
  { additionalProperties: false, $id: 'SignalShare' },
);
export type SignalShare = Static<typeof SignalShare>;

export const Score = Type.Object(
  {
    vin: Vin,
    seq: Type.Integer({ minimum: 0 }),
    ts: Ms('Event time of the scored event'),
    partition: Type.Integer({ minimum: 0, description: 'Where in `telemetry` the event stands' }),
    offset: Type.Integer({ minimum: 0 }),
    model: Type.String({ minLength: 1, description: 'Version of the model that scored' }),
    score: Type.Number({ description: 'Finite; higher is stranger' }),
    threshold: Type.Number({ description: 'At or above it the event is strange' }),
    late: Type.Boolean({
      description: 'Later than the stated lateness: scored, but left out of state and policy',
    }),
    receivedTs: Type.Optional(
      Ms('Ingest time of the scored event; absent in the former form, whose log timestamp it is'),
    ),
    values: Type.Array(Reading, {
      description:
        "Readings, in the order of the model's catalogue; empty: the score is not told in full, they stand in `telemetry`",
    }),
    expected: Type.Array(Reading, { description: 'What the model expected, same order and units; or empty' }),
    top: Type.Array(SignalShare, {
      description: 'The signals that made the score, largest share first; empty: it is not told in full',
    }),
    lost: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description:
          'Signals not measured for longer than is usual, of those that cars of its kind measure; absent: none',
      }),
    ),
  },
  { additionalProperties: false, $id: 'Score' },
);
export type Score = Static<typeof Score>;

export const Alert = Type.Object(
  {
    alertId: Type.String({ minLength: 1, description: 'The same in all its phases' }),
    vin: Vin,
    phase: Type.Enum(['raised', 'escalated', 'acknowledged', 'cleared'], {
      description:
        'escalated: the severity rose to critical while the alert was open; acknowledged: seen by a person, of this severity; each phase comes at most once for a severity',
    }),
    severity: Type.Enum(['warning', 'critical']),
    ts: Ms('Event time of this phase'),
    raisedTs: Ms('Event time at which the alert was raised'),
    model: Type.String({ minLength: 1 }),
    score: Type.Number(),
    threshold: Type.Number(),
    top: Type.Array(SignalShare),
    reason: Type.String({ minLength: 1, description: 'In words, for a person' }),
    by: Type.Optional(Type.String({ description: 'Who acknowledged' })),
  },
  { additionalProperties: false, $id: 'Alert' },
);
export type Alert = Static<typeof Alert>;

export const Watched = Type.Object(
  {
    vin: Vin,
    untilTs: Ms("Until when somebody is taken to look at it, by the server's clock"),
  },
  { additionalProperties: false, $id: 'Watched' },
);
export type Watched = Static<typeof Watched>;

export const DeadLetter = Type.Object(
  {
    reason: Type.Enum([
      'not-json',
      'wrong-schema',
      'impossible-value',
      'unknown-signal',
      'foreign-vin',
      'too-large',
      'unknown-topic',
      'implausible-time',
    ]),
    detail: Type.String({ description: 'What is wrong and where' }),
    topic: Type.String({ description: 'MQTT topic it was published to' }),
    client: Type.String({ description: 'MQTT client id' }),
    receivedTs: Ms('Ingest time'),
    payloadBase64: Type.String({ description: 'The original bytes' }),
  },
  { additionalProperties: false, $id: 'DeadLetter' },
);
export type DeadLetter = Static<typeof DeadLetter>;

const Figure = (description: string) => Type.Union([Type.Number(), Type.Null()], { description });

/**
 * A record of the compacted `models` topic: a released bundle (key `release/<version>`), a part of a large one (key
 * `part/<version>/<index>`) or an alias (key `alias/<name>`).
 */
export const ModelRelease = Type.Union(
  [
    Type.Object(
      {
        kind: Type.Literal('release'),
        version: Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' }),
        ts: Ms('When it was released'),
        by: Type.String(),
        note: Type.String(),
        bundle: Type.Optional(
          Type.Unknown({
            description: 'The model bundle (core/model/bundle.ts), checked when it is loaded',
          }),
        ),
        parts: Type.Optional(
          Type.Integer({
            minimum: 1,
            description: 'In place of a bundle too large for a record: so many parts of it came before',
          }),
        ),
        judged: Type.Optional(
          Type.Object(
            {
              averagePrecision: Figure('Of rows with synthetic faults, on cars it had not seen'),
              found: Figure('Share of the synthetic faults found'),
              falseAlertsPerHour: Figure('Met on cars not used to set the threshold'),
            },
            { additionalProperties: false, description: 'What its report says of it' },
          ),
        ),
      },
      { additionalProperties: false },
    ),
    Type.Object(
      {
        kind: Type.Literal('part'),
        version: Type.String(),
        index: Type.Integer({ minimum: 0 }),
        gzipBase64: Type.String({
          description: "A piece of the gzip of the bundle's JSON; they follow each other",
        }),
      },
      { additionalProperties: false },
    ),
    Type.Object(
      {
        kind: Type.Literal('alias'),
        alias: Type.Enum(['champion', 'challenger']),
        version: Type.String(),
        previous: Type.Array(Type.String(), {
          description: 'Versions that held the alias before, newest first; rollback takes the first',
        }),
        ts: Ms('When the alias was moved'),
        by: Type.String(),
        note: Type.String(),
      },
      { additionalProperties: false },
    ),
  ],
  { $id: 'ModelRelease' },
);
export type ModelRelease = Static<typeof ModelRelease>;

/** An order to one car or a cohort of the simulated fleet, on the MQTT topic `fleet/commands`. */
export const FleetCommand = Type.Object(
  {
    vins: Type.Array(Vin, { minItems: 1, maxItems: 100_000 }),
    action: Type.Enum(['break', 'repair', 'slow']),
    fault: Type.Optional(
      Type.String({ description: 'Fault family to start (break) or to mend (repair; all when absent)' }),
    ),
    severity: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
    speedFactor: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
  },
  { additionalProperties: false, $id: 'FleetCommand' },
);
export type FleetCommand = Static<typeof FleetCommand>;

export type Schema = TSchema;
