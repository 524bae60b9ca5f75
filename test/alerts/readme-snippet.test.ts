// The README's own lines for an app, as they stand there: in Node, and in a browser on a page of another origin.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Alerts, startAlerts } from '../../alerts/service.ts';
import { findChromium, launch, PATIENCE_MS } from './browser.ts';
import { ALL, appendAlerts, championSource, makeAlert, serverOn, type TempLog, tempLog } from './support.ts';

let temp: TempLog;
let alerts: Alerts;

beforeEach(async () => {
  temp = await tempLog();
  alerts = await startAlerts({ ...serverOn(temp.log), champions: championSource(null) });
});
afterEach(async () => {
  await alerts.stop();
  await temp.close();
});

/** The snippet, with this test's server and token in place of its own. */
function snippet(): string {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const blocks = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code!);
  const [code = ''] = blocks.filter((block) => block.includes('followAlerts'));
  expect(code).toContain("'http://127.0.0.1:8080'");
  expect(code).toContain("'the token that was printed'");
  return code
    .replace("'http://127.0.0.1:8080'", JSON.stringify(alerts.url))
    .replace("'the token that was printed'", JSON.stringify(ALL));
}

const LEARNING = 'learning: no model yet, nothing is judged';
const heard = ({ vin, reason }: { vin: string; reason: string }) => `raised ${vin} warning ${reason}`;

it('runs in Node, and tells what stood open before', async () => {
  const before = makeAlert('CAR0');
  await appendAlerts(temp.log, [before]);
  const child = spawn(process.execPath, ['--input-type=module', '-e', snippet()]);
  let out = '';
  let troubles = '';
  child.stderr.on('data', (chunk) => {
    troubles += chunk;
  });
  const until = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (out.includes(text)) resolve();
      };
      child.stdout.on('data', look);
      child.once('close', () => reject(new Error(`it ended: ${troubles}`)));
      look();
    });
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  try {
    await until(LEARNING);
    await until(`open CAR0 warning ${before.reason}`);
    const alert = makeAlert('CAR1');
    await appendAlerts(temp.log, [alert]);
    await until(heard(alert));
  } finally {
    child.removeAllListeners('close');
    child.kill();
  }
});

const { path, why } = findChromium();
const skip = path === null && process.env.CI !== 'true';
if (skip) console.warn(`README snippet in a browser skipped: ${why}`);

it.skipIf(skip)('runs in a browser, on a page of another origin', async () => {
  const elsewhere = createServer((_request, answer) => {
    answer.writeHead(200, { 'content-type': 'text/html' });
    answer.end(`<!doctype html><script type="module">${snippet()}</script>`);
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  const { port } = elsewhere.address() as AddressInfo;
  const browser = await launch();
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const says = (text: string) => page.waitForEvent('console', (message) => message.text().includes(text));
    const learning = says(LEARNING);
    await page.goto(`http://localhost:${port}/`);
    await learning;
    const alert = makeAlert('CAR1');
    const rings = says(heard(alert));
    await appendAlerts(temp.log, [alert]);
    await rings;
  } finally {
    await browser.close();
    elsewhere.close();
  }
});

it('answers the question a browser asks before it asks with a token', async () => {
  const headers = { origin: 'https://app.example', 'access-control-request-headers': 'authorization' };
  const before = await fetch(`${alerts.url}/api/alerts`, { method: 'OPTIONS', headers });
  expect([before.status, before.headers.get('access-control-allow-headers')]).toEqual([
    204,
    'authorization, content-type',
  ]);
  const refused = await fetch(`${alerts.url}/api/alerts`);
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, '*']);
  // The page itself is for its own origin alone.
  expect((await fetch(`${alerts.url}/`)).headers.get('access-control-allow-origin')).toBeNull();
});
