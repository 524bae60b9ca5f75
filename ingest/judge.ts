// The rules an event must meet before it enters the log. Pure: bytes, topic, client and time in, a verdict out; bad data is a
// value here, never an exception. A good event costs one JSON.parse and one compiled check; what is wrong with another is worked
// out afterwards. An event is refused when its frame cannot be read (who, which, when); what is wrong inside costs it no more than
// the readings concerned: they are remarked on, and readers take them as missing.
import { isUtf8 } from 'node:buffer';
import { Ajv, type ValidateFunction } from 'ajv';
import type { Catalogue, SignalSpec } from '../core/catalogue.ts';
import { invariant, messageOf } from '../core/errors.ts';
import { type DeadLetter, GroundTruth, Telemetry, TelemetryRecord, Vin } from '../core/events.ts';
import { whyNoReading } from '../core/telemetry-reader.ts';
import { mqttTopics } from '../core/topics.ts';
import { isPlausible, likely, type TimeBounds, whyImplausible } from './plausible-time.ts';
import type { Remark } from './remarks.ts';

/** A payload longer than this is a dead letter. */
export const MAX_PAYLOAD_BYTES = 65_536;

export type Reason = DeadLetter['reason'];

export type Verdict =
  | { readonly kind: 'telemetry'; readonly remarks?: readonly Remark[] }
  | { readonly kind: 'ground-truth' }
  | { readonly kind: 'dead'; readonly reason: Reason; readonly detail: string };

/** Judges one message that the client of this id published to this topic, received at this time. */
export type Judge = (client: string, topic: string, payload: Buffer, receivedMs: number) => Verdict;

const IS_TELEMETRY: Verdict = Object.freeze({ kind: 'telemetry' });
const IS_GROUND_TRUTH: Verdict = Object.freeze({ kind: 'ground-truth' });
const dead = (reason: Reason, detail: string): Verdict => ({ kind: 'dead', reason, detail });

const ajv = new Ajv({ allErrors: false, strict: false });
const isVin = ajv.compile<string>(Vin);
const isRecord = ajv.compile<TelemetryRecord>(TelemetryRecord);
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

