// One car's way to the broker: an MQTT 3.1.1 connection over plain TCP with a QoS 1 window of its own. What cannot be sent
// waits in a bounded queue; what was not acknowledged is sent again on the next connection; nothing acknowledged is lost
// and nothing is dropped uncounted. No client object per car: 100,000 of these fit where 100,000 MQTT.js clients do not.
import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import type { Warnings } from '../core/warnings.ts';
import { Outbox } from './outbox.ts';
import type { QueuePolicy } from './scenario.ts';
import type { Counts, LatencyHistogram } from './stats.ts';

export interface Broker {
  readonly host: string;
  readonly port: number;
}

/** What the links of a process share. */
export interface LinkWorld {
  readonly counts: Counts;
  readonly latency: LatencyHistogram;
  readonly failures: Warnings;
  readonly window: number;
  readonly queue: number;
  readonly policy: QueuePolicy;
  readonly keepaliveS: number;
  /** Without a word from the broker for so long a waiting connection counts as dead. */
  readonly silenceMs: number;
  readonly username?: string;
  readonly password?: string;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** In [0, 1): jitter of backoffs. */
  readonly jitter: () => number;
  /** Calls back when this link may connect (ramp). Returns a way to give the place up. */
  readonly admit: (go: () => void) => () => void;
  /** Something was acknowledged or dropped: who waits for room may look again. */
  readonly onProgress: () => void;
}

const CONNACK = 2;
const PUBACK = 4;
const PINGREQ = Buffer.from([0xc0, 0]);
const DISCONNECT = Buffer.from([0xe0, 0]);
const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 30_000;

type Phase = 'down' | 'held' | 'waiting' | 'admitting' | 'connecting' | 'up';

export class CarLink {
  readonly clientId: string;
  readonly #broker: Broker;
  readonly #world: LinkWorld;
  readonly #outbox = new Outbox();
  #phase: Phase = 'down';
  #socket: Socket | null = null;
  #partial: Buffer | null = null;
  #failed = 0;
  #timer: NodeJS.Timeout | null = null;
  #leaveRamp: (() => void) | null = null;
  #heardMs = 0;
  #wroteMs = 0;
  #everUp = false;
  #draining: (() => void)[] = [];

  constructor(clientId: string, broker: Broker, world: LinkWorld) {
    this.clientId = clientId;
    this.#broker = broker;
    this.#world = world;
  }

  get up(): boolean {
    return this.#phase === 'up';
  }

  /** True while it was suspended and not started again. */
  get held(): boolean {
    return this.#phase === 'held';
  }

  /** Events not yet acknowledged. */
  get pending(): number {
    return this.#outbox.pending;
  }

