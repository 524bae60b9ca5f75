/** A number of things for a person: `1 car`, `2,500 cars`. */
export const counted = (n: number, noun: string): string =>
  `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
