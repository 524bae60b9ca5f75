// Random numbers for a fleet: one stream per car, each a function of the seed and the car's number alone, so that a
// car's life is the same whichever process drives it. Generator: SplitMix (Steele, Lea, Flood, OOPSLA 2014) in 32 bits
// with an odd gamma of its own per stream; the mixing function is a two-round xorshift-multiply finaliser.

/** Mixes 32 bits; a bijection. */
export function mix32(value: number): number {
  let x = value >>> 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x21f0aaad);
  x ^= x >>> 15;
  x = Math.imul(x, 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

/** 32 bits that depend on all of the parts. */
export function hash32(...parts: readonly number[]): number {
  let h = 0x9e3779b9;
  for (const part of parts) {
    h = mix32(h ^ (part >>> 0));
    h = mix32(h + Math.floor(part / 4_294_967_296) + 0x85ebca6b);
  }
  return h;
}

/** Hash to a number in [0, 1). */
export const hashUnit = (...parts: readonly number[]): number => hash32(...parts) / 4_294_967_296;

/** 32 bits of a text, for seeds made of names (FNV-1a, mixed). */
export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix32(h);
}

const SQRT6 = Math.sqrt(6);

/** Noise of mean 0 and variance 1 from 32 random bits: the sum of two 16-bit uniforms, within ±2.45. Cheap, and no wild outliers. */
export function noiseOf(bits: number): number {
  return (((bits & 0xffff) + (bits >>> 16) - 65_535) / 65_536) * SQRT6;
}

/** Many streams side by side: `state` and `gamma` are columns of the fleet's state. */
export interface StreamColumns {
  readonly state: Uint32Array;
  readonly gamma: Uint32Array;
}

/** Next 32 bits of stream `i`. */
export function nextBits(streams: StreamColumns, i: number): number {
  const state = (streams.state[i]! + streams.gamma[i]!) >>> 0;
  streams.state[i] = state;
  return mix32(state);
}

/** Next number of stream `i` in [0, 1). */
export const nextUnit = (streams: StreamColumns, i: number): number => nextBits(streams, i) / 4_294_967_296;

/** Next noise (mean 0, variance 1) of stream `i`. */
export const nextNoise = (streams: StreamColumns, i: number): number => noiseOf(nextBits(streams, i));

/** Starts stream `i` for a seed and a car. */
export function seedStream(streams: StreamColumns, i: number, seed: number, car: number): void {
  streams.state[i] = hash32(seed, car, 1);
  streams.gamma[i] = hash32(seed, car, 2) | 1;
}

/** A single stream for what happens once (a car's build, a scenario's choices). */
export class Stream {
  #state: number;
  readonly #gamma: number;

  constructor(...parts: readonly number[]) {
    this.#state = hash32(...parts, 3);
    this.#gamma = hash32(...parts, 4) | 1;
  }

  bits(): number {
    this.#state = (this.#state + this.#gamma) >>> 0;
    return mix32(this.#state);
  }

  /** In [0, 1). */
  unit(): number {
    return this.bits() / 4_294_967_296;
  }

  /** In [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** Mean 0, variance 1, within ±2.45. */
  noise(): number {
    return noiseOf(this.bits());
  }

  /** One of the keys, by its weight. */
  pick<K extends string>(weights: Readonly<Partial<Record<K, number>>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let rest = this.unit() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      rest -= weight;
      if (rest < 0) return key;
    }
    return entries[entries.length - 1]![0];
  }
}
