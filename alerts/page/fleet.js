// The fleet as tiles: one for each car, coloured by how strange it is, marked by what stands open against it.
import { byId, clockTime, count, inOrder, make, shortener } from './dom.js';
import { streamWords } from './phone-client.js';

/**
 * @typedef {import('./types.js').Fleet} Fleet
 * @typedef {import('./types.js').Tile} Tile
 */

const byName = new Intl.Collator([], { numeric: true });

/** @param {Tile} tile */
function words({ vin, level, severity, silent, heardMs }) {
  const quiet = silent ? `silent since ${clockTime(heardMs)}` : '';
  if (severity)
    return `${vin}: ${severity === 'critical' ? 'critical alert' : 'warning'}${quiet ? `, ${quiet}` : ''}`;
  if (quiet) return `${vin}: ${quiet}`;
  return `${vin}: ${level >= 1 ? 'strange' : level >= 0.6 ? 'unusual' : 'as expected'}`;
}

export class FleetTiles {
  /** @param {(vin: string) => void} choose @param {(text: string) => void} search finds a car that is no tile here */
  constructor(choose, search) {
    this.list = byId('tiles', HTMLUListElement);
    this.note = byId('fleet-note', HTMLElement);
    this.empty = byId('empty', HTMLElement);
    this.vins = byId('vins', HTMLDataListElement);
    this.choose = choose;
    /** @type {Map<string, {item: HTMLLIElement, button: HTMLButtonElement, name: HTMLSpanElement}>} */
    this.tiles = new Map();
    /** @type {Fleet | null} */
    this.last = null;
    /** @type {string | null} */
    this.chosen = null;
    this.order = 'name';
    this.names = '';
    byId('order', HTMLFieldSetElement).addEventListener('change', (event) => {
      if (event.target instanceof HTMLInputElement) this.order = event.target.value;
      if (this.last) this.show(this.last);
    });
    const find = byId('find', HTMLFormElement);
    const input = byId('find-vin', HTMLInputElement);
    const go = () => {
      const wanted = input.value.trim();
      const tile = this.named(wanted);
      if (tile) choose(tile);
      else if (wanted) search(wanted);
    };
    find.addEventListener('submit', (event) => {
      event.preventDefault();
      go();
    });
    input.addEventListener('change', () => {
      if (this.tiles.has(input.value)) go();
    });
    this.list.addEventListener('keydown', (event) => this.walk(event));
  }

  /** The car whose tile says this name, or has it in full; case aside. @param {string} wanted */
  named(wanted) {
    const same = (/** @type {string | null} */ name) => name?.toLowerCase() === wanted.toLowerCase();
    const found = [...this.tiles].filter(([vin, { name }]) => same(vin) || same(name.textContent));
    return found.length === 1 ? (found[0]?.[0] ?? null) : null;
  }

  /** Offers cars that a search has found. @param {readonly string[]} vins */
  offer(vins) {
    for (const vin of vins) {
      if (this.tiles.has(vin)) continue;
      const option = make('option', '');
      option.value = vin;
      this.vins.append(option);
    }
  }

  /** Arrow keys go from tile to tile. @param {KeyboardEvent} event */
  walk(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.perRow(), ArrowUp: -this.perRow() }[
      event.key
    ];
    if (!step || !(event.target instanceof HTMLButtonElement)) return;
    const buttons = [...this.list.querySelectorAll('button')];
    const next = buttons[buttons.indexOf(event.target) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  perRow() {
    return Math.max(1, getComputedStyle(this.list).gridTemplateColumns.split(' ').length);
  }

  /** @param {Fleet} fleet */
  show(fleet) {
    this.last = fleet;
    const { cars, total, stream, silentMs } = fleet;
    this.empty.hidden = total > 0;
    this.empty.textContent = streamWords(stream);
    this.note.textContent = [
      ...(total > cars.length ? [`the ${count(cars.length)} strangest of ${count(total)}`] : []),
      ...(stream.silent > 0 ? [`${count(stream.silent)} silent`] : []),
    ].join('; ');
    byId('silent-key', HTMLElement).textContent = `silent for ${Math.round(silentMs / 1000)} s or more`;
    const present = new Set(cars.map(({ vin }) => vin));
    const focusedAt = [...this.list.children].findIndex((item) => item.contains(document.activeElement));
    for (const [vin, { item }] of this.tiles)
      if (!present.has(vin)) {
        item.remove();
        this.tiles.delete(vin);
      }
    this.rename(cars);
    const items = this.ordered(cars).map((tile) => {
      const { item, button } = this.tileOf(tile.vin);
      button.style.setProperty('--level', String(Math.min(1, Math.max(0, tile.level))));
      button.dataset.alert = tile.severity ?? '';
      button.dataset.silent = String(tile.silent);
      button.ariaLabel = words(tile);
      button.title = words(tile);
      button.ariaCurrent = tile.vin === this.chosen ? 'true' : null;
      return item;
    });
    inOrder(this.list, items);
    // The tile that had the keyboard is gone: the one in its place has it now.
    if (focusedAt >= 0 && !this.list.contains(document.activeElement))
      items[Math.min(focusedAt, items.length - 1)]?.querySelector('button')?.focus({ preventScroll: true });
  }

  /** By the name a person reads on the tile, or as they came: strangest first. @param {readonly Tile[]} cars */
  ordered(cars) {
    if (this.order !== 'name') return cars;
    const name = (/** @type {Tile} */ { vin }) => this.tileOf(vin).name.textContent ?? vin;
    return [...cars].sort((a, b) => byName.compare(name(a), name(b)) || byName.compare(a.vin, b.vin));
  }

  /** Short names and the search's list, when the set of cars has changed. @param {readonly Tile[]} cars */
  rename(cars) {
    const names = cars.map(({ vin }) => vin).sort(byName.compare);
    const key = names.join('\n');
    if (key === this.names) return;
    this.names = key;
    const short = shortener(names);
    for (const vin of names) this.tileOf(vin).name.textContent = short(vin);
    this.vins.replaceChildren(
      ...names.map((vin) => {
        const option = make('option', '');
        option.value = vin;
        return option;
      }),
    );
  }

  /** @param {string} vin */
  tileOf(vin) {
    const known = this.tiles.get(vin);
    if (known) return known;
    const item = make('li', '');
    const button = make('button', 'tile');
    button.type = 'button';
    button.dataset.vin = vin;
    button.addEventListener('click', () => this.choose(vin));
    const name = make('span', '', vin);
    button.append(name);
    item.append(button);
    const tile = { item, button, name };
    this.tiles.set(vin, tile);
    return tile;
  }

  /** @param {string} vin */
  mark(vin) {
    this.chosen = vin;
    for (const [other, { button }] of this.tiles) button.ariaCurrent = other === vin ? 'true' : null;
  }
}
