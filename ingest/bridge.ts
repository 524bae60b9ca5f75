// From MQTT to the log: each message is judged, appended with its original bytes, and acknowledged when it is durable.
// What the rules refuse goes to dead-letters, and is acknowledged too, so a car is never stuck on a message nobody can mend.
// A dead-letters topic that is slow or full holds up nobody: letters then wait aside, and those lost are counted and said.
import type { Client, PublishPacket } from 'aedes';
import type { Catalogue } from '../core/catalogue.ts';
import type { TelltaleError } from '../core/errors.ts';
import type { Log } from '../core/log/log.ts';
import type { Metrics } from '../core/metrics.ts';
import { printable } from '../core/printable.ts';
import type { Clock } from '../core/service.ts';
import { deadLettersTopic, groundTruthTopic, telemetryTopic } from '../core/topics.ts';
import type { Warnings } from '../core/warnings.ts';
import { Appender, type AppenderOptions, type Entry, type Failing, type Outcomes } from './appender.ts';
import { compileJudge, type Judge, type Verdict } from './judge.ts';
import type { TimeBounds } from './plausible-time.ts';
import { Remarks } from './remarks.ts';

/** What an entry costs in memory besides its payload, about. */
const ENTRY_BYTES = 512;
/** A car that leaves this many bytes of acknowledgements unread (16,384 of them) is disconnected. */
const MAX_UNREAD_ACK_BYTES = 65_536;

export interface BridgeOptions
  extends Pick<AppenderOptions<Entry>, 'tickMs' | 'fullBatch' | 'maxBatch' | 'retryMs' | 'onFatal'> {
  readonly log: Pick<Log, 'append'>;
  readonly catalogue: Catalogue;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly timeBounds: TimeBounds;
  readonly trouble: Warnings;
  /** Above this many bytes held `onFull(true)` is called; below half of them `onFull(false)`. */
  readonly maxHeldBytes: number;
  readonly onFull: (full: boolean) => void;
}

/** A QoS 1 message whose acknowledgement is owed, or any other message that waits for its append. */
interface Arrival extends Entry {
  readonly client: Client;
  /** Packet identifier to acknowledge, or null: QoS 0, or a flow the broker itself goes on with. */
  readonly ackId: number | null;
  readonly verdict: Verdict;
  readonly receivedMs: number;
  readonly done: (error?: Error | null) => void;
}

export interface BridgeStats {
  /** Events durable in telemetry. */
  readonly accepted: number;
  readonly groundTruth: number;
  readonly deadLetters: number;
  /** Dead letters that the log did not take: they are lost. */
  readonly lettersDropped: number;
  /** Messages given back unacknowledged because the log did not take them. */
  readonly givenBack: number;
  readonly heldEntries: number;
  readonly heldBytes: number;
}

export class Bridge {
  readonly #judge: Judge;
  readonly #clock: Clock;
  readonly #appender: Appender<Arrival>;
  readonly #options: BridgeOptions;
  readonly #remarks: Remarks;
  readonly #meters: ReturnType<typeof metersOf>;
  readonly #counts = { accepted: 0, groundTruth: 0, deadLetters: 0, lettersDropped: 0, givenBack: 0 };
  #full = false;

