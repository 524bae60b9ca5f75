// The phone at the side: alerts as a driver gets them. It rings (two tones, a shake, a vibration) when one is raised or grows
// worse, and falls quiet when it is seen or over.
import { byId, clockTime, make } from './dom.js';

/**
 * @typedef {import('./phone-client.js').Alert} Alert
 * @typedef {import('./phone-client.js').OpenAlert} OpenAlert
 * @typedef {Pick<import('./phone-client.js').Status, 'kind' | 'watching' | 'silent' | 'cars' | 'words'>} Standing
 */

/** Alerts listed before a person asks for more. */
const SHOWN = 30;
const MORE = 200;

/** The state of things in a word, for the title of a tab nobody looks at. @type {Readonly<Record<string, string>>} */
const SHORT = {
  learning: 'learning',
  silent: 'no data',
  starting: 'starting',
  unscored: 'no scores',
  behind: 'behind',
  connecting: 'connecting',
  away: 'no connection',
  refused: 'signed out',
  closed: 'closed',
};

/** Two soft tones, twice. @param {AudioContext} audio @param {boolean} urgent */
function chime(audio, urgent) {
  const start = audio.currentTime + 0.02;
  const tones = urgent ? [880, 1175, 880, 1175] : [660, 880];
  tones.forEach((hertz, i) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.type = 'sine';
    tone.frequency.value = hertz;
    const at = start + i * 0.2;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.16, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.19);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.2);
  });
}

export class PhoneMock {
  /**
   * @param {{choose: (vin: string) => void, acknowledge: (alertId: string) => void,
   *   load: (offset: number, limit: number) => Promise<readonly OpenAlert[]>}} actions
   */
  constructor(actions) {
    this.actions = actions;
    this.most = SHOWN;
    /** How many alerts stand open, listed or not; null: not known yet. @type {number | null} */
    this.open = null;
    /** @type {Standing} */
    this.standing = { kind: 'connecting', watching: false, silent: 0, cars: 0, words: 'connecting' };
    this.status = byId('phone-status', HTMLElement);
    this.badge = byId('open-count', HTMLElement);
    this.more = byId('more', HTMLButtonElement);
    this.more.addEventListener('click', () => void this.loadMore());
    this.frame = byId('phone', HTMLElement);
    this.notes = byId('notes', HTMLOListElement);
    this.quiet = byId('quiet', HTMLElement);
    this.clock = byId('clock', HTMLElement);
    /** @type {Map<string, HTMLLIElement>} */
    this.byAlert = new Map();
    /** @type {AudioContext | null} */
    this.audio = null;
    const sound = byId('sound', HTMLButtonElement);
    // Browsers allow sound only after a person has asked for it.
    sound.addEventListener('click', () => {
      const on = this.audio === null;
      if (on) this.audio = new AudioContext();
      else void this.audio?.close();
      if (!on) this.audio = null;
      sound.ariaPressed = String(on);
      sound.textContent = on ? 'Rings aloud' : 'Ring aloud';
      if (this.audio) chime(this.audio, false);
    });
    const tick = () => {
      this.clock.textContent = clockTime(Date.now()).slice(0, 5);
    };
    tick();
    setInterval(tick, 5000);
    this.count();
  }

  /** The open alerts at the start: shown without ringing. @param {readonly OpenAlert[]} alerts @param {number} open */
  snapshot(alerts, open) {
    this.byAlert.clear();
    this.notes.replaceChildren();
    this.open = open;
    for (const alert of alerts.slice(0, this.most)) this.add(alert);
    this.count();
  }

  /** Below what is listed, without ringing. @param {OpenAlert} alert */
  add(alert) {
    const item = this.put(alert);
    this.notes.append(item);
    if (alert.acknowledgedTs !== undefined) this.settle(alert.alertId, 'seen', 'seen');
  }

  /** What stands open beyond the list, newest first. */
  async loadMore() {
    this.most += MORE;
    const more = await this.actions.load(this.listed(), MORE);
    for (const alert of more) if (!this.byAlert.has(alert.alertId)) this.add(alert);
    this.count();
  }

  listed() {
    return [...this.byAlert.values()].filter((item) => item.dataset.state !== 'over').length;
  }

  /** What is true now, and how many alerts stand open by the server's count. @param {Standing} standing @param {number | null} open */
  tell(standing, open) {
    this.standing = standing;
    if (open !== null) this.open = open;
    this.count();
  }

