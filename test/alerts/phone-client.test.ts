// The client that the page, the terminal and apps use, against a real server that fails in the ways networks fail.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { runAlerts } from '../../alerts/command.ts';
import { type Alert, type FollowOptions, followAlerts } from '../../alerts/page/phone-client.js';
import { type Server, startServer } from '../../alerts/server.ts';
import { readConfig } from '../../core/config.ts';
import { Metrics } from '../../core/metrics.ts';
import { ALL, appendAlerts, makeAlert, serverOn, type TempLog, tempLog } from './support.ts';

let temp: TempLog;
let server: Server | null = null;
const closers: (() => void)[] = [];

beforeEach(async () => {
  temp = await tempLog();
});

afterEach(async () => {
  for (const close of closers.splice(0)) close();
  await server?.stop();
  server = null;
  await temp.close();
});

async function serve(port = 0): Promise<Server> {
  server = await startServer({ ...serverOn(temp.log), port, twin: () => null });
  return server;
}

/** A client whose alerts and states can be awaited. */
function follow(url: string, more: Partial<FollowOptions> = {}) {
  const alerts: Alert[] = [];
  const states: string[] = [];
  const looks = new Set<() => void>();
  const look = () => {
    for (const each of [...looks]) each();
  };
  const until = (enough: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (!enough()) return;
        looks.delete(check);
        resolve();
      };
      looks.add(check);
      check();
    });
  const client = followAlerts({
    ...{ url, token: ALL, firstWaitMs: 5, longestWaitMs: 50 },
    onAlert: (alert) => {
      alerts.push(alert);
      look();
    },
    onState: (state) => {
      states.push(state);
      look();
    },
    ...more,
  });
  closers.push(() => client.close());
  return { client, alerts, states, until };
}

describe('the phone client', () => {
  it('gets what came while the server was away, each phase once', async () => {
    const first = await serve();
    const { alerts, states, until } = follow(first.url);
    await until(() => states.includes('open'));
    const [a, b, c] = [makeAlert('CAR1'), makeAlert('CAR2'), makeAlert('CAR3')];
    await appendAlerts(temp.log, [a]);
    await until(() => alerts.length === 1);
    await first.stop();
    await until(() => states.includes('away'));
    await appendAlerts(temp.log, [b, { ...a, phase: 'cleared', ts: a.ts + 1 }]);
    await serve(first.port);
    await until(() => alerts.length === 3);
    await appendAlerts(temp.log, [c]);
    await until(() => alerts.length === 4);
    expect(alerts.map(({ vin, phase }) => `${vin} ${phase}`).toSorted()).toEqual([
      'CAR1 cleared',
      'CAR1 raised',
      'CAR2 raised',
      'CAR3 raised',
    ]);
  });

  it('hands a repeated phase over once', async () => {
    const { url } = await serve();
    const { alerts, states, until } = follow(url);
    await until(() => states.includes('open'));
    const [a, last] = [makeAlert('CAR1'), makeAlert('CAR1')];
    await appendAlerts(temp.log, [
      a,
      a,
      { ...a, phase: 'acknowledged' },
      { ...a, phase: 'acknowledged' },
      last,
    ]);
    await until(() => alerts.some(({ alertId }) => alertId === last.alertId));
    expect(alerts.map(({ phase }) => phase)).toEqual(['raised', 'acknowledged', 'raised']);
  });

  it('stops for good when its token is refused', async () => {
    const { url } = await serve();
    const { states, until } = follow(url, { token: 'no such token at all' });
    await until(() => states.includes('refused'));
    expect(states).toEqual(['connecting', 'refused']);
  });

  it('comes again after each failure, every wait drawn anew', async () => {
    const waits: number[] = [];
    const drawn = [0, 0.5, 1, 0, 0];
    const { states, until } = follow('http://127.0.0.1:9', {
      firstWaitMs: 4,
      longestWaitMs: 10,
      random: () => {
        const at = drawn[waits.length % drawn.length] ?? 0;
        waits.push(at);
        return at;
      },
    });
    await until(() => states.filter((state) => state === 'away').length === 5);
    expect(waits).toEqual(drawn);
    expect(states.slice(0, 4)).toEqual(['connecting', 'away', 'connecting', 'away']);
  });

  it('gives up a server that has fallen silent and comes back with its cursor', async () => {
    // A server that greets, moves the cursor, and never says a word again.
    const seen: { cursor?: string }[] = [];
    const mute = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    closers.push(() => mute.close());
    mute.on('connection', (socket) => {
      closers.push(() => socket.terminate());
      socket.on('message', (data) => {
        const message = JSON.parse(String(data));
        if (message.type !== 'auth') return;
        seen.push(message);
        socket.send(
          JSON.stringify({
            type: 'hello',
            protocol: 1,
            name: 'x',
            cursor: 'c1.AA',
            gap: false,
            // Long enough that what was sent together is taken together, also where turns are rare.
            heartbeatMs: 200,
          }),
        );
        socket.send(JSON.stringify({ type: 'ping', cursor: `c1.A${'ABC'[seen.length - 1] ?? 'Z'}` }));
      });
    });
    await new Promise((done) => mute.once('listening', done));
    const { port } = mute.address() as { port: number };
    const { states, until } = follow(`http://127.0.0.1:${port}`);
    await until(() => states.filter((state) => state === 'open').length === 3);
    expect(seen.slice(0, 3).map(({ cursor }) => cursor)).toEqual([undefined, 'c1.AA', 'c1.AB']);
  });
});

