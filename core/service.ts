// What every command gets from main, and how a service runs: started, supervised with a bound, stopped in reverse order.
import { isRetryable, messageOf } from './errors.ts';
import type { Metrics } from './metrics.ts';

/** Milliseconds since the epoch; a parameter everywhere, so that tests own the time. */
export type Clock = () => number;

/** The world outside a command: everything it may touch besides its settings. */
export interface Context {
  /** Aborted by Ctrl-C or SIGTERM: finish what is under way, then return. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** One line for the person (stdout). */
  readonly say: (line: string) => void;
  /** One line about trouble (stderr). */
  readonly warn: (line: string) => void;
}

/** Something that was started and can be stopped; `done` rejects when it fails on its own. */
export interface Service {
  readonly name: string;
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

export interface SuperviseOptions {
  readonly name: string;
  readonly signal: AbortSignal;
  readonly warn: (line: string) => void;
  /** Attempts in a row that may fail before the error is final. Default 20. */
  readonly maxFailures?: number;
  /** An attempt that lasted this long counts as a recovery. Default 30 s. */
  readonly healthyMs?: number;
  readonly clock: Clock;
}

/** Resolves after `ms`, at once when the signal aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Runs `attempt` until it returns; retries it after retryable errors with backoff (100 ms doubling to 5 s) and a bound. */
export async function supervise(options: SuperviseOptions, attempt: () => Promise<void>): Promise<void> {
  const { name, signal, warn, clock, maxFailures = 20, healthyMs = 30_000 } = options;
  let failures = 0;
  while (!signal.aborted) {
    const startedMs = clock();
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) return;
      if (clock() - startedMs >= healthyMs) failures = 0;
      failures += 1;
      if (!isRetryable(error) || failures >= maxFailures) throw error;
      const waitMs = Math.min(5000, 100 * 2 ** (failures - 1));
      warn(`${name}: ${messageOf(error)}; trying again in ${waitMs} ms (${failures} of ${maxFailures})`);
      await pause(waitMs, signal);
    }
  }
}
