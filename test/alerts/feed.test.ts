// The feed over real sockets on a real embedded log.
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { encodeCursor } from '../../alerts/cursor.ts';
import type { FeedLimits } from '../../alerts/feed-session.ts';
import { type Server, startServer } from '../../alerts/server.ts';
import { carToken, type TokenStore } from '../../alerts/tokens.ts';
import type { Log, ReadOptions } from '../../core/log/log.ts';
import { Phone, type PhoneOptions } from './phone.ts';
import {
  ALL,
  appendAlerts,
  changingTokens,
  FAMILY,
  makeAlert,
  SECRET,
  serverOn,
  type TempLog,
  TOKENS,
  tempLog,
} from './support.ts';

let temp: TempLog;
const servers: Server[] = [];
const phones: Phone[] = [];

beforeEach(async () => {
  temp = await tempLog();
});

afterEach(async () => {
  for (const phone of phones.splice(0)) phone.socket.terminate();
  for (const server of servers.splice(0)) await server.stop();
  await temp.close();
});

async function serve(limits: Partial<FeedLimits> = {}, log: Log = temp.log, tokens: TokenStore = TOKENS) {
  const shared = serverOn(log, (line) => temp.warnings.push(line));
  const all = { authMs: 60_000, ...limits };
  const server = await startServer({ ...shared, tokens, limits: all, twin: () => null });
  servers.push(server);
  return { server, metrics: shared.metrics };
}

function phone(server: Server, options: Omit<PhoneOptions, 'url'> = {}): Phone {
  const made = new Phone({ url: server.url, ...options });
  phones.push(made);
  return made;
}

const ids = (alerts: readonly { alertId: string }[]) => alerts.map(({ alertId }) => alertId);

