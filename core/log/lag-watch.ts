// Watches how far a consumer group is behind: not how much waits at one moment, which says little, but whether it moves at
// all and whether the heap grows.
import { messageOf, TelltaleError } from '../errors.ts';
import { type Health, healthOf, since } from '../health.ts';
import type { Clock } from '../service.ts';
import type { Log } from './log.ts';

/** Between two looks. */
const LOOK_MS = 5000;
/** Looks in a row in which more waited each time. */
const GROWING_LOOKS = 6;
/** Fewer records than this are no heap, unless they are said to be large ones. */
const MIN_GROWING = 1000;
/** Without a record consumed for so long, while some wait, it stands still. */
const STALLED_MS = 30_000;

export interface LagWatchOptions {
  readonly log: Pick<Log, 'committed' | 'ranges'>;
  /** Null while there is nothing to watch. */
  readonly target: () => { readonly group: string; readonly topic: string } | null;
  readonly clock: Clock;
  /** Of what: `events not yet scored`. */
  readonly what: string;
  /** Records that are a heap when they grow in number: fewer where each holds many events. Default 1,000. */
  readonly minGrowing?: number;
}

export class LagWatch {
  readonly #options: LagWatchOptions;
  #group = '';
  #lag = 0;
  #consumed = -1;
  #movedMs = 0;
  #grew = 0;
  #unreadable = '';

  constructor(options: LagWatchOptions) {
    this.#options = options;
  }

  /** Looks now and every few seconds until the signal aborts. */
  start(signal: AbortSignal): void {
    let looking = false;
    const look = () => {
      if (looking) return;
      looking = true;
      void this.look().finally(() => {
        looking = false;
      });
    };
    const timer = setInterval(look, LOOK_MS);
    timer.unref();
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
    look();
  }

  /** One look. Never rejects: a log that cannot be asked is a finding. */
  async look(): Promise<void> {
    const { log, target, clock } = this.#options;
    const watched = target();
    this.#unreadable = '';
    if (watched === null) return;
    try {
      const [ranges, committed] = await Promise.all([
        log.ranges(watched.topic),
        log.committed(watched.group, watched.topic),
      ]);
      const at = new Map(committed.map(({ partition, offset }) => [partition, offset]));
      let [lag, consumed] = [0, 0];
      for (const { partition, earliest, end } of ranges) {
        const offset = Math.max(earliest, at.get(partition) ?? earliest);
        lag += Math.max(0, end - offset);
        consumed += offset;
      }
      this.#take(watched.group, lag, consumed, clock());
    } catch (error) {
      // It is about to be made by whoever is watched.
      if (error instanceof TelltaleError && error.code === 'LOG_TOPIC_UNKNOWN') return;
      this.#unreadable = messageOf(error);
    }
  }

  #take(group: string, lag: number, consumed: number, nowMs: number): void {
    const moved = group !== this.#group || consumed !== this.#consumed || lag === 0 || this.#lag === 0;
    if (moved) this.#movedMs = nowMs;
    this.#grew = group === this.#group && lag > this.#lag ? this.#grew + 1 : 0;
    this.#group = group;
    this.#lag = lag;
    this.#consumed = consumed;
  }

  get health(): Health {
    const { clock, what, minGrowing = MIN_GROWING } = this.#options;
    if (this.#unreadable !== '') return healthOf([`the log cannot be asked: ${this.#unreadable}`]);
    const waiting = `${this.#lag.toLocaleString('en')} ${what}`;
    if (this.#lag > 0 && clock() - this.#movedMs >= STALLED_MS)
      return healthOf([`${waiting}, and none since ${since(this.#movedMs)}`]);
    if (this.#lag >= minGrowing && this.#grew >= GROWING_LOOKS)
      return healthOf([], [`${waiting}, and more each time`]);
    return healthOf([]);
  }
}
