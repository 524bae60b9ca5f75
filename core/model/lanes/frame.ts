// What the lane heads share: the events of a wave, in lanes; how much an event weighs in averages over so many; and
// what a pattern of losses changes. All cars of a wave have the same pattern, so whatever depends on it is one
// pointer.
import { MOST_STEPS_MOVED, smoothingTable } from '../heads/head.ts';
import type { Losses } from '../losses.ts';
import { LANES, type LaneMemory, SLOT } from './kernel.ts';

/** Steps beyond which an event says nothing of what the next one will be. */
const MOST_STEPS_FORETOLD = 2;

const MASK = -1;

/** Weights of an event in averages, for the steps that each car's event came after. */
export class Weights {
  readonly #memory: LaneMemory;
  readonly #tables: { readonly table: Float64Array; readonly at: number }[] = [];
  readonly #known = new Map<string, number>();
  /** The steps that each lane's weights are for; 0: none yet. */
  readonly #steps = new Uint8Array(LANES);

  constructor(memory: LaneMemory) {
    this.#memory = memory;
  }

  /** A vector for each span, one behind the other. */
  of(...spans: readonly number[]): number {
    const key = spans.join();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const place = this.#memory.take(SLOT * spans.length);
    spans.forEach((span, i) => {
      this.#tables.push({ table: smoothingTable(span), at: place / 4 + LANES * i });
    });
    this.#known.set(key, place);
    return place;
  }

  set(lane: number, steps: number): void {
    if (this.#steps[lane] === steps) return;
    this.#steps[lane] = steps;
    const { floats } = this.#memory;
    for (const { table, at } of this.#tables) floats[at + lane] = table[steps]!;
  }
}

/** What patterns of losses change: sections of a block of memory, each filled when it is first needed. */
export class Patterns {
  readonly #memory: LaneMemory;
  readonly #sections: {
    readonly at: number;
    readonly fill: (losses: Losses | null, place: number) => void;
  }[] = [];
  readonly #blocks = new Map<Losses | null, { readonly at: number; readonly filled: Uint8Array }>();
  #bytes = 0;
  #losses: Losses | null = null;
  #block: { readonly at: number; readonly filled: Uint8Array } = { at: 0, filled: new Uint8Array(0) };

  constructor(memory: LaneMemory) {
    this.#memory = memory;
  }

  /** Before the first wave: room for what `fill` writes for a pattern; null: nothing is lost. Returns its number. */
  section(bytes: number, fill: (losses: Losses | null, place: number) => void): number {
    this.#sections.push({ at: this.#bytes, fill });
    this.#bytes += SLOT * Math.ceil(bytes / SLOT);
    return this.#sections.length - 1;
  }

  get losses(): Losses | null {
    return this.#losses;
  }

  /** The pattern of the wave that comes. */
  use(losses: Losses | null): void {
    this.#losses = losses;
    const known = this.#blocks.get(losses);
    if (known !== undefined) {
      this.#block = known;
      if (losses === null) return;
      // Least recently used first.
      this.#blocks.delete(losses);
      this.#blocks.set(losses, known);
      return;
    }
    this.#block = { at: this.#room(), filled: new Uint8Array(this.#sections.length) };
    this.#blocks.set(losses, this.#block);
  }

  /** Room for one more pattern: that of the one needed longest ago, when there are as many as may be. */
  #room(): number {
    const most = Math.max(LEAST_PATTERNS, Math.min(MOST_PATTERNS, Math.floor(PATTERN_BYTES / this.#bytes)));
    if (this.#blocks.size < most) return this.#memory.take(this.#bytes);
    for (const [losses, { at }] of this.#blocks) {
      if (losses === null) continue;
      this.#blocks.delete(losses);
      return at;
    }
    return this.#memory.take(this.#bytes);
  }

  /** Where a section of the wave's pattern is. */
  at(section: number): number {
    const place = this.#block.at + this.#sections[section]!.at;
    if (this.#block.filled[section] === 0) {
      this.#block.filled[section] = 1;
      this.#sections[section]!.fill(this.#losses, place);
    }
    return place;
  }
}

/** Patterns whose numbers are kept, by count and by bytes. */
const MOST_PATTERNS = 200;
const LEAST_PATTERNS = 4;
const PATTERN_BYTES = 64 * 1024 * 1024;

/**
 * The events of a wave as the kernel reads them: masks restart, far and usable, then a row of features and one of
 * masks of what was measured.
 */
export class Frame {
  readonly n: number;
  readonly memory: LaneMemory;
  readonly weights: Weights;
  readonly patterns: Patterns;
  readonly block: number;
  readonly features: number;
  readonly present: number;
  /** A row: what the network says of the features. */
  readonly said: number;
  /** Section of the masks of what is lost and of what has just come back. */
  readonly #loss: number;
  /** The pattern as far as it concerns these channels. */
  readonly lossesOf: (losses: Losses) => Losses;

  constructor(
    n: number,
    shared: { readonly memory: LaneMemory; readonly weights: Weights; readonly patterns: Patterns },
    lossesOf: (losses: Losses) => Losses = (losses) => losses,
  ) {
    this.n = n;
    this.memory = shared.memory;
    this.weights = shared.weights;
    this.patterns = shared.patterns;
    this.lossesOf = lossesOf;
    this.block = this.memory.take(SLOT * (3 + 2 * n));
    this.features = this.block + 3 * SLOT;
    this.present = this.features + SLOT * n;
    this.said = this.memory.row(n);
    this.#loss = this.section(8 * n, (losses, place) => {
      for (let k = 0; k < n; k += 1) {
        this.memory.ints[place / 4 + k] = losses?.lost[k] === 1 ? MASK : 0;
        this.memory.ints[place / 4 + n + k] = losses?.since[k] === 1 ? MASK : 0;
      }
    });
  }

  /** As Patterns has it, for the losses among these channels. */
  section(bytes: number, fill: (losses: Losses | null, place: number) => void): number {
    return this.patterns.section(bytes, (losses, place) =>
      fill(losses === null ? null : this.lossesOf(losses), place),
    );
  }

  get loss(): number {
    return this.patterns.at(this.#loss);
  }

  /** What became of the car of a lane before. */
  setPast(lane: number, restart: boolean, steps: number): void {
    const { ints } = this.memory;
    const at = this.block / 4 + lane;
    ints[at] = restart ? MASK : 0;
    ints[at + LANES] = steps > MOST_STEPS_MOVED ? MASK : 0;
    ints[at + 2 * LANES] = !restart && steps <= MOST_STEPS_FORETOLD ? MASK : 0;
  }

  setReadings(lane: number, features: Float32Array, present: Uint8Array): void {
    const { floats, ints } = this.memory;
    const { n } = this;
    let feature = this.features / 4 + lane;
    let here = this.present / 4 + lane;
    for (let k = 0; k < n; k += 1) {
      floats[feature] = features[k]!;
      ints[here] = present[k] === 1 ? MASK : 0;
      feature += LANES;
      here += LANES;
    }
  }
}
