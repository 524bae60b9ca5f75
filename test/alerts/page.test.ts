// The page in a real browser: what a person sees and does, from the tiles to the phone that rings.
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Alerts } from '../../alerts/service.ts';
import { carToken } from '../../alerts/tokens.ts';
import type { FleetCommand } from '../../core/events.ts';
import { noBrowser, useBrowser, useRig } from './rig.ts';
import { ALL, alertsIn, appendScores, makeScore, SECRET } from './support.ts';

const CARS = Array.from({ length: 30 }, (_, i) => `WTT0TEST${String(i).padStart(4, '0')}`);

describe.skipIf(noBrowser)('the page', () => {
  const rig = useRig();
  const newPage = useBrowser(rig);
  let alerts: Alerts;
  let page: Page;
  let second = 0;
  const orders: FleetCommand[] = [];
  const troubles: string[] = [];

  beforeEach(async () => {
    orders.length = 0;
    troubles.length = 0;
    second = 0;
    alerts = await rig.alerts({
      liveMs: 50,
      fleetControl: async (command) => void orders.push(command),
      faults: [
        { name: 'overheating', label: 'overheating', moves: ['coolantC'], needs: [] },
        { name: 'alternator', label: 'alternator failing', moves: ['batteryV'], needs: [] },
        { name: 'ev-cell-ageing', label: 'cells age', moves: ['cellSpreadMv'], needs: [] },
      ],
    });
  });

  /** `n` seconds of the whole fleet; the car given is strange. */
  async function drive(n: number, strange?: string): Promise<void> {
    const scores = Array.from({ length: n }, (_, s) =>
      CARS.map((vin) => makeScore(vin, second + s, vin === strange ? 1.5 : 0.2)),
    ).flat();
    second += n;
    await appendScores(rig.log, scores);
  }

  /** Opens the page by a fresh link, as printed in the terminal, unless another address is given. */
  async function open(
    address = alerts.server.pageLink(ALL).slice(alerts.url.length),
    viewport?: Parameters<typeof newPage>[0],
  ): Promise<Page> {
    page = await newPage(viewport);
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') troubles.push(message.text());
    });
    await page.goto(`${alerts.url}${address}`);
    return page;
  }

  it('shows the fleet, a car against its model, and rings the phone for an alert, which a person then sees', async () => {
    await drive(20);
    await open();
    await page
      .locator('.tile')
      .nth(CARS.length - 1)
      .waitFor();
    expect(await page.locator('#stat-cars').textContent()).toBe('30');
    expect(await page.locator('.tile').first().textContent()).toBe('000');
    expect(await page.locator('#quiet').isVisible()).toBe(true);

    await page.locator(`[data-vin=${CARS[7]}]`).click();
    await page.locator('#car-title', { hasText: CARS[7]! }).waitFor();
    await page.locator('[data-signal=coolantC] strong', { hasText: '118 °C' }).waitFor();
    expect(await page.locator('[data-signal=coolantC] .usual').textContent()).toBe('expected 92');
    // The signal that is never measured has no chart.
    expect(await page.locator('.chart').count()).toBe(2);
    expect(await painted(page, '[data-signal=coolantC] canvas')).toBeGreaterThan(100);
    expect(await painted(page, '#score')).toBeGreaterThan(100);

    await drive(12, CARS[7]);
    const note = page.locator('.alert', { hasText: 'coolant temperature too high' });
    await note.waitFor();
    expect(await note.locator('.alert-reason').textContent()).toBe('118 °C, expected about 92 °C');
    expect(await note.locator('.alert-car').getAttribute('title')).toBe(`Show ${CARS[7]}`);
    expect(await page.locator('#phone').getAttribute('class')).toContain('rings');
    expect(await page.title()).toBe('(1) telltale');
    expect(await page.locator('#quiet').isVisible()).toBe(false);
    await page.locator(`[data-vin=${CARS[7]}][data-alert=warning]`).waitFor();
    await page.locator('#car-state', { hasText: 'warning' }).waitFor();
    expect(await page.locator('#charts li').first().getAttribute('data-signal')).toBe('coolantC');
    await page.locator('[data-signal=coolantC][data-blamed=true]').waitFor();

    await note.locator('.alert-seen').click();
    await note.locator('.alert-said', { hasText: 'seen by operator' }).waitFor();
    expect((await alertsIn(rig.log)).map(({ phase, by }) => `${phase} ${by ?? ''}`)).toEqual([
      'raised ',
      'acknowledged operator',
    ]);

    await drive(60);
    await page.locator('.alert[data-state=over]').waitFor();
    expect(await page.title()).toBe('telltale');
    expect(troubles).toEqual([]);
  });

  it('breaks and repairs the chosen car', async () => {
    await drive(5);
    await open();
    await page.locator(`[data-vin=${CARS[3]}]`).click();
    await page.locator('#car-title', { hasText: CARS[3]! }).waitFor();
    // A fault that moves nothing this car measures is not offered.
    expect(await page.locator('#fault option:not([hidden])').allTextContents()).toEqual([
      'overheating',
      'alternator',
    ]);
    await page.locator('#fault').selectOption('alternator');
    await page.locator('#severity').fill('0.5');
    await page.getByRole('button', { name: 'Break this car' }).click();
    await page.locator('#toast', { hasText: `${CARS[3]}: alternator begins` }).waitFor();
    await page.getByRole('button', { name: 'Repair' }).click();
    await page.locator('#toast', { hasText: `${CARS[3]}: repaired` }).waitFor();
    expect(orders).toEqual([
      { vins: [CARS[3]], action: 'break', fault: 'alternator', severity: 0.5 },
      { vins: [CARS[3]], action: 'repair' },
    ]);
    expect(troubles).toEqual([]);
  });

  it('orders by strangeness, finds a car, and goes from tile to tile by arrow keys', async () => {
    await drive(5, CARS[20]);
    await open();
    await page.locator('.tile').first().waitFor();
    await page.getByText('strangest first').click();
    await page.locator(`li:first-child > [data-vin=${CARS[20]}]`).waitFor();
    await page.locator('.tile').first().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    const next = await page.locator('.tile').nth(1).getAttribute('data-vin');
    await page.locator('#car-title', { hasText: next! }).waitFor();
    await page.locator('#find-vin').fill(CARS[11]!);
    await page.keyboard.press('Enter');
    await page.locator('#car-title', { hasText: CARS[11]! }).waitFor();
    expect(troubles).toEqual([]);
  });

  it('asks for a token where none is given, and then shows what that token may see', async () => {
    await drive(5);
    await page?.context().close();
    await open(`/#token=${'wrong-token-'.repeat(3)}`);
    await page.locator('#sign-in[open]').waitFor();
    await page.locator('#token').fill(carToken(SECRET, CARS[4]!));
    await page.getByRole('button', { name: 'Open' }).click();
    await page.locator('#car-title', { hasText: CARS[4]! }).waitFor();
    expect(await page.locator('.tile').count()).toBe(1);
    expect(await page.locator('#control').isVisible()).toBe(false);
    expect(new URL(page.url()).hash).toBe('');
  });

  it('comes back by itself after the server was away', async () => {
    await drive(5);
    await open();
    await page.locator('#link[data-state=live]').waitFor();
    await page.context().setOffline(true);
    // What is open stays open offline; a new choice needs a new connection.
    await page.locator(`[data-vin=${CARS[2]}]`).click();
    await page.locator('#link[data-state=away]').waitFor();
    await page.context().setOffline(false);
    await page.locator('#link[data-state=live]').waitFor();
    await page.locator('[data-signal=coolantC]').waitFor();
  });

  it.each([320, 390, 768, 1024])('fits a screen %d wide without scrolling sideways', async (width) => {
    await drive(12, CARS[0]);
    await open(undefined, { width, height: 800 });
    await page.locator('.alert').first().waitFor();
    await page.locator('[data-signal=coolantC]').waitFor();
    const over = await page.locator('html').evaluate((html) => html.scrollWidth - html.clientWidth);
    expect(over).toBeLessThanOrEqual(0);
  });
});

/** As much of the browser's canvas as is looked at here; the tests are compiled without its types. */
interface Canvas {
  readonly width: number;
  readonly height: number;
  getContext(kind: '2d'): {
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
  };
}

/** Pixels of a canvas that are not empty. */
function painted(page: Page, selector: string): Promise<number> {
  return page.locator(selector).evaluate((element) => {
    const canvas = element as unknown as Canvas;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i]! > 0) count += 1;
    return count;
  });
}
