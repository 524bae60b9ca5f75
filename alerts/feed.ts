// The WebSocket feed: takes upgrades on /feed, authenticates, bounds how many may come, keeps the heartbeat, and gives each
// client a session. docs/phone-protocol.md is its contract.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { Log } from '../core/log/log.ts';
import type { Metrics } from '../core/metrics.ts';
import type { CarFilter } from './car-filter.ts';
import { encodeCursor } from './cursor.ts';
import { CLOSE, parseClientMessage } from './feed-protocol.ts';
import { dismiss, FEED_LIMITS, type FeedLimits, FeedSession, isDismissed } from './feed-session.ts';
import type { AlertTail } from './tail.ts';
import { tally } from './tally.ts';
import type { Grant, TokenStore } from './tokens.ts';
import type { StreamStatus } from './wire.ts';

const MAX_CLIENT_MESSAGE_BYTES = 64 * 1024;
/** Client messages in one heartbeat period; more is an attack or a loop. */
const MAX_MESSAGES_PER_BEAT = 300;

export interface FeedOptions {
  readonly log: Log;
  readonly tail: AlertTail;
  readonly tokens: TokenStore;
  /** The token of a page's browser (sign-in.ts); null: it has none. */
  readonly browserToken: (request: IncomingMessage) => string | null;
  readonly metrics: Metrics;
  readonly warn: (line: string) => void;
  readonly limits?: Partial<FeedLimits>;
  /** Appends the acknowledgement; false when there is no such alert for this grant. */
  readonly acknowledge: (alertId: string, grant: Grant) => Promise<boolean>;
  /** Whether the cars of the filter are watched now. */
  readonly streamOf: (filter: CarFilter) => StreamStatus;
}

/** Why a socket is closed. */
interface Refusal {
  readonly code: number;
  readonly reason: string;
}

/** Bytes that may still come in after a client was told to go. */
const MAX_BYTES_AFTER_DISMISSAL = 64 * 1024;

interface Client {
  /** What its browser's cookie stands for. */
  readonly browserToken: string | null;
  /** Bytes since the last heartbeat. */
  receivedBytes: number;
  session: FeedSession | null;
  /** Called when it has said who it is. */
  heard: () => void;
  /** Of the session. */
  token: string;
  messages: number;
  beatsMissed: number;
}

export interface Feed {
  /** Takes every upgrade of the server; those that are not for /feed are refused. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly clients: number;
  close(): Promise<void>;
}

interface Knock {
  readonly token: string | undefined;
  readonly cursor: string | undefined;
  readonly vins: readonly string[];
}

/** Who knocks at /feed; null: whoever asks for another path, or for none that can be read. */
function readKnock(request: IncomingMessage): Knock | null {
  const path = request.url ?? '';
  // Anyone may send anything here, and an exception would end the process.
  if (!URL.canParse(path, 'http://feed')) return null;
  const { pathname, searchParams } = new URL(path, 'http://feed');
  if (pathname !== '/feed') return null;
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return {
    token: bearer ?? searchParams.get('token') ?? undefined,
    cursor: searchParams.get('cursor') ?? undefined,
    vins: searchParams.getAll('vin'),
  };
}

const addressOf = ({ socket }: IncomingMessage): string => socket.remoteAddress ?? '';

/** Says why, and hangs up: a peer that keeps its side open must not keep ours. */
function refuse(socket: Duplex, status: string): void {
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

export function openFeed(options: FeedOptions): Feed {
  const { tail, tokens, metrics } = options;
  const limits: FeedLimits = { ...FEED_LIMITS, ...options.limits };
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_CLIENT_MESSAGE_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
  });
  const clients = new Map<WebSocket, Client>();
  const perToken = new Map<string, number>();
  /** Address → connections that have not said yet who they are. */
  const silent = new Map<string, number>();
  const refused = metrics.counter('telltale_http_refused_total');

  const stopListening = tail.listen((entry) => {
    let cursor: string | undefined;
    const shared = () => {
      cursor ??= encodeCursor(tail.positions());
      return cursor;
    };
    for (const { session } of clients.values()) session?.onTail(entry, shared);
  });

  let generation = tokens.generation();
  /** Tokens may have been taken away, or grant other cars: of connections that are open too. */
  const askAgain = () => {
    if (tokens.generation() === generation) return;
    generation = tokens.generation();
    for (const { session, token } of clients.values()) {
      if (!session) continue;
      const grant = tokens.grantOf(token);
      if (grant) session.grant = grant;
      else session.close(CLOSE.unauthorized, 'the token is not accepted any more');
    }
  };

  const beat = setInterval(() => {
    askAgain();
    for (const [socket, client] of clients) {
      client.messages = 0;
      client.receivedBytes = 0;
      client.beatsMissed += 1;
      if (client.beatsMissed > limits.maxUnanswered) dismiss(socket, CLOSE.timeout, 'no sign of life');
      else client.session?.heartbeat();
    }
  }, limits.heartbeatMs);

