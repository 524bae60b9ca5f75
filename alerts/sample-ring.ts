// The last minutes of one car in flat arrays: time, the score's ratio (ratio.ts), readings and expectations of every signal.

/** Samples in order of arrival, oldest first; NaN stands for missing. */
export class SampleRing {
  readonly signals: number;
  readonly capacity: number;
  readonly #ts: Float64Array;
  /** Per sample: the ratio, then the readings, then the expectations. */
  readonly #data: Float32Array;
  #count = 0;
  #next = 0;

  constructor(signals: number, capacity: number) {
    this.signals = signals;
    this.capacity = capacity;
    this.#ts = new Float64Array(capacity);
    this.#data = new Float32Array(capacity * (1 + 2 * signals));
  }

  /** Memory of one ring, bytes. */
  static bytes(signals: number, capacity: number): number {
    return capacity * (8 + 4 * (1 + 2 * signals));
  }

  push(
    tsMs: number,
    ratio: number,
    values: readonly (number | null)[],
    expected: readonly (number | null)[],
  ): void {
    const base = this.#next * (1 + 2 * this.signals);
    this.#ts[this.#next] = tsMs;
    this.#data[base] = ratio;
    for (let i = 0; i < this.signals; i += 1) {
      this.#data[base + 1 + i] = values[i] ?? Number.NaN;
      this.#data[base + 1 + this.signals + i] = expected[i] ?? Number.NaN;
    }
    this.#next = (this.#next + 1) % this.capacity;
    this.#count = Math.min(this.#count + 1, this.capacity);
  }

  /** Samples later than `afterMs`, as columns: `values[signal][sample]`, null for missing. */
  since(afterMs: number): {
    ts: number[];
    ratio: number[];
    values: (number | null)[][];
    expected: (number | null)[][];
  } {
    const { signals, capacity } = this;
    const ts: number[] = [];
    const ratio: number[] = [];
    const columns = () => Array.from({ length: signals }, (): (number | null)[] => []);
    const values = columns();
    const expected = columns();
    for (let k = 0; k < this.#count; k += 1) {
      const at = (this.#next - this.#count + k + capacity) % capacity;
      const tsMs = this.#ts[at]!;
      if (tsMs <= afterMs) continue;
      const base = at * (1 + 2 * signals);
      ts.push(tsMs);
      ratio.push(round(this.#data[base]!) ?? 0);
      for (let i = 0; i < signals; i += 1) {
        values[i]!.push(round(this.#data[base + 1 + i]!));
        expected[i]!.push(round(this.#data[base + 1 + signals + i]!));
      }
    }
    return { ts, ratio, values, expected };
  }
}

/** A 32-bit float as the shortest decimal a chart needs: 5 significant digits; null for NaN. */
export function round(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(5)) : null;
}
