// One phone on the feed. A session is a cursor over the log: it catches up by a read of its own, steps onto the shared tail
// at a moment when both stand at the same offsets (no gap, no double), and steps off again when the phone reads too slowly.
// So memory per phone is bounded by its socket's buffer, and what a slow phone has not read waits in the log, not here.
import { WebSocket } from 'ws';
import { messageOf } from '../core/errors.ts';
import type { Alert } from '../core/events.ts';
import type { Log } from '../core/log/log.ts';
import type { Metrics } from '../core/metrics.ts';
import { printable } from '../core/printable.ts';
import { alertsTopic } from '../core/topics.ts';
import { type CarFilter, seesCar } from './car-filter.ts';
import { decodeCursor, encodeCursor, startingPoint } from './cursor.ts';
import { CLOSE, PROTOCOL, type ServerMessage } from './feed-protocol.ts';
import type { AlertTail, TailEntry } from './tail.ts';
import { type Grant, grants } from './tokens.ts';
import type { StreamStatus } from './wire.ts';

export interface FeedLimits {
  /** Time between two pings. A client takes the connection for dead after two and a half of them: ten seconds. */
  readonly heartbeatMs: number;
  /** Pings without any answer after which the server gives the client up. */
  readonly maxUnanswered: number;
  /** Bytes that may wait in one socket. */
  readonly maxBufferedBytes: number;
  /** How long a full socket may make no progress. */
  readonly stallMs: number;
  /** How long a client may take to authenticate. */
  readonly authMs: number;
  readonly maxPerToken: number;
  readonly maxClients: number;
  /** Connections of one address that have not said yet who they are. */
  readonly maxSilentPerAddress: number;
  /** Bytes a client may send between two heartbeats. */
  readonly maxReceivedBytes: number;
  /** Open alerts in a snapshot. */
  readonly maxSnapshot: number;
}

export const FEED_LIMITS: FeedLimits = {
  heartbeatMs: 4_000,
  maxUnanswered: 11,
  maxBufferedBytes: 256 * 1024,
  stallMs: 30_000,
  authMs: 5_000,
  maxPerToken: 32,
  maxClients: 20_000,
  maxSilentPerAddress: 256,
  maxReceivedBytes: 256 * 1024,
  maxSnapshot: 1_000,
};

export interface SessionOptions {
  readonly socket: WebSocket;
  readonly grant: Grant;
  /** Only these of the granted cars; null: all of them. */
  readonly vins: ReadonlySet<string> | null;
  readonly cursor: string | undefined;
  readonly log: Log;
  readonly tail: AlertTail;
  /** Whether the cars of the filter are watched now. */
  readonly streamOf: (filter: CarFilter) => StreamStatus;
  readonly limits: FeedLimits;
  readonly metrics: Metrics;
  readonly warn: (line: string) => void;
}

const dismissed = new WeakSet<WebSocket>();

/** Whether the socket was told to go: nothing it still sends is looked at. */
export const isDismissed = (socket: WebSocket): boolean => dismissed.has(socket);

/**
 * Closes politely, and for good soon after: a peer that is gone or does not read answers no close. Once for each socket: a
 * listener for every message of a peer that goes on talking would cost more to take off than the peer pays for sending.
 */
export function dismiss(socket: WebSocket, code: number, reason: string): void {
  if (dismissed.has(socket)) return;
  dismissed.add(socket);
  socket.removeAllListeners('message');
  socket.close(code, reason);
  const timer = setTimeout(() => socket.terminate(), 2_000);
  socket.once('close', () => clearTimeout(timer));
}

export class FeedSession {
  /** As the tokens now say; the feed puts in another when they change. */
  #grant: Grant;
  /** The cars of the grant that this client asked for. */
  #filter: CarFilter;
  readonly #options: SessionOptions;
  readonly #ended = new AbortController();
  /** Next offset of each partition while this session reads for itself. */
  #offsets: number[] = [];
  #live = false;
  /** The client's cursor came from a server that had read further than this one: its own offsets still count. */
  #aheadOfTail = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#grant = options.grant;
    this.#filter = this.#narrowed(options.grant);
    options.socket.once('close', () => this.#ended.abort());
  }

  get grant(): Grant {
    return this.#grant;
  }

  set grant(next: Grant) {
    this.#grant = next;
    this.#filter = this.#narrowed(next);
  }

