// The page put together: the live stream feeds tiles and charts, the feed rings the phone, the buttons break and repair.
import { signIn } from './api.js';
import { CarPanel } from './car.js';
import { byId, count, make } from './dom.js';
import { FleetTiles } from './fleet.js';
import { PhoneMock } from './phone.js';
import { followAlerts } from './phone-client.js';

/**
 * @typedef {import('./types.js').Frame} Frame
 * @typedef {import('./types.js').Session} Session
 * @typedef {import('./types.js').Car} Car
 * @typedef {import('./api.js').Api} Api
 */

const toast = byId('toast', HTMLElement);
/** @type {ReturnType<typeof setTimeout> | undefined} */
let toastTimer;

/** @param {string} words */
function say(words) {
  toast.textContent = words;
  toast.classList.add('shown');
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => toast.classList.remove('shown'), 4000);
}

/** @param {'open' | 'away' | 'refused'} state @param {string} words */
function showLink(state, words) {
  const link = byId('link', HTMLElement);
  link.dataset.state = state;
  link.textContent = words;
}

/** @param {Api} api @param {Session} session */
function start(api, session) {
  /** @type {string | null} */
  let chosen = null;
  let watching = new AbortController();
  const car = new CarPanel();
  const tiles = new FleetTiles(choose);
  const offer = control(api, session, () => chosen);

  /** @param {Frame} frame */
  function show({ fleet, car: now }) {
    byId('stat-cars', HTMLElement).textContent = count(fleet.total);
    byId('stat-rate', HTMLElement).textContent = count(fleet.eventsPerSecond);
    byId('stat-open', HTMLElement).textContent = count(fleet.open);
    byId('stat-open', HTMLElement).dataset.some = String(fleet.open > 0);
    byId('stat-model', HTMLElement).textContent = fleet.model ?? 'none yet';
    tiles.show(fleet);
    if (now && now.vin === chosen) {
      car.show(now);
      offer(now);
    }
    const [first] = fleet.cars;
    if (chosen === null && first) choose(first.vin, false);
  }

  function watch() {
    watching.abort();
    watching = new AbortController();
    const { signal } = watching;
    // A car whose stream begins anew sends all its minutes again.
    if (chosen !== null) car.open(chosen);
    void api.live(
      chosen,
      signal,
      (frame) => {
        if (!signal.aborted) show(frame);
      },
      (connected) => {
        if (!connected && chosen !== null && !signal.aborted) car.restart();
        if (!signal.aborted)
          showLink(connected ? 'open' : 'away', connected ? 'live' : 'connection lost, trying again');
      },
    );
  }

  /** @param {string} vin @param {boolean} [scroll] */
  function choose(vin, scroll = true) {
    chosen = vin;
    tiles.mark(vin);
    watch();
    if (scroll && matchMedia('(max-width: 720px)').matches)
      byId('car', HTMLElement).scrollIntoView({ behavior: 'smooth' });
  }

  const phone = new PhoneMock({
    choose,
    acknowledge: (alertId) => {
      if (!feed.acknowledge(alertId)) say('not connected at the moment');
    },
  });
  const feed = followAlerts({
    url: location.origin,
    token: api.token,
    onAlert: (alert) => phone.take(alert),
    onSnapshot: (alerts) => phone.snapshot(alerts),
    onState: (state) => {
      if (state === 'refused') showLink('refused', 'the token is no longer accepted');
    },
  });
  watch();
}

/**
 * The buttons that break and repair, where there is a fleet that can be broken. Returns what offers a car its own faults.
 * @param {Api} api @param {Session} session @param {() => string | null} chosen @returns {(car: Car) => void}
 */
function control(api, session, chosen) {
  const { faults } = session;
  if (!faults) return () => {};
  const form = byId('control', HTMLFormElement);
  const fault = byId('fault', HTMLSelectElement);
  const severity = byId('severity', HTMLInputElement);
  form.hidden = false;
  fault.replaceChildren(
    ...faults.map(({ name, label }) => {
      const option = make('option', '', name.replaceAll('-', ' '));
      option.value = name;
      option.title = label;
      return option;
    }),
  );
  const explain = () => {
    fault.title = fault.selectedOptions[0]?.title ?? '';
  };
  fault.addEventListener('change', explain);
  explain();
  /** @param {Record<string, unknown>} command @param {string} words */
  const order = async (command, words) => {
    const vin = chosen();
    if (vin === null) return;
    try {
      await api.post('/api/fleet/commands', { vins: [vin], ...command });
      say(`${vin}: ${words}`);
    } catch (error) {
      say(`not done: ${error instanceof Error ? error.message : error}`);
    }
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const chosenFault = { fault: fault.value, severity: Number(severity.value) };
    void order({ action: 'break', ...chosenFault }, `${fault.value.replaceAll('-', ' ')} begins`);
  });
  byId('repair', HTMLButtonElement).addEventListener('click', () => {
    void order({ action: 'repair' }, 'repaired');
  });
  // A reading that drops out now and then still says what kind of car it is: what a car has measured is remembered.
  let offeredTo = '';
  /** @type {Set<string>} */
  const measured = new Set();
  return ({ vin, signals, values }) => {
    if (vin !== offeredTo) measured.clear();
    offeredTo = vin;
    for (const [i, { name }] of signals.entries()) if (values[i] !== null) measured.add(name);
    faults.forEach(({ moves }, i) => {
      const option = /** @type {HTMLOptionElement} */ (fault.options[i]);
      option.hidden = moves.length > 0 && !moves.some((signal) => measured.has(signal));
    });
    if (fault.selectedOptions[0]?.hidden)
      fault.selectedIndex = [...fault.options].findIndex((o) => !o.hidden);
    explain();
  };
}

signIn().then(
  ({ api, session }) => start(api, session),
  (error) => showLink('refused', `cannot start: ${error instanceof Error ? error.message : error}`),
);
