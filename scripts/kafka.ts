// A real Apache Kafka on this machine: one node, KRaft, from the jars of Maven Central (scripts/kafka/pom.xml), with
// nothing to install but Java 17 and, for the first start, Maven. `npm run kafka` runs one until Ctrl-C; the tests and
// benchmarks start their own.
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

const VERSION = '4.3.1';
const HERE = new URL('./kafka/', import.meta.url).pathname;
/** Where the jars are kept between runs. */
export const KAFKA_JARS = new URL(`../.cache/kafka/${VERSION}`, import.meta.url).pathname;
/** A broker starts in five seconds, and in minutes where others have the processor. */
const START_MS = 240_000;
const STOP_MS = 20_000;
const OUTPUT_LINES = 40;

export interface KafkaOptions {
  /** Its data; kept by `stop` when given. Default: a temporary folder, removed by `stop`. */
  readonly dir?: string;
  /** Default: any free one. */
  readonly port?: number;
  /** Folder with Kafka's jars. Default: KAFKA_JARS, filled by Maven when it is empty. */
  readonly jars?: string;
}

export interface RunningKafka {
  /** `127.0.0.1:PORT` */
  readonly brokers: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves with the exit code when the broker ends, of itself or not. */
  readonly ended: Promise<number | null>;
  /** Asks it to stop (SIGTERM) and waits. */
  stop(): Promise<void>;
  /** Ends it at once (SIGKILL), as a crash would; the data stays for another start. */
  kill(): Promise<void>;
}

/** Why Kafka cannot be started here, in words; undefined when it can. */
export function kafkaMissing(jars: string = KAFKA_JARS): string | undefined {
  if (spawnSync('java', ['-version']).status !== 0) return 'java is not on the PATH';
  if (hasJars(jars)) return undefined;
  return spawnSync('mvn', ['-v']).status === 0 ? undefined : `no jars in ${jars}, and mvn is not on the PATH`;
}

const hasJars = (folder: string): boolean =>
  existsSync(folder) &&
  readdirSync(folder).some((name) => name.startsWith('kafka_') && name.endsWith('.jar'));

/** Fetches the jars once; a second process that does the same meanwhile finds them whole or not at all. */
async function fetchJars(folder: string): Promise<void> {
  if (hasJars(folder)) return;
  const partial = `${folder}.${process.pid}`;
  await promisify(execFile)('mvn', [
    '-q',
    '-B',
    '-f',
    join(HERE, 'pom.xml'),
    'dependency:copy-dependencies',
    '-DincludeScope=runtime',
    `-DoutputDirectory=${partial}`,
  ]);
  if (hasJars(folder)) rmSync(partial, { recursive: true });
  else renameSync(partial, folder);
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null
          ? resolve(address.port)
          : reject(new Error('no port was given')),
      );
    });
  });
}

/** server.properties of a single node: replication 1, few partitions for the internal topics, no waiting for members. */
function properties(dir: string, port: number, controllerPort: number): string {
  const settings: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `BROKER://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `BROKER://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'BROKER',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(dir, 'data'),
    'auto.create.topics.enable': false,
    'delete.topic.enable': true,
    'num.partitions': 1,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'log.cleaner.dedupe.buffer.size': 2 ** 21,
    'log.retention.check.interval.ms': 1000,
    'log.cleaner.backoff.ms': 1000,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

function javaArguments(jars: string, main: string, ...rest: readonly string[]): string[] {
  return [
    '-Xmx512m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    `-Dlog4j2.configurationFile=${join(HERE, 'log4j2.properties')}`,
    '-cp',
    join(jars, '*'),
    main,
    ...rest,
  ];
}

/** Resolves when the broker says that it has started. @throws Error with its last words when it ends or takes too long */
function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const words: string[] = [];
    const timer = setTimeout(() => fail('took too long'), START_MS);
    const fail = (why: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`Kafka ${why}:\n${words.join('')}`));
    };
    const listen = (chunk: Buffer) => {
      words.push(chunk.toString());
      if (words.length > OUTPUT_LINES) words.shift();
      if (!words.join('').includes('Kafka Server started')) return;
      clearTimeout(timer);
      child.off('exit', ended);
      resolve();
    };
    const ended = (code: number | null) => fail(`ended with ${code}`);
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    child.on('exit', ended);
    child.on('error', (error) => fail(error.message));
  });
}

/**
 * Starts a broker and waits until it serves.
 * @throws Error in words when Java, the jars or the port are missing
 */
export async function startKafka(options: KafkaOptions = {}): Promise<RunningKafka> {
  const jars = options.jars ?? KAFKA_JARS;
  const missing = kafkaMissing(jars);
  if (missing !== undefined) throw new Error(`Kafka cannot be started: ${missing}`);
  await fetchJars(jars);
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'telltale-kafka-')));
  mkdirSync(dir, { recursive: true });
  const port = options.port ?? (await freePort());
  const file = join(dir, 'server.properties');
  writeFileSync(file, properties(dir, port, await freePort()));
  if (!existsSync(join(dir, 'data', 'meta.properties'))) {
    // A cluster's id: 16 random bytes in base64url, as Kafka's own tool makes them (but never with a leading dash).
    const id = `A${randomBytes(16).toString('base64url').slice(1)}`;
    await promisify(execFile)(
      'java',
      javaArguments(jars, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', file),
    );
  }
  const child = spawn('java', javaArguments(jars, 'kafka.Kafka', file), {
    stdio: ['ignore', 'pipe', 'pipe'],
    // In a process group of its own: Ctrl-C reaches this program alone, which then asks the broker to stop.
    detached: true,
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  await started(child);
  const finish = async (signal: 'SIGTERM' | 'SIGKILL') => {
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
    process.off('exit', killWithUs);
  };
  return {
    brokers: `127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0,
    ended,
    kill: () => finish('SIGKILL'),
    stop: async () => {
      await finish('SIGTERM');
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      dir: { type: 'string' },
      jars: { type: 'string' },
      install: { type: 'boolean' },
    },
  });
  if (values.install) {
    const folder = values.jars ?? KAFKA_JARS;
    await fetchJars(folder);
    console.log(`kafka: jars in ${folder}`);
    return;
  }
  const kafka = await startKafka({
    port: Number(values.port ?? 9092),
    ...(values.dir === undefined ? {} : { dir: values.dir }),
    ...(values.jars === undefined ? {} : { jars: values.jars }),
  });
  console.log(`KAFKA_BROKERS=${kafka.brokers}`);
  let stopping = false;
  const stop = () => {
    stopping = true;
    void kafka.stop();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const code = await kafka.ended;
  if (stopping) return;
  console.error(`kafka: ended of itself with ${code}`);
  process.exitCode = 1;
}

if (import.meta.main) await main();
