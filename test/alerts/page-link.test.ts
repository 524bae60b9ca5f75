import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { runPageLink } from '../../alerts/page-link.ts';
import type { Server } from '../../alerts/server.ts';
import { readConfig } from '../../core/config.ts';
import { Metrics } from '../../core/metrics.ts';
import { useRig } from './rig.ts';
import { ALL } from './support.ts';

const rig = useRig();
let server: Server;
beforeEach(async () => {
  server = await rig.server();
});

async function pageLink(...flags: string[]): Promise<string[]> {
  const lines: string[] = [];
  const { settings } = readConfig(['url', 'token', 'tokensFile', 'dataDir'], flags);
  await runPageLink(settings, {
    ...{ signal: new AbortController().signal, clock: Date.now, metrics: new Metrics() },
    say: (line) => lines.push(line),
    warn: expect.fail,
  });
  return lines;
}

it('prints a link that signs in once, with the token of the tokens file', async () => {
  const file = join(rig.temp.dir, 'tokens.json');
  const tokens = [{ token: ALL, name: 'operator', vins: '*', control: true }];
  await writeFile(file, JSON.stringify({ tokens }));
  const [line] = await pageLink('--url', `${server.url}/`, '--tokens-file', file);
  expect(line).toMatch(new RegExp(`^page: ${server.url}/#once=[\\w-]{32}$`));
  const login = (once: string) =>
    fetch(`${server.url}/api/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ once }),
    });
  const code = line!.split('#once=')[1]!;
  expect([(await login(code)).status, (await login(code)).status]).toEqual([204, 401]);
});

it('says what is wrong: a token that is not accepted, no such token in the file, no server', async () => {
  const file = join(rig.temp.dir, 'tokens.json');
  await writeFile(file, JSON.stringify({ tokens: [{ token: ALL, name: 'some', vins: ['CAR1'] }] }));
  await expect(pageLink('--url', server.url, '--token', 'no such token at all')).rejects.toMatchObject({
    code: 'SERVER_REFUSED',
    message: expect.stringContaining('answers 401: a bearer token is needed'),
  });
  await expect(pageLink('--url', server.url, '--tokens-file', file)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  });
  await expect(pageLink('--url', 'http://127.0.0.1:1', '--token', ALL)).rejects.toMatchObject({
    code: 'SERVER_UNAVAILABLE',
    message: expect.stringContaining('is npm start or telltale serve running there?'),
  });
});
