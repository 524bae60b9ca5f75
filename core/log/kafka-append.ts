// `append` on Kafka: kafkajs sends what it is given at once, so that calls are gathered here, for a tick or until a
// request is full, and sent by one idempotent producer, one request at a time: order is kept within each key.
import type { Kafka, Producer } from 'kafkajs';
import { TelltaleError } from '../errors.ts';
import { outside, RETRY } from './kafka-client.ts';
import {
  byTopic,
  checkAnswered,
  headCount,
  MAX_REQUEST_BYTES,
  MAX_REQUEST_RECORDS,
  type Outgoing,
  outgoing,
} from './kafka-messages.ts';
import type { NewRecord } from './log.ts';

const TICK_MS = 5;
/** What may wait before more is refused: callers that do not await each append are told to. */
const MAX_QUEUED_BYTES = 64 * 2 ** 20;

interface Call {
  /** Records not yet acknowledged. */
  open: number;
  failed: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Queued extends Outgoing {
  readonly call: Call;
}

export class KafkaAppender {
  readonly #kafka: Kafka;
  #producer: Promise<Producer> | undefined;
  #queue: Queued[] = [];
  #queuedBytes = 0;
  #sending: Promise<void> | undefined;
  #wakeEarly: (() => void) | undefined;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  /** Sizes and the topic's partition count have been checked. */
  append(topic: string, partitions: number, records: readonly NewRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    if (this.#queuedBytes > MAX_QUEUED_BYTES)
      return Promise.reject(
        new TelltaleError('LOG_UNAVAILABLE', `${topic}: ${this.#queuedBytes} bytes already wait for Kafka`),
      );
    return new Promise((resolve, reject) => {
      const call: Call = { open: records.length, failed: false, resolve, reject };
      for (const record of records) {
        const out = outgoing(topic, partitions, record);
        this.#queue.push({ ...out, call });
        this.#queuedBytes += out.bytes;
      }
      if (this.#queue.length >= MAX_REQUEST_RECORDS || this.#queuedBytes >= MAX_REQUEST_BYTES)
        this.#wakeEarly?.();
      this.#sending ??= this.#sendAll();
    });
  }

  /** Takes a new producer for what comes: the present one remembers topics that may have been made anew. */
  async renew(): Promise<void> {
    await this.#sending;
    await this.#dropProducer();
  }

  /** Waits for what is queued, then disconnects. */
  async close(): Promise<void> {
    this.#wakeEarly?.();
    await this.#sending;
    await this.#dropProducer();
  }

  /** Sends until the queue is empty. Never rejects: each call is told of its own end. */
  async #sendAll(): Promise<void> {
    await this.#tick();
    while (this.#queue.length > 0) {
      const request = this.#take();
      try {
        const producer = await this.#connected();
        checkAnswered(request, await producer.sendBatch({ topicMessages: byTopic(request), acks: -1 }));
        for (const { call } of request) {
          call.open -= 1;
          if (call.open === 0) call.resolve();
        }
      } catch (error) {
        // The producer's sequence numbers may no longer be the broker's: the next request has a new producer.
        await this.#dropProducer();
        const failure = outside(error, 'append');
        for (const { call } of request) {
          if (!call.failed) call.reject(failure);
          call.failed = true;
        }
        this.#forgetFailed();
      }
    }
    // Here and not when the promise has settled: a call that comes between would be queued and sent by nobody.
    this.#sending = undefined;
  }

  #tick(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wakeEarly = undefined;
        resolve();
      };
      const timer = setTimeout(done, TICK_MS);
      this.#wakeEarly = done;
    });
  }

  /** The next request: the head of the queue. */
  #take(): Queued[] {
    const request = this.#queue.splice(0, headCount(this.#queue));
    for (const { bytes } of request) this.#queuedBytes -= bytes;
    return request;
  }

  /** The rest of a call that has failed is not sent: its caller sends all of it again, in order. */
  #forgetFailed(): void {
    this.#queue = this.#queue.filter(({ call, bytes }) => {
      if (call.failed) this.#queuedBytes -= bytes;
      return !call.failed;
    });
  }

  #connected(): Promise<Producer> {
    this.#producer ??= (async () => {
      const producer = this.#kafka.producer({
        idempotent: true,
        allowAutoTopicCreation: false,
        retry: RETRY,
      });
      await producer.connect();
      return producer;
    })();
    return this.#producer;
  }

  async #dropProducer(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    if (producer === undefined) return;
    await producer.then((connected) => connected.disconnect()).catch(() => undefined);
  }
}
