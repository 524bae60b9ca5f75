// Which cars somebody looks at, told to whoever scores: their scores are then told in full (docs/design/0009). It goes
// through the log, as scoring may run in other processes on other machines, and holds for a minute, so that nobody has
// to say when he stops looking.
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log/log.ts';
import type { Clock } from '../core/service.ts';
import { WATCHED_MS, watchedTopic } from '../core/topics.ts';

/** Cars that one server has told in full at a time; a look at one more tells it as it is told to all. */
export const MAX_WATCHED = 1000;
/** Told anew when less than this is left. */
const RENEW_MS = WATCHED_MS / 2;

export interface WatchingOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly warn: (line: string) => void;
}

export class Watching {
  readonly #options: WatchingOptions;
  /** Until when each is told to be watched. */
  readonly #until = new Map<string, number>();

  constructor(options: WatchingOptions) {
    this.#options = options;
  }

  /** Somebody looks at this car now. */
  look(vin: string): void {
    const { log, clock, warn } = this.#options;
    const nowMs = clock();
    if ((this.#until.get(vin) ?? 0) - nowMs > RENEW_MS) return;
    if (this.#until.size >= MAX_WATCHED && !this.#makeRoom(nowMs)) return;
    const untilTs = nowMs + WATCHED_MS;
    this.#until.set(vin, untilTs);
    log
      .append(watchedTopic.name, [{ key: vin, value: watchedTopic.encode({ vin, untilTs }) }])
      .catch((error: unknown) => {
        // The next look tries again.
        this.#until.delete(vin);
        warn(`a car that is looked at is not told in full: ${messageOf(error)}`);
      });
  }

  #makeRoom(nowMs: number): boolean {
    for (const [vin, untilMs] of this.#until) if (untilMs <= nowMs) this.#until.delete(vin);
    return this.#until.size < MAX_WATCHED;
  }
}
