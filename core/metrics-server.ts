// A service's own little HTTP server: /metrics for Prometheus, /health for whoever watches over processes.
import { createServer, type Server, type ServerResponse } from 'node:http';
import { messageOf, TelltaleError } from './errors.ts';
import { type Health, healthOf, httpStatusOf } from './health.ts';
import type { Metrics } from './metrics.ts';

export interface MetricsServerOptions {
  readonly host?: string;
  /** 0: any free one; below 0: no server. */
  readonly port: number;
  readonly metrics: Metrics;
  /** What /health answers as JSON, with whatever figures a service adds; a thrown error is `down`. Default: ready. */
  readonly health?: () => Health | Promise<Health>;
}

export interface MetricsServer {
  readonly port: number;
  stop(): Promise<void>;
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

async function askHealth(ask: MetricsServerOptions['health']): Promise<Health> {
  try {
    return (await ask?.()) ?? healthOf([]);
  } catch (error) {
    return healthOf([messageOf(error)]);
  }
}

/** One visitor's slow or many connections must not cost more than this. */
const LIMITS = { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 5000 } as const;
const MAX_CONNECTIONS = 64;

async function answer(path: string, options: MetricsServerOptions, response: ServerResponse): Promise<void> {
  if (path === '/metrics') {
    send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', await options.metrics.text());
  } else if (path === '/health') {
    const health = await askHealth(options.health);
    send(response, httpStatusOf(health), 'application/json', JSON.stringify(health));
  } else send(response, 404, 'text/plain', 'There is /metrics and /health.\n');
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new TelltaleError('PORT_IN_USE', `metrics: ${host}:${port}: ${messageOf(cause)}`, { cause })),
    );
    server.listen(port, host, resolve);
  });
}

/** Starts the server; null when the port is below 0. @throws TelltaleError PORT_IN_USE */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer | null> {
  if (options.port < 0) return null;
  const server = createServer(LIMITS, (request, response) => {
    // Cut by hand: anyone may ask for something that is no URL, and an exception here would end the process.
    const [path = ''] = (request.url ?? '').split('?', 1);
    answer(path, options, response).catch((error: unknown) =>
      send(response, 500, 'text/plain', messageOf(error)),
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, options.host ?? '127.0.0.1', options.port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
