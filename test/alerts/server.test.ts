// The room as a whole over HTTP: REST, live stream, page files, and the service that follows its champion.
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Alerts, type AlertsOptions, startAlerts } from '../../alerts/service.ts';
import { carToken } from '../../alerts/tokens.ts';
import type { FleetCommand } from '../../core/events.ts';
import type { Health } from '../../core/health.ts';
import { Phone } from './phone.ts';
import {
  ALL,
  appendAlerts,
  appendScores,
  champion,
  championSource,
  changingTokens,
  FAMILY,
  makeAlert,
  makeScore,
  SECRET,
  serverOn,
  type TempLog,
  tempLog,
  WATCH,
} from './support.ts';

let temp: TempLog;
const running: Alerts[] = [];
const phones: Phone[] = [];

beforeEach(async () => {
  temp = await tempLog();
});

afterEach(async () => {
  for (const phone of phones.splice(0)) phone.socket.terminate();
  for (const alerts of running.splice(0)) await alerts.stop();
  await temp.close();
});

async function serve(more: Partial<AlertsOptions> = {}): Promise<Alerts> {
  const alerts = await startAlerts({
    ...serverOn(temp.log, (line) => temp.warnings.push(line)),
    liveMs: 20,
    champions: championSource(champion('m1', 0)),
    ...more,
  });
  running.push(alerts);
  return alerts;
}

async function ask(alerts: Alerts, path: string, token: string | null = ALL, init: RequestInit = {}) {
  const headers = { ...init.headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  const answer = await fetch(`${alerts.url}${path}`, { ...init, headers });
  const text = await answer.text();
  const json = answer.headers.get('content-type')?.includes('json') ?? false;
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    body: json && text ? JSON.parse(text) : null,
  };
}

const post = (body?: unknown): RequestInit =>
  body === undefined
    ? { method: 'POST' }
    : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };

/** Resolves with the first frame of the live stream that `enough` likes. */
async function frameOf<T>(alerts: Alerts, query: string, enough: (frame: T) => boolean): Promise<T> {
  const over = new AbortController();
  const headers = { authorization: `Bearer ${ALL}` };
  const answer = await fetch(`${alerts.url}/api/live${query}`, { headers, signal: over.signal });
  let text = '';
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const frame = JSON.parse(event.slice('data: '.length)) as T;
      if (!enough(frame)) continue;
      over.abort();
      return frame;
    }
  }
  throw new Error('the stream ended');
}

interface Frame {
  readonly fleet: {
    total: number;
    open: number;
    model: string | null;
    cars: { vin: string; severity?: string }[];
  };
  readonly car: { vin: string; history: { ts: number[] }; signals: { label: string }[] } | null;
}

/** A service that has taken in twelve strange seconds of CAR1 and some calm ones of CAR2 and CAR3. */
async function strangeFleet(more: Partial<AlertsOptions> = {}): Promise<Alerts> {
  const alerts = await serve(more);
  const scores = ['CAR1', 'CAR2', 'CAR3'].flatMap((vin) =>
    Array.from({ length: 12 }, (_, s) => makeScore(vin, s, vin === 'CAR1' ? 2.5 : 0.2)),
  );
  await appendScores(temp.log, scores);
  await frameOf<Frame>(alerts, '', ({ fleet }) => fleet.total === 3 && fleet.open === 1);
  return alerts;
}

