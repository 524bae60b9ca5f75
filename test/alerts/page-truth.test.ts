// The page in a real browser while not all is well: no model, no data, no WebSocket, silent cars, lost signals, more alerts than are
// listed; and that a person with a keyboard is left where they are.
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ChampionSource } from '../../alerts/champions.ts';
import type { Alerts } from '../../alerts/service.ts';
import { noBrowser, useBrowser, useRig } from './rig.ts';
import {
  ALL,
  appendAlerts,
  appendScores,
  champion,
  championSource,
  makeAlert,
  makeScore,
} from './support.ts';

const CARS = Array.from({ length: 12 }, (_, i) => `WTT0TEST${String(i).padStart(4, '0')}`);

describe.skipIf(noBrowser)('the page', () => {
  const rig = useRig();
  const newPage = useBrowser(rig);
  let alerts: Alerts;
  let page: Page;
  /** How far the server's clock is ahead. */
  let aheadMs = 0;
  let second = 0;

  beforeEach(() => {
    aheadMs = 0;
    second = 0;
  });

  const nowMs = () => Date.now() + aheadMs;

  async function open(champions: ChampionSource = championSource(champion('m1', 0)), blocked = false) {
    alerts = await rig.alerts({
      ...{ clock: nowMs, liveMs: 250, champions },
      limits: { heartbeatMs: 800 },
    });
    page = await newPage();
    if (blocked) await page.routeWebSocket(/\/feed/, (socket) => socket.close({ code: 1006 }));
    await page.goto(`${alerts.url}/#token=${ALL}`);
  }

  /** A second of these cars. */
  async function drive(vins: readonly string[], more: Parameters<typeof makeScore>[3] = {}) {
    const scores = vins.map((vin, i) => makeScore(vin, second, 0.1 + i / 100, more));
    second += 1;
    await appendScores(rig.log, scores, nowMs());
  }

  const words = (selector: string, text: RegExp | string) =>
    page.locator(selector, { hasText: text }).waitFor();
  const isQuiet = () => page.locator('#quiet').isVisible();

  it('is quiet only while cars are watched; else it says what is the matter', async () => {
    await open();
    await words('#link', 'no data yet');
    expect(await isQuiet()).toBe(false);
    await drive(CARS);
    await page.locator('#link[data-state=live]').waitFor();
    await page.locator('#quiet').waitFor();
    expect(await page.title()).toBe('telltale');
    aheadMs += 11_000;
    await words('#link', /no data since \d\d:\d\d:\d\d/);
    await words('#phone-status', /no data since/);
    expect([await isQuiet(), await page.title()]).toEqual([false, 'no data · telltale']);
  });

  it('says that nothing is judged before there is a model', async () => {
    await open(championSource(null));
    await words('#link', 'learning: no model yet, nothing is judged');
    await words('#phone-status', 'learning');
    await words('#empty', 'learning');
    expect([await isQuiet(), await page.title()]).toEqual([false, 'learning · telltale']);
  });

  it('says that no alerts come when the WebSocket is blocked, though the pictures live', async () => {
    await drive(CARS);
    await open(undefined, true);
    await words('#phone-status', 'the server answers, but its WebSocket does not');
    await words('#link', 'no alerts');
    expect([await isQuiet(), await page.title()]).toEqual([false, 'no connection · telltale']);
  });

  it('says what to do when the server was started anew and knows the browser no more', async () => {
    await drive(CARS);
    await open();
    await page.context().clearCookies();
    await page.evaluate(() => sessionStorage.clear());
    await page.goto('about:blank');
    await page.goto(alerts.server.pageLink(ALL));
    await page.locator('#link[data-state=live]').waitFor();
    const { port } = alerts;
    await alerts.stop();
    alerts = await rig.alerts({ port, clock: nowMs, liveMs: 250 });
    await words('#link', 'signed out: open the link that telltale printed');
    await words('#phone-status', 'signed out: open the link that telltale printed');
    expect([await isQuiet(), await page.title()]).toEqual([false, 'signed out · telltale']);
  });

  it('marks silent cars, counts them, and does not call the others all', async () => {
    await drive(CARS);
    await open();
    await page.locator('#link[data-state=live]').waitFor();
    aheadMs += 31_000;
    await drive(CARS.slice(1));
    const tile = page.locator(`[data-vin=${CARS[0]}][data-silent=true]`);
    await tile.waitFor();
    expect(await tile.getAttribute('title')).toMatch(/: silent since \d\d:\d\d:\d\d$/);
    await words('#fleet-note', '1 silent');
    await words('#phone-status', 'No alert from 11 of 12 cars; 1 silent');
    expect(await isQuiet()).toBe(false);
    await tile.click();
    await words('#car-state', /^silent since/);
  });

  it('shows a signal that is not measured any more as that', async () => {
    await drive(CARS);
    await open();
    await page.locator(`[data-vin=${CARS[3]}]`).click();
    await words('[data-signal=batteryV] strong', '13.9 V');
    second += 20;
    await drive(CARS, { values: [118, null, null] });
    await words('[data-signal=batteryV] strong', 'not measured');
    await words('[data-signal=batteryV] .usual', /^since/);
    expect(await page.locator('[data-signal=coolantC] strong').textContent()).toBe('118 °C');
    // One that it never measured is no signal of it.
    expect(await page.locator('[data-signal=lambda]').count()).toBe(0);
  });

  it('counts every open alert, lists some, and shows the rest when asked', async () => {
    const open67 = Array.from({ length: 67 }, (_, i) => makeAlert(`OTHER${i}`, { raisedTs: 1000 + i }));
    await appendAlerts(rig.log, open67);
    await drive(CARS);
    await open();
    await words('#stat-open', '67');
    await words('#more', '30 of 67');
    expect(await page.locator('.alert').count()).toBe(30);
    expect(await page.locator('#open-count').textContent()).toBe('67');
    expect(await page.title()).toBe('(67) telltale');
    await page.locator('#more').click();
    await page.locator('.alert').nth(66).waitFor();
    expect(await page.locator('#more').isVisible()).toBe(false);
  });

  it('offers to see an alert again that grew worse after it was seen, and keeps the keyboard where it is', async () => {
    const raised = makeAlert(CARS[0]!);
    await appendAlerts(rig.log, [raised]);
    await drive(CARS);
    await open();
    await page.locator('.alert-seen').press('Enter');
    await words('.alert-said', 'seen by operator');
    expect(await page.locator('.alert-car').evaluate((it) => it.ownerDocument.activeElement === it)).toBe(
      true,
    );
    await appendAlerts(rig.log, [{ ...raised, phase: 'escalated', severity: 'critical', ts: raised.ts + 1 }]);
    await page.locator('.alert[data-severity=critical] .alert-seen').click();
    await words('.alert-said', 'seen by operator');
  });

  it('finds a car by the name on its tile, in any case, and says when there is none', async () => {
    await drive(CARS);
    await open();
    const name = await page.locator(`[data-vin=${CARS[7]}]`).textContent();
    expect(name).toBe('007');
    for (const [text, vin] of [
      ['007', CARS[7]],
      [CARS[4]!.toLowerCase(), CARS[4]],
      ['ST0009', CARS[9]],
    ] as const) {
      await page.locator('#find-vin').fill(text);
      await page.locator('#find-vin').press('Enter');
      await words('#car-title', vin!);
    }
    await page.locator('#find-vin').fill('nobody');
    await page.locator('#find-vin').press('Enter');
    await words('#toast', 'no car nobody');
    await page.locator('#find-vin').fill('TEST');
    await page.locator('#find-vin').press('Enter');
    await words('#toast', '12 cars have TEST in their name');
  });

  it('leaves the keyboard on its tile when the cars change their order', async () => {
    await drive(CARS);
    await open();
    await page.getByText('strangest first').click();
    const first = page.locator('#tiles li:first-child button');
    const [focused, other] = [CARS[5]!, CARS[0]!];
    await page.locator(`[data-vin=${focused}]`).focus();
    for (const vin of [other, focused, CARS[11]!]) {
      await appendScores(
        rig.log,
        Array.from({ length: 8 }, (_, s) => makeScore(vin, second + s, 3)),
        nowMs(),
      );
      second += 8;
      await page.locator(`#tiles li:first-child [data-vin=${vin}]`).waitFor();
      const active = await first.evaluate((it) => it.ownerDocument.activeElement?.getAttribute('data-vin'));
      expect(active).toBe(focused);
    }
  });
});
