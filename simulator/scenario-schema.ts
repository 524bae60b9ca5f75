// What a scenario file may say. The static type, the validator and the published JSON schema
// (simulator/scenarios/scenario.schema.json, for editors) all come from here.
import { type Static, type TSchema, Type } from 'typebox';
import { FAULT_IDS } from './faults.ts';
import { MODEL_IDS, STYLES } from './models.ts';

const strict = { additionalProperties: false } as const;
const Optional = <T extends TSchema>(schema: T) => Type.Optional(schema);
const Span = (description: string) =>
  Type.String({
    pattern: '^\\d+(\\.\\d+)?(ms|s|m|h|d)$',
    description: `${description}; such as 90s, 15m, 2h, 1d`,
  });
const Percent = (description: string) => Type.Number({ minimum: 0, maximum: 100, description });
const Weights = (names: readonly string[], description: string) =>
  Type.Object(Object.fromEntries(names.map((name) => [name, Type.Optional(Type.Number({ minimum: 0 }))])), {
    ...strict,
    minProperties: 1,
    description,
  });

export const CarChoice = Type.Object(
  {
    vins: Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })),
    fleet: Optional(Type.String({ description: 'Cars of this fleet' })),
    firmware: Optional(Type.String({ description: 'Cars with this firmware' })),
    model: Optional(Type.String({ description: 'Cars of this model' })),
    count: Optional(Type.Integer({ minimum: 1, description: 'So many of them, chosen by the seed' })),
    pct: Optional(Percent('This share of them, chosen by the seed')),
  },
  { ...strict, description: 'Which cars: those that meet every line; all when empty' },
);

const Fleet = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    share: Type.Number({ exclusiveMinimum: 0, description: 'Weight of this fleet among the cars' }),
    models: Weights(MODEL_IDS, 'Vehicle models by weight'),
    firmware: Optional(
      Type.Record(Type.String({ minLength: 1 }), Type.Number({ minimum: 0 }), {
        minProperties: 1,
        description: 'Firmware versions by weight',
      }),
    ),
    styles: Optional(Weights(Object.keys(STYLES), 'Driver styles by weight')),
    roads: Optional(Weights(['urban', 'rural', 'motorway'], 'Time on each kind of road by weight')),
    usage: Optional(
      Type.Enum(['always', 'trips', 'commute'], {
        description:
          'always: on the road without a break; trips: drives and parks in turn; commute: by hour of day',
      }),
    ),
    coldStartPct: Optional(Percent('Share of cars that begin with a cold engine')),
  },
  strict,
);

const Network = Type.Object(
  {
    connectPerSecond: Optional(Type.Number({ exclusiveMinimum: 0, description: 'New connections a second' })),
    window: Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: 'QoS 1 events in flight a car' }),
    ),
    queue: Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: 'Events a car keeps while it cannot send',
      }),
    ),
    policy: Optional(
      Type.Enum(['drop-oldest', 'drop-newest'], { description: 'What a full queue gives up (counted)' }),
    ),
    duplicatePct: Optional(Percent('Events sent twice')),
    malformedPct: Optional(Percent('Broken payloads sent beside the events')),
    tunnelsPerCarHour: Optional(Type.Number({ minimum: 0, maximum: 60 })),
    tunnel: Optional(Type.Array(Span('Shortest and longest tunnel'), { minItems: 2, maxItems: 2 })),
    clockJumpsPerCarDay: Optional(Type.Number({ minimum: 0, maximum: 1000 })),
    clockJump: Optional(Span('Largest jump of a car clock, forwards or back')),
  },
  { ...strict, description: 'How the cars reach the broker, and what goes wrong on the way' },
);

const Timed = { at: Span('When, from the start of the run'), cars: Optional(CarChoice) };

const FaultPlan = Type.Object(
  {
    ...Timed,
    fault: Type.Enum([...FAULT_IDS]),
    severity: Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'Default 1' })),
    ramp: Optional(Span('From nothing to full strength; default: as the fault goes')),
    repairAfter: Optional(Span('Mended so long after its start; default: stays')),
  },
  strict,
);

