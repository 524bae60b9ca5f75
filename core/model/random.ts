// A small seeded generator for everything that is drawn while training or checking: the same seed, the same model.

/** Uniform numbers in [0, 1), 32 bits each: sfc32 (Chris Doty-Humphrey's small fast counting generator). */
export type Random = () => number;

/** A generator from a whole-number seed and a name, so that parts of one run draw from streams of their own. */
export function seededRandom(seed: number, stream = ''): Random {
  let a = seed >>> 0;
  let b = Math.floor(seed / 2 ** 32) >>> 0;
  let c = 0x9e3779b9;
  for (let i = 0; i < stream.length; i += 1) c = Math.imul(c ^ stream.charCodeAt(i), 0x01000193) >>> 0;
  let counter = 1;
  const next: Random = () => {
    const t = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return (t >>> 0) / 2 ** 32;
  };
  // The first dozen outputs still show the seed.
  for (let i = 0; i < 16; i += 1) next();
  return next;
}

/** A standard normal number (Box & Muller 1958). */
export function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

/** Shuffles in place (Fisher & Yates). */
export function shuffle<T extends Uint32Array | Float64Array>(items: T, random: Random): T {
  for (let i = items.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    const kept = items[i]!;
    items[i] = items[j]!;
    items[j] = kept;
  }
  return items;
}