  /** @param {Alert} alert */
  take(alert) {
    if (alert.phase === 'raised' || alert.phase === 'escalated') {
      if (alert.phase === 'raised' && !this.byAlert.has(alert.alertId) && this.open !== null) this.open += 1;
      const focused = this.byAlert.get(alert.alertId)?.contains(document.activeElement);
      const item = this.put(alert);
      this.notes.prepend(item);
      if (focused) item.querySelector('button')?.focus({ preventScroll: true });
      this.trim();
      this.ring(alert.severity === 'critical');
    }
    if (alert.phase === 'acknowledged')
      this.settle(alert.alertId, 'seen', `seen by ${alert.by ?? 'someone'}`);
    if (alert.phase === 'cleared' && this.open !== null) this.open -= 1;
    if (alert.phase === 'cleared') this.settle(alert.alertId, 'over', `over since ${clockTime(alert.ts)}`);
    this.count();
  }

  /** The alert as an element, yet to be placed; what stood there for it goes. @param {OpenAlert} alert */
  put({ alertId, vin, severity, raisedTs, reason }) {
    const item = make('li', 'alert');
    item.dataset.severity = severity;
    item.dataset.alertId = alertId;
    item.dataset.state = 'open';
    const [title = reason, ...rest] = reason.split(': ');
    const head = make('p', 'alert-head');
    const time = make('time', '', clockTime(raisedTs));
    time.dateTime = new Date(raisedTs).toISOString();
    head.append(make('span', 'alert-kind', severity), time);
    const open = make('button', 'alert-car', vin.length > 14 ? `…${vin.slice(-10)}` : vin);
    open.type = 'button';
    open.title = `Show ${vin}`;
    open.addEventListener('click', () => this.actions.choose(vin));
    const seen = make('button', 'alert-seen', 'I have seen it');
    seen.type = 'button';
    seen.addEventListener('click', () => this.actions.acknowledge(alertId));
    const foot = make('p', 'alert-foot');
    foot.append(open, seen);
    item.append(head, make('p', 'alert-title', title), make('p', 'alert-reason', rest.join(': ')), foot);
    this.byAlert.get(alertId)?.remove();
    this.byAlert.set(alertId, item);
    return item;
  }

  /** The oldest that is over makes room, then the oldest. */
  trim() {
    if (this.notes.children.length <= this.most) return;
    const items = [...this.notes.querySelectorAll('li')].reverse();
    const oldest = items.find((item) => item.dataset.state === 'over') ?? items[0];
    oldest?.remove();
    this.byAlert.delete(oldest?.dataset.alertId ?? '');
  }

  /** @param {string} alertId @param {'seen' | 'over'} state @param {string} words */
  settle(alertId, state, words) {
    const item = this.byAlert.get(alertId);
    if (!item || item.dataset.state === 'over') return;
    item.dataset.state = state;
    const button = item.querySelector('.alert-seen');
    const had = button !== null && button === document.activeElement;
    button?.remove();
    const foot = item.querySelector('.alert-foot');
    // Whoever has pressed it goes on from here, not from the top of the page.
    const car = foot?.querySelector('.alert-car');
    if (had && car instanceof HTMLElement) car.focus({ preventScroll: true });
    foot?.querySelector('.alert-said')?.remove();
    foot?.append(make('span', 'alert-said', words));
  }

  /** Says what is open and, where nothing is, whether that is good news: only of cars that are watched now. */
  count() {
    const listed = this.listed();
    const open = this.open === null ? listed : Math.max(this.open, 0);
    const { kind, watching, silent, cars, words } = this.standing;
    const well = watching && silent === 0 && kind === 'live';
    this.quiet.hidden = !(well && open === 0 && this.byAlert.size === 0);
    this.status.hidden = well;
    this.status.dataset.kind = kind;
    this.status.textContent =
      watching && open === 0 ? `No alert from ${cars - silent} of ${cars} cars; ${silent} silent` : words;
    this.badge.textContent = open > 0 ? String(open) : '';
    const beyond = open - listed;
    this.more.hidden = beyond <= 0;
    this.more.textContent = `Show more: ${listed} of ${open} open ones are listed`;
    const short = watching ? '' : `${SHORT[kind] ?? kind} · `;
    document.title = `${open > 0 ? `(${open}) ` : ''}${short}telltale`;
  }

  /** @param {boolean} urgent */
  ring(urgent) {
    this.frame.classList.remove('rings');
    // Reading a size makes the browser notice the removal, so that the animation starts anew.
    void this.frame.offsetWidth;
    this.frame.classList.add('rings');
    if (this.audio) chime(this.audio, urgent);
    // Before the first tap a browser refuses to vibrate.
    if (navigator.userActivation?.hasBeenActive)
      navigator.vibrate?.(urgent ? [200, 100, 200, 100, 200] : [200, 100, 200]);
  }
}