describe('telltale alerts', () => {
  function context() {
    const lines: string[] = [];
    const over = new AbortController();
    const looks = new Set<() => void>();
    const say = (line: string) => {
      lines.push(line);
      for (const look of [...looks]) look();
    };
    const count = (n: number) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (lines.length >= n) resolve();
        };
        looks.add(look);
        look();
      });
    return {
      ...{ lines, over, count },
      context: { signal: over.signal, clock: Date.now, metrics: new Metrics(), say, warn: () => undefined },
    };
  }

  const settings = (...argv: string[]) =>
    readConfig(['url', 'token', 'vin', 'limit', 'follow', 'cursorFile'], argv, {}).settings;

  it('prints the newest, one a line', async () => {
    const alert = makeAlert('CAR1');
    await appendAlerts(temp.log, [alert, makeAlert('CAR2')]);
    const { url, tail } = await serve();
    await tail.ready;
    const { context: c, lines } = context();
    await runAlerts(settings('--url', url, '--token', ALL, '--vin', 'CAR1'), c);
    expect(lines).toEqual([`${new Date(alert.raisedTs).toISOString()} alert CAR1 warning ${alert.reason}`]);
  });

  it('says so when what answers is no server of alerts', async () => {
    const other = createServer((_request, response) => response.writeHead(502).end('<h1>Bad Gateway</h1>'));
    closers.push(() => other.close());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const asked = runAlerts(settings('--url', `http://127.0.0.1:${port}`, '--token', ALL), context().context);
    await expect(asked).rejects.toMatchObject({
      code: 'SERVER_UNAVAILABLE',
      message: expect.stringContaining('502'),
    });
  });

  it('follows, and with a cursor file goes on where it was', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'telltale-cursor-'));
    closers.push(() => rmSync(dir, { recursive: true }));
    const file = join(dir, 'cursor');
    const { url, tail } = await serve();
    await tail.ready;
    const run = () => {
      const { context: c, ...rest } = context();
      const done = runAlerts(settings('--url', url, '--token', ALL, '--follow', '--cursor-file', file), c);
      return { ...rest, done };
    };
    const open = makeAlert('CAR0', { severity: 'critical' });
    await appendAlerts(temp.log, [open]);
    const first = run();
    await first.count(1);
    expect(first.lines).toEqual([`alert CAR0 critical ${open.reason}`]);
    await appendAlerts(temp.log, [
      { ...open, phase: 'cleared', reason: 'the readings are as expected again' },
    ]);
    await first.count(2);
    first.over.abort();
    await first.done;
    expect(first.lines[1]).toBe('alert CAR0 cleared critical the readings are as expected again');
    expect(readFileSync(file, 'utf8')).toMatch(/^c1\./);
    await appendAlerts(temp.log, [makeAlert('CAR5')]);
    const second = run();
    await second.count(1);
    second.over.abort();
    await second.done;
    expect(second.lines).toHaveLength(1);
    expect(second.lines[0]).toMatch(/^alert CAR5 warning coolant temperature too high/);
  });

  it('ends with a code when the server is not there or refuses the token', async () => {
    const { context: c } = context();
    const { url } = await serve();
    await expect(runAlerts(settings('--url', url), c)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(runAlerts(settings('--url', url, '--token', 'wrong'), c)).rejects.toMatchObject({
      code: 'SERVER_REFUSED',
    });
    await expect(runAlerts(settings('--url', url, '--token', 'wrong', '--follow'), c)).rejects.toMatchObject({
      code: 'SERVER_REFUSED',
    });
    await expect(runAlerts(settings('--url', 'http://127.0.0.1:9', '--token', ALL), c)).rejects.toMatchObject(
      {
        code: 'SERVER_UNAVAILABLE',
      },
    );
  });
});
