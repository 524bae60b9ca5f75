// The kernel and its memory: functions over four cars at once, in WebAssembly (assembly/, compiled by
// scripts/kernel.ts into kernel.wasm), and one memory a detector holds all its numbers in. Pointers are bytes of it.
import { readFileSync } from 'node:fs';

/** Cars in a wave: one in each lane of two vectors. */
export const LANES = 8;
/** Bytes of one number of each car. A row is such slots, one behind the other. */
export const SLOT = 4 * LANES;

const PAGE_BYTES = 65_536;
/** Zeros behind everything: whole blocks are written and read past the end of what is meant. */
const MARGIN = 256;

type Pointer = number;

/** What the functions do stands beside their source. */
export interface Kernel {
  /** How many cars the wave has. */
  useLanes(cars: number): void;
  gather(cars: Pointer, stride: number, row: Pointer, count: number): void;
  scatter(row: Pointer, count: number, cars: Pointer, stride: number): void;
  pick(count: number, indexes: Pointer, from: Pointer, row: Pointer): void;
  dense(input: Pointer, pack: Pointer, output: Pointer): void;
  tanhRow(row: Pointer, count: number): void;
  tanhUnits(inputs: Pointer, units: Pointer, count: number, output: Pointer): void;
  averageReadings(
    n: number,
    wave: Pointer,
    loss: Pointer,
    weights: Pointer,
    state: Pointer,
    inputs: Pointer,
    off: Pointer,
  ): void;
  followLevels(
    n: number,
    wave: Pointer,
    loss: Pointer,
    slowest: number,
    state: Pointer,
    inputs: Pointer,
    levels: Pointer,
    off: Pointer,
    movement: Pointer,
  ): void;
  heldInputs(inputs: Pointer, count: number, held: number, output: Pointer): void;
  fillStreams(
    n: number,
    wave: Pointer,
    loss: Pointer,
    slowest: number,
    params: Pointer,
    state: Pointer,
    inputs: Pointer,
    foretold: Pointer,
    logs: Pointer,
    movement: Pointer,
    streams: Pointer,
  ): void;
  average(n: number, wave: Pointer, weight: Pointer, stream: Pointer, state: Pointer): void;
  averageReleased(
    n: number,
    wave: Pointer,
    weight: Pointer,
    stream: Pointer,
    state: Pointer,
    fresh: Pointer,
    release: number,
  ): void;
  distance(n: number, turned: Pointer, averages: Pointer, statistic: Pointer): void;
  peak(
    n: number,
    turned: Pointer,
    inverses: Pointer,
    tails: Pointer,
    levels: Pointer,
    statistic: Pointer,
  ): void;
  rarest(
    n: number,
    averages: Pointer,
    held: Pointer,
    reach: Pointer,
    rarities: Pointer,
    statistic: Pointer,
  ): void;
  squares(n: number, turned: Pointer, inverses: Pointer, parts: Pointer, statistics: Pointer): void;
  range(
    n: number,
    wave: Pointer,
    loss: Pointer,
    weight: Pointer,
    state: Pointer,
    high: Pointer,
    low: Pointer,
    levels: Pointer,
    lows: Pointer,
    statistic: Pointer,
  ): void;
  shocks(n: number, wave: Pointer, loss: Pointer, state: Pointer, seldom: Pointer, shocks: Pointer): void;
  leftOver(n: number, wave: Pointer, said: Pointer, residual: Pointer): void;
  leftOfForecast(
    n: number,
    wave: Pointer,
    loss: Pointer,
    state: Pointer,
    said: Pointer,
    residual: Pointer,
  ): void;
  still(
    n: number,
    wave: Pointer,
    weights: Pointer,
    codes: Pointer,
    state: Pointer,
    parts: Pointer,
    statistic: Pointer,
  ): void;
}

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** What is used of the platform's WebAssembly, which the types of plain ECMAScript leave out. */
interface Wasm {
  readonly Memory: new (size: { readonly initial: number }) => Memory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}
const wasm = (globalThis as unknown as { readonly WebAssembly: Wasm }).WebAssembly;

let compiled: object | undefined;

/**
 * A memory that is only added to, and the kernel over it. Views are made anew when it grows: hold none across `take`.
 */
export class LaneMemory {
  readonly kernel: Kernel;
  readonly #memory: Memory;
  #next = SLOT;
  floats: Float32Array;
  ints: Int32Array;

  constructor() {
    compiled ??= new wasm.Module(Uint8Array.from(readFileSync(new URL('./kernel.wasm', import.meta.url))));
    this.#memory = new wasm.Memory({ initial: 1 });
    const { exports } = new wasm.Instance(compiled, { env: { memory: this.#memory } });
    this.kernel = exports as Kernel;
    this.floats = new Float32Array(this.#memory.buffer);
    this.ints = new Int32Array(this.#memory.buffer);
  }

  /** So many bytes of zeros, at a slot's boundary. */
  take(bytes: number): Pointer {
    const at = this.#next;
    this.#next += SLOT * Math.ceil(bytes / SLOT);
    const missing = this.#next + MARGIN - this.#memory.buffer.byteLength;
    if (missing > 0) {
      this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
      this.floats = new Float32Array(this.#memory.buffer);
      this.ints = new Int32Array(this.#memory.buffer);
    }
    return at;
  }

  /** Room for n slots, and for what a matrix writes behind them. */
  row(n: number): Pointer {
    return this.take(SLOT * (n + 8));
  }

  /** Numbers, one after the other. */
  put(values: ArrayLike<number>): Pointer {
    const at = this.take(4 * values.length);
    this.floats.set(values, at / 4);
    return at;
  }

  putInts(values: ArrayLike<number>): Pointer {
    const at = this.take(4 * values.length);
    this.ints.set(values, at / 4);
    return at;
  }

  /** The k-th number of a lane in a row. */
  of(row: Pointer, k: number, lane: number): number {
    return this.floats[row / 4 + LANES * k + lane]!;
  }
}
