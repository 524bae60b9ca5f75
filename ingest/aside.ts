// The side lane of dead letters: they share the append of their batch while that is quick, and step aside when it is not, so
// that a dead-letters topic that is slow or full never holds up an event that is good. What waits here is bounded; what
// finds no room, or cannot be appended in the end, is dropped, counted and said.
import type { TelltaleError } from '../core/errors.ts';
import { type Clock, pause } from '../core/service.ts';

export interface AsideOptions<E> {
  /** Appends until it worked (null) or trying again is over (the error). */
  readonly append: (entries: readonly E[]) => Promise<TelltaleError | null>;
  /** How long a batch waits for its letters, ms. */
  readonly graceMs: number;
  /** Bytes that may be under way or wait. */
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly onDropped: (entries: readonly E[], why: string) => void;
}

/** A lane that is full is waited for while its appends work: only without one for so long are letters dropped. */
const STUCK_MS = 2000;

export class Aside<E extends { readonly bytes: number }> {
  readonly #options: AsideOptions<E>;
  #waiting: E[] = [];
  #bytes = 0;
  #run: Promise<void> | null = null;
  /** When an append last worked, or the first one began. */
  #workedMs = 0;

  constructor(options: AsideOptions<E>) {
    this.#options = options;
  }

  /** Resolves when the letters are settled, or after the grace: then they go on by themselves. */
  async take(letters: readonly E[]): Promise<void> {
    if (letters.length === 0) return;
    const { maxBytes, onDropped, graceMs, clock } = this.#options;
    if (this.#run === null) this.#workedMs = clock();
    while (this.#run !== null && this.#bytes > maxBytes / 2 && clock() - this.#workedMs < STUCK_MS)
      await this.#within(graceMs);
    const dropped: E[] = [];
    for (const letter of letters) {
      if (this.#bytes + letter.bytes > maxBytes) dropped.push(letter);
      else {
        this.#bytes += letter.bytes;
        this.#waiting.push(letter);
      }
    }
    if (dropped.length > 0) onDropped(dropped, 'too many wait for the log already');
    if (this.#run !== null || this.#waiting.length === 0) return;
    this.#run = this.#append().finally(() => {
      this.#run = null;
    });
    await this.#within(graceMs);
  }

  /** Resolves when nothing is under way any more, or after the time. */
  async #within(ms: number): Promise<void> {
    const over = new AbortController();
    await Promise.race([this.#run, pause(ms, over.signal)]);
    over.abort();
  }

  /** Never rejects: the append's failure is a value. */
  async #append(): Promise<void> {
    const { append, onDropped, clock } = this.#options;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const error = await append(batch);
      for (const { bytes } of batch) this.#bytes -= bytes;
      if (error === null) this.#workedMs = clock();
      else onDropped(batch, `${error.code}: ${error.message}`);
    }
  }

  /** Resolves when nothing is under way any more. */
  async drained(): Promise<void> {
    while (this.#run !== null) await this.#run;
  }
}