const Hazard = Type.Object(
  {
    fault: Type.Enum([...FAULT_IDS]),
    perCarDay: Type.Number({ exclusiveMinimum: 0, maximum: 1000, description: 'Mean onsets a car and day' }),
    severity: Optional(
      Type.Array(Type.Number({ exclusiveMinimum: 0, maximum: 1 }), {
        minItems: 2,
        maxItems: 2,
        description: 'Lowest and highest',
      }),
    ),
    ramp: Optional(Span('From nothing to full strength')),
    repairAfter: Optional(Span('Mended so long after its start')),
  },
  strict,
);

const Harmless = Type.Object(
  {
    ...Timed,
    kind: Type.Enum([
      'cold-start',
      'hill',
      'towing',
      'hot-day',
      'new-tyres',
      'new-firmware',
      'tunnel',
      'clock-jump',
    ]),
    lasts: Optional(Span('How long; default 15m')),
  },
  { ...strict, description: 'What looks odd and is not a fault: it must not alarm' },
);

const Stage = Type.Object(
  {
    at: Span('When, from the start of the run'),
    every: Optional(Span('New interval between a car’s events, whole seconds')),
    connectedPct: Optional(Percent('Share of cars that are connected')),
  },
  { ...strict, description: 'From here on' },
);

const Storm = Type.Object(
  {
    at: Span('When, from the start of the run'),
    pct: Optional(Percent('Share of connections cut at once; default 100')),
    down: Optional(Span('How long they stay away; default 0s')),
  },
  { ...strict, description: 'A connection storm: many cars are cut off and all come back' },
);

const Weather = Type.Object(
  {
    meanC: Optional(Type.Number({ minimum: -40, maximum: 50 })),
    swingC: Optional(Type.Number({ minimum: 0, maximum: 25, description: 'Half of the day’s range' })),
    spreadC: Optional(Type.Number({ minimum: 0, maximum: 15, description: 'Between places' })),
  },
  strict,
);

export const ScenarioSchema = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    about: Optional(Type.String()),
    seed: Optional(Type.Integer({ minimum: 0, maximum: 0xffff_ffff })),
    cars: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    every: Optional(Span('Interval between a car’s events, whole seconds; default 1s')),
    start: Optional(
      Type.String({
        description: 'Event time of the start: an ISO time, `yesterday 04:00` (UTC), or `now` (default)',
      }),
    ),
    history: Optional(Span('So much of the past is driven first, as fast as the broker takes it')),
    duration: Optional(Span('Event time to drive after the history; default: until stopped')),
    speed: Optional(
      Type.Union([Type.Number({ exclusiveMinimum: 0, maximum: 100_000 }), Type.Literal('max')], {
        description: 'Event time against real time; max: as fast as the broker takes it; default 1',
      }),
    ),
    processes: Optional(
      Type.Integer({ minimum: 1, maximum: 64, description: 'The fleet is split over so many' }),
    ),
    weather: Optional(Weather),
    fleets: Type.Array(Fleet, { minItems: 1, maxItems: 32 }),
    network: Optional(Network),
    stages: Optional(Type.Array(Stage, { maxItems: 100 })),
    storms: Optional(Type.Array(Storm, { maxItems: 100 })),
    faults: Optional(Type.Array(FaultPlan, { maxItems: 1000 })),
    hazards: Optional(Type.Array(Hazard, { maxItems: 100 })),
    harmless: Optional(Type.Array(Harmless, { maxItems: 1000 })),
  },
  { ...strict, $id: 'TelltaleScenario', title: 'A scenario of the telltale fleet simulator' },
);
export type ScenarioFile = Static<typeof ScenarioSchema>;
export type CarChoice = Static<typeof CarChoice>;

/** The published JSON schema, for editors: the text of simulator/scenarios/scenario.schema.json. */
export function renderScenarioSchema(): string {
  const schema = { $schema: 'http://json-schema.org/draft-07/schema#', ...ScenarioSchema };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
