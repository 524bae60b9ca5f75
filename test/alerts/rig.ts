// What the tests of the page, its server and its clients share: a fresh log for each test, what runs on it, and pages in a real
// browser; all of it is closed behind the test, what was made last first.
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type Server, type ServerOptions, startServer } from '../../alerts/server.ts';
import { type Alerts, type AlertsOptions, startAlerts } from '../../alerts/service.ts';
import type { Log } from '../../core/log/log.ts';
import { findChromium, launch, PATIENCE_MS } from './browser.ts';
import { ALL, champion, championSource, serverOn, type TempLog, tempLog } from './support.ts';

export class Rig {
  #temp: TempLog | null = null;
  readonly #closers: (() => unknown)[] = [];

  /** Of the test that runs. */
  get temp(): TempLog {
    if (!this.#temp) throw new Error('a log is there within a test only');
    return this.#temp;
  }

  get log(): Log {
    return this.temp.log;
  }

  async begin(): Promise<void> {
    this.#temp = await tempLog();
  }

  async end(): Promise<void> {
    for (const close of this.#closers.splice(0).toReversed()) await close();
    await this.#temp?.close();
    this.#temp = null;
  }

  /** Closes something behind the test. */
  later(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** The whole room, of which m1 is the champion. */
  async alerts(more: Partial<AlertsOptions> = {}): Promise<Alerts> {
    const alerts = await startAlerts({
      ...this.#shared(),
      champions: championSource(champion('m1', 0)),
      ...more,
    });
    this.later(() => alerts.stop());
    return alerts;
  }

  /** The server alone, over a fleet that nobody knows. */
  async server(more: Partial<ServerOptions> = {}): Promise<Server> {
    const server = await startServer({ ...this.#shared(), twin: () => null, ...more });
    this.later(() => server.stop());
    return server;
  }

  #shared() {
    return serverOn(this.log, (line) => this.temp.warnings.push(line));
  }
}

/** A rig for each test of this file, or of this `describe`. */
export function useRig(): Rig {
  const rig = new Rig();
  beforeEach(() => rig.begin());
  afterEach(() => rig.end());
  return rig;
}

/** What is asked of a server with a token, and its answer. */
export async function ask(url: string, path: string, token = ALL) {
  const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  return { status: answer.status, body: JSON.parse(await answer.text()) };
}

const { path, why } = findChromium();
/** There is no browser; in CI that is a failure. */
export const noBrowser = path === null && process.env.CI !== 'true';
if (noBrowser) console.warn(`tests of the page are skipped: ${why}`);

const DESK = { width: 1280, height: 900 };

/** Opens pages of their own in one browser; they are closed behind the test. */
export function useBrowser(rig: Rig): (viewport?: typeof DESK) => Promise<Page> {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());
  return async (viewport = DESK) => {
    if (!browser) throw new Error('a browser is there within a test only');
    const context = await browser.newContext({ viewport });
    rig.later(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    return page;
  };
}
