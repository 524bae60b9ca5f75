// The page put together: the live stream feeds tiles and charts, the feed rings the phone, the buttons break and repair.
import { signIn } from './api.js';
import { CarPanel } from './car.js';
import { byId, clockTime, count, make } from './dom.js';
import { FleetTiles } from './fleet.js';
import { PhoneMock } from './phone.js';
import { followAlerts, streamWords } from './phone-client.js';

/**
 * @typedef {import('./types.js').Frame} Frame
 * @typedef {import('./types.js').Session} Session
 * @typedef {import('./types.js').Car} Car
 * @typedef {import('./api.js').Api} Api
 * @typedef {import('./phone-client.js').Status} Status
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

/** @param {string} state @param {string} words */
function showLink(state, words) {
  const link = byId('link', HTMLElement);
  link.dataset.state = state;
  link.textContent = words;
}

/**
 * Why the alerts' connection was turned away, and what to do. A browser that came by a link is known until the server is
 * started anew. @param {string} words @param {boolean} byToken @param {boolean} fresh Pictures come, by the same cookie.
 */
function refusedWords(words, byToken, fresh) {
  if (byToken) return words;
  if (fresh)
    return 'no alerts come: reload this page; if that does not help, a proxy does not pass on the Host header';
  return 'signed out: open the link that telltale printed in its terminal (telltale page-link prints another)';
}

/** A picture comes each second; without one for this long what is shown is of the past. */
const STALE_MS = 5_000;

/** @param {Api} api @param {Session} session */
function start(api, session) {
  /** The newest picture of the fleet and when it came. @type {{fleet: Frame['fleet'], atMs: number} | null} */
  let latest = null;
  /** What the alerts' own connection says. @type {Status | null} */
  let feedStatus = null;
  /** @type {string | null} */
  let chosen = null;
  let watching = new AbortController();
  const car = new CarPanel();
  const tiles = new FleetTiles(choose, (text) => void search(text));
  const offer = control(api, session, () => chosen);

  /** @param {Frame} frame */
  function show({ fleet, car: now }) {
    latest = { fleet, atMs: Date.now() };
    byId('stat-cars', HTMLElement).textContent = count(fleet.total);
    byId('stat-rate', HTMLElement).textContent = count(fleet.eventsPerSecond);
    byId('stat-open', HTMLElement).textContent = count(fleet.open);
    byId('stat-open', HTMLElement).dataset.some = String(fleet.open > 0);
    byId('stat-model', HTMLElement).textContent = fleet.model ?? 'none yet';
    // Such a name is given to a model of the first minutes (docs/reference.md, --effort first).
    byId('first-model', HTMLElement).hidden = !(fleet.model?.endsWith('-first') ?? false);
    tiles.show(fleet);
    if (now && now.vin === chosen) {
      car.show(now);
      offer(now);
    }
    const [first] = fleet.cars;
    if (chosen === null && first) choose(first.vin, false);
    tell();
  }

  /** Says what is true now: `live` only when pictures and alerts both come, and of cars that are watched. */
  function tell() {
    const fresh = latest !== null && Date.now() - latest.atMs <= STALE_MS;
    const stream = latest?.fleet.stream ?? null;
    document.body.dataset.stale = String(!fresh);
    const lost = latest
      ? `no word from the server since ${clockTime(latest.atMs)}, trying again`
      : 'connecting';
    const refused =
      feedStatus?.kind === 'refused' ? refusedWords(feedStatus.words, api.token !== '', fresh) : null;
    if (refused !== null) showLink('refused', refused);
    else if (!fresh) showLink('away', lost);
    else if (feedStatus?.kind === 'away') showLink('away', 'no alerts come: the phone says why');
    else if (stream) showLink(feedStatus ? stream.state : 'connecting', streamWords(stream));
    if (!feedStatus) return;
    // The newer of the two says what the stream is like; each of the two can be cut off alone.
    const { kind } = feedStatus;
    const heard = kind !== 'connecting' && kind !== 'away' && kind !== 'refused' && kind !== 'closed';
    const standing =
      heard && fresh && stream
        ? { ...stream, kind: stream.state, watching: stream.state === 'live', words: streamWords(stream) }
        : heard
          ? { ...feedStatus, kind: /** @type {const} */ ('away'), watching: false, words: lost }
          : { ...feedStatus, words: refused ?? feedStatus.words };
    phone.tell(standing, fresh ? (latest?.fleet.open ?? null) : null);
  }

  /** A car by a piece of its name. @param {string} text */
  async function search(text) {
    try {
      const { total, vins } = await api.get(`/api/cars?find=${encodeURIComponent(text)}`);
      tiles.offer(vins);
      if (total === 1) choose(vins[0]);
      else if (total === 0) say(`no car ${text} that this token may see`);
      else say(`${total} cars have ${text} in their name: ${vins.slice(0, 3).join(', ')} …`);
    } catch (error) {
      say(`not found: ${error instanceof Error ? error.message : error}`);
    }
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
        if (signal.aborted || connected) return;
        if (chosen !== null) car.restart();
        if (latest) latest = { ...latest, atMs: Math.min(latest.atMs, Date.now() - STALE_MS - 1) };
        tell();
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
    load: async (offset, limit) =>
      (await api.get(`/api/alerts?state=open&offset=${offset}&limit=${limit}`)).alerts,
  });
  const feed = followAlerts({
    url: location.origin,
    token: api.token,
    onAlert: (alert) => phone.take(alert),
    onSnapshot: (alerts, open) => phone.snapshot(alerts, open),
    onStatus: (status) => {
      feedStatus = status;
      tell();
    },
  });
  setInterval(tell, 1000);
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
  return (car) => {
    faults.forEach(({ name }, i) => {
      const option = /** @type {HTMLOptionElement} */ (fault.options[i]);
      // Not every browser hides an option; none chooses a disabled one.
      option.hidden = option.disabled = !car.faults.includes(name);
    });
    if (fault.selectedOptions[0]?.disabled)
      fault.selectedIndex = [...fault.options].findIndex((o) => !o.disabled);
    explain();
  };
}

signIn().then(
  ({ api, session }) => start(api, session),
  (error) => showLink('refused', `cannot start: ${error instanceof Error ? error.message : error}`),
);
