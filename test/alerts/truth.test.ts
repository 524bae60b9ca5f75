// What people are told while nobody is watched: no model, a dead stream, a dead connection, silent cars, a server that has just
// been started again. Through the door: a real server, real HTTP, real WebSockets.
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { runAlerts } from '../../alerts/command.ts';
import { followAlerts, type Status } from '../../alerts/page/phone-client.js';
import type { Alerts, AlertsOptions } from '../../alerts/service.ts';
import { carToken } from '../../alerts/tokens.ts';
import { readConfig } from '../../core/config.ts';
import { Metrics } from '../../core/metrics.ts';
import { alertsTopic, telemetryTopic } from '../../core/topics.ts';
import { Phone } from './phone.ts';
import { ask as askUrl, useRig } from './rig.ts';
import { ALL, appendAlerts, appendScores, championSource, makeAlert, makeScore, SECRET } from './support.ts';

const rig = useRig();
let nowMs: number;

beforeEach(() => {
  nowMs = Date.now();
});

const serve = (more: Partial<AlertsOptions> = {}): Promise<Alerts> =>
  rig.alerts({ clock: () => nowMs, limits: { heartbeatMs: 20 }, ...more });

const ask = (alerts: Alerts, path: string, token?: string) => askUrl(alerts.url, path, token);

