// The server of people and phones: page, REST, live stream and WebSocket feed on one port. It holds no truth of its own:
// whatever it shows is read from the log, so any number of servers may stand beside each other.
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { TelltaleError } from '../core/errors.ts';
import { type Health, healthOf, healthOfAll, httpStatusOf } from '../core/health.ts';
import type { Log } from '../core/log/log.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Clock, Service } from '../core/service.ts';
import { SilentSockets } from '../core/silent-sockets.ts';
import { Warnings } from '../core/warnings.ts';
import { acknowledger } from './acknowledge.ts';
import type { CarFilter } from './car-filter.ts';
import { allowOtherOrigins } from './cors.ts';
import { openFeed } from './feed.ts';
import type { FeedLimits } from './feed-session.ts';
import { FleetView } from './fleet-view.ts';
import { answerErrors, answerFrameworkError, Visitors } from './http.ts';
import { addPage } from './page-files.ts';
import type { FleetControl } from './route-options.ts';
import { addRoutes } from './routes.ts';
import { SignIn } from './sign-in.ts';
import { StreamWatch } from './stream-watch.ts';
import { AlertTail } from './tail.ts';
import type { TokenStore } from './tokens.ts';
import type { Twin } from './twin.ts';
import { Watching } from './watching.ts';
import type { FaultChoice } from './wire.ts';

export interface ServerOptions {
  readonly log: Log;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly tokens: TokenStore;
  readonly twin: () => Twin | null;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly warn: (line: string) => void;
  readonly fleetControl?: FleetControl | undefined;
  readonly faults?: readonly FaultChoice[] | undefined;
  /** What else stands or falls with this server: each is a part of what /health says. */
  readonly healthOf?: (() => Readonly<Record<string, Health>>) | undefined;
  readonly limits?: Partial<FeedLimits>;
  /** Time between two pictures of the live stream. Default 1 s. */
  readonly liveMs?: number;
}

export interface Server extends Service {
  readonly url: string;
  readonly port: number;
  readonly tail: AlertTail;
  /** An address that opens the page signed in with this token, once, in one browser (sign-in.ts). */
  pageLink(token: string): string;
  /** WebSocket clients connected now. */
  phones(): number;
}

/** Of any route that does not say otherwise. */
const MAX_BODY_BYTES = 4096;
/** Connections of all kinds; the WebSocket clients of feed.ts among them. */
const MAX_CONNECTIONS = 20_480;
/** The pause between two requests of one connection. */
const IDLE_MS = 15_000;
/** How often late requests are looked for; while this process itself stands still (a training), none must seem late. */
const LATE_CHECK_MS = 10_000;
/** How long a request may take to arrive. Answers may last: the live stream does. */
const REQUEST_MS = 30_000;
/** An alert's id (256 characters at most) with each character escaped. */
const MAX_PARAM_LENGTH = 3 * 256;

/** @throws TelltaleError PORT_IN_USE */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { log, tokens, metrics, clock, warn } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const tail = new AlertTail({ log, clock, warn, signal });
  const { index } = tail;
  const { twin, faults } = options;
  const stream = new StreamWatch({ log, twin, clock, signal });
  const warnings = new Warnings({ warn, clock });
  const watching = new Watching({ log, clock, warn: (line) => warnings.report('watching', line) });
  const look = (vin: string) => watching.look(vin);
  const view = new FleetView({ twin, index, stream, clock, look, faults });
  tail.ready.then(
    () => view.settle(),
    () => undefined,
  );
  tail.listen(({ alert }) => view.take(alert.alertId));
  const streamOf = (filter: CarFilter) => stream.of(filter);
  const acknowledge = acknowledger({ log, index, metrics, clock });
  let port = options.port;
  const signIn = new SignIn({ clock, port: () => port });
  const feed = openFeed({
    ...{ log, tail, tokens, metrics, acknowledge, streamOf, limits: options.limits ?? {} },
    warn: (line) => warnings.report('feed', line),
    browserToken: ({ headers }) => signIn.tokenOf(headers, { mustSayOrigin: true }),
  });

  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    // Fastify's default takes a request that never ends.
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: IDLE_MS,
    http: { headersTimeout: REQUEST_MS, connectionsCheckingInterval: LATE_CHECK_MS },
    forceCloseConnections: true,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: answerFrameworkError,
  });
  allowOtherOrigins(app);
  boundConnections(app.server, metrics);
  answerErrors(app, warnings);
  const { fleetControl, liveMs = 1000 } = options;
  const visitors = new Visitors(tokens, signIn);
  addRoutes(app, {
    ...{ visitors, signIn, view, tail, stream, clock, acknowledge, signal, fleetControl, faults, liveMs },
  });
  app.get('/health', (_request, reply) => {
    const page = healthOf(view.ready ? [] : ['no model is in charge yet']);
    const health = healthOfAll({ page, ...options.healthOf?.() });
    return reply.status(httpStatusOf(health)).send({ ...health, phones: feed.clients });
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4').send(await metrics.text()),
  );
  addPage(app);
  app.server.on('upgrade', feed.upgrade);

  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (cause) {
    stopping.abort();
    await feed.close();
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    const message = `${options.host}:${options.port} is taken; choose another with --http-port`;
    throw new TelltaleError('PORT_IN_USE', message, { cause });
  }
  ({ port } = app.server.address() as AddressInfo);
  const url = urlOf(options.host, port);
  return {
    name: 'server',
    ...{ url, port, tail },
    pageLink: (token) => `${url}${signIn.link(token)}`,
    phones: () => feed.clients,
    done: tail.done,
    stop: async () => {
      stopping.abort();
      await feed.close();
      await app.close();
      warnings.flush();
      await tail.done.catch(() => undefined);
    },
  };
}

/** An address that a browser on this machine can open, also where the server listens on every one. */
function urlOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

/** Bounds what connections cost before anybody has said who it is. */
function boundConnections(server: HttpServer, metrics: Metrics): void {
  const refused = metrics.counter('telltale_http_refused_total');
  const silent = new SilentSockets(MAX_CONNECTIONS);
  server.maxConnections = MAX_CONNECTIONS;
  server.on('drop', () => refused.inc({ cause: 'full' }));
  server.on('connection', (socket) => {
    if (silent.admit(socket)) return;
    refused.inc({ cause: 'connections' });
    socket.destroy();
  });
  server.on('request', ({ socket, headers }) => {
    if (headers.authorization !== undefined || headers.cookie !== undefined) silent.identified(socket);
  });
  server.on('upgrade', ({ socket }) => silent.identified(socket));
}