describe('REST', () => {
  it.each(['/api/session', '/api/fleet', '/api/cars/CAR1', '/api/alerts', '/api/live'])(
    'wants a token for %s',
    async (path) => {
      const alerts = await serve();
      for (const token of [null, 'no such token at all'])
        expect(await ask(alerts, path, token)).toMatchObject({ status: 401, body: { code: 'UNAUTHORIZED' } });
    },
  );

  it('shows the fleet strangest first, and of it what the token may see', async () => {
    const alerts = await strangeFleet();
    const { body } = await ask(alerts, '/api/fleet?limit=2');
    expect(body).toMatchObject({ total: 3, open: 1, model: 'm1', offset: 0 });
    expect(body.cars).toHaveLength(2);
    expect(body.cars[0]).toMatchObject({ vin: 'CAR1', level: 2.5, severity: 'critical' });
    const one = await ask(alerts, '/api/fleet', carToken(SECRET, 'CAR3'));
    expect(one.body).toMatchObject({ total: 1, open: 0, cars: [{ vin: 'CAR3' }] });
  });

  it('shows a car: readings, expectations, history in columns, its alerts', async () => {
    const alerts = await strangeFleet();
    const { body } = await ask(alerts, '/api/cars/CAR1');
    expect(body).toMatchObject({
      vin: 'CAR1',
      score: 5 * Math.sqrt(2.5),
      threshold: 5,
      values: [118, 13.9, null],
    });
    expect(body.history.ts).toHaveLength(12);
    expect(body.history.values[0]).toEqual(Array(12).fill(118));
    expect(body.signals.map(({ label }: { label: string }) => label)).toEqual([
      'coolant temperature',
      'battery voltage',
      'lambda',
    ]);
    expect(body.alerts).toMatchObject([{ vin: 'CAR1', state: 'open', severity: 'critical' }]);
    const later = await ask(alerts, `/api/cars/CAR1?after=${body.history.ts[9]}`);
    expect(later.body.history.ts).toEqual(body.history.ts.slice(10));
  });

  it('knows no car that the token may not see', async () => {
    const alerts = await strangeFleet();
    for (const [vin, token] of [
      ['CAR1', carToken(SECRET, 'CAR3')],
      ['CAR9', ALL],
    ] as const)
      expect(await ask(alerts, `/api/cars/${vin}`, token)).toMatchObject({
        status: 404,
        body: { code: 'NOT_FOUND' },
      });
  });

  it('lists alerts by car, state, time and number', async () => {
    const alerts = await serve();
    const [a, b, c] = [makeAlert('CAR1'), makeAlert('CAR2'), makeAlert('CAR1')];
    const p = new Phone({ url: alerts.url, token: ALL });
    phones.push(p);
    await p.message('snapshot');
    await appendAlerts(temp.log, [a, b, c, { ...a, phase: 'cleared', ts: a.ts + 100 }]);
    await p.received(4);
    const ids = async (query: string, token = ALL) =>
      (await ask(alerts, `/api/alerts${query}`, token)).body.alerts.map(
        (x: { alertId: string }) => x.alertId,
      );
    expect(await ids('')).toEqual([c.alertId, b.alertId, a.alertId]);
    expect(await ids('?vin=CAR1')).toEqual([c.alertId, a.alertId]);
    expect(await ids('?state=open&limit=1')).toEqual([c.alertId]);
    expect(await ids('?state=cleared')).toEqual([a.alertId]);
    expect(await ids(`?from=${b.raisedTs}&before=${c.raisedTs}`)).toEqual([b.alertId]);
    expect(await ids('', carToken(SECRET, 'CAR2'))).toEqual([b.alertId]);
  });

  it('acknowledges once, by name, and only what the token may see', async () => {
    const alerts = await strangeFleet();
    const { body } = await ask(alerts, '/api/alerts');
    const { alertId } = body.alerts[0];
    const path = `/api/alerts/${encodeURIComponent(alertId)}/ack`;
    expect((await ask(alerts, path, carToken(SECRET, 'CAR2'), post())).status).toBe(404);
    const p = new Phone({ url: alerts.url, token: WATCH });
    phones.push(p);
    await p.message('snapshot');
    const both = await Promise.all([ask(alerts, path, WATCH, post()), ask(alerts, path, ALL, post())]);
    expect(both.map(({ status }) => status)).toEqual([204, 204]);
    expect(await p.received(1)).toMatchObject([{ alertId, phase: 'acknowledged', by: 'watcher' }]);
    expect((await ask(alerts, path, ALL, post())).status).toBe(204);
    const after = await ask(alerts, '/api/alerts');
    expect(after.body.alerts[0]).toMatchObject({ state: 'open', acknowledgedBy: 'watcher' });
    expect(p.alerts).toHaveLength(1);
  });

  it.each([
    ['/api/fleet?limit=0', 'INVALID', 400, 'querystring/limit must be >= 1'],
    ['/api/fleet?limit=many', 'INVALID', 400, 'querystring/limit must be integer'],
    ['/api/alerts?state=lost', 'INVALID', 400, 'querystring/state must be one of open, cleared'],
    ['/api/cars/%zz', 'INVALID', 400, "'/api/cars/%zz' is not a valid url component"],
    ['/api/nothing', 'NOT_FOUND', 404, 'nothing at GET /api/nothing'],
  ])('answers %s with %s', async (path, code, status, message) => {
    const alerts = await serve();
    const answer = await ask(alerts, path);
    expect(answer).toMatchObject({ status, body: { code, message } });
    expect(Object.keys(answer.body)).toEqual(['code', 'message']);
  });
});

