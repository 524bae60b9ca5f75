// A service's own little HTTP server: /metrics for Prometheus, /health for whoever restarts processes.
import { createServer, type Server, type ServerResponse } from 'node:http';
import { messageOf, TelltaleError } from './errors.ts';
import type { Metrics } from './metrics.ts';

export interface MetricsServerOptions {
  readonly host?: string;
  /** 0: any free one; below 0: no server. */
  readonly port: number;
  readonly metrics: Metrics;
  /** What /health answers as JSON; a thrown error makes it 503. Default: an empty object. */
  readonly health?: () => object;
}

export interface MetricsServer {
  readonly port: number;
  stop(): Promise<void>;
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

async function answer(path: string, options: MetricsServerOptions, response: ServerResponse): Promise<void> {
  if (path === '/metrics') {
    send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', await options.metrics.text());
  } else if (path === '/health') {
    try {
      send(response, 200, 'application/json', JSON.stringify({ ok: true, ...options.health?.() }));
    } catch (error) {
      send(response, 503, 'application/json', JSON.stringify({ ok: false, error: messageOf(error) }));
    }
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
  const server = createServer((request, response) => {
    // Cut by hand: anyone may ask for something that is no URL, and an exception here would end the process.
    const [path = ''] = (request.url ?? '').split('?', 1);
    answer(path, options, response).catch((error: unknown) =>
      send(response, 500, 'text/plain', messageOf(error)),
    );
  });
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
