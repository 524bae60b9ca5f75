// One table binds each topic to its schema, key, retention and single writer; nobody else spells a topic's name.
import { Ajv, type ValidateFunction } from 'ajv';
import { messageOf, TelltaleError } from './errors.ts';
import {
  Alert,
  DeadLetter,
  GroundTruth,
  ModelRelease,
  type Schema,
  Score,
  TelemetryRecord,
  Watched,
} from './events.ts';
import { ScoreCursor } from './score-cursor.ts';
import { packScores } from './score-pack.ts';

const DAY_MS = 86_400_000;

export type Room = 'ingest' | 'training' | 'scoring' | 'alerts';

/** What a topic is: `T` is the type of its values. */
export interface Topic<T> {
  readonly name: string;
  readonly schema: Schema | null;
  /** How its values stand in the log. */
  readonly form: 'JSON' | 'bytes' | 'packed scores';
  readonly key: string;
  readonly owner: Room;
  /** `null`: as many as the setting `partitions` says. Topics keyed by VIN must all have the same count. */
  readonly partitions: number | null;
  readonly retentionMs: number | null;
  readonly compacted: boolean;
  readonly about: string;
  readonly encode: (value: T) => Uint8Array;
  /** Decodes and validates; throws RECORD_INVALID. */
  readonly decode: (bytes: Uint8Array) => T;
}

// removeAdditional stays off: a record is accepted or refused as it is.
const ajv = new Ajv({ allErrors: false, strict: false });
const utf8 = new TextDecoder('utf-8', { fatal: true });

type TopicFacts = Omit<Topic<unknown>, 'encode' | 'decode' | 'schema' | 'form'>;

function jsonTopic<T>(schema: Schema, facts: TopicFacts): Topic<T> {
  let validate: ValidateFunction | undefined;
  return {
    ...facts,
    schema,
    form: 'JSON',
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode: (bytes) => {
      validate ??= ajv.compile(schema);
      let value: unknown;
      try {
        value = JSON.parse(utf8.decode(bytes));
      } catch (cause) {
        throw new TelltaleError('RECORD_INVALID', `${facts.name}: not JSON: ${messageOf(cause)}`, { cause });
      }
      if (!validate(value)) {
        const first = validate.errors?.[0];
        throw new TelltaleError(
          'RECORD_INVALID',
          `${facts.name}: ${first?.instancePath ?? ''} ${first?.message ?? 'invalid'}`,
        );
      }
      return value as T;
    },
  };
}

/** A topic whose values are bytes that only its owner reads (per-car state). */
function bytesTopic(facts: TopicFacts): Topic<Uint8Array> {
  return { ...facts, schema: null, form: 'bytes', encode: (value) => value, decode: (bytes) => bytes };
}

export const telemetryTopic = jsonTopic<TelemetryRecord>(TelemetryRecord, {
  name: 'telemetry',
  key: 'vin',
  owner: 'ingest',
  partitions: null,
  retentionMs: 7 * DAY_MS,
  compacted: false,
  about: 'Every accepted event of every car, as it was published; the log timestamp is the ingest time.',
});

export const groundTruthTopic = jsonTopic<GroundTruth>(GroundTruth, {
  name: 'ground-truth',
  key: 'vin',
  owner: 'ingest',
  partitions: null,
  retentionMs: 30 * DAY_MS,
  compacted: false,
  about: 'Faults the simulator caused; only evaluation reads it.',
});

export const deadLettersTopic = jsonTopic<DeadLetter>(DeadLetter, {
  name: 'dead-letters',
  key: 'MQTT client id',
  owner: 'ingest',
  partitions: 1,
  retentionMs: 30 * DAY_MS,
  compacted: false,
  about: 'What could not be accepted, with its reason and its original bytes.',
});

export const modelsTopic = jsonTopic<ModelRelease>(ModelRelease, {
  name: 'models',
  key: 'release/<version>, part/<version>/<n> or alias/<name>',
  owner: 'training',
  partitions: 1,
  retentionMs: null,
  compacted: true,
  about: 'Released model bundles and the aliases champion and challenger.',
});

export const alertsTopic = jsonTopic<Alert>(Alert, {
  name: 'alerts',
  key: 'vin',
  owner: 'alerts',
  partitions: null,
  retentionMs: 30 * DAY_MS,
  compacted: false,
  about: 'Each phase of each alert.',
});

/** How long a look at a car is taken to last. */
export const WATCHED_MS = 60_000;

export const watchedTopic = jsonTopic<Watched>(Watched, {
  name: 'watched',
  key: 'vin',
  owner: 'alerts',
  partitions: 1,
  retentionMs: 60 * WATCHED_MS,
  compacted: false,
  about: 'Cars that somebody looks at, for a minute from then on: their scores are told in full.',
});

const scoreFacts = (version: string): TopicFacts => ({
  name: `scores.${version}`,
  key: 'vin of the first score in the record',
  owner: 'scoring',
  partitions: null,
  retentionMs: 7 * DAY_MS,
  compacted: false,
  about: 'One score for each distinct telemetry event, by the model named; a record holds those of a batch.',
});

/** A record of the former form: one score, as JSON. */
const formerScores = jsonTopic<Score>(Score, scoreFacts('<model>'));

/** Scores of one model version over `telemetry`, partition for partition; the scores of a record are of one model and partition. */
export function scoresTopic(version: string): Topic<readonly Score[]> {
  return {
    ...scoreFacts(version),
    schema: Score,
    form: 'packed scores',
    encode: packScores,
    decode: (bytes) => {
      const cursor = scoreCursor();
      cursor.open(bytes, 0);
      const scores: Score[] = [];
      while (cursor.next()) scores.push(cursor.toScore());
      return scores;
    },
  };
}

/** For whoever reads many scores and of most of them little. */
export const scoreCursor = (): ScoreCursor => new ScoreCursor(formerScores.decode);

/** Snapshots of the scorer's states, each with the offset of telemetry it is true at (docs/design/0008-snapshots.md). */
export function scorerStateTopic(version: string): Topic<Uint8Array> {
  return bytesTopic({
    name: `scorer-state.${version}`,
    key: 'vin',
    owner: 'scoring',
    partitions: null,
    retentionMs: null,
    compacted: true,
    about:
      "Snapshots of the scorer's state of each car; telemetry since is told again by whoever takes over.",
  });
}

/** The alert policy's state of each car under one model. */
export function policyStateTopic(version: string): Topic<Uint8Array> {
  return bytesTopic({
    name: `policy-state.${version}`,
    key: 'vin',
    owner: 'alerts',
    partitions: null,
    retentionMs: null,
    compacted: true,
    about: "The alert policy's state of each car.",
  });
}

/** The topics every deployment has, created at start. */
export const FIXED_TOPICS = [
  telemetryTopic,
  groundTruthTopic,
  deadLettersTopic,
  modelsTopic,
  alertsTopic,
  watchedTopic,
] as const;

/** MQTT topics of one car, and those of the fleet. */
export const mqttTopics = {
  telemetry: (vin: string) => `cars/${vin}/telemetry`,
  groundTruth: (vin: string) => `cars/${vin}/ground-truth`,
  /** Orders to this car alone. */
  commands: (vin: string) => `cars/${vin}/commands`,
  fleetCommands: 'fleet/commands',
} as const;
