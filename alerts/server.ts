// The server of people and phones: page, REST, live stream and WebSocket feed on one port. It holds no truth of its own:
// whatever it shows is read from the log, so any number of servers may stand beside each other.
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { TelltaleError } from '../core/errors.ts';
import type { Log } from '../core/log/log.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Clock, Service } from '../core/service.ts';
import { acknowledger } from './acknowledge.ts';
import type { CarFilter } from './car-filter.ts';
import { allowOtherOrigins } from './cors.ts';
import { openFeed } from './feed.ts';
import type { FeedLimits } from './feed-session.ts';
import { FleetView } from './fleet-view.ts';
import { answerErrors } from './http.ts';
import { addPage } from './page-files.ts';
import { addRoutes, type FleetControl } from './routes.ts';
import { StreamWatch } from './stream-watch.ts';
import { AlertTail } from './tail.ts';
import type { TokenStore } from './tokens.ts';
import type { Twin } from './twin.ts';
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
  /** See addPage: for the demo only. */
  readonly pageToken?: string | undefined;
  readonly limits?: Partial<FeedLimits>;
  /** Time between two pictures of the live stream. Default 1 s. */
  readonly liveMs?: number;
}

export interface Server extends Service {
  readonly url: string;
  readonly port: number;
  readonly tail: AlertTail;
  /** WebSocket clients connected now. */
  phones(): number;
}

const MAX_BODY_BYTES = 2 * 1024 * 1024;
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
  const view = new FleetView({ twin, index, stream, clock, faults });
  tail.ready.then(
    () => view.settle(),
    () => undefined,
  );
  tail.listen(({ alert }) => view.take(alert.alertId));
  const streamOf = (filter: CarFilter) => stream.of(filter);
  const acknowledge = acknowledger({ log, index, metrics, clock });
  const feed = openFeed({
    ...{ log, tail, tokens, metrics, warn, acknowledge, streamOf, limits: options.limits ?? {} },
  });

  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    // Fastify's default takes a request that never ends.
    requestTimeout: REQUEST_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
  });
  allowOtherOrigins(app);
  answerErrors(app, warn);
  const { fleetControl, liveMs = 1000 } = options;
  addRoutes(app, { tokens, view, tail, stream, clock, acknowledge, signal, fleetControl, faults, liveMs });
  app.get('/health', (_request, reply) =>
    reply.status(view.ready ? 200 : 503).send({ ready: view.ready, phones: feed.clients }),
  );
  app.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4').send(await metrics.text()),
  );
  addPage(app, options.pageToken);
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
  const { port } = app.server.address() as AddressInfo;
  return {
    name: 'server',
    url: `http://${options.host}:${port}`,
    port,
    tail,
    phones: () => feed.clients,
    done: tail.done,
    stop: async () => {
      stopping.abort();
      await feed.close();
      await app.close();
      await tail.done.catch(() => undefined);
    },
  };
}
