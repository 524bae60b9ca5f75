// The phone at the side: alerts as a driver gets them. It rings (two tones, a shake, a vibration) when one is raised or grows
// worse, and falls quiet when it is seen or over.
import { byId, clockTime, make } from './dom.js';

/**
 * @typedef {import('./phone-client.js').Alert} Alert
 * @typedef {import('./phone-client.js').OpenAlert} OpenAlert
 */

const SHOWN = 30;

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
  /** @param {{choose: (vin: string) => void, acknowledge: (alertId: string) => void}} actions */
  constructor(actions) {
    this.actions = actions;
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

  /** The open alerts at the start: shown without ringing. @param {readonly OpenAlert[]} alerts */
  snapshot(alerts) {
    this.byAlert.clear();
    this.notes.replaceChildren();
    for (const alert of [...alerts].sort((a, b) => a.raisedTs - b.raisedTs)) {
      this.put(alert);
      if (alert.acknowledgedTs !== undefined) this.settle(alert.alertId, 'seen', 'seen');
    }
    this.count();
  }

  /** @param {Alert} alert */
  take(alert) {
    if (alert.phase === 'raised' || alert.phase === 'escalated') {
      this.put(alert);
      this.ring(alert.severity === 'critical');
    }
    if (alert.phase === 'acknowledged')
      this.settle(alert.alertId, 'seen', `seen by ${alert.by ?? 'someone'}`);
    if (alert.phase === 'cleared') this.settle(alert.alertId, 'over', `over since ${clockTime(alert.ts)}`);
    this.count();
  }

  /** @param {OpenAlert} alert */
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
    this.notes.prepend(item);
    this.trim();
  }

  /** The oldest that is over makes room, then the oldest. */
  trim() {
    if (this.notes.children.length <= SHOWN) return;
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
    item.querySelector('.alert-seen')?.remove();
    const foot = item.querySelector('.alert-foot');
    foot?.querySelector('.alert-said')?.remove();
    foot?.append(make('span', 'alert-said', words));
  }

  count() {
    const open = [...this.byAlert.values()].filter((item) => item.dataset.state !== 'over').length;
    this.quiet.hidden = this.byAlert.size > 0;
    document.title = open > 0 ? `(${open}) telltale` : 'telltale';
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