/** Telemetry narrowed to one catalogue: its signals only, each a possible reading. The VIN is compared with the client's. */
function compileCatalogue(catalogue: Catalogue) {
  const properties = Object.fromEntries(
    catalogue.signals.map(({ name, min, max, missing = [] }) => {
      const reading = { type: ['number', 'null'], minimum: min, maximum: max };
      // A code for "not available" may lie within the range.
      return [name, missing.length > 0 ? { ...reading, not: { enum: [...missing] } } : reading];
    }),
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

const FIELDS: ReadonlySet<string> = new Set(Object.keys(Telemetry.properties));
/** Names that a remark quotes, at most. */
const QUOTED = 3;

/** Whether anything was measured; `signals` are all readings or null. */
function hasReading(signals: Telemetry['signals']): boolean {
  for (const name in signals) if (signals[name] !== null) return true;
  return false;
}

/** What is wrong inside an event whose frame is good. */
function remarksOn(value: TelemetryRecord, specs: ReadonlyMap<string, SignalSpec>): Remark[] {
  const remarks: Remark[] = [];
  const strangers: string[] = [];
  let readings = 0;
  for (const [name, sent] of Object.entries(value.signals)) {
    const spec = specs.get(name);
    if (spec === undefined) strangers.push(name);
    else {
      const reason = whyNoReading(sent, spec);
      if (reason !== null) remarks.push({ reason, signal: name, count: 1, examples: [sent] });
      else if (sent !== null) readings += 1;
    }
  }
  if (strangers.length > 0) {
    const examples = strangers.slice(0, QUOTED);
    remarks.push({ reason: 'unknown-signal', signal: '', count: strangers.length, examples });
  }
  const fields = Object.keys(value).filter((name) => !FIELDS.has(name));
  if (!['string', 'number', 'undefined'].includes(typeof (value.session ?? undefined)))
    fields.push('session');
  if (fields.length > 0)
    remarks.push({ reason: 'unknown-field', signal: '', count: 1, examples: fields.slice(0, QUOTED) });
  if (readings === 0) remarks.push({ reason: 'no-reading', signal: '', count: 1, examples: [] });
  return remarks;
}

/** Why this is no event with a readable frame; a time in another unit may break the schema before it is compared. */
function whyNotSchema(validate: ValidateFunction, value: unknown, receivedMs: number): Verdict {
  const fault = firstFault(validate);
  if (!fault.startsWith('/ts ')) return dead('wrong-schema', fault);
  const { ts } = value as { readonly ts: unknown };
  const hint = typeof ts === 'number' ? likely(ts, receivedMs) : '';
  const whole = Number.isInteger(ts) && hint !== '';
  return dead(whole ? 'implausible-time' : 'wrong-schema', `${fault}${hint || ': milliseconds since 1970'}`);
}

/** What both kinds of events of a car must hold; null: they do. */
function whyNotOf(
  client: string,
  { vin, ts }: { readonly vin: string; readonly ts: number },
  receivedMs: number,
  bounds: TimeBounds,
): Verdict | null {
  if (vin !== client) return dead('foreign-vin', `vin ${vin} in an event of client ${client}`);
  if (isPlausible(ts, receivedMs, bounds)) return null;
  return dead('implausible-time', whyImplausible(ts, receivedMs, bounds));
}

function whyNotTopic(client: string, topic: string): Verdict {
  const vin = /^cars\/([^/]+)\/(?:telemetry|ground-truth)$/.exec(topic)?.[1];
  return vin === undefined
    ? dead('unknown-topic', `${topic} is no topic for a car to publish to`)
    : dead('foreign-vin', `client ${client} published to a topic of ${vin}`);
}

/** The rules of a fleet with this catalogue, compiled once. */
export function compileJudge(catalogue: Catalogue, bounds: TimeBounds): Judge {
  const isGood = compileCatalogue(catalogue);
  const specs = new Map(catalogue.signals.map((signal) => [signal.name, signal]));

  /** The verdict on an event that is not plainly good. */
  const judgeClosely = (client: string, value: unknown, receivedMs: number): Verdict => {
    if (!isRecord(value)) return whyNotSchema(isRecord, value, receivedMs);
    const refused = whyNotOf(client, value, receivedMs, bounds);
    if (refused !== null) return refused;
    const remarks = remarksOn(value, specs);
    return remarks.length === 0 ? IS_TELEMETRY : { kind: 'telemetry', remarks };
  };
  const judgeGroundTruth = (client: string, payload: Buffer, receivedMs: number): Verdict => {
    const value = parse(payload);
    if (value === undefined) return whyNotJson(payload);
    if (!isGroundTruth(value)) return whyNotSchema(isGroundTruth, value, receivedMs);
    return whyNotOf(client, value, receivedMs, bounds) ?? IS_GROUND_TRUTH;
  };

  return (client, topic, payload, receivedMs) => {
    const own = isOwn(topic, TELEMETRY_PREFIX, client, TELEMETRY_SUFFIX);
    if (!own && !isOwn(topic, TRUTH_PREFIX, client, TRUTH_SUFFIX)) return whyNotTopic(client, topic);
    if (payload.length > MAX_PAYLOAD_BYTES)
      return dead('too-large', `${payload.length} bytes, at most ${MAX_PAYLOAD_BYTES} are accepted`);
    if (!own) return judgeGroundTruth(client, payload, receivedMs);
    const value = parse(payload);
    if (value === undefined) return whyNotJson(payload);
    if (
      isGood(value) &&
      value.vin === client &&
      isPlausible(value.ts, receivedMs, bounds) &&
      hasReading(value.signals)
    )
      return IS_TELEMETRY;
    return judgeClosely(client, value, receivedMs);
  };
}
