// Trouble told once per cause with a count, not once per car: a thousand cars that lose their connection at once are one
// line, and what was only counted is told when the quiet time is over.
import { printable } from './printable.ts';
import type { Clock } from './service.ts';

/** Causes told apart; what goes beyond is told under one common name. */
const MAX_CAUSES = 64;
const MAX_MESSAGE = 1000;
const OTHER = 'other';

interface Told {
  atMs: number;
  more: number;
  total: number;
  message: string;
  waits: boolean;
}

export interface WarningsOptions {
  readonly warn: (line: string) => void;
  readonly clock: Clock;
  /** How long a cause that was told is only counted, ms. Default 10,000. */
  readonly quietMs?: number;
  /** Calls back after a time; it must not keep the process alive. */
  readonly later?: (ms: number, call: () => void) => void;
}

export class Warnings {
  readonly #causes = new Map<string, Told>();
  readonly #warn: (line: string) => void;
  readonly #clock: Clock;
  readonly #quietMs: number;
  readonly #later: (ms: number, call: () => void) => void;
  #over = false;

  constructor({ warn, clock, quietMs = 10_000, later }: WarningsOptions) {
    this.#warn = warn;
    this.#clock = clock;
    this.#quietMs = quietMs;
    this.#later = later ?? ((ms, call) => void setTimeout(call, ms).unref());
  }

  /** Tells `message` when its cause is new or was quiet long enough; counts it otherwise, and tells the count later. */
  report(cause: string, message: string): void {
    const nowMs = this.#clock();
    const key = this.#keyOf(cause, nowMs);
    const told = this.#causes.get(key);
    const line = printable(message, MAX_MESSAGE);
    if (!told) {
      this.#causes.set(key, { atMs: nowMs, more: 0, total: 1, message: line, waits: false });
      this.#warn(line);
      return;
    }
    told.total += 1;
    if (nowMs - told.atMs >= this.#quietMs) {
      this.#warn(told.more === 0 ? line : `${line} (${told.more} more of this kind before)`);
      Object.assign(told, { atMs: nowMs, more: 0, message: line });
      return;
    }
    told.more += 1;
    told.message = line;
    if (told.waits || this.#over) return;
    told.waits = true;
    this.#later(this.#quietMs - (nowMs - told.atMs), () => this.#tellCount(told));
  }

  #tellCount(told: Told): void {
    told.waits = false;
    if (told.more === 0 || this.#over) return;
    this.#warn(`${told.message} (${told.more} of this kind were not told one by one)`);
    told.more = 0;
    told.atMs = this.#clock();
  }

  /** A cause has a place of its own while there is room; one that has long been quiet makes room. */
  #keyOf(cause: string, nowMs: number): string {
    if (this.#causes.has(cause) || this.#causes.size < MAX_CAUSES) return cause;
    for (const [known, { atMs, more }] of this.#causes) {
      if (known === OTHER || more > 0 || nowMs - atMs < 6 * this.#quietMs) continue;
      this.#causes.delete(known);
      return cause;
    }
    return OTHER;
  }

  /** How often each cause came that still has its place. */
  totals(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#causes].map(([cause, { total }]) => [cause, total]));
  }

  /** Tells what was only counted so far; for the end of a service. */
  flush(): void {
    this.#over = true;
    for (const { more, message } of this.#causes.values())
      if (more > 0) this.#warn(`${message} (${more} of this kind were not told one by one)`);
    this.#causes.clear();
  }
}