/** Asks again and again until the answer is liked; ends with the test. */
async function askUntil(
  alerts: Alerts,
  path: string,
  enough: (body: Awaited<ReturnType<typeof ask>>['body']) => boolean,
) {
  for (;;) {
    const { body } = await ask(alerts, path);
    if (enough(body)) return body;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A client whose statuses can be awaited. */
function statusesOf(url: string, token = ALL) {
  const seen: Status[] = [];
  const looks = new Set<() => void>();
  const client = followAlerts({
    ...{ url, token, firstWaitMs: 5, longestWaitMs: 50 },
    onAlert: () => undefined,
    onStatus: (status) => {
      seen.push(status);
      for (const look of [...looks]) look();
    },
  });
  rig.later(() => client.close());
  const until = (fits: (status: Status) => boolean) =>
    new Promise<Status>((resolve) => {
      const look = () => {
        const found = seen.findLast(fits);
        if (!found) return;
        looks.delete(look);
        resolve(found);
      };
      looks.add(look);
      look();
    });
  return { seen, until };
}

/** What `telltale alerts` says to the terminal about the stream. */
async function listed(alerts: Alerts): Promise<{ lines: string[]; told: string[] }> {
  const [lines, told]: [string[], string[]] = [[], []];
  const { settings } = readConfig(
    ['url', 'token', 'vin', 'limit', 'follow', 'cursorFile'],
    ['--url', alerts.url, '--token', ALL, '--limit', '2'],
    {},
  );
  const context = { signal: new AbortController().signal, clock: Date.now, metrics: new Metrics() };
  await runAlerts(settings, {
    ...context,
    say: (line) => lines.push(line),
    warn: (line) => told.push(line),
  });
  return { lines, told };
}

const at = (ms: number) => new Date(ms).toLocaleTimeString('en-GB');

describe('while nobody is watched', () => {
  it('says that there is no model yet', async () => {
    const alerts = await serve({ champions: championSource(null) });
    const learning = { state: 'learning', sinceMs: null, cars: 0, silent: 0 };
    expect((await ask(alerts, '/api/alerts')).body).toEqual({
      stream: learning,
      total: 0,
      open: 0,
      alerts: [],
    });
    expect((await ask(alerts, '/api/fleet')).body).toMatchObject({ model: null, stream: learning });
    const phone = new Phone({ url: alerts.url, token: ALL });
    rig.later(() => phone.socket.terminate());
    expect((await phone.message('hello')).stream).toEqual(learning);
    expect(await statusesOf(alerts.url).until(({ kind }) => kind !== 'connecting')).toMatchObject({
      ...{ kind: 'learning', watching: false, words: 'learning: no model yet, nothing is judged' },
    });
    expect((await listed(alerts)).told).toEqual([
      'alerts: 0 open; learning: no model yet, nothing is judged',
    ]);
  });

  it('says since when nothing comes, over a connection that lives, and that it comes again', async () => {
    const alerts = await serve();
    await appendScores(rig.log, [makeScore('CAR1', 0, 0.1), makeScore('CAR2', 0, 0.1)], nowMs);
    const { until, seen } = statusesOf(alerts.url);
    expect(await until(({ kind }) => kind === 'live')).toMatchObject({ watching: true, words: 'live' });
    const lastMs = nowMs;
    nowMs += 10_001;
    expect(await until(({ kind }) => kind === 'silent')).toMatchObject({
      ...{ watching: false, sinceMs: lastMs, words: `no data since ${at(lastMs)}` },
    });
    expect((await listed(alerts)).told).toEqual([`alerts: 0 open; no data since ${at(lastMs)}`]);
    await appendScores(rig.log, [makeScore('CAR1', 1, 0.1)], nowMs);
    await until((status) => status === seen.at(-1) && status.kind === 'live');
  });

  it('says that cars send while nothing scores, and before the first score too', async () => {
    const alerts = await serve();
    // In its first seconds a server knows only what was before it.
    const { stream } = await askUntil(alerts, '/api/alerts', (list) => list.stream.state !== 'learning');
    expect(stream).toEqual({ state: 'starting', sinceMs: null, cars: 0, silent: 0 });
    expect((await listed(alerts)).told).toEqual(['alerts: 0 open; starting: waiting for the first data']);
    nowMs += 10_001;
    await askUntil(alerts, '/api/alerts', ({ stream }) => stream.state === 'silent');
    const event = { vin: 'CAR1', seq: 1, ts: nowMs, signals: { coolantC: 90 } };
    await rig.log.append(telemetryTopic.name, [
      { key: 'CAR1', value: telemetryTopic.encode(event), timestampMs: nowMs },
    ]);
    const { words } = await statusesOf(alerts.url).until(({ kind }) => kind === 'unscored');
    expect(words).toBe('no scores yet, though cars send: does scoring run?');
    await appendScores(rig.log, [makeScore('CAR1', 0, 0.1)], nowMs - 60_000);
    await askUntil(alerts, '/api/alerts', ({ stream }) => stream.state === 'behind');
  });

  it('tells a server that answers but lets no WebSocket through from one that is away', async () => {
    const alerts = await serve();
    const proxy = createServer((from, to) => {
      const { port } = alerts;
      from.pipe(httpRequest({ port, path: from.url, headers: from.headers }, (answer) => answer.pipe(to)));
    });
    proxy.on('upgrade', (_request, socket) =>
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n'),
    );
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    rig.later(() => proxy.close());
    const { port } = proxy.address() as AddressInfo;
    const blocked = statusesOf(`http://127.0.0.1:${port}`);
    expect(await blocked.until(({ kind }) => kind === 'away')).toMatchObject({
      watching: false,
      words: expect.stringContaining('the server answers, but its WebSocket does not'),
    });
    expect(blocked.seen.some(({ watching }) => watching)).toBe(false);
    const nobody = await statusesOf('http://127.0.0.1:9').until(({ kind }) => kind === 'away');
    expect(nobody.words).toMatch(/^no connection: .*; trying again$/);
  });

  it('takes a connection that falls silent for dead', async () => {
    const alerts = await serve();
    await appendScores(rig.log, [makeScore('CAR1', 0, 0.1)], nowMs);
    const sockets: Socket[] = [];
    const tunnel = createTcpServer((socket) => {
      const further = connect(alerts.port, '127.0.0.1');
      sockets.push(socket, further);
      for (const one of [socket, further]) one.on('error', () => undefined);
      socket.pipe(further).pipe(socket);
    });
    await new Promise<void>((resolve) => tunnel.listen(0, '127.0.0.1', resolve));
    rig.later(() => {
      for (const socket of sockets) socket.destroy();
      tunnel.close();
    });
    const { port } = tunnel.address() as AddressInfo;
    const { until } = statusesOf(`http://127.0.0.1:${port}`);
    await until(({ kind }) => kind === 'live');
    // The far end freezes: nothing is closed, nothing comes.
    for (const socket of sockets) {
      socket.unpipe();
      socket.pause();
    }
    const { words, watching } = await until(({ kind }) => kind === 'away');
    expect(watching).toBe(false);
    expect(words).toMatch(/no sign of life from the server/);
  });
});

describe('cars that are silent', () => {
  it('are marked and counted, of those a token may see', async () => {
    const alerts = await serve();
    await appendScores(rig.log, [makeScore('CAR1', 0, 0.1), makeScore('CAR2', 0, 0.1)], nowMs - 30_001);
    await appendScores(rig.log, [makeScore('CAR2', 1, 0.1)], nowMs);
    const fleet = await askUntil(alerts, '/api/fleet', ({ cars }) =>
      cars.some((car: { silent: boolean }) => !car.silent),
    );
    const silent = (vin: string) => fleet.cars.find((car: { vin: string }) => car.vin === vin);
    expect(silent('CAR1')).toMatchObject({ silent: true, heardMs: nowMs - 30_001 });
    expect(silent('CAR2')).toMatchObject({ silent: false, heardMs: nowMs });
    expect(fleet.stream).toEqual({ state: 'live', sinceMs: nowMs, cars: 2, silent: 1 });
    const own = await ask(alerts, '/api/fleet', carToken(SECRET, 'CAR1'));
    expect(own.body.stream).toEqual({ state: 'silent', sinceMs: nowMs - 30_001, cars: 1, silent: 1 });
    expect((await ask(alerts, '/api/cars/CAR1')).body).toMatchObject({ silent: true, silentMs: 30_000 });
    const { words } = await statusesOf(alerts.url).until(({ kind }) => kind === 'live');
    expect(words).toBe('live, but 1 of 2 cars silent');
    const none = await ask(alerts, '/api/fleet', carToken(SECRET, 'CAR9'));
    expect(none.body.stream).toEqual({ state: 'silent', sinceMs: null, cars: 0, silent: 0 });
  });

  it('and their open alerts are there after a restart, however long they have been silent', async () => {
    const hourMs = 3_600_000;
    const alert = makeAlert('CAR1', {
      severity: 'critical',
      ts: nowMs - 30 * hourMs,
      raisedTs: nowMs - 30 * hourMs,
    });
    const lost = makeAlert('CAR7', {
      ...{ ts: nowMs - 50 * hourMs, raisedTs: nowMs - 50 * hourMs, score: 10, threshold: 5 },
      top: [{ signal: 'coolantC', value: 118, expected: 92, share: 0.8 }],
    });
    await appendAlerts(rig.log, [alert, lost]);
    await appendScores(rig.log, [makeScore('CAR1', 0, 2.5), makeScore('CAR2', 0, 0.1)], nowMs - 30 * hourMs);
    const alerts = await serve();
    const first = await askUntil(alerts, '/api/fleet', ({ total }) => total === 3);
    expect(first).toMatchObject({ open: 2, stream: { state: 'starting', cars: 3, silent: 3 } });
    nowMs += 10_001;
    const fleet = (await ask(alerts, '/api/fleet')).body;
    expect(fleet).toMatchObject({ open: 2, stream: { state: 'silent', cars: 3, silent: 3 } });
    expect(fleet.cars.map(({ silent }: { silent: boolean }) => silent)).toEqual([true, true, true]);
    expect((await ask(alerts, '/api/cars/CAR1')).body).toMatchObject({
      ...{ values: [118, 13.9, null], silent: true, alerts: [{ alertId: alert.alertId, state: 'open' }] },
    });
    // Of this one no score is left: its alert says what is known.
    expect((await ask(alerts, '/api/cars/CAR7')).body).toMatchObject({
      ...{ silent: true, level: 4, values: [118, null, null], expected: [92, null, null] },
      alerts: [{ alertId: lost.alertId }],
    });
  });

  it('and have an open alert are found without any model', async () => {
    await appendAlerts(rig.log, [makeAlert('CAR1')]);
    const alerts = await serve({ champions: championSource(null) });
    expect(await ask(alerts, '/api/cars/CAR1')).toMatchObject({
      status: 200,
      body: { vin: 'CAR1', silent: true, model: 'm1', alerts: [{ state: 'open' }] },
    });
    expect((await ask(alerts, '/api/cars/CAR2')).status).toBe(404);
  });
});

describe('alerts', () => {
  it('are all counted, and all reached, however few are listed', async () => {
    const open = Array.from({ length: 67 }, (_, i) =>
      makeAlert(`CAR${i % 50}`, { raisedTs: 1000, ts: 1000 + i }),
    );
    await appendAlerts(rig.log, open);
    const alerts = await serve({ limits: { maxSnapshot: 30, heartbeatMs: 20 } });
    const phone = new Phone({ url: alerts.url, token: ALL });
    rig.later(() => phone.socket.terminate());
    const snapshot = await phone.message('snapshot');
    expect([snapshot.open, snapshot.alerts.length]).toEqual([67, 30]);
    expect((await ask(alerts, '/api/fleet?limit=1')).body.open).toBe(67);
    const found = new Set<string>();
    for (let offset = 0; offset < 67; offset += 30) {
      const { body } = await ask(alerts, `/api/alerts?state=open&limit=30&offset=${offset}`);
      expect([body.total, body.open]).toEqual([67, 67]);
      for (const { alertId } of body.alerts) found.add(alertId);
    }
    expect(found).toEqual(new Set(open.map(({ alertId }) => alertId)));
    const { lines, told } = await listed(alerts);
    expect(lines).toHaveLength(2);
    expect(told[0]).toMatch(/^alerts: the newest 2 of 67; 67 open; /);
  });

  it('that grow worse after they were seen can be seen again, by every phone', async () => {
    const raised = makeAlert('CAR1');
    await appendAlerts(rig.log, [raised]);
    const alerts = await serve();
    const phone = new Phone({ url: alerts.url, token: ALL });
    rig.later(() => phone.socket.terminate());
    await phone.message('snapshot');
    const heard: string[] = [];
    const { promise: all, resolve } = Promise.withResolvers<void>();
    const ready = Promise.withResolvers<void>();
    const client = followAlerts({
      ...{ url: alerts.url, token: ALL },
      onSnapshot: () => ready.resolve(),
      onAlert: ({ phase, severity }) => {
        heard.push(`${phase} ${severity}`);
        if (heard.length === 3) resolve();
      },
    });
    rig.later(() => client.close());
    await ready.promise;
    const { alertId } = raised;
    phone.send({ type: 'acknowledge', alertId });
    await phone.received(1);
    await appendAlerts(rig.log, [{ ...raised, phase: 'escalated', severity: 'critical', ts: raised.ts + 1 }]);
    await phone.received(2);
    const { body } = await ask(alerts, '/api/alerts');
    expect(body.alerts[0].severity).toBe('critical');
    expect(body.alerts[0].acknowledgedTs).toBeUndefined();
    // Twice: the second changes nothing.
    phone.send({ type: 'acknowledge', alertId });
    await phone.received(3);
    phone.send({ type: 'acknowledge', alertId });
    await all;
    expect(heard).toEqual(['acknowledged warning', 'escalated critical', 'acknowledged critical']);
    expect((await ask(alerts, '/api/alerts')).body.alerts[0]).toMatchObject({ acknowledgedBy: 'operator' });
    const ends = await rig.log.ranges(alertsTopic.name);
    expect(ends.reduce((sum, { end }) => sum + end, 0)).toBe(4);
  });
});
