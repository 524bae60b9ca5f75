// Getting into the page: by a link, once; by its cookie afterwards, from the page itself and from nowhere else.
import { get } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Server } from '../../alerts/server.ts';
import { operatorToken, SignIn } from '../../alerts/sign-in.ts';
import { useRig } from './rig.ts';
import { ALL, WATCH } from './support.ts';

const rig = useRig();
let server: Server;
beforeEach(async () => {
  server = await rig.server();
});

const codeOf = (link: string) => new URL(link).hash.replace('#once=', '');

function login(link: string): Promise<Response> {
  return fetch(`${server.url}/api/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ once: codeOf(link) }),
  });
}

async function cookieFor(token: string): Promise<string> {
  const answer = await login(server.pageLink(token));
  expect(answer.status).toBe(204);
  return answer.headers.get('set-cookie')!.split(';')[0]!;
}

/** The status of a request with these headers, as fetch would not let them be set. */
const session = (headers: Record<string, string>) =>
  new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    get(`${server.url}/api/session`, { headers }, async (answer) =>
      resolve({ status: answer.statusCode, text: await readText(answer) }),
    ).on('error', reject);
  });

/** How a WebSocket with these headers ends that says `auth` without a token: the name it is greeted by, or the close code. */
function feed(headers: Record<string, string>): Promise<string | number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/feed`, { headers });
    socket.on('open', () => socket.send('{"type":"auth"}'));
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      if (message.type !== 'hello') return;
      resolve(message.name);
      socket.terminate();
    });
    socket.on('close', (code) => resolve(code));
    socket.on('error', () => undefined);
  });
}

describe('a link', () => {
  it('signs one browser in, once, with a cookie that scripts and other sites cannot use', async () => {
    const link = server.pageLink(ALL);
    expect(link).toMatch(new RegExp(`^${server.url}/#once=[\\w-]{32}$`));
    expect(link).not.toContain(ALL);
    const answer = await login(link);
    expect(answer.status).toBe(204);
    const cookie = answer.headers.get('set-cookie')!;
    expect(cookie).toMatch(/; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(ALL);
    // Browsers keep one set of cookies for all ports of a machine.
    expect(cookie.split('=')[0]).toBe(`telltale-${server.port}`);
    expect(await session({ cookie: cookie.split(';')[0]! })).toMatchObject({
      status: 200,
      text: expect.stringContaining('"operator"'),
    });
    const again = await login(link);
    expect([again.status, await again.json()]).toMatchObject([401, { code: 'UNAUTHORIZED' }]);
    expect(again.headers.get('set-cookie')).toBeNull();
  });

  it('is made anew for whoever has a token, for what that token may see', async () => {
    const ask = (token: string | null) =>
      fetch(`${server.url}/api/page-links`, {
        method: 'POST',
        headers: token === null ? {} : { authorization: `Bearer ${token}` },
      });
    expect((await ask(null)).status).toBe(401);
    const { path } = (await (await ask(WATCH)).json()) as { path: string };
    const answer = await login(`${server.url}${path}`);
    const cookie = answer.headers.get('set-cookie')!.split(';')[0]!;
    expect((await session({ cookie })).text).toContain('"watcher"');
  });

  it('and its cookie end with their time; what waits is bounded', () => {
    let nowMs = 0;
    let n = 0;
    const signIn = new SignIn({ clock: () => nowMs, port: () => 1, secret: () => `secret-${++n}` });
    const code = (link: string) => link.replace('/#once=', '');
    const first = code(signIn.link('t1'));
    nowMs = 24 * 3_600_000;
    expect(signIn.redeem(first)).toBeNull();
    const second = code(signIn.link('t2'));
    const cookie = signIn.redeem(second)!.split(';')[0];
    const token = () => signIn.tokenOf({ cookie }, { mustSayOrigin: false });
    expect(token()).toBe('t2');
    nowMs += 30 * 24 * 3_600_000;
    expect(token()).toBeNull();
    const links = Array.from({ length: 40 }, () => code(signIn.link('t3')));
    expect(links.map((link) => signIn.redeem(link) !== null)).toEqual(links.map((_, i) => i >= 8));
  });

  it('is for the token that grants everything, and for none when no token does', () => {
    const some = { token: 'a token for some cars', name: 'some', vins: ['CAR1'], control: true };
    const all = { token: 'a token for everything', name: 'all', vins: '*' as const, control: true };
    expect(operatorToken({ tokens: [some, all] })).toBe(all.token);
    expect(operatorToken({ tokens: [some] })).toBeUndefined();
  });
});

describe('nobody is trusted', () => {
  it.each([
    ['from this machine', {}],
    ['through a proxy on this machine', { 'x-forwarded-for': '203.0.113.9', 'x-real-ip': '203.0.113.9' }],
    ['who says it is this machine', { 'x-forwarded-for': '127.0.0.1', host: 'localhost' }],
  ])('for where a request comes from: %s', async (_who, headers) => {
    expect((await session(headers)).status).toBe(401);
    expect(await feed(headers)).toBe(4401);
    const page = await (await fetch(server.url, { headers })).text();
    expect(page).not.toContain(ALL);
  });
});

describe('the cookie', () => {
  it('serves the page of this server and no other page, also where a proxy stands before it', async () => {
    const cookie = await cookieFor(ALL);
    const own = server.url;
    const host = `127.0.0.1:${server.port}`;
    expect(await feed({ cookie, origin: own })).toBe('operator');
    expect(await feed({ cookie, origin: 'https://cars.example', host: 'cars.example' })).toBe('operator');
    expect(
      await feed({ cookie, origin: 'https://cars.example', host, 'x-forwarded-host': 'cars.example' }),
    ).toBe('operator');
    for (const origin of ['https://evil.example', 'http://127.0.0.1:1', 'null', 'no origin'])
      expect([origin, await feed({ cookie, origin })]).toEqual([origin, 4401]);
    // A browser always says where a WebSocket comes from.
    expect(await feed({ cookie })).toBe(4401);
    expect((await session({ cookie, 'sec-fetch-site': 'same-site' })).status).toBe(401);
    expect((await session({ cookie, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
  });

  it('changes nothing for a page of another origin', async () => {
    const cookie = await cookieFor(ALL);
    const post = (headers: Record<string, string>) =>
      fetch(`${server.url}/api/alerts/none/ack`, { method: 'POST', headers: { cookie, ...headers } });
    expect((await post({ origin: 'http://127.0.0.1:1' })).status).toBe(401);
    expect((await post({})).status).toBe(401);
    expect((await post({ origin: server.url })).status).toBe(404);
  });
});
