// The rules an event must meet before it enters the log. Pure: bytes, topic and client in, a verdict out; bad data is a
// value here, never an exception. A good event costs one JSON.parse and one compiled check; which rule a bad one broke
// is worked out afterwards, by the general schemas.
import { isUtf8 } from 'node:buffer';
import { Ajv } from 'ajv';
import type { Catalogue, SignalSpec } from '../core/catalogue.ts';
import { invariant, messageOf } from '../core/errors.ts';
import { type DeadLetter, GroundTruth, Telemetry, Vin } from '../core/events.ts';
import { mqttTopics } from '../core/topics.ts';

/** A payload longer than this is a dead letter. */
export const MAX_PAYLOAD_BYTES = 65_536;

export type Reason = DeadLetter['reason'];

export type Verdict =
  | { readonly kind: 'telemetry' }
  | { readonly kind: 'ground-truth' }
  | { readonly kind: 'dead'; readonly reason: Reason; readonly detail: string };

/** Judges one message that the client of this id published to this topic. */
export type Judge = (client: string, topic: string, payload: Buffer) => Verdict;

const IS_TELEMETRY: Verdict = Object.freeze({ kind: 'telemetry' });
const IS_GROUND_TRUTH: Verdict = Object.freeze({ kind: 'ground-truth' });
const dead = (reason: Reason, detail: string): Verdict => ({ kind: 'dead', reason, detail });

const ajv = new Ajv({ allErrors: false, strict: false });
const isVin = ajv.compile<string>(Vin);
const isTelemetry = ajv.compile<Telemetry>(Telemetry);
const isGroundTruth = ajv.compile<GroundTruth>(GroundTruth);

/** Whether a client id can name a car: the rule of `vin` in every event. */
export function isClientId(text: unknown): text is string {
  return isVin(text);
}

/** `cars/<vin>/telemetry` → what stands before and after the VIN. */
function around(topicOf: (vin: string) => string): readonly [prefix: string, suffix: string] {
  const [prefix, suffix] = topicOf('\0').split('\0');
  invariant(prefix !== undefined && suffix !== undefined, 'an MQTT topic of a car names the car once');
  return [prefix, suffix];
}
const [TELEMETRY_PREFIX, TELEMETRY_SUFFIX] = around(mqttTopics.telemetry);
const [TRUTH_PREFIX, TRUTH_SUFFIX] = around(mqttTopics.groundTruth);

/** Whether `topic` is prefix + client + suffix, without building that string for each event. */
function isOwn(topic: string, prefix: string, client: string, suffix: string): boolean {
  return (
    topic.length === prefix.length + client.length + suffix.length &&
    topic.startsWith(prefix) &&
    topic.endsWith(suffix) &&
    topic.startsWith(client, prefix.length)
  );
}

/** Telemetry narrowed to one catalogue: its signals only, each within its range. The VIN is compared with the client's. */
function compileCatalogue(catalogue: Catalogue) {
  const properties = Object.fromEntries(
    catalogue.signals.map(({ name, min, max }) => [
      name,
      { type: ['number', 'null'], minimum: min, maximum: max },
    ]),
  );
  const schema = {
    ...Telemetry,
    $id: `${catalogue.name}/${catalogue.version}`,
    properties: {
      ...Telemetry.properties,
      vin: { type: 'string' },
      signals: { type: 'object', properties, additionalProperties: false },
    },
  };
  return new Ajv({ allErrors: false, strict: false }).compile<Telemetry>(schema);
}

/** JSON text to its value; undefined when it is none (JSON itself has no undefined). */
function parse(payload: Buffer): unknown {
  // A record with broken UTF-8 would be refused by every reader of the log.
  if (!isUtf8(payload)) return undefined;
  try {
    return JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
}

function whyNotJson(payload: Buffer): Verdict {
  if (!isUtf8(payload)) return dead('not-json', 'the bytes are not UTF-8');
  try {
    JSON.parse(payload.toString());
  } catch (error) {
    return dead('not-json', messageOf(error));
  }
  throw new Error('invariant broken: JSON that parses was called none');
}

function firstFault(validate: {
  errors?: readonly { instancePath: string; message?: string }[] | null;
}): string {
  const first = validate.errors?.[0];
  return `${first?.instancePath || '/'} ${first?.message ?? 'is invalid'}`;
}

/** The rule that a telemetry event broke; it is known to break one. */
function whyNotTelemetry(client: string, value: unknown, signals: ReadonlyMap<string, SignalSpec>): Verdict {
  if (!isTelemetry(value)) return dead('wrong-schema', firstFault(isTelemetry));
  if (value.vin !== client) return dead('foreign-vin', `vin ${value.vin} in an event of client ${client}`);
  const unknown = Object.keys(value.signals).filter((name) => !signals.has(name));
  if (unknown.length > 0) {
    const more = unknown.length > 3 ? ` and ${unknown.length - 3} more` : '';
    return dead('unknown-signal', `not in the catalogue: ${unknown.slice(0, 3).join(', ')}${more}`);
  }
  for (const [name, reading] of Object.entries(value.signals)) {
    const spec = signals.get(name);
    if (!spec || reading === null || (reading >= spec.min && reading <= spec.max)) continue;
    const [side, limit] = reading < spec.min ? ['below', spec.min] : ['above', spec.max];
    const unit = spec.unit === '' ? '' : ` ${spec.unit}`;
    return dead('impossible-value', `${name} ${reading} is ${side} ${limit}${unit}`);
  }
  throw new Error(`invariant broken: the two telemetry checks disagree about an event of ${client}`);
}

function judgeGroundTruth(client: string, payload: Buffer): Verdict {
  const value = parse(payload);
  if (value === undefined) return whyNotJson(payload);
  if (!isGroundTruth(value)) return dead('wrong-schema', firstFault(isGroundTruth));
  return value.vin === client
    ? IS_GROUND_TRUTH
    : dead('foreign-vin', `vin ${value.vin} in ground truth of client ${client}`);
}

function whyNotTopic(client: string, topic: string): Verdict {
  const vin = /^cars\/([^/]+)\/(?:telemetry|ground-truth)$/.exec(topic)?.[1];
  return vin === undefined
    ? dead('unknown-topic', `${topic} is no topic for a car to publish to`)
    : dead('foreign-vin', `client ${client} published to a topic of ${vin}`);
}

/** The rules of a fleet with this catalogue, compiled once. */
export function compileJudge(catalogue: Catalogue): Judge {
  const isGood = compileCatalogue(catalogue);
  const signals = new Map(catalogue.signals.map((signal) => [signal.name, signal]));
  return (client, topic, payload) => {
    const own = isOwn(topic, TELEMETRY_PREFIX, client, TELEMETRY_SUFFIX);
    if (!own && !isOwn(topic, TRUTH_PREFIX, client, TRUTH_SUFFIX)) return whyNotTopic(client, topic);
    if (payload.length > MAX_PAYLOAD_BYTES)
      return dead('too-large', `${payload.length} bytes, at most ${MAX_PAYLOAD_BYTES} are accepted`);
    if (!own) return judgeGroundTruth(client, payload);
    const value = parse(payload);
    if (value === undefined) return whyNotJson(payload);
    if (isGood(value) && value.vin === client) return IS_TELEMETRY;
    return whyNotTelemetry(client, value, signals);
  };
}