  #narrowed(grant: Grant): CarFilter {
    const { vins } = this.#options;
    if (vins === null) return grant;
    return { vins: new Set([...vins].filter((vin) => grants(grant, vin))), prefixes: [] };
  }

  sees(vin: string): boolean {
    return seesCar(this.#filter, vin);
  }

  #stream(): StreamStatus {
    return this.#options.streamOf(this.#filter);
  }

  /** Greets, sends what was missed, then joins the tail. Never rejects: what goes wrong closes the socket. */
  async start(): Promise<void> {
    const { tail, log, cursor, limits } = this.#options;
    try {
      await tail.ready;
      if (cursor === undefined) {
        this.#hello(tail.positions(), false);
        const { total, alerts } = tail.index.open((vin) => this.sees(vin), limits.maxSnapshot);
        this.#live = true;
        this.#post({ type: 'snapshot', cursor: encodeCursor(tail.positions()), open: total, alerts });
        return;
      }
      const start = startingPoint(decodeCursor(cursor), await log.ranges(alertsTopic.name));
      for (const { partition, offset } of start.offsets) this.#offsets[partition] = offset;
      this.#hello(this.#offsets, start.gap);
      await this.#catchUp();
    } catch (error) {
      this.#fail(error);
    }
  }

  #hello(offsets: readonly number[], gap: boolean): void {
    const { heartbeatMs } = this.#options.limits;
    this.#post({
      type: 'hello',
      protocol: PROTOCOL,
      name: this.grant.name,
      cursor: encodeCursor(offsets),
      gap,
      heartbeatMs,
      stream: this.#stream(),
    });
  }

  /** Reads up to where the tail stands, again and again, until the tail has not moved meanwhile: then the session is live. */
  async #catchUp(): Promise<void> {
    const { tail, log } = this.#options;
    const { signal } = this.#ended;
    while (!signal.aborted) {
      const goal = tail.positions();
      // A cursor of another server on the same log may be ahead of this process's tail.
      const wanted = goal.map((end, partition) => ({ partition, offset: end }));
      const behind = wanted.filter(({ partition, offset }) => (this.#offsets[partition] ?? 0) < offset);
      if (behind.length === 0) {
        this.#aheadOfTail = goal.some((end, partition) => end < (this.#offsets[partition] ?? 0));
        this.#live = true;
        return;
      }
      const from = {
        offsets: behind.map(({ partition }) => ({ partition, offset: this.#offsets[partition] ?? 0 })),
      };
      const partitions = behind.map(({ partition }) => partition);
      for await (const batch of log.read(alertsTopic.name, {
        partitions,
        from,
        to: { offsets: behind },
        signal,
      })) {
        for (const { offset, value } of batch.records) {
          this.#offsets[batch.partition] = offset + 1;
          if (value !== null) await this.#replay(value);
          if (signal.aborted) return;
        }
      }
      for (const { partition, offset } of behind)
        this.#offsets[partition] = Math.max(this.#offsets[partition] ?? 0, offset);
    }
  }

  async #replay(value: Uint8Array): Promise<void> {
    let alert: Alert;
    try {
      alert = alertsTopic.decode(value);
    } catch {
      return; // The tail has warned of it.
    }
    if (!this.sees(alert.vin)) return;
    const full = this.#buffered();
    const flushed = this.#post({ type: 'alert', cursor: encodeCursor(this.#offsets), alert });
    this.#options.metrics.counter('telltale_feed_messages_total').inc();
    if (full) await this.#within(flushed);
  }

  /** The next record of the tail; `cursor` is the tail's position after it. */
  onTail({ alert, partition, offset }: TailEntry, cursor: () => string): void {
    if (!this.#live) return;
    if (this.#aheadOfTail && offset < (this.#offsets[partition] ?? 0)) return;
    if (!this.sees(alert.vin)) return;
    if (this.#buffered()) {
      this.#offsets = this.#livePositions();
      this.#offsets[partition] = offset;
      this.#live = false;
      this.#drainAndCatchUp();
      return;
    }
    this.#post({ type: 'alert', cursor: this.#aheadOfTail ? this.#liveCursor() : cursor(), alert });
    this.#options.metrics.counter('telltale_feed_messages_total').inc();
  }

  #drainAndCatchUp(): void {
    const flushed = this.#ping(encodeCursor(this.#offsets));
    this.#within(flushed)
      .then(() => this.#catchUp())
      .catch((error: unknown) => this.#fail(error));
  }

  #buffered(): boolean {
    return this.#options.socket.bufferedAmount > this.#options.limits.maxBufferedBytes;
  }

  /** Waits until the kernel has taken what was posted; a phone that takes nothing for too long is sent away. */
  async #within(flushed: Promise<void>): Promise<void> {
    const { stallMs } = this.#options.limits;
    const late = Promise.withResolvers<'late'>();
    // A turn later, in which the kernel may say what it took: it may be this process that stood still, not the phone.
    const timer = setTimeout(() => setImmediate(() => late.resolve('late')), stallMs);
    const first = await Promise.race([flushed, late.promise]);
    clearTimeout(timer);
    if (first !== 'late') return;
    this.#options.metrics.counter('telltale_feed_slow_clients_total').inc();
    this.close(CLOSE.tooSlow, 'reads too slowly; come back with the cursor');
  }

  /**
   * Asks for a sign of life, tells how far the client is, so that its cursor stays young while nothing happens, and whether
   * nothing happens because all is well.
   */
  heartbeat(): void {
    if (this.#live) this.#ping(this.#liveCursor());
    else if (this.#offsets.length > 0) this.#ping(encodeCursor(this.#offsets));
  }

  #ping(cursor: string): Promise<void> {
    return this.#post({ type: 'ping', cursor, stream: this.#stream() });
  }

  #livePositions(): number[] {
    const positions = this.#options.tail.positions();
    if (!this.#aheadOfTail) return positions;
    return positions.map((offset, partition) => Math.max(offset, this.#offsets[partition] ?? 0));
  }

  #liveCursor(): string {
    return encodeCursor(this.#livePositions());
  }

  reply(message: Extract<ServerMessage, { type: 'pong' | 'acknowledged' }>): void {
    this.#post(message);
  }

  /** Resolves when the kernel has taken it, or when the socket has closed meanwhile. */
  #post(message: ServerMessage): Promise<void> {
    const { socket } = this.#options;
    if (socket.readyState !== WebSocket.OPEN) return Promise.resolve();
    return new Promise((resolve) => socket.send(JSON.stringify(message), () => resolve()));
  }

  #fail(error: unknown): void {
    if (this.#ended.signal.aborted) return;
    this.#options.warn(`alerts: feed of ${printable(this.grant.name, 64)}: ${messageOf(error)}`);
    this.close(CLOSE.internal, 'the log cannot be read at the moment; come back with the cursor');
  }

  close(code: number, reason: string): void {
    this.#ended.abort();
    this.#live = false;
    dismiss(this.#options.socket, code, reason);
  }
}
