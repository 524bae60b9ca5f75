// The phone's protocol as schemas (docs/phone-protocol.md tells it in words): what clients may send, what the feed sends,
// and with which code it closes. Protocol 1.
import { Ajv } from 'ajv';
import { type Static, type TProperties, Type } from 'typebox';
import { Alert, Vin } from '../core/events.ts';
import { AlertView } from './alert-index.ts';
import { MAX_CURSOR_LENGTH } from './cursor.ts';
import { StreamStatus } from './wire.ts';

export const PROTOCOL = 1;

export const CLOSE = {
  /** The server stops or restarts: come back with the cursor. */
  goingAway: 1001,
  internal: 1011,
  badMessage: 4400,
  unauthorized: 4401,
  timeout: 4408,
  /** The client reads too slowly: come back with the cursor, nothing is lost. */
  tooSlow: 4008,
  tooMany: 4429,
} as const;

const Cursor = Type.String({
  maxLength: MAX_CURSOR_LENGTH,
  description: 'Keep the newest after dealing with the message, and come back with it',
});
/** Schemas that are named elsewhere may not stand twice in one schema under their name. */
const plain = <P extends TProperties>({ properties }: { readonly properties: P }) =>
  Type.Object(properties, { additionalProperties: false });
const Stream = plain(StreamStatus);

export const ClientMessage = Type.Union(
  [
    Type.Object(
      {
        type: Type.Literal('auth'),
        token: Type.Optional(
          Type.String({
            maxLength: 256,
            description: 'Absent: the page that was opened by a link has a cookie',
          }),
        ),
        cursor: Type.Optional(Cursor),
        vins: Type.Optional(
          Type.Array(Vin, { maxItems: 1000, description: 'Only these of the granted cars' }),
        ),
      },
      { additionalProperties: false },
    ),
    Type.Object(
      { type: Type.Literal('acknowledge'), alertId: Type.String({ minLength: 1, maxLength: 256 }) },
      { additionalProperties: false },
    ),
    Type.Object({ type: Type.Literal('ping') }, { additionalProperties: false }),
    Type.Object({ type: Type.Literal('pong') }, { additionalProperties: false }),
  ],
  { $id: 'ClientMessage' },
);
export type ClientMessage = Static<typeof ClientMessage>;

const only = { additionalProperties: false } as const;

export const ServerMessage = Type.Union(
  [
    Type.Object(
      {
        type: Type.Literal('hello'),
        protocol: Type.Literal(PROTOCOL),
        name: Type.String({ description: 'Whose token it is' }),
        cursor: Type.String({ description: 'Where this connection starts' }),
        gap: Type.Boolean({
          description: 'True: the cursor is unknown or too old; what is still kept follows',
        }),
        heartbeatMs: Type.Integer({ description: 'Time between two pings' }),
        stream: Stream,
      },
      only,
    ),
    Type.Object(
      {
        type: Type.Literal('snapshot'),
        cursor: Cursor,
        open: Type.Integer({ description: 'How many alerts stand open, listed here or not' }),
        alerts: Type.Array(plain(AlertView), {
          description: 'Open alerts, newest first, for a client without a cursor',
        }),
      },
      only,
    ),
    Type.Object({ type: Type.Literal('alert'), cursor: Cursor, alert: plain(Alert) }, only),
    Type.Object({ type: Type.Literal('acknowledged'), alertId: Type.String(), ok: Type.Boolean() }, only),
    Type.Object({ type: Type.Literal('ping'), cursor: Cursor, stream: Stream }, only),
    Type.Object({ type: Type.Literal('pong') }, only),
  ],
  { $id: 'ServerMessage' },
);
export type ServerMessage = Static<typeof ServerMessage>;

const validate = new Ajv({ strict: false }).compile<ClientMessage>(ClientMessage);

/** A client's message, or null when it is none. */
export function parseClientMessage(text: string): ClientMessage | null {
  try {
    const value: unknown = JSON.parse(text);
    return validate(value) ? value : null;
  } catch {
    return null;
  }
}
