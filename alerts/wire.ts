// What the server sends to people and programs, as schemas: REST and the live stream. docs/phone-protocol.md tells it in words; the
// page takes its types from here, and tests hold answers, schemas and words to each other.
import { type Static, type TProperties, Type } from 'typebox';
import { SignalShare } from '../core/events.ts';
import { AlertView } from './alert-index.ts';

const only = <P extends TProperties>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });
const Ms = (description: string) => Type.Integer({ description });
const Reading = Type.Union([Type.Number(), Type.Null()]);
const Readings = (description: string) => Type.Array(Reading, { description });
const Count = (description: string) => Type.Integer({ minimum: 0, description });

/** Whether the cars are watched now. `live` alone means that no alert is good news. */
export const StreamStatus = only({
  state: Type.Enum(['learning', 'starting', 'live', 'behind', 'unscored', 'silent'], {
    description:
      'learning: no model yet; starting: the server has just begun and nothing has come yet; live: watched now; behind: scores come, of events of a while ago; unscored: cars send, but no scores come; silent: nothing comes',
  }),
  sinceMs: Type.Union([Type.Integer(), Type.Null()], {
    description: 'When the newest scored event came in; null: none has',
  }),
  cars: Count('Cars that are known, of those the token may see'),
  silent: Count('Of them, those that have not been heard of for longer than `silentMs`'),
});
export type StreamStatus = Static<typeof StreamStatus>;

export const Tile = only({
  vin: Type.String(),
  ts: Ms('Event time of its newest event'),
  heardMs: Ms('When that came in'),
  level: Type.Number({ description: '1: where a score becomes strange' }),
  silent: Type.Boolean({ description: 'Not heard of for longer than `silentMs`' }),
  alertId: Type.Optional(Type.String({ description: 'Its gravest open alert' })),
  severity: Type.Optional(AlertView.properties.severity),
});
export type Tile = Static<typeof Tile>;

export const Fleet = only({
  nowMs: Ms("The server's clock"),
  model: Type.Union([Type.String(), Type.Null()], { description: 'null: none has been released yet' }),
  stream: StreamStatus,
  silentMs: Type.Integer({ description: 'A car unheard of for longer is silent' }),
  total: Count('All cars the token may see'),
  open: Count('All open alerts of those cars, listed here or not'),
  eventsPerSecond: Count('Scores a second, of the whole fleet'),
  offset: Count('Where `cars` begins'),
  cars: Type.Array(Tile, { description: 'Strangest first' }),
});
export type Fleet = Static<typeof Fleet>;

export const Car = only({
  vin: Type.String(),
  ts: Ms('Event time of its newest event'),
  heardMs: Ms('When that came in'),
  silent: Type.Boolean({ description: 'Not heard of for longer than `silentMs`' }),
  silentMs: Type.Integer(),
  score: Type.Number(),
  threshold: Type.Number(),
  level: Type.Number({ description: '1: where a score becomes strange' }),
  top: Type.Array(Type.Object(SignalShare.properties, { additionalProperties: false })),
  values: Readings('By `signals`, of the newest event that was told in full; null: not measured in it'),
  expected: Readings('By `signals`; null: the model expects nothing'),
  lost: Type.Array(Type.Union([Type.Integer(), Type.Null()]), {
    description:
      'By `signals`: event time of the last reading of one that is not measured any more, else null',
  }),
  history: Type.Object(
    {
      ts: Type.Array(Type.Integer()),
      ratio: Type.Array(Type.Number()),
      values: Type.Array(Type.Array(Reading)),
      expected: Type.Array(Type.Array(Reading)),
    },
    {
      additionalProperties: false,
      description:
        'The last minutes in columns: by signal, then by sample, of the events that were told in full: each while somebody looks or the car is strange, else one in ten',
    },
  ),
  model: Type.Union([Type.String(), Type.Null()]),
  signals: Type.Array(
    only({
      name: Type.String(),
      unit: Type.String(),
      label: Type.String(),
      usual: Type.Number({ description: 'The usual residual, in the unit' }),
    }),
  ),
  faults: Type.Array(Type.String(), {
    description: 'Faults that this car can have, where cars can be broken',
  }),
  alerts: Type.Array(Type.Object(AlertView.properties, { additionalProperties: false }), {
    description: 'Its newest 20',
  }),
});
export type Car = Static<typeof Car>;

export const Frame = only({ fleet: Fleet, car: Type.Union([Car, Type.Null()]) });
export type Frame = Static<typeof Frame>;

export const FoundCars = only({
  total: Count('Cars found'),
  vins: Type.Array(Type.String(), { description: 'The first of them, strangest first' }),
});
export type FoundCars = Static<typeof FoundCars>;

export const AlertList = only({
  stream: StreamStatus,
  total: Count('All alerts that the query fits, listed here or not'),
  open: Count('All open alerts of the cars that the token may see'),
  alerts: Type.Array(Type.Object(AlertView.properties, { additionalProperties: false })),
});
export type AlertList = Static<typeof AlertList>;

export const FaultChoice = only({
  name: Type.String(),
  label: Type.String(),
  moves: Type.Array(Type.String(), {
    description: 'Signals it moves: for cars that measure one of them; none: for every car',
  }),
  needs: Type.Array(Type.String(), {
    description: 'Signals of which a car that can have it measures one; none: every car can',
  }),
});
/** A fault that the page may cause. */
export type FaultChoice = Static<typeof FaultChoice>;

export const Session = only({
  name: Type.String({ description: 'Whose token it is' }),
  cars: Type.Union([Type.Array(Type.String()), Type.Null()], {
    description: 'Its cars, the first 1,000, one that ends in * a prefix; null: all',
  }),
  faults: Type.Union([Type.Array(FaultChoice), Type.Null()], {
    description: 'What it may break cars with; null: nothing',
  }),
});
export type Session = Static<typeof Session>;
