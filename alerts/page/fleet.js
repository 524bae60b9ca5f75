// The fleet as tiles: one for each car, coloured by how strange it is, marked by what stands open against it.
import { byId, count, make, shortener } from './dom.js';

/**
 * @typedef {import('./types.js').Fleet} Fleet
 * @typedef {import('./types.js').Tile} Tile
 */

const byName = new Intl.Collator([], { numeric: true });

/** @param {Tile} tile */
function words({ vin, level, severity }) {
  if (severity) return `${vin}: ${severity === 'critical' ? 'critical alert' : 'warning'}`;
  return `${vin}: ${level >= 1 ? 'strange' : level >= 0.6 ? 'unusual' : 'as expected'}`;
}

export class FleetTiles {
  /** @param {(vin: string) => void} choose */
  constructor(choose) {
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
      if (wanted) choose(wanted);
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
    const { cars, total } = fleet;
    this.empty.hidden = total > 0;
    this.note.textContent =
      total > cars.length ? `the ${count(cars.length)} strangest of ${count(total)}` : '';
    const present = new Set(cars.map(({ vin }) => vin));
    for (const [vin, { item }] of this.tiles)
      if (!present.has(vin)) {
        item.remove();
        this.tiles.delete(vin);
      }
    this.rename(cars);
    this.ordered(cars).forEach((tile, at) => {
      const { item, button } = this.tileOf(tile.vin);
      button.style.setProperty('--level', String(Math.min(1, Math.max(0, tile.level))));
      button.dataset.alert = tile.severity ?? '';
      button.ariaLabel = words(tile);
      button.title = words(tile);
      button.ariaCurrent = tile.vin === this.chosen ? 'true' : null;
      if (this.list.children[at] !== item) this.list.insertBefore(item, this.list.children[at] ?? null);
    });
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
