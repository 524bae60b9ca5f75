// The chosen car: how strange it is, what stands against it, and every signal against what the model expected.
import { drawScore, drawSignal } from './chart.js';
import { byId, clockTime, make, reading } from './dom.js';

/**
 * @typedef {import('./types.js').Car} Car
 * @typedef {import('./types.js').History} History
 */

const WINDOW_MS = 5 * 60_000;
const SHORTEST_MS = 60_000;
const KEPT = 300;
/** A signal that has not been measured for this long, by the car's clock, is not measured any more. */
const LOST_MS = 10_000;
/** Below this share of the score a signal is not blamed. */
const BLAMED = 0.12;

/** @param {History} kept @param {History} more */
function extend(kept, more) {
  kept.ts.push(...more.ts);
  kept.ratio.push(...more.ratio);
  more.values.forEach((column, i) => {
    kept.values[i] ??= [];
    kept.expected[i] ??= [];
    kept.values[i].push(...column);
    kept.expected[i].push(...(more.expected[i] ?? []));
  });
  const over = kept.ts.length - KEPT;
  if (over > 0)
    for (const list of [kept.ts, kept.ratio, ...kept.values, ...kept.expected]) list.splice(0, over);
}

/** @param {Car} car */
function stateOf({ level, alerts, silent, heardMs }) {
  const standing = alerts.filter(({ state }) => state === 'open');
  const open = standing.find(({ severity }) => severity === 'critical') ?? standing[0];
  const quiet = silent ? `silent since ${clockTime(heardMs)}` : '';
  if (open) return { kind: open.severity, text: quiet ? `${open.severity}, ${quiet}` : open.severity, open };
  // What it was like when it was last heard says nothing about now.
  if (quiet) return { kind: 'silent', text: quiet, open };
  if (level >= 1) return { kind: 'warning', text: 'strange', open };
  return { kind: 'calm', text: level >= 0.6 ? 'unusual' : 'as expected', open };
}

/** @param {readonly (number | null)[] | undefined} column */
const newest = (column) => column?.findLast((value) => value !== null) ?? null;

/**
 * When a signal was last measured that is not any more; null while it is, or was a moment ago: some are sent now and then.
 * @param {Car} car @param {number} i
 */
function lostSince({ ts, lost, values }, i) {
  const lastMs = lost[i];
  if (lastMs === null || lastMs === undefined || values[i] !== null) return null;
  return ts - lastMs > LOST_MS ? lastMs : null;
}

/** A signal that this car measures, or has measured. @param {Car} car @param {History} history @param {number} i */
const isKnown = ({ values, lost }, history, i) =>
  values[i] !== null || (lost[i] ?? null) !== null || newest(history.values[i]) !== null;

export class CarPanel {
  constructor() {
    this.panel = byId('car', HTMLElement);
    this.title = byId('car-title', HTMLElement);
    this.state = byId('car-state', HTMLElement);
    this.note = byId('car-note', HTMLElement);
    this.reason = byId('car-reason', HTMLElement);
    this.score = byId('score', HTMLCanvasElement);
    this.charts = byId('charts', HTMLUListElement);
    /** @type {Car | null} */
    this.car = null;
    /** @type {History} */
    this.history = { ts: [], ratio: [], values: [], expected: [] };
    /** @type {Map<string, {item: HTMLLIElement, canvas: HTMLCanvasElement, now: HTMLElement, usual: HTMLElement}>} */
    this.cards = new Map();
    new ResizeObserver(() => this.draw()).observe(this.panel);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
  }

  /** A new car: nothing of the former one stays. @param {string} vin */
  open(vin) {
    this.car = null;
    this.history = { ts: [], ratio: [], values: [], expected: [] };
    this.cards.clear();
    this.charts.replaceChildren();
    this.title.textContent = vin;
    this.state.textContent = '';
    this.note.textContent = 'no scores of this car yet';
    this.reason.hidden = true;
    this.panel.hidden = false;
    byId('car-hint', HTMLElement).hidden = true;
  }

  /** The stream begins anew and sends all minutes again. */
  restart() {
    this.history = { ts: [], ratio: [], values: [], expected: [] };
  }

  /** @param {Car} car */
  show(car) {
    if (this.car && this.car.model !== car.model) this.open(car.vin);
    this.car = car;
    extend(this.history, car.history);
    const { kind, text, open } = stateOf(car);
    this.state.textContent = text;
    this.state.dataset.kind = kind;
    this.note.textContent = `last heard ${clockTime(car.heardMs)}`;
    this.panel.dataset.silent = String(car.silent);
    this.reason.hidden = !open;
    this.reason.textContent = open ? `${clockTime(open.raisedTs)}  ${open.reason}` : '';
    this.reason.dataset.kind = kind;
    this.draw();
  }

  draw() {
    const { car, history } = this;
    if (!car) return;
    const toMs = history.ts.at(-1) ?? car.ts;
    const fromMs = Math.min(toMs - SHORTEST_MS, Math.max(toMs - WINDOW_MS, history.ts[0] ?? toMs));
    drawScore(this.score, history.ts, history.ratio, fromMs, toMs);
    this.score.ariaLabel = `${Math.round(car.level * 100)} percent of the alert line`;
    const blame = new Map(this.blameOf(car).map(({ signal, share }) => [signal, share]));
    const measured = car.signals
      .map((signal, i) => ({ ...signal, i, share: blame.get(signal.name) ?? 0 }))
      .filter(({ i }) => isKnown(car, history, i))
      .sort((a, b) => (b.share >= BLAMED ? b.share : 0) - (a.share >= BLAMED ? a.share : 0) || a.i - b.i);
    measured.forEach(({ name, label, unit, usual, i, share }, at) => {
      const card = this.cardOf(name, label);
      const lostMs = lostSince(car, i);
      const value = car.values[i] ?? newest(history.values[i]);
      const expected = car.expected[i];
      const size = Math.max(Math.abs(value ?? 0), Math.abs(expected ?? 0));
      const blamed = share >= BLAMED;
      const now = lostMs === null ? `${reading(value, size)} ${unit}`.trim() : 'not measured';
      const below = lostMs === null ? `expected ${reading(expected, size)}` : `since ${clockTime(lostMs)}`;
      card.now.textContent = now;
      card.usual.textContent = below;
      card.item.dataset.blamed = String(blamed);
      card.item.dataset.lost = String(lostMs !== null);
      card.canvas.ariaLabel = `${label} ${now}, ${below}`;
      if (this.charts.children[at] !== card.item)
        this.charts.insertBefore(card.item, this.charts.children[at] ?? null);
      const [values, model] = [history.values[i] ?? [], history.expected[i] ?? []];
      drawSignal(card.canvas, { ts: history.ts, values, expected: model, usual, fromMs, toMs, blamed });
    });
  }

  /** What is blamed: by the open alert, else by the newest event while it is strange. @param {Car} car */
  blameOf(car) {
    const { open } = stateOf(car);
    if (open) return open.top;
    return car.level >= 1 ? car.top : [];
  }

  /** @param {string} name @param {string} label */
  cardOf(name, label) {
    const known = this.cards.get(name);
    if (known) return known;
    const item = make('li', 'chart');
    item.dataset.signal = name;
    const now = make('strong', '');
    const usual = make('span', 'usual');
    const canvas = make('canvas', '');
    canvas.setAttribute('role', 'img');
    const head = make('p', 'chart-head');
    head.append(make('span', 'name', label), now);
    item.append(head, canvas, usual);
    const card = { item, canvas, now, usual };
    this.cards.set(name, card);
    return card;
  }
}