describe('breaking cars', () => {
  const order: FleetCommand = { vins: ['CAR1'], action: 'break', fault: 'overheating', severity: 0.8 };

  it('is not offered where there is no simulated fleet', async () => {
    const alerts = await serve();
    expect((await ask(alerts, '/api/session')).body).toEqual({ name: 'operator', cars: null, faults: null });
    expect((await ask(alerts, '/api/fleet/commands', ALL, post(order))).status).toBe(404);
  });

  const faults = [
    { name: 'overheating', label: 'overheating', moves: ['coolantC'], needs: [] },
    { name: 'cells', label: 'cells age', moves: ['batteryV'], needs: ['lambda'] },
  ];

  it('takes an order, from those who may', async () => {
    const orders: FleetCommand[] = [];
    const alerts = await strangeFleet({ faults, fleetControl: async (command) => void orders.push(command) });
    expect((await ask(alerts, '/api/session')).body.faults).toEqual(faults);
    expect((await ask(alerts, '/api/session', WATCH)).body.faults).toBeNull();
    const send = async (token: string, body: unknown) =>
      (await ask(alerts, '/api/fleet/commands', token, post(body))).status;
    expect(await send(ALL, order)).toBe(202);
    expect(await send(FAMILY, { ...order, vins: ['CAR2'] })).toBe(202);
    expect(await send(FAMILY, { ...order, vins: ['CAR3'] })).toBe(403);
    expect(await send(WATCH, order)).toBe(403);
    expect(await send(ALL, { ...order, severity: 3 })).toBe(400);
    expect(await send(ALL, { vins: [], action: 'break' })).toBe(400);
    expect(orders.map(({ vins }) => vins)).toEqual([['CAR1'], ['CAR2']]);
  });

  it.each([
    ['a car that is not there', { vins: ['CAR1', 'CAR11'] }, 404, /no car CAR11; did you mean "CAR1"/],
    [
      'a fault that is not there',
      { fault: 'overheatin' },
      422,
      /did you mean "overheating"\?; there are overheating, cells/,
    ],
    ['no fault at all', { fault: undefined }, 422, /break needs a fault: overheating, cells/],
    [
      'a fault of another kind of car',
      { fault: 'cells' },
      422,
      /CAR1 cannot have cells; it can have overheating/,
    ],
    [
      'a repair of what is not there',
      { action: 'repair', fault: 'rust' },
      422,
      /no fault rust; there are overheating/,
    ],
  ])('refuses an order with %s, and says what there is', async (_, change, status, message) => {
    const orders: FleetCommand[] = [];
    const alerts = await strangeFleet({ faults, fleetControl: async (command) => void orders.push(command) });
    const answer = await ask(alerts, '/api/fleet/commands', ALL, post({ ...order, ...change }));
    expect(answer).toMatchObject({ status, body: { message: expect.stringMatching(message) } });
    expect(orders).toEqual([]);
  });

  it('offers a car only what it can have', async () => {
    const alerts = await strangeFleet({ faults, fleetControl: async () => undefined });
    expect((await ask(alerts, '/api/cars/CAR1')).body.faults).toEqual(['overheating']);
    const scores = [makeScore('CAR4', 0, 0.1, { values: [90, 14, 1] }), makeScore('CAR4', 1, 0.1)];
    await appendScores(temp.log, scores);
    await frameOf<Frame>(alerts, '', ({ fleet }) => fleet.total === 4);
    // It does not measure lambda at this moment, but it has.
    expect((await ask(alerts, '/api/cars/CAR4')).body).toMatchObject({
      faults: ['overheating', 'cells'],
      lost: [null, null, scores[0]!.ts],
    });
  });
});