describe('the feed', () => {
  it('greets, gives the open alerts, then each new phase as it comes', async () => {
    const [open, over] = [makeAlert('CAR1'), makeAlert('CAR2')];
    await appendAlerts(temp.log, [open, over, { ...over, phase: 'cleared', ts: over.ts + 9 }]);
    const { server } = await serve();
    const p = phone(server, { token: ALL });
    expect(await p.message('hello')).toMatchObject({ protocol: 1, name: 'operator', gap: false });
    const { alerts } = await p.message('snapshot');
    expect(ids(alerts)).toEqual([open.alertId]);
    expect(alerts[0]).toMatchObject({ state: 'open', severity: 'warning', reason: open.reason });
    const next = makeAlert('CAR3');
    await appendAlerts(temp.log, [next]);
    expect(await p.received(1)).toEqual([next]);
  });

  it("shows a token only its own cars, be it listed or derived from the cars' secret", async () => {
    const { server } = await serve();
    const family = phone(server, { token: FAMILY });
    const driver = phone(server, { token: carToken(SECRET, 'CAR3') });
    const narrowed = phone(server, { token: ALL, vins: ['CAR1', 'CAR3'] });
    for (const p of [family, driver, narrowed]) await p.message('snapshot');
    const alerts = ['CAR1', 'CAR2', 'CAR3', 'CAR4'].map((vin) => makeAlert(vin));
    for (const alert of alerts) await appendAlerts(temp.log, [alert]);
    const last = makeAlert('CAR1');
    await appendAlerts(temp.log, [last, makeAlert('CAR3', { alertId: 'end' })]);
    await driver.received(2);
    await narrowed.until((all) => all.find((m) => m.type === 'alert' && m.alert.alertId === 'end'));
    await family.received(3);
    expect(family.alerts.map(({ vin }) => vin).sort()).toEqual(['CAR1', 'CAR1', 'CAR2']);
    expect(driver.alerts.map(({ vin }) => vin)).toEqual(['CAR3', 'CAR3']);
    expect(narrowed.alerts.map(({ vin }) => vin).sort()).toEqual(['CAR1', 'CAR1', 'CAR3', 'CAR3']);
  });

  it.each([
    ['a wrong bearer token', { token: 'no such token at all' }],
    ["another car's code", { token: carToken(SECRET, 'CAR3').replace('CAR3', 'CAR4') }],
  ])('refuses %s before the upgrade', async (_, options) => {
    const { server } = await serve();
    const p = phone(server, options);
    expect(await p.ended()).toBe(1006);
    expect(p.messages).toEqual([]);
  });

  it.each(['//', 'http://[', '//feed', '/elsewhere', '*'])(
    'answers an upgrade to %s with 404, hangs up, and goes on',
    async (path) => {
      const { server } = await serve();
      const socket = connect(server.port, '127.0.0.1');
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
      // The peer does not end its side: the server closes the connection by itself.
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 404 /);
      expect(await phone(server, { token: ALL }).message('hello')).toMatchObject({ name: 'operator' });
    },
  );

  it('bears a peer that is gone when it is refused', async () => {
    const { server } = await serve();
    for (let n = 0; n < 20; n += 1) {
      const socket = connect(server.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write('GET /gone HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', () =>
        socket.resetAndDestroy(),
      );
      await once(socket, 'close');
    }
    expect(await phone(server, { token: ALL }).message('hello')).toMatchObject({ name: 'operator' });
  });

  it('takes the token in the first message and refuses a wrong one, or any other first message', async () => {
    const { server } = await serve();
    const [right, wrong, rude] = [phone(server), phone(server), phone(server)];
    for (const p of [right, wrong, rude]) await new Promise((done) => p.socket.once('open', done));
    right.send({ type: 'auth', token: ALL, vins: ['CAR1'] });
    wrong.send({ type: 'auth', token: 'no such token at all' });
    rude.send({ type: 'pong' });
    expect(await right.message('hello')).toMatchObject({ name: 'operator' });
    expect(await wrong.ended()).toBe(4401);
    expect(await rude.ended()).toBe(4401);
    expect([wrong.messages, rude.messages]).toEqual([[], []]);
  });

  it('closes a client that never says who it is, and one that talks nonsense', async () => {
    const { server } = await serve({ authMs: 50 });
    const mute = phone(server);
    const odd = phone(server, { token: ALL });
    await odd.message('hello');
    odd.send('{"type":"launch"}');
    expect(await odd.ended()).toBe(4400);
    expect(await mute.ended()).toBe(4408);
  });

  it.each([
    ['messages that are none', Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x7b, 0x7d]), 100_000],
    ['pings of the protocol below', Buffer.from([0x89, 0x80, 0, 0, 0, 0]), 130_000],
    ['pieces of a message without end', Buffer.from([0x01, 0x81, 0, 0, 0, 0, 0x7b]), 110_000],
  ])('is not slowed by a visitor without a token who floods it: %s', async (what, frame, count) => {
    // Once, each message added a listener to the socket, and to remove as many took the square of their number.
    const warnings: string[] = [];
    const onWarning = ({ name, message }: Error) => warnings.push(`${name}: ${message}`);
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));
    const { server, metrics } = await serve();
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.write(
      'GET /feed HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await once(socket, 'data');
    socket.write(Buffer.concat(Array.from({ length: count }, () => frame)));
    // A visitor with a token is served meanwhile, and the other one is gone.
    expect(await phone(server, { token: ALL }).message('hello')).toMatchObject({ name: 'operator' });
    await closed;
    const cut = (await metrics.text()).match(/telltale_http_refused_total\{cause="flood"\} (\d+)/)?.[1];
    // The library itself hangs up on what is no WebSocket; who sends good messages on and on is cut, once.
    if (what === 'messages that are none') expect(cut).toBe('1');
    expect(warnings).toEqual([]);
    await expect.poll(() => server.phones()).toBe(1);
  });

  it('bounds the connections of one address that do not say who they are', async () => {
    const { server } = await serve({ maxSilentPerAddress: 2 });
    const mute = [phone(server), phone(server)];
    for (const p of mute) await once(p.socket, 'open');
    const third = phone(server);
    expect(await third.ended()).toBe(1006);
    expect(await phone(server, { token: ALL }).message('hello')).toMatchObject({ name: 'operator' });
    mute[0]!.send({ type: 'auth', token: ALL });
    await mute[0]!.message('hello');
    const fourth = phone(server);
    await once(fourth.socket, 'open');
  });

  it('gives after a disconnection precisely what was missed, once, wherever the cut was', async () => {
    const { server } = await serve();
    const all = Array.from({ length: 60 }, (_, i) => makeAlert(`CAR${i % 7}`));
    const seen: string[] = [];
    let p = phone(server, { token: ALL });
    await p.message('snapshot');
    for (let round = 0; round < 6; round += 1) {
      const here = all.slice(round * 10, round * 10 + 5);
      await appendAlerts(temp.log, here);
      await p.received(here.length + (round === 0 ? 0 : 5));
      await p.vanish();
      seen.push(...ids(p.alerts));
      // While it is away five more come; some are still being written while it comes back.
      await appendAlerts(temp.log, all.slice(round * 10 + 5, round * 10 + 8));
      const writing = appendAlerts(temp.log, all.slice(round * 10 + 8, round * 10 + 10));
      p = phone(server, { token: ALL, cursor: p.cursor });
      await writing;
    }
    await p.received(5);
    seen.push(...ids(p.alerts));
    expect(seen.toSorted()).toEqual(ids(all).toSorted());
    expect((await p.message('hello')).gap).toBe(false);
  });

  it('honours a cursor on another server and after a restart, seam included', async () => {
    const { server: first } = await serve();
    const early = ['CAR1', 'CAR2', 'CAR3'].map((vin) => makeAlert(vin));
    const p = phone(first, { token: ALL });
    await p.message('snapshot');
    await appendAlerts(temp.log, early);
    await p.received(3);
    await p.vanish();
    await first.stop();
    servers.length = 0;
    const { server: second } = await serve({}, temp.open());
    const missed = Array.from({ length: 500 }, (_, i) => makeAlert(`CAR${i}`));
    const writing = (async () => {
      for (const alert of missed) await appendAlerts(temp.log, [alert]);
    })();
    const q = phone(second, { token: ALL, cursor: p.cursor });
    await writing;
    expect(ids(await q.received(500)).toSorted()).toEqual(ids(missed).toSorted());
  });

  it('leaves no gap at the seam: what comes while it catches up is caught up with as well', async () => {
    const { server: other } = await serve();
    const witness = phone(other, { token: ALL });
    await witness.message('snapshot');
    const late = makeAlert('CAR2');
    let times = 0;
    /** At the end of the session's first read an alert is written, and the tail has handed it out before the read is over. */
    async function* seam(topic: string, options?: ReadOptions) {
      yield* temp.log.read(topic, options);
      if (options?.partitions === undefined || times++ > 0) return;
      await appendAlerts(temp.log, [late]);
      await watcher?.until(() => (watcher?.alerts.length === 1 ? true : undefined));
    }
    const log = new Proxy(temp.log, {
      get: (target, key) => {
        if (key === 'read') return seam;
        const member: unknown = Reflect.get(target, key);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const { server } = await serve({}, log);
    const watcher = phone(server, { token: ALL });
    await watcher.message('snapshot');
    const { cursor } = await witness.message('snapshot');
    const early = makeAlert('CAR1');
    await appendAlerts(temp.log, [early]);
    await watcher.received(1);
    watcher.messages.length = 0;
    const p = phone(server, { token: ALL, cursor });
    expect(ids(await p.received(2))).toEqual([early.alertId, late.alertId]);
    expect(times).toBeGreaterThan(1);
    const after = makeAlert('CAR3');
    await appendAlerts(temp.log, [after]);
    expect((await p.received(3)).map(({ alertId }) => alertId)).toEqual([
      early.alertId,
      late.alertId,
      after.alertId,
    ]);
  });

  it('serves the same alerts from two servers on one log', async () => {
    const a = await serve();
    const b = await serve({}, temp.open());
    const [p, q] = [phone(a.server, { token: ALL }), phone(b.server, { token: ALL })];
    await Promise.all([p.message('snapshot'), q.message('snapshot')]);
    const alerts = Array.from({ length: 20 }, (_, i) => makeAlert(`CAR${i}`));
    await appendAlerts(temp.log, alerts);
    expect(ids(await p.received(20)).toSorted()).toEqual(ids(alerts).toSorted());
    expect(ids(await q.received(20)).toSorted()).toEqual(ids(alerts).toSorted());
  });

  it.each([
    ['no cursor at all', 'what is this'],
    ['beyond the end of the log', encodeCursor([9, 9, 9])],
    ['of a log with more partitions', encodeCursor([0, 0, 0, 0])],
  ])('says that there is a gap when the cursor is %s, and starts at the earliest', async (_, cursor) => {
    const alerts = ['CAR1', 'CAR2', 'CAR3'].map((vin) => makeAlert(vin));
    await appendAlerts(temp.log, alerts);
    const { server } = await serve();
    const p = phone(server, { token: ALL, cursor });
    expect((await p.message('hello')).gap).toBe(true);
    expect(ids(await p.received(3)).toSorted()).toEqual(ids(alerts).toSorted());
  });

  it('tells the cursor with each heartbeat, so that a quiet phone does not fall behind', async () => {
    const { server } = await serve({ heartbeatMs: 30 });
    const p = phone(server, { token: carToken(SECRET, 'CAR3') });
    const { cursor } = await p.message('snapshot');
    await appendAlerts(temp.log, [makeAlert('CAR1')]);
    const moved = await p.until((all) => all.find((m) => m.type === 'ping' && m.cursor !== cursor));
    expect(moved).toMatchObject({ type: 'ping' });
    expect(p.alerts).toEqual([]);
  });

  it('gives up a client that shows no sign of life, and keeps one that does', async () => {
    const { server } = await serve({ heartbeatMs: 40 });
    const [dead, alive] = [phone(server, { token: ALL, alive: false }), phone(server, { token: ALL })];
    expect(await dead.ended()).toBe(4408);
    expect(alive.closed).toBeNull();
  });

  it('bounds what a slow phone costs: first it reads from the log at its own pace, then it is sent away', async () => {
    const limits = { maxBufferedBytes: 20_000, stallMs: 300, heartbeatMs: 1000 };
    const { server, metrics } = await serve(limits);
    const slow = phone(server, { token: ALL });
    const quick = phone(server, { token: ALL });
    await Promise.all([slow.message('snapshot'), quick.message('snapshot')]);
    slow.socket.pause();
    const reason = 'x'.repeat(20_000);
    const alerts = Array.from({ length: 600 }, (_, i) => makeAlert(`CAR${i % 5}`, { reason }));
    for (let i = 0; i < alerts.length; i += 50) await appendAlerts(temp.log, alerts.slice(i, i + 50));
    expect(ids(await quick.received(600)).toSorted()).toEqual(ids(alerts).toSorted());
    // Looked at with each heartbeat of the quick one.
    await quick.until(() => (server.phones() === 1 ? true : undefined));
    slow.socket.resume();
    await slow.ended();
    expect(await metrics.text()).toMatch(/telltale_feed_slow_clients_total 1/);
    // What it had not read waits in the log.
    const back = phone(server, { token: ALL, cursor: slow.cursor });
    await back.received(600 - slow.alerts.length);
    expect([...ids(slow.alerts), ...ids(back.alerts)].toSorted()).toEqual(ids(alerts).toSorted());
  });

  it('lets a phone that was only slow for a while stay, and misses nothing', async () => {
    const { server } = await serve({ maxBufferedBytes: 5_000, stallMs: 20_000 });
    const p = phone(server, { token: ALL });
    await p.message('snapshot');
    p.socket.pause();
    const reason = 'x'.repeat(50_000);
    const alerts = Array.from({ length: 400 }, (_, i) => makeAlert(`CAR${i % 5}`, { reason }));
    for (let i = 0; i < alerts.length; i += 50) await appendAlerts(temp.log, alerts.slice(i, i + 50));
    p.socket.resume();
    expect(ids(await p.received(400)).toSorted()).toEqual(ids(alerts).toSorted());
    const after = makeAlert('CAR1');
    await appendAlerts(temp.log, [after]);
    expect((await p.received(401)).at(-1)).toEqual(after);
    expect(p.closed).toBeNull();
  });

  it('closes what is open of a token that was taken away; one whose cars change sees those', async () => {
    const family = (...vins: string[]) => ({ token: FAMILY, name: 'family', vins });
    const operator = { token: ALL, name: 'operator', vins: '*' as const };
    const tokens = changingTokens({ tokens: [operator, family('CAR1', 'CAR2')] });
    const { server } = await serve({ heartbeatMs: 30 }, temp.log, tokens);
    const [gone, stays] = [phone(server, { token: ALL }), phone(server, { token: FAMILY })];
    await Promise.all([gone.message('snapshot'), stays.message('snapshot')]);
    tokens.set({ tokens: [family('CAR2', 'CAR3')] });
    expect(await gone.ended()).toBe(4401);
    await appendAlerts(temp.log, [makeAlert('CAR1')]);
    await appendAlerts(temp.log, [makeAlert('CAR3')]);
    expect((await stays.received(1)).map(({ vin }) => vin)).toEqual(['CAR3']);
  });

  it('bounds the connections of one token', async () => {
    const { server } = await serve({ maxPerToken: 2 });
    const [a, b] = [phone(server, { token: ALL }), phone(server, { token: ALL })];
    await Promise.all([a.message('hello'), b.message('hello')]);
    const third = phone(server, { token: ALL });
    expect(await third.ended()).toBe(4429);
    await a.vanish();
    const again = phone(server, { token: ALL });
    expect(await again.message('hello')).toMatchObject({ type: 'hello' });
  });

  it('lets a phone acknowledge its own alert, and everybody hears of it', async () => {
    const { server } = await serve();
    const driver = phone(server, { token: carToken(SECRET, 'CAR1') });
    const operator = phone(server, { token: ALL });
    await Promise.all([driver.message('snapshot'), operator.message('snapshot')]);
    const [mine, other] = [makeAlert('CAR1'), makeAlert('CAR2')];
    await appendAlerts(temp.log, [other, mine]);
    await Promise.all([driver.received(1), operator.received(2)]);
    driver.send({ type: 'acknowledge', alertId: mine.alertId });
    driver.send({ type: 'acknowledge', alertId: other.alertId });
    expect((await operator.received(3)).at(-1)).toMatchObject({
      ...{ alertId: mine.alertId, phase: 'acknowledged', by: 'CAR1' },
    });
    const answers = await driver.until((all) => {
      const found = all.filter((m) => m.type === 'acknowledged');
      return found.length === 2 ? found : undefined;
    });
    expect(answers).toContainEqual({ type: 'acknowledged', alertId: mine.alertId, ok: true });
    expect(answers).toContainEqual({ type: 'acknowledged', alertId: other.alertId, ok: false });
  });

  it('sends everybody away with 1001 when it stops', async () => {
    const { server } = await serve();
    const p = phone(server, { token: ALL });
    await p.message('snapshot');
    servers.length = 0;
    await server.stop();
    expect(await p.ended()).toBe(1001);
  });
});