  /** Begins to connect, through the ramp. */
  start(): void {
    if (this.#phase !== 'down' && this.#phase !== 'held') return;
    if (this.#phase === 'held') this.#world.counts.held -= this.pending;
    this.#phase = 'admitting';
    this.#leaveRamp = this.#world.admit(() => this.#connect());
  }

  /** Cuts the connection without a goodbye and stays away until `start`: a tunnel. */
  suspend(): void {
    if (this.#phase === 'held') return;
    this.#tearDown();
    this.#phase = 'held';
    this.#world.counts.held += this.pending;
  }

  /** Cuts the connection; the link comes back by itself as after any loss. */
  cut(): void {
    if (this.#phase === 'up') this.#lost(null);
  }

  /** Queues a packet (a QoS 1 PUBLISH) and sends what the window allows. */
  offer(packet: Buffer): void {
    const { counts, queue, policy } = this.#world;
    counts.offered += 1;
    if (this.#outbox.waiting >= queue) {
      counts.dropped += 1;
      if (policy === 'drop-newest') return;
      this.#outbox.dropOldestWaiting();
    } else if (this.#phase === 'held') counts.held += 1;
    this.#outbox.push(packet);
    if (this.#phase === 'up') this.#flush();
  }

  /** Queues several packets and writes them together. */
  offerAll(packets: readonly Buffer[]): void {
    this.#socket?.cork();
    for (const packet of packets) this.offer(packet);
    this.#socket?.uncork();
  }

  /** Resolves when everything queued is acknowledged, or the link was stopped. */
  drained(): Promise<void> {
    if (this.pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#draining.push(resolve));
  }

  /** Says goodbye and closes; what is not acknowledged stays counted as pending. */
  stop(): void {
    if (this.#phase === 'up') this.#socket?.end(DISCONNECT);
    if (this.#phase === 'held') this.#world.counts.held -= this.pending;
    this.#tearDown();
    this.#phase = 'down';
    this.#tellDrained();
  }

  /** Called now and then: keeps the connection alive, and gives up one that has fallen silent. */
  tend(): void {
    if (this.#phase !== 'up') return;
    const now = this.#world.now();
    if (this.#outbox.inFlight > 0 && now - this.#heardMs > this.#world.silenceMs) {
      this.#lost('no acknowledgement in time');
      return;
    }
    const { keepaliveS } = this.#world;
    if (keepaliveS > 0 && now - this.#wroteMs > keepaliveS * 500) {
      this.#wroteMs = now;
      this.#socket?.write(PINGREQ);
    }
  }

  #connect(): void {
    this.#leaveRamp = null;
    this.#phase = 'connecting';
    this.#world.counts.connecting += 1;
    this.#partial = null;
    const socket = connect({ host: this.#broker.host, port: this.#broker.port, noDelay: true });
    this.#socket = socket;
    socket.on('connect', () => {
      const { keepaliveS, username, password } = this.#world;
      const credentials =
        username === undefined || password === undefined ? {} : { username, password: Buffer.from(password) };
      socket.write(
        generate({
          cmd: 'connect',
          protocolId: 'MQTT',
          protocolVersion: 4,
          clientId: this.clientId,
          clean: true,
          keepalive: keepaliveS,
          ...credentials,
        }),
      );
    });
    socket.on('data', (chunk) => {
      if (socket === this.#socket) this.#receive(chunk);
    });
    let cause = 'the broker closed the connection';
    socket.on('error', (error: NodeJS.ErrnoException) => {
      cause = `${error.code ?? error.message} at ${this.#broker.host}:${this.#broker.port}`;
    });
    socket.on('close', () => {
      if (socket === this.#socket) this.#lost(cause);
    });
  }

  /** Splits what came into packets; all but CONNACK and PUBACK are passed over. */
  #receive(chunk: Buffer): void {
    this.#heardMs = this.#world.now();
    const bytes = this.#partial === null ? chunk : Buffer.concat([this.#partial, chunk]);
    this.#partial = null;
    let at = 0;
    while (at + 2 <= bytes.length) {
      const size = bytes[at + 1]!;
      // A broker has nothing longer to say to a car; such a packet would be a protocol error here.
      if (size > 127) {
        this.#lost('unexpected packet from the broker');
        return;
      }
      if (at + 2 + size > bytes.length) break;
      const kind = bytes[at]! >> 4;
      if (kind === PUBACK) this.#acknowledge(bytes.readUInt16BE(at + 2));
      else if (kind === CONNACK) this.#welcomed(bytes[at + 3]!);
      if (this.#socket === null) return;
      at += 2 + size;
    }
    if (at < bytes.length) this.#partial = Buffer.from(bytes.subarray(at));
    this.#flush();
    this.#world.onProgress();
  }

  #welcomed(code: number): void {
    if (code !== 0) {
      this.#lost(`the broker refused the connection (return code ${code})`);
      return;
    }
    const { counts, now } = this.#world;
    this.#phase = 'up';
    counts.connecting -= 1;
    this.#wroteMs = now();
    counts.connected += 1;
    if (this.#everUp) counts.reconnects += 1;
    else counts.everConnected += 1;
    this.#everUp = true;
  }

  #acknowledge(id: number): void {
    const sentMs = this.#outbox.acknowledge(id);
    if (sentMs === null) return;
    this.#failed = 0;
    this.#world.counts.acknowledged += 1;
    this.#world.latency.record(this.#heardMs - sentMs);
    if (this.pending === 0) this.#tellDrained();
  }

  #flush(): void {
    const socket = this.#socket;
    if (this.#phase !== 'up' || socket === null) return;
    const { window, counts, now } = this.#world;
    const outbox = this.#outbox;
    const count = Math.min(window - outbox.inFlight, outbox.waiting);
    if (count <= 0) return;
    const at = now();
    // Silence is counted from when there is something to answer.
    if (outbox.inFlight === 0) this.#heardMs = at;
    if (count > 1) socket.cork();
    for (let n = 0; n < count; n += 1) {
      const { packet, again } = outbox.take(at);
      if (again) counts.resent += 1;
      counts.sent += 1;
      socket.write(packet);
    }
    this.#wroteMs = at;
    if (count > 1) socket.uncork();
  }

  /** The connection is gone: count why, keep what was not acknowledged, come back after a while. */
  #lost(cause: string | null): void {
    if (cause !== null) this.#world.failures.report(cause, `simulator: ${cause}`);
    this.#tearDown();
    this.#phase = 'waiting';
    const ceiling = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(10, this.#failed));
    this.#failed += 1;
    const waitMs = ceiling * (0.5 + 0.5 * this.#world.jitter());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#phase = 'admitting';
      this.#leaveRamp = this.#world.admit(() => this.#connect());
    }, waitMs);
  }

  #tearDown(): void {
    if (this.#phase === 'up') this.#world.counts.connected -= 1;
    if (this.#phase === 'connecting') this.#world.counts.connecting -= 1;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#leaveRamp?.();
    this.#leaveRamp = null;
    const socket = this.#socket;
    this.#socket = null;
    this.#partial = null;
    // A socket that said goodbye closes once that is written.
    if (socket?.writableEnded) socket.destroySoon();
    else socket?.destroy();
    this.#outbox.restart();
  }

  #tellDrained(): void {
    const waiting = this.#draining;
    this.#draining = [];
    for (const resolve of waiting) resolve();
  }
}
