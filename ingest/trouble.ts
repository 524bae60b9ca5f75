// Trouble told once per cause with a count, not once per car: a thousand cars that lose their connection at once are
// one line.
import type { Clock } from '../core/service.ts';

/** Causes told apart; what goes beyond is told under one common name. */
const MAX_CAUSES = 64;

interface Told {
  atMs: number;
  more: number;
  message: string;
}

export class Trouble {
  readonly #causes = new Map<string, Told>();
  readonly #warn: (line: string) => void;
  readonly #clock: Clock;
  readonly #quietMs: number;

  /** @param quietMs how long a cause that was told is only counted, ms */
  constructor(warn: (line: string) => void, clock: Clock, quietMs = 10_000) {
    this.#warn = warn;
    this.#clock = clock;
    this.#quietMs = quietMs;
  }

  /** Tells `message` when its cause is new or was quiet long enough; counts it otherwise. */
  report(cause: string, message: string): void {
    const key = this.#causes.has(cause) || this.#causes.size < MAX_CAUSES ? cause : 'other';
    const nowMs = this.#clock();
    const told = this.#causes.get(key);
    if (!told) {
      this.#causes.set(key, { atMs: nowMs, more: 0, message });
      this.#warn(message);
    } else if (nowMs - told.atMs < this.#quietMs) {
      told.more += 1;
      told.message = message;
    } else {
      this.#warn(told.more === 0 ? message : `${message} (${told.more} more of this kind before)`);
      this.#causes.set(key, { atMs: nowMs, more: 0, message });
    }
  }

  /** Tells what was only counted so far. */
  flush(): void {
    for (const { more, message } of this.#causes.values())
      if (more > 0) this.#warn(`${message} (${more} of this kind were not told one by one)`);
    this.#causes.clear();
  }
}
