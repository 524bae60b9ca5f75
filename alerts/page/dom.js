// Small helpers of the page: elements by id, elements made, numbers and times in words.

/**
 * The element of that id.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return element;
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} className
 * @param {string} [text]
 */
export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/**
 * Puts the list's children in this order. The one that has the keyboard stays where it is and the others move around it: an
 * element that is moved loses the focus.
 * @param {HTMLElement} list @param {readonly HTMLElement[]} items all of its children
 */
export function inOrder(list, items) {
  const held = items.find((item) => item.contains(document.activeElement));
  items.forEach((item, at) => {
    if (list.children[at] === item) return;
    if (item !== held) {
      list.insertBefore(item, list.children[at] ?? null);
      return;
    }
    for (let other = list.children[at]; other && other !== held; other = list.children[at])
      list.append(other);
  });
}

const whole = new Intl.NumberFormat();
/** @param {number} value */
export const count = (value) => whole.format(value);

/** @param {number} ts ms */
export const clockTime = (ts) =>
  new Date(ts).toLocaleTimeString([], {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
  });

/** A reading with as many digits as its size deserves. @param {number | null | undefined} value @param {number} [size] */
export function reading(value, size = Math.abs(value ?? 0)) {
  if (value === null || value === undefined) return '–';
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

const SHORTEST_NAME = 3;
const LONGEST_NAME = 6;

/**
 * Short names that still tell the cars apart: as little of the end as is different for all, the whole where it is short.
 * @param {readonly string[]} vins
 * @returns {(vin: string) => string}
 */
export function shortener(vins) {
  if (vins.every((vin) => vin.length <= LONGEST_NAME)) return (vin) => vin;
  let length = SHORTEST_NAME;
  while (length < LONGEST_NAME && new Set(vins.map((vin) => vin.slice(-length))).size < vins.length)
    length += 1;
  return (vin) => vin.slice(-length);
}

/** The value of a colour or length of the style sheet. @param {string} name */
export const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
