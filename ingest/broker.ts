// The MQTT broker (Aedes, MQTT 3.1 and 3.1.1): who may connect, publish and subscribe, and nothing that cars' events do
// not need. Events end in the log, so the broker never fans them out; only commands travel from client to client.
import { timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { Aedes, type AuthenticateError, type Client, type PublishPacket, type Subscription } from 'aedes';
import { messageOf, TelltaleError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { SilentSockets } from '../core/silent-sockets.ts';
import { mqttTopics } from '../core/topics.ts';
import type { Warnings } from '../core/warnings.ts';
import { Gate } from './gate.ts';
import { isClientId } from './judge.ts';
import type { Takeovers } from './takeovers.ts';

/** Clients whose id begins so may publish to `fleet/commands`. */
const CONTROL_PREFIX = 'control-';

/** Longest MQTT packet taken in; a longer one closes the connection before it is collected in memory. */
export const MAX_PACKET_BYTES = 262_144;

/** How long a connection may take to say who it is. */
const CONNECT_MS = 10_000;
/** QoS 2 messages of one client that wait for their PUBREL. */
const MAX_HALF_DONE = 100;
/** Subscriptions asked for by one connection, refused ones too: a car asks for two. */
const MAX_SUBSCRIPTIONS = 1000;
/** How long a client may leave what is sent to it unread. */
const UNREAD_MS = 10_000;
/** Commands in memory that wait for clients to read them. */
const MAX_WAITING_COMMAND_BYTES = 16 * 1024 * 1024;
/** A last will lies in memory for as long as its client is connected. */
const MAX_WILL_BYTES = 8192;

/** Bytes a socket buffers for itself before it stops reading from the kernel. */
const SOCKET_BUFFER_BYTES = 16_384;

const SOCKET_OPTIONS = {
  // A PUBACK must not wait for the next one.
  noDelay: true,
  highWaterMark: SOCKET_BUFFER_BYTES,
  // A car without an MQTT keepalive that lost its network for good is found out by TCP.
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
} as const;

type Done = (error?: Error | null) => void;

export type RefusalCause = 'client-id' | 'password' | 'will' | 'too-long' | 'full' | 'silent' | 'protocol';

export interface BrokerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Asked of every client when not empty. */
  readonly password: string;
  /** Connections beyond are closed at once. */
  readonly maxConnections: number;
  readonly trouble: Warnings;
  readonly takeovers: Takeovers;
  /** A connection or packet was refused: why, in a word. */
  readonly onRefused: (cause: RefusalCause) => void;
  /** A connection was closed because another came with its client id. */
  readonly onTakeover: () => void;
  /** Takes a client's message; the broker acknowledges after `done()`, closes the connection after `done(error)`. */
  readonly accept: (client: Client, packet: PublishPacket, done: Done) => void;
  readonly onConnections: (count: number) => void;
}

export interface Broker {
  readonly port: number;
  readonly connections: number;
  /** Stops (true) or resumes (false) reading all connections. */
  hold(full: boolean): void;
  /** No new connections, no more reading; what was taken can still be acknowledged. */
  quiesce(): void;
  /** Closes all connections, after `quiesce`. */
  close(): Promise<void>;
}

const [, COMMANDS_SUFFIX = ''] = mqttTopics.commands('\0').split('\0');

/** Whether this is a command and its sender may give it: the only messages that travel from client to client. */
function isCommand(clientId: string, topic: string): boolean {
  return (
    clientId.startsWith(CONTROL_PREFIX) &&
    (topic === mqttTopics.fleetCommands || topic.endsWith(COMMANDS_SUFFIX))
  );
}

/** A broker's own birth and heartbeat keep its bookkeeping of wills right; `$SYS/…/new/clients` is for clusters. */
function isHousekeeping(topic: string): boolean {
  return topic.startsWith('$SYS/') && /\/(?:birth|heartbeat)$/.test(topic);
}

/** Aedes without the work nobody waits for: it would match each event against all subscriptions and its stores. */
class QuietAedes extends Aedes {
  #waitingBytes = 0;

  /** Aedes itself calls this as (packet, client, done) and (packet, done). */
  override publish(packet: PublishPacket, ...rest: unknown[]): void {
    const [client] = rest;
    const forwards =
      typeof client === 'object' && client !== null && 'id' in client
        ? isCommand(String(client.id), packet.topic)
        : isHousekeeping(packet.topic);
    const done: (...outcome: unknown[]) => void = rest.at(-1) as () => void;
    if (!forwards) {
      done();
      return;
    }
    if (this.#waitingBytes > MAX_WAITING_COMMAND_BYTES) {
      done(new Error('too many commands wait for clients that do not read them'));
      return;
    }
    const bytes = packet.payload.length;
    this.#waitingBytes += bytes;
    const settled = (...outcome: unknown[]) => {
      this.#waitingBytes -= bytes;
      done(...outcome);
    };
    Reflect.apply(super.publish, this, [packet, ...rest.slice(0, -1), settled]);
  }
}

/** MQTT 3.1.1, table 3.1: the return codes of a refused connection that are used here. */
const REFUSED = { identifier: 2, credentials: 4 } as const;

function refusal(message: string, returnCode: number): AuthenticateError {
  return Object.assign(new Error(message), { returnCode });
}

function samePassword(given: Readonly<Buffer | undefined>, wanted: string): boolean {
  const wantedBytes = Buffer.from(wanted);
  const givenBytes = given === undefined ? Buffer.alloc(0) : Buffer.from(given);
  return givenBytes.length === wantedBytes.length && timingSafeEqual(givenBytes, wantedBytes);
}

/** Cars hear their own commands and the fleet's. Nobody hears events: readers of events read the log. */
function maySubscribe(client: Client, { topic }: Subscription): boolean {
  return topic === mqttTopics.fleetCommands || topic === mqttTopics.commands(client.id);
}

const addressOf = ({ conn }: Client): string => {
  const { remoteAddress, remotePort } = conn as Socket;
  return `${remoteAddress}:${remotePort}`;
};

function makeAedes(options: BrokerOptions, identified: (client: Client) => void): Aedes {
  const { accept, password, takeovers, onTakeover, onRefused } = options;
  const nameless = new WeakSet<Client>();
  const asked = new WeakMap<Client, number>();
  const aedes: Aedes = new QuietAedes({
    connectTimeout: CONNECT_MS,
    maxInflightInbound: MAX_HALF_DONE,
    drainTimeout: UNREAD_MS,
    // With Aedes's default of 100, some 2,600 messages behind one slow subscriber end the process (mqemitter).
    concurrency: 0,
    preConnect: (client, packet, callback) => {
      // Aedes would give an empty id a random name, and a car without a name cannot be told from another.
      if (packet.clientId === '') nameless.add(client);
      // No session outlives its connection: nothing is queued for an absent car, and an order from an hour ago does not
      // break a car that comes back. CONNACK says so (session present 0).
      packet.clean = true;
      const willBytes = packet.will?.payload.length ?? 0;
      if (willBytes <= MAX_WILL_BYTES) return callback(null, true);
      onRefused('will');
      callback(new Error(`a last will has at most ${MAX_WILL_BYTES} bytes`), false);
    },
    authenticate: (client, _username, given, callback) => {
      if (nameless.has(client) || !isClientId(client.id)) {
        onRefused('client-id');
        return callback(refusal('this client id cannot name a car', REFUSED.identifier), false);
      }
      if (password !== '' && !samePassword(given, password)) {
        onRefused('password');
        return callback(refusal('wrong password', REFUSED.credentials), false);
      }
      identified(client);
      const { clients } = aedes as Aedes & { readonly clients: Readonly<Record<string, Client>> };
      const former = clients[client.id];
      if (former !== undefined && !former.closed) {
        onTakeover();
        takeovers.note(client.id, addressOf(client), addressOf(former));
      }
      callback(null, true);
    },
    authorizePublish: (client, packet, callback) => {
      if (client === null) callback(null);
      else if (isCommand(client.id, packet.topic)) {
        packet.retain = false;
        callback(null);
      } else accept(client, packet, callback);
    },
    authorizeSubscribe: (client, subscription, callback) => {
      const count = (asked.get(client) ?? 0) + 1;
      asked.set(client, count);
      if (count > MAX_SUBSCRIPTIONS) return callback(new Error('too many subscriptions'));
      callback(null, maySubscribe(client, subscription) ? subscription : null);
    },
  });
  return aedes;
}

function listen(server: Server, { host, port }: BrokerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const code = cause.code === 'EADDRINUSE' ? 'PORT_IN_USE' : 'MQTT_UNAVAILABLE';
      reject(new TelltaleError(code, `cannot listen on ${host}:${port}: ${messageOf(cause)}`, { cause }));
    });
    // A fleet that reconnects at once fills the kernel's queue of connections long before they are accepted.
    server.listen({ host, port, backlog: 4096 }, resolve);
  });
}

