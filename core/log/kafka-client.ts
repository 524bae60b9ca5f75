// What all parts of the Kafka adapter share: the client with its limits, and kafkajs's errors as telltale's.
import { type Admin, Kafka, logLevel, type PartitionMetadata, type RetryOptions } from 'kafkajs';
import { isRetryable, messageOf, TelltaleError } from '../errors.ts';
import { pause } from '../service.ts';
import './kafka-queue.ts';

const CONNECT_MS = 3000;
export const REQUEST_MS = 15_000;
/** How long the broker may hold a fetch that has nothing to give: the default of 5 s stalls joins and disconnects. */
export const FETCH_WAIT_MS = 100;

/** Bounded everywhere, about 8 s in all: a broker that restarts is waited for, one that is gone is told. */
export const RETRY: RetryOptions = {
  initialRetryTime: 100,
  factor: 0.1,
  multiplier: 1.6,
  maxRetryTime: 1500,
  retries: 8,
};

/** A question is asked again for so long after its first answer; each try is bounded by RETRY itself. */
const ASK_MS = 8000;
const MAX_ASK_PAUSE_MS = 1500;

export interface KafkaConnection {
  readonly brokers: readonly string[];
  readonly clientId: string;
}

export function kafkaClient({ brokers, clientId }: KafkaConnection): Kafka {
  return new Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    retry: RETRY,
    // kafkajs logs each of its retries; what matters reaches the caller as an error or a line of our own.
    logLevel: logLevel.NOTHING,
  });
}

/** The error behind kafkajs's wrappers (retries exceeded, non-retriable …). */
function rootOf(error: Error): Error {
  let root = error;
  for (let depth = 0; depth < 8; depth++) {
    const inner = 'originalError' in root ? root.originalError : root.cause;
    if (!(inner instanceof Error) || inner === root) break;
    root = inner;
  }
  return root;
}

/** kafkajs's name of the broker's error code: `UNKNOWN_TOPIC_OR_PARTITION` … */
export function protocolType(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const root = rootOf(error);
  return 'type' in root && typeof root.type === 'string' ? root.type : undefined;
}

const FENCED = new Set([
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
  'UNKNOWN_PRODUCER_ID',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'TRANSACTION_COORDINATOR_FENCED',
]);
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'MSG_SIZE_TOO_LARGE']);

/** An error of kafkajs or of its socket as one of telltale's; others are faults of the program and stay as they are. */
export function outside(error: unknown, doing: string): unknown {
  if (error instanceof TelltaleError || !(error instanceof Error)) return error;
  const type = protocolType(error);
  const made = (code: ConstructorParameters<typeof TelltaleError>[0]) =>
    new TelltaleError(code, `${doing}: ${messageOf(rootOf(error))}`, { cause: error });
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return made('LOG_TOPIC_UNKNOWN');
  if (type !== undefined && TOO_LARGE.has(type)) return made('LOG_RECORD_TOO_LARGE');
  if (type !== undefined && FENCED.has(type)) return made('LOG_FENCED');
  const fromKafka = error.name.startsWith('KafkaJS') || rootOf(error).name.startsWith('KafkaJS');
  return fromKafka || 'syscall' in rootOf(error) ? made('LOG_UNAVAILABLE') : error;
}

/** Runs a call to Kafka; its errors come out as telltale's. */
export async function calling<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw outside(error, doing);
  }
}

/**
 * Like `calling`, for questions and other calls that may be made twice: kafkajs's admin client does not itself try again
 * when a coordinator or a leader is moving or being made.
 */
export async function asking<T>(doing: string, call: () => Promise<T>): Promise<T> {
  const until = performance.now() + ASK_MS;
  for (let tries = 1; ; tries++) {
    try {
      return await calling(doing, call);
    } catch (error) {
      if (!isRetryable(error) || performance.now() >= until) throw error;
      await pause(Math.min(MAX_ASK_PAUSE_MS, 50 * 2 ** tries));
    }
  }
}

/**
 * The partitions of a topic as the broker knows them; none when there is no such topic. kafkajs stumbles over its own emptied
 * cache when the connection is lost while it asks.
 */
export async function partitionsOf(admin: Admin, topic: string): Promise<readonly PartitionMetadata[]> {
  try {
    const { topics } = await admin.fetchTopicMetadata();
    return topics.find(({ name }) => name === topic)?.partitions ?? [];
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new TelltaleError('LOG_UNAVAILABLE', `${topic}: the connection was lost while asking`, {
      cause: error,
    });
  }
}
