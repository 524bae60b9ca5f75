// Every setting of every command, once: its kind, its fallback, what it is about and its variable. What a person may set is
// read here; how flags and variables are read stands in config.ts.
import { DeadLetter } from './events.ts';
import {
  duration,
  flag,
  integer,
  type Kind,
  list,
  maybe,
  moment,
  oneOf,
  pace,
  rate,
  text,
  worker,
} from './setting-kinds.ts';

export interface Setting<T> {
  readonly kind: Kind<T>;
  readonly fallback: T;
  readonly env?: string;
  readonly about: string;
}

function setting<T>(kind: Kind<T>, fallback: T, about: string, env?: string): Setting<T> {
  return env === undefined ? { kind, fallback, about } : { kind, fallback, about, env };
}

/** Every setting of every command: key in camelCase, flag in kebab-case. */
export const SETTINGS = {
  // where the log is
  dataDir: setting(
    text('DIR'),
    './data',
    'Folder of the embedded log and of trained models',
    'TELLTALE_DATA_DIR',
  ),
  kafkaBrokers: setting(
    list,
    [] as readonly string[],
    'Kafka bootstrap servers; set, the log is Kafka, otherwise the embedded one',
    'KAFKA_BROKERS',
  ),
  kafkaReplication: setting(
    integer(1, 9),
    1,
    'Replication factor of topics that are created',
    'KAFKA_REPLICATION',
  ),
  topicPrefix: setting(
    text('PREFIX'),
    '',
    'Put before every topic and group name, so that several fleets share one cluster',
    'TELLTALE_TOPIC_PREFIX',
  ),
  partitions: setting(
    integer(1, 512),
    6,
    'Partitions of topics keyed by car, when they are created',
    'TELLTALE_PARTITIONS',
  ),
  catalogue: setting(
    text('FILE'),
    '',
    'Signal catalogue (JSON); default: the one in the data folder, else the car catalogue',
    'TELLTALE_CATALOGUE',
  ),
  // where services listen and whom they call
  mqttHost: setting(text('HOST'), '127.0.0.1', 'Address of the MQTT broker', 'TELLTALE_MQTT_HOST'),
  mqttPort: setting(
    integer(0, 65_535),
    1883,
    'Port of the MQTT broker (0: any free one)',
    'TELLTALE_MQTT_PORT',
  ),
  mqttPassword: setting(
    text('SECRET'),
    '',
    'Password every MQTT client must give; empty: none is asked',
    'TELLTALE_MQTT_PASSWORD',
  ),
  mqttMaxConnections: setting(
    integer(1, 1_000_000),
    19_000,
    'MQTT connections one ingest process takes; more are closed at once',
    'TELLTALE_MQTT_MAX_CONNECTIONS',
  ),
  ingestBufferMb: setting(
    integer(1, 65_536),
    64,
    'Megabytes of events that may wait for a slow log before ingest stops reading its connections',
    'TELLTALE_INGEST_BUFFER_MB',
  ),
  maxEventAge: setting(
    maybe(duration(0, 36_500 * 86_400_000)),
    null,
    'Events older than this when they come in are dead letters; 36500d: none is (default 400d)',
    'TELLTALE_MAX_EVENT_AGE',
  ),
  maxEventAhead: setting(
    maybe(duration(0, 36_500 * 86_400_000)),
    null,
    'Events further than this ahead of the clock when they come in are dead letters (default 10m)',
    'TELLTALE_MAX_EVENT_AHEAD',
  ),
  httpHost: setting(
    text('HOST'),
    '127.0.0.1',
    'Address of the page, REST and WebSocket server',
    'TELLTALE_HTTP_HOST',
  ),
  httpPort: setting(
    integer(0, 65_535),
    8080,
    'Port of the page, REST and WebSocket server (0: any free one)',
    'TELLTALE_HTTP_PORT',
  ),
  metricsPort: setting(
    integer(-1, 65_535),
    -1,
    'Port of /metrics and /health on 127.0.0.1 (-1: none, 0: any free one)',
    'TELLTALE_METRICS_PORT',
  ),
  // who may see which alerts, and seeing them
  tokensFile: setting(
    text('FILE'),
    '',
    'Bearer tokens and their cars (JSON); default: tokens.json in the data folder, made when it is not there',
    'TELLTALE_TOKENS_FILE',
  ),
  control: setting(flag, false, 'Allow to break and mend simulated cars (a server: over the MQTT broker)'),
  url: setting(text('URL'), 'http://127.0.0.1:8080', 'Server to get alerts from', 'TELLTALE_URL'),
  token: setting(text('TOKEN'), '', 'Bearer token to come with', 'TELLTALE_TOKEN'),
  vin: setting(list, [] as readonly string[], "Only these of the token's cars"),
  follow: setting(flag, false, 'Stay and print each alert as it comes'),
  cursorFile: setting(
    text('FILE'),
    '',
    'Where the cursor is kept, so that the next run goes on where this one ends',
  ),
  // which records
  from: setting(moment, null, 'Only what came in at or after this time'),
  to: setting(moment, null, 'Only what came in before this time'),
  reason: setting<DeadLetter['reason'] | ''>(
    oneOf(...DeadLetter.properties.reason.enum),
    '',
    'Only dead letters with this reason',
  ),
  dryRun: setting(flag, false, 'Say what would be done, and do nothing'),
  limit: setting(integer(1, 10_000), 50, 'How many are listed, newest last'),
  all: setting(flag, false, 'Also those that were redriven already'),
  // recordings
  csv: setting(text('FILE'), '', 'A recording: CSV, plain or gzip'),
  id: setting(
    text('COLUMN'),
    '',
    'Column that tells the cars apart (default: id, vin, car, … that is filled); none: the file is one car',
  ),
  time: setting(text('COLUMN'), '', 'Column of event times (default: timestamp, time, ts, …)'),
  ignore: setting(list, [] as readonly string[], 'Columns that are no signals, by name or number (#3)'),
  skipLines: setting(maybe(integer(0, 10_000)), null, 'Lines above the header (default: found out)'),
  delimiter: setting(
    text('CHAR'),
    '',
    'What parts the cells: a character, or comma, semicolon, tab, pipe, space (default: found out)',
  ),
  decimal: setting<'' | 'point' | 'comma'>(
    oneOf('point', 'comma'),
    '',
    'What decimals are written with; the other one parts thousands (default: found out, column by column)',
  ),
  out: setting(text('PATH'), '', 'Where the result is written'),
  // models
  model: setting(text('MODEL'), '', 'A model: its version, champion or challenger; with --csv its folder'),
  offsets: setting(
    text('P:FROM-TO,…'),
    '',
    'Only these offsets of telemetry, for each partition from (inclusive) and to (exclusive)',
  ),
  cars: setting(list, [] as readonly string[], 'Only these cars; one that ends in * is a prefix'),
  alertBudget: setting(
    rate,
    null,
    'False alerts that are bearable for one car, by the hour or the day of driving (default 0.5/h; from the log 1/d)',
  ),
  seed: setting(integer(0, Number.MAX_SAFE_INTEGER), 1, 'Seed of everything drawn'),
  maxRows: setting(
    integer(100, 10_000_000),
    700_000,
    'Most rows trained on (1 KB of memory each); more are thinned to stretches drawn by the seed, each car its part, some a long one',
  ),
  effort: setting(
    oneOf('first', 'quick', 'full'),
    'full',
    'first: a model in seconds that sees what shows at once; quick: fewer gradient steps',
  ),
  card: setting(text('FILE'), '', "A model's card.json: train it again, from the same records and settings"),
  promote: setting(flag, false, 'Make the new model champion at once'),
  note: setting(text('TEXT'), '', 'A note that stands with the release'),
  by: setting(text('NAME'), '', 'Who does it, for the record (default: the user name)', 'USER'),
  tfBackend: setting(
    oneOf('auto', 'wasm', 'node', 'cpu'),
    'auto',
    'TensorFlow.js backend: WebAssembly, the native library, plain JavaScript; auto takes the first that loads',
    'TELLTALE_TF_BACKEND',
  ),
  stateBytes: setting(
    integer(1, 1_000_000),
    290,
    "Bytes of cars' states written to the log for each scored event, on average; fewer: a cheaper log, and more telemetry to read again when a scorer takes over",
    'TELLTALE_STATE_BYTES',
  ),
  // the simulated fleet
  scenario: setting(text('NAME|FILE'), 'demo', 'A ready scenario by name, or a scenario file (YAML)'),
  fleetSize: setting(maybe(integer(1, 1_000_000)), null, 'Number of cars (default: the scenario says)'),
  fleetSeed: setting(maybe(integer(0, 0xffff_ffff)), null, 'Seed of the fleet (default: the scenario says)'),
  start: setting(
    moment,
    null,
    'Event time at which the drive begins, after its history (default: the scenario says, or now)',
  ),
  speed: setting(pace, null, 'Event time against real time; max: as fast as the broker takes it (default 1)'),
  duration: setting(
    maybe(duration(1000, 3650 * 86_400_000)),
    null,
    'How long to drive, in event time (default: the scenario says)',
  ),
  history: setting(
    maybe(duration(0, 365 * 86_400_000)),
    null,
    'So much of the past is driven first, at full speed (default: the scenario says)',
  ),
  processes: setting(
    maybe(integer(1, 64)),
    null,
    'Processes the fleet is split over (default: the scenario says)',
  ),
  worker: setting(worker, '', 'Be one of several simulator processes: which of how many, such as 2/6'),
  brokers: setting(
    list,
    [] as readonly string[],
    'MQTT brokers the cars are spread over, each host:port (default: --mqtt-host, --mqtt-port)',
  ),
  keepTimes: setting(
    flag,
    false,
    'Leave the times of a recording as they are, also years past; default: those are moved, so that they end now',
  ),
  check: setting(flag, false, 'Compare the simulated fleet with real drives (--csv), fact by fact'),
  label: setting(flag, false, 'Add a column that is 1 where a fault of the car can be seen'),
  full: setting(
    flag,
    false,
    'Tell each score in full: readings, what was expected, and the signals to blame, also of calm cars',
  ),
  json: setting(flag, false, 'The summary as JSON on stdout; progress goes to stderr'),
} as const;

export type Settings = {
  readonly [K in keyof typeof SETTINGS]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never;
};
export type SettingKey = keyof Settings;

/** Settings every command that reads a recording takes. */
export const RECORDING_SETTINGS = [
  'csv',
  'id',
  'time',
  'ignore',
  'skipLines',
  'delimiter',
  'decimal',
] as const satisfies readonly SettingKey[];

/** Settings every command that opens the log takes. */
export const LOG_SETTINGS = [
  'dataDir',
  'kafkaBrokers',
  'kafkaReplication',
  'topicPrefix',
  'partitions',
] as const satisfies readonly SettingKey[];
