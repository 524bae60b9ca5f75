// The policy's state of a car as bytes of the compacted `policy-state.<model>` topic. JSON: it is written for strange cars
// only (a car as expected has no state at all), and a person may want to read it.
import { Ajv } from 'ajv';
import { type Static, Type } from 'typebox';
import { Alert, SignalShare } from '../core/events.ts';
import { type CarPolicy, isBlank } from './policy.ts';

// Without the $id of SignalShare, which may stand only once in a schema.
const Share = Type.Object(SignalShare.properties);

const StoredCar = Type.Object(
  {
    v: Type.Literal(1),
    /** When the model took charge; the state of a former reign of the same model says nothing. */
    reign: Type.Integer(),
    hysteresis: Type.Integer({ minimum: 0, maximum: 0x7fffffff }),
    lastTs: Type.Integer(),
    blamed: Type.Array(Type.Object({ ratio: Type.Number(), top: Type.Array(Share) })),
    open: Type.Union([
      Type.Null(),
      Type.Object({
        alertId: Type.String(),
        raisedTs: Type.Integer(),
        severity: Alert.properties.severity,
        top: Type.Array(Share),
        quietSinceTs: Type.Union([Type.Null(), Type.Integer()]),
        upSinceTs: Type.Integer(),
      }),
    ]),
    raises: Type.Array(Type.Integer()),
  },
  { additionalProperties: false },
);

const validate = new Ajv({ strict: false }).compile<Static<typeof StoredCar>>(StoredCar);

/** Null for a car that needs no state: a tombstone in the topic. */
export function encodeCar(car: CarPolicy, reign: number): Uint8Array | null {
  return isBlank(car) ? null : Buffer.from(JSON.stringify({ v: 1, reign, ...car }));
}

/** The car's state, or null when the bytes are of another reign or another version: the car then starts anew. */
export function decodeCar(bytes: Uint8Array, reign: number): CarPolicy | null {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return null;
  }
  if (!validate(value) || value.reign !== reign) return null;
  const { v: _version, reign: _reign, ...car } = value;
  return car;
}
