// Chromium for the tests of the page. Absent it is a reason to skip, in CI a failure.
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The browser's program; null with a reason when there is none. */
export function findChromium(): { readonly path: string | null; readonly why: string } {
  const path =
    [process.env.CHROMIUM ?? '', ...PLACES].find((place) => place !== '' && existsSync(place)) ?? null;
  return { path, why: path ? '' : `no Chromium at ${PLACES.join(', ')} or $CHROMIUM` };
}

/** How long the browser and what is looked for in it may take: only to end what would never end. */
export const PATIENCE_MS = 120_000;

/** @throws when there is no Chromium */
export function launch(): Promise<Browser> {
  const { path, why } = findChromium();
  if (path === null) throw new Error(why);
  return chromium.launch({
    executablePath: path,
    timeout: PATIENCE_MS,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
}
