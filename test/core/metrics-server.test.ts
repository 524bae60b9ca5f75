import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { healthOf } from '../../core/health.ts';
import { Metrics } from '../../core/metrics.ts';
import { type MetricsServer, startMetricsServer } from '../../core/metrics-server.ts';

const servers: MetricsServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

async function start(options: Partial<Parameters<typeof startMetricsServer>[0]> = {}): Promise<string> {
  const server = await startMetricsServer({ port: 0, metrics: new Metrics(), ...options });
  servers.push(server!);
  return `http://127.0.0.1:${server!.port}`;
}

it('shows the metrics it was given, in the Prometheus format', async () => {
  const metrics = new Metrics();
  metrics.counter('telltale_ingest_events_total').inc(3);
  const response = await fetch(`${await start({ metrics })}/metrics`);
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  expect(await response.text()).toContain('\ntelltale_ingest_events_total 3\n');
});

it('tells the health of its service', async () => {
  const url = await start({ health: () => ({ ...healthOf([], ['slow']), held: 2 }) });
  const well = await fetch(`${url}/health`);
  expect([well.status, await well.json()]).toEqual([200, { status: 'degraded', why: ['slow'], held: 2 }]);
  const ill = await fetch(
    `${await start({
      health: () => {
        throw new Error('log away');
      },
    })}/health`,
  );
  expect([ill.status, await ill.json()]).toEqual([503, { status: 'down', why: ['log away'] }]);
  expect((await fetch(`${url}/other`)).status).toBe(404);
});

it.each(['//', 'http://[', '/metrics?x=//'])('goes on when asked for %s', async (path) => {
  const port = Number(new URL(await start()).port);
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  expect(await text(socket)).toMatch(path.startsWith('/metrics') ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 404 /);
});

it('is not there when it was not asked for, and says when its port is taken', async () => {
  expect(await startMetricsServer({ port: -1, metrics: new Metrics() })).toBeNull();
  const port = Number(new URL(await start()).port);
  await expect(start({ port })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
});