  /** Opens the session, or closes the socket with the reason why not. */
  function admit(
    socket: WebSocket,
    client: Client,
    knock: Knock & { readonly token: string },
  ): Refusal | null {
    const grant = tokens.grantOf(knock.token);
    if (!grant) return { code: CLOSE.unauthorized, reason: 'no such token' };
    const { token } = knock;
    const open = perToken.get(token) ?? 0;
    if (open >= limits.maxPerToken)
      return { code: CLOSE.tooMany, reason: 'too many connections of this token' };
    tally(perToken, token, 1);
    socket.once('close', () => tally(perToken, token, -1));
    const { log, warn, streamOf } = options;
    const vins = knock.vins.length > 0 ? new Set(knock.vins) : null;
    client.token = token;
    client.heard();
    client.session = new FeedSession({
      ...{ socket, grant, vins, cursor: knock.cursor, log, tail, streamOf, limits, metrics, warn },
    });
    void client.session.start();
    return null;
  }

  function acknowledge(session: FeedSession, alertId: string): void {
    options.acknowledge(alertId, session.grant).then(
      (ok) => session.reply({ type: 'acknowledged', alertId, ok }),
      () => session.reply({ type: 'acknowledged', alertId, ok: false }),
    );
  }

  function onMessage(socket: WebSocket, client: Client, data: RawData, isBinary: boolean): Refusal | null {
    client.beatsMissed = 0;
    client.messages += 1;
    if (client.messages > MAX_MESSAGES_PER_BEAT) return { code: CLOSE.tooMany, reason: 'too many messages' };
    const message = isBinary ? null : parseClientMessage(String(data));
    if (message === null) return { code: CLOSE.badMessage, reason: 'not a message of this protocol' };
    if (message.type === 'auth') {
      if (client.session) return { code: CLOSE.badMessage, reason: 'already authenticated' };
      const token = message.token ?? client.browserToken;
      if (token === null) return { code: CLOSE.unauthorized, reason: 'a token is needed' };
      return admit(socket, client, {
        token,
        cursor: message.cursor,
        vins: message.vins ?? [],
      });
    }
    if (!client.session) return { code: CLOSE.unauthorized, reason: 'the first message must be auth' };
    if (message.type === 'ping') client.session.reply({ type: 'pong' });
    if (message.type === 'acknowledge') acknowledge(client.session, message.alertId);
    return null;
  }

  /** Ends a peer that sends more than any client has reason to, or goes on after it was told to go. */
  function bound(socket: WebSocket, client: Client, raw: Duplex): void {
    let afterBytes = 0;
    raw.on('data', (chunk: Buffer) => {
      client.receivedBytes += chunk.length;
      if (isDismissed(socket)) afterBytes += chunk.length;
      if (client.receivedBytes <= limits.maxReceivedBytes && afterBytes <= MAX_BYTES_AFTER_DISMISSAL) return;
      refused.inc({ cause: 'flood' });
      raw.destroy();
    });
  }

  /** Counts a connection as silent until it has a session or is gone. */
  function watchSilence(socket: WebSocket, client: Client, address: string): void {
    tally(silent, address, 1);
    let over = false;
    const heard = () => {
      if (!over) tally(silent, address, -1);
      over = true;
      clearTimeout(late);
    };
    const late = setTimeout(() => {
      if (!client.session) dismiss(socket, CLOSE.timeout, 'no auth message in time');
    }, limits.authMs);
    client.heard = heard;
    socket.once('close', heard);
  }

  function welcome(socket: WebSocket, knock: Knock, request: IncomingMessage): void {
    const client: Client = {
      ...{ session: null, token: '', messages: 0, beatsMissed: 0, receivedBytes: 0 },
      browserToken: options.browserToken(request),
      heard: () => undefined,
    };
    clients.set(socket, client);
    bound(socket, client, request.socket);
    metrics.gauge('telltale_feed_clients').set(clients.size);
    socket.on('error', () => socket.terminate());
    const obey = (refusal: Refusal | null) => {
      if (refusal === null) return;
      refused.inc({ cause: `close-${refusal.code}` });
      dismiss(socket, refusal.code, refusal.reason);
    };
    if (knock.token === undefined) watchSilence(socket, client, addressOf(request));
    socket.on('message', (data, isBinary) => obey(onMessage(socket, client, data, isBinary)));
    socket.once('close', () => {
      clients.delete(socket);
      metrics.gauge('telltale_feed_clients').set(clients.size);
    });
    if (knock.token !== undefined) obey(admit(socket, client, { ...knock, token: knock.token }));
  }

  function turnAway(socket: Duplex, status: string, cause: string): void {
    refused.inc({ cause });
    refuse(socket, status);
  }

  return {
    upgrade: (request, socket, head) => {
      // A peer that vanishes in mid-handshake is no event for anyone.
      socket.on('error', () => socket.destroy());
      const knock = readKnock(request);
      if (knock === null) return refuse(socket, '404 Not Found');
      if (clients.size >= limits.maxClients) return turnAway(socket, '503 Service Unavailable', 'full');
      if (knock.token === undefined && (silent.get(addressOf(request)) ?? 0) >= limits.maxSilentPerAddress)
        return turnAway(socket, '429 Too Many Requests', 'silent');
      if (knock.token !== undefined && !tokens.grantOf(knock.token))
        return turnAway(socket, '401 Unauthorized', 'token');
      server.handleUpgrade(request, socket, head, (webSocket) => welcome(webSocket, knock, request));
    },
    get clients() {
      return clients.size;
    },
    close: async () => {
      clearInterval(beat);
      stopListening();
      const gone = [...clients.keys()].map((socket) => {
        const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
        dismiss(socket, CLOSE.goingAway, 'the server stops; come back with the cursor');
        return closed;
      });
      await Promise.all(gone);
      server.close();
    },
  };
}