  constructor(options: BridgeOptions) {
    const { catalogue, clock, metrics, trouble } = options;
    this.#options = options;
    this.#judge = compileJudge(catalogue, options.timeBounds);
    this.#clock = clock;
    this.#remarks = new Remarks({ catalogue, metrics, report: (cause, line) => trouble.report(cause, line) });
    this.#meters = metersOf(metrics);
    this.#appender = new Appender<Arrival>({
      ...options,
      aside: {
        topic: deadLettersTopic.name,
        onDropped: (letters, why) => this.#dropped(letters.length, why),
      },
      onSettled: (batch, outcomes) => this.#settle(batch, outcomes),
      onLevel: (heldBytes) => this.#level(heldBytes),
    });
  }

  get stats(): BridgeStats {
    const { entries, bytes } = this.#appender.held;
    return { ...this.#counts, heldEntries: entries, heldBytes: bytes };
  }

  /**
   * Takes one PUBLISH. `done()` is called when it is durable, `done(error)` when it could not be made so: the broker then
   * closes the connection and the car sends again. A QoS 1 packet leaves here as QoS 0, because the bridge writes the
   * PUBACKs itself: all of a connection's batch in one write, where the broker would make three writes for each.
   */
  accept(client: Client, packet: PublishPacket, done: (error?: Error | null) => void): void {
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    const receivedMs = this.#clock();
    const verdict = this.#judge(client.id, packet.topic, payload, receivedMs);
    let ackId: number | null = null;
    if (packet.qos === 1 && packet.messageId !== undefined) {
      ackId = packet.messageId;
      packet.qos = 0;
    }
    const value =
      verdict.kind === 'dead'
        ? this.#deadLetter(client.id, packet.topic, payload, verdict, receivedMs)
        : payload;
    this.#appender.push({
      topic: topicOf(verdict),
      record: { key: client.id, value, timestampMs: receivedMs },
      bytes: value.length + ENTRY_BYTES,
      client,
      ackId,
      verdict,
      receivedMs,
      done,
    });
    if (!this.#full) this.#level(this.#appender.held.bytes);
  }

  /** Since when which topic is not written to, and why. */
  failing(): readonly Failing[] {
    return this.#appender.failing();
  }

  /** Resolves when everything taken is durable and acknowledged, or given back. */
  drained(): Promise<void> {
    return this.#appender.drained();
  }

  /** Stops trying again: what the log does not take now is given back. */
  giveUp(): void {
    this.#appender.giveUp();
  }

  #deadLetter(
    client: string,
    topic: string,
    payload: Buffer,
    { reason, detail }: Extract<Verdict, { kind: 'dead' }>,
    receivedTs: number,
  ): Uint8Array {
    const payloadBase64 = payload.toString('base64');
    return deadLettersTopic.encode({ reason, detail, topic, client, receivedTs, payloadBase64 });
  }

  #level(heldBytes: number): void {
    const { maxHeldBytes, onFull } = this.#options;
    const full = this.#full ? heldBytes > maxHeldBytes / 2 : heldBytes > maxHeldBytes;
    if (full === this.#full) return;
    this.#full = full;
    onFull(full);
  }

  #settle(batch: readonly Arrival[], outcomes: Outcomes): void {
    const nowMs = this.#clock();
    const acks = new Map<Client, number[]>();
    const refused: [Arrival, TelltaleError][] = [];
    for (const arrival of batch) {
      const error = outcomes.get(arrival.topic) ?? null;
      if (error !== null) {
        refused.push([arrival, error]);
        continue;
      }
      this.#meters.appendMs.observe(nowMs - arrival.receivedMs);
      this.#count(arrival);
      if (arrival.ackId === null) continue;
      const ids = acks.get(arrival.client);
      if (ids) ids.push(arrival.ackId);
      else acks.set(arrival.client, [arrival.ackId]);
    }
    for (const [client, ids] of acks) this.#acknowledge(client, ids);
    for (const arrival of batch) if ((outcomes.get(arrival.topic) ?? null) === null) arrival.done();
    this.#counts.givenBack += refused.length;
    for (const [arrival, error] of refused) arrival.done(error);
  }

  #dropped(letters: number, why: string): void {
    this.#counts.lettersDropped += letters;
    this.#meters.lettersDropped.inc(letters);
    const many = letters === 1 ? 'a dead letter is' : `${letters} dead letters are`;
    this.#options.trouble.report('letters dropped', `ingest: ${many} lost: ${why}`);
  }

  #count({ verdict, client }: Arrival): void {
    if (verdict.kind === 'telemetry') {
      if (verdict.remarks) this.#remarks.add(client.id, verdict.remarks);
      this.#counts.accepted += 1;
      this.#meters.events.inc();
    } else if (verdict.kind === 'ground-truth') this.#counts.groundTruth += 1;
    else {
      this.#counts.deadLetters += 1;
      this.#meters.deadLetters.inc({ reason: verdict.reason });
      this.#options.trouble.report(
        `dead ${verdict.reason}`,
        `ingest: dead letter of ${printable(client.id, 64)}: ${verdict.reason}: ${printable(verdict.detail)} (telltale dead-letters lists them)`,
      );
    }
  }

  /** PUBACK packets (MQTT 3.1.1, section 3.4) in the order of their PUBLISHes. */
  #acknowledge(client: Client, ids: readonly number[]): void {
    const { conn } = client;
    if (client.closed || conn.destroyed) return;
    const bytes = Buffer.allocUnsafe(ids.length * 4);
    for (let i = 0; i < ids.length; i++) bytes.writeUInt32BE(0x40020000 + ids[i]!, i * 4);
    conn.write(bytes);
    if (conn.writableLength <= MAX_UNREAD_ACK_BYTES) return;
    this.#options.trouble.report(
      'unread',
      `ingest: car ${printable(client.id, 64)} does not read its acknowledgements: disconnected`,
    );
    conn.destroy();
  }
}

function topicOf(verdict: Verdict): string {
  if (verdict.kind === 'telemetry') return telemetryTopic.name;
  return verdict.kind === 'ground-truth' ? groundTruthTopic.name : deadLettersTopic.name;
}

function metersOf(metrics: Metrics) {
  return {
    events: metrics.counter('telltale_ingest_events_total'),
    deadLetters: metrics.counter('telltale_ingest_dead_letters_total'),
    lettersDropped: metrics.counter('telltale_ingest_letters_dropped_total'),
    appendMs: metrics.histogram('telltale_ingest_append_ms'),
  };
}
