// Whether the cars are watched at this moment: the answer to "does no alert mean that all is well?". It is told with every
// heartbeat of the feed, every picture of the page and every list of alerts, so that a dead stream never looks like a calm one.
import { TelltaleError } from '../core/errors.ts';
import type { Log } from '../core/log/log.ts';
import { type Clock, pause } from '../core/service.ts';
import { telemetryTopic } from '../core/topics.ts';
import type { CarFilter } from './car-filter.ts';
import type { Twin } from './twin.ts';
import type { StreamStatus } from './wire.ts';

export interface StreamWatchOptions {
  readonly log: Log;
  /** The twin of the present champion; null while no model has been released. */
  readonly twin: () => Twin | null;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const LOOK_MS = 1000;

export class StreamWatch {
  readonly #options: StreamWatchOptions;
  /** Cars send, but what they send is not scored. */
  #unscored = false;
  readonly #startedMs: number;
  /** When scores last came to the twin, and how many had come by then. */
  #arrived: { applied: number; atMs: number } = { applied: -1, atMs: 0 };

  constructor(options: StreamWatchOptions) {
    this.#options = options;
    this.#startedMs = options.clock();
    void this.#look();
  }

  /** Once a second; reads the log only while no scores come. */
  async #look(): Promise<void> {
    const { signal, twin: twinOf, clock } = this.#options;
    while (!signal.aborted) {
      const twin = twinOf();
      const nowMs = clock();
      if (twin !== null && twin.applied !== this.#arrived.applied)
        this.#arrived = { applied: twin.applied, atMs: nowMs };
      const late = twin !== null && nowMs - (twin.newestMs ?? 0) > twin.staleMs;
      this.#unscored = late && (await this.#telemetrySince(twin.newestMs ?? 0));
      await pause(LOOK_MS, signal);
    }
  }

  /** True when events came in after the newest one that was scored. */
  async #telemetrySince(newestMs: number): Promise<boolean> {
    const { log } = this.#options;
    try {
      const ends = await log.ranges(telemetryTopic.name);
      const later = await log.offsetsAt(telemetryTopic.name, newestMs + 1);
      const endOf = new Map(ends.map(({ partition, end }) => [partition, end]));
      return later.some(({ partition, offset }) => offset < (endOf.get(partition) ?? 0));
    } catch (error) {
      // The log is away, or closed: then nothing comes, and that is said already.
      if (error instanceof TelltaleError) return false;
      throw error;
    }
  }

  /** What is true for these cars. */
  of(filter: CarFilter): StreamStatus {
    const { twin: twinOf, clock } = this.#options;
    const nowMs = clock();
    const twin = twinOf();
    if (twin === null) return { state: 'learning', sinceMs: null, cars: 0, silent: 0 };
    const { total: cars, silent, newestMs } = twin.tiles(nowMs, filter, 0, 0);
    const own = filter.vins === null ? twin.newestMs : newestMs;
    const state = this.#stateOf(twin, nowMs, silent === cars);
    // What came before the start says nothing of now: that nothing comes is known only after a while.
    const comes = twin.newestMs !== null && nowMs - twin.newestMs <= twin.staleMs;
    const waits = !comes && (state === 'silent' || state === 'unscored');
    const isEarly = waits && nowMs - this.#startedMs <= twin.staleMs;
    return { state: isEarly ? 'starting' : state, sinceMs: own, cars, silent };
  }

  #stateOf(twin: Twin, nowMs: number, allSilent: boolean): StreamStatus['state'] {
    if (twin.newestMs === null) return this.#unscored ? 'unscored' : 'silent';
    if (nowMs - twin.newestMs <= twin.staleMs) return allSilent ? 'silent' : 'live';
    if (nowMs - this.#arrived.atMs <= twin.staleMs && this.#unscored) return 'behind';
    return this.#unscored ? 'unscored' : 'silent';
  }
}
