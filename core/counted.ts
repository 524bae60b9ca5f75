/** A number of things for a person: `1 car`, `2,500 cars`. */
export const counted = (n: number, noun: string): string =>
  `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;

/** `6.0 %`, or `<0.1 %` of what is not nothing but would read as such. */
export function percent(part: number, whole: number): string {
  const share = (100 * part) / whole;
  return share < 0.1 ? '<0.1 %' : `${share.toFixed(1)} %`;
}