/** Starts the broker. @throws TelltaleError PORT_IN_USE, MQTT_UNAVAILABLE */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { trouble, maxConnections, onConnections, onRefused } = options;
  const silent = new SilentSockets(maxConnections);
  const aedes = makeAedes(options, ({ conn }) => silent.identified(conn as Socket));
  await aedes.listen();
  const tell = (cause: string, client: Client | null, error: Error) => {
    const who = client?.id == null ? 'a connection' : printable(client.id, 64);
    trouble.report(`${cause} ${error.message}`, `ingest: ${who}: ${error.message}`);
  };
  aedes.on('clientError', (client, error) => tell('client', client, error));
  aedes.on('connectionError', (client, error) => {
    onRefused('protocol');
    tell('connection', client, error);
  });
  aedes.on('client', () => onConnections(aedes.connectedClients));
  aedes.on('clientDisconnect', () => onConnections(aedes.connectedClients));
  const gate = new Gate({
    maxPacketBytes: MAX_PACKET_BYTES,
    onTooLong: (socket, bytes) => {
      onRefused('too-long');
      trouble.report(
        'too long',
        `ingest: ${socket.remoteAddress}: closed before a packet of ${bytes} bytes, at most ${MAX_PACKET_BYTES} are taken in`,
      );
    },
  });
  const sockets = new Set<Socket>();
  const server = createServer(SOCKET_OPTIONS, (socket) => {
    if (!silent.admit(socket)) {
      onRefused('silent');
      trouble.report(
        'silent',
        `ingest: ${socket.remoteAddress}: more than ${silent.most} connections that do not say who they are: new ones are closed`,
      );
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    gate.guard(socket);
    aedes.handle(socket);
  });
  server.maxConnections = maxConnections;
  server.on('drop', () => {
    onRefused('full');
    trouble.report('full', `ingest: more than ${maxConnections} connections: new ones are closed`);
  });
  try {
    await listen(server, options);
  } catch (error) {
    await new Promise<void>((resolve) => aedes.close(resolve));
    throw error;
  }
  server.on('error', (error) => trouble.report('listener', `ingest: MQTT listener: ${messageOf(error)}`));
  return handleOf(server, aedes, gate, sockets);
}

function handleOf(server: Server, aedes: Aedes, gate: Gate, sockets: ReadonlySet<Socket>): Broker {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  let listenerClosed: Promise<unknown> | undefined;
  return {
    port,
    get connections() {
      return aedes.connectedClients;
    },
    hold: (full) => {
      if (full) gate.shut();
      else if (!listenerClosed) gate.open();
    },
    quiesce: () => {
      gate.shut();
      listenerClosed ??= new Promise((resolve) => server.close(resolve));
    },
    close: async () => {
      await new Promise<void>((resolve) => aedes.close(resolve));
      // Those that never sent a CONNECT are unknown to Aedes.
      for (const socket of sockets) socket.destroy();
      await listenerClosed;
    },
  };
}