describe('the server', () => {
  it('gives the page with headers that keep it to this server, and nothing secret in it', async () => {
    const alerts = await serve();
    const { status, text, headers } = await ask(alerts, '/', null);
    expect(status).toBe(200);
    expect(text).not.toContain(ALL);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    for (const [file, type] of [
      ['page.js', 'text/javascript'],
      ['page.css', 'text/css'],
      ['icon.svg', 'image/svg'],
    ])
      expect((await ask(alerts, `/${file}`, null)).headers.get('content-type')).toContain(type);
    expect((await ask(alerts, '/tsconfig.json', null)).status).toBe(404);
  });

  it('ends the live stream of a token that was taken away', async () => {
    const tokens = changingTokens({ tokens: [{ token: ALL, name: 'operator', vins: '*' }] });
    const alerts = await serve({ tokens });
    const headers = { authorization: `Bearer ${ALL}` };
    const answer = await fetch(`${alerts.url}/api/live`, { headers });
    expect(answer.status).toBe(200);
    tokens.set({ tokens: [] });
    expect(await answer.text()).toMatch(/^data: /);
    expect((await fetch(`${alerts.url}/api/live`, { headers })).status).toBe(401);
  });

  it('tells who else must be well, and is as bad as the worst of them', async () => {
    const ingest: Health = { status: 'down', why: ['no car is acknowledged'] };
    const alerts = await serve({ healthOf: () => ({ ingest }) });
    await frameOf<Frame>(alerts, '', ({ fleet }) => fleet.model === 'm1');
    expect(await ask(alerts, '/health', null)).toMatchObject({
      status: 503,
      body: { status: 'down', why: ['ingest: no car is acknowledged'] },
    });
  });

  it('asks who it is before it reads what they send', async () => {
    const alerts = await serve({ fleetControl: async () => undefined });
    const huge = JSON.stringify({ vins: ['CAR1'], action: 'break', fault: 'x'.repeat(9_000_000) });
    const send = (body: string, token: string | null, path = '/api/fleet/commands') =>
      ask(alerts, path, token, { ...post({}), body }).then(
        ({ status }) => status,
        // The server hung up before it had read all.
        () => 401,
      );
    expect(await send('{', null)).toBe(401);
    expect(await send(huge, null)).toBe(401);
    expect(await send('{', ALL)).toBe(400);
    expect(await send(huge, ALL)).toBe(413);
    expect(await send('x'.repeat(5000), null, '/api/login')).toBe(413);
    expect((await ask(alerts, '/api/session')).status).toBe(200);
  });

  it('gives one token 16 live streams, and others theirs all the same', async () => {
    const alerts = await serve();
    const over = new AbortController();
    const live = (token: string) =>
      fetch(`${alerts.url}/api/live`, {
        headers: { authorization: `Bearer ${token}` },
        signal: over.signal,
      });
    const own = await Promise.all(Array.from({ length: 20 }, () => live(FAMILY)));
    expect(own.filter(({ status }) => status === 200)).toHaveLength(16);
    const refused = own.find(({ status }) => status !== 200)!;
    expect([refused.status, await refused.json()]).toEqual([
      429,
      { code: 'TOO_MANY', message: 'this token has 16 live streams open; close one' },
    ]);
    expect((await live(ALL)).status).toBe(200);
    over.abort();
    await expect.poll(async () => (await ask(alerts, '/api/session', FAMILY)).status).toBe(200);
    const again = new AbortController();
    await expect
      .poll(async () => {
        const answer = await fetch(`${alerts.url}/api/live`, {
          headers: { authorization: `Bearer ${FAMILY}` },
          signal: again.signal,
        });
        return answer.status;
      })
      .toBe(200);
    again.abort();
  });

  it('streams the fleet and the watched car, new samples only', async () => {
    const alerts = await strangeFleet();
    const first = await frameOf<Frame>(alerts, '?vin=CAR1', () => true);
    expect(first.car?.history.ts).toHaveLength(12);
    let frames = 0;
    const second = await frameOf<Frame>(alerts, '?vin=CAR1', () => ++frames === 2);
    expect(second.car?.history.ts).toEqual([]);
    expect(second.car?.signals).toHaveLength(3);
  });

  it('says whether it is ready, and its metrics', async () => {
    const champions = championSource(null);
    const alerts = await serve({ champions });
    expect(await ask(alerts, '/health', null)).toMatchObject({
      status: 503,
      body: { status: 'down', why: ['page: no model is in charge yet'] },
    });
    champions.set(champion('m1', 0));
    await appendScores(
      temp.log,
      Array.from({ length: 10 }, (_, s) => makeScore('CAR1', s, 2)),
    );
    await frameOf<Frame>(alerts, '', ({ fleet }) => fleet.open === 1);
    expect(await ask(alerts, '/health', null)).toMatchObject({ status: 200, body: { status: 'ready' } });
    expect((await ask(alerts, '/metrics', null)).text).toMatch(/telltale_alerts_total\{phase="raised"\} 1/);
  });

  it('follows its champion: twin and policy go over to the new model, the open alert goes with them', async () => {
    const champions = championSource(champion('m1', 0));
    const alerts = await strangeFleet({ champions });
    champions.set(champion('m2', Date.now()));
    const scores = Array.from({ length: 60 }, (_, s) => makeScore('CAR1', 20 + s, 0.1, { model: 'm2' }));
    await appendScores(temp.log, scores, Date.now() + 10);
    const frame = await frameOf<Frame>(
      alerts,
      '?vin=CAR1',
      ({ fleet }) => fleet.model === 'm2' && fleet.open === 0,
    );
    // The new model has no score of the other two: they are cars all the same.
    expect(frame.fleet.cars.map(({ vin }) => vin).toSorted()).toEqual(['CAR1', 'CAR2', 'CAR3']);
    const { body } = await ask(alerts, '/api/alerts');
    expect(body.alerts).toMatchObject([{ alertId: 'CAR1:m1:0-9', state: 'cleared' }]);
  });

  it('names the port that is taken', async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port));
    });
    await expect(serve({ port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
    await new Promise((done) => other.close(done));
  });

  it('refuses upgrades to anything but the feed', async () => {
    const alerts = await serve();
    const p = new Phone({ url: `${alerts.url}/elsewhere`, token: ALL });
    phones.push(p);
    expect(await p.ended()).toBe(1006);
  });
});
