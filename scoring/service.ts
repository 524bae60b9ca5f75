// The scoring service: follows the releases and scores for champion and challenger, each by a loop of its own into its own
// topic. A model that cannot be used is refused with its reason; the others go on.
import type { Catalogue } from '../core/catalogue.ts';
import { counted } from '../core/counted.ts';
import { messageOf, TelltaleError } from '../core/errors.ts';
import { type Health, healthOf } from '../core/health.ts';
import { LagWatch } from '../core/log/lag-watch.ts';
import type { Log } from '../core/log/log.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Backend } from '../core/model/backend.ts';
import { bundleLayers, type ModelBundle } from '../core/model/bundle.ts';
import { checkKernel } from '../core/model/check.ts';
import { createDetector, type Detector } from '../core/model/detector.ts';
import { followReleases, type ModelInCharge, type ReleaseFollower } from '../core/model/releases.ts';
import { type Clock, type Service, supervise } from '../core/service.ts';
import { telemetryTopic } from '../core/topics.ts';
import { runLoop, scorerGroup } from './loop.ts';
import type { Restored } from './restore.ts';
import { followWatched } from './watched.ts';

const REPLAY_TOLD = 10_000;

export interface ScoringOptions {
  readonly log: Log;
  readonly catalogue: Catalogue;
  readonly backend: Backend;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly stateBytes?: number;
  readonly say: (line: string) => void;
  readonly warn: (line: string) => void;
}

/** A bundle made ready, its kernel held to TensorFlow.js. @throws TelltaleError MODEL_INVALID */
export function readyDetector(bundle: ModelBundle, backend: Backend, source: string): Detector {
  checkKernel(backend.tf, bundleLayers(bundle), source);
  return createDetector(bundle);
}

interface Running {
  readonly stop: AbortController;
  readonly lag: LagWatch;
  readonly done: Promise<void>;
}

export interface Scoring extends Service {
  readonly releases: ReleaseFollower;
  versions(): string[];
  /** Whether events are scored: of the champion, and of the challenger while there is one. */
  health(): Readonly<Record<string, Health>>;
}

/** Starts scoring for whatever is, and will be, champion or challenger. */
export async function startScoring(options: ScoringOptions): Promise<Scoring> {
  const { log, catalogue, warn, clock } = options;
  const end = new AbortController();
  const releases = await followReleases({ log, catalogue, warn, clock, signal: end.signal });
  const { isWatched, done: watching } = followWatched({ log, clock, warn, signal: end.signal });
  const running = new Map<string, Running>();
  const refused = new Set<string>();
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });

  const start = ({ version, bundle }: ModelInCharge) => {
    let detector: Detector;
    try {
      detector = readyDetector(bundle, options.backend, `model ${version}`);
    } catch (error) {
      if (!(error instanceof TelltaleError)) throw error;
      refused.add(version);
      warn(`${messageOf(error)}; it is refused, what was in charge goes on`);
      return;
    }
    const stop = new AbortController();
    const name = `scorer ${version}`;
    const { metrics, stateBytes } = options;
    const onRestored = (partition: number, { replayed }: Restored) => {
      // What takes no time is nobody's news.
      if (replayed >= REPLAY_TOLD)
        options.say(`${name}: partition ${partition} taken over, ${counted(replayed, 'event')} read again`);
    };
    const done = supervise({ name, signal: stop.signal, warn, clock }, () =>
      runLoop({
        ...{ log, version, detector, metrics, warn, signal: stop.signal, onRestored, isWatched },
        ...(stateBytes === undefined ? {} : { stateBytes }),
      }),
    );
    done.catch(fail);
    const lag = new LagWatch({
      ...{ log, clock, what: 'events are not scored yet' },
      target: () => ({ group: scorerGroup(version), topic: telemetryTopic.name }),
    });
    lag.start(stop.signal);
    running.set(version, { stop, done, lag });
    options.say(`${name}: started (threshold ${bundle.threshold}, ${detector.statistics.length} statistics)`);
  };

  const adjust = () => {
    if (end.signal.aborted) return;
    const wanted = [releases.current(), releases.challenger()].filter((model) => model !== null);
    for (const [version, { stop }] of running) {
      if (wanted.some((model) => model.version === version)) continue;
      stop.abort();
      running.delete(version);
      options.say(`scorer ${version}: stopped, it is neither champion nor challenger`);
    }
    for (const model of wanted) if (!running.has(model.version) && !refused.has(model.version)) start(model);
  };

  const unlisten = releases.onChange(adjust);
  adjust();
  const stopped = new Promise<void>((resolve) => {
    end.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const done = Promise.race([stopped, failed, releases.done, watching]);
  done.catch(() => {});
  return {
    name: 'scoring',
    done,
    releases,
    versions: () => [...running.keys()],
    health: () => {
      const why =
        refused.size > 0 ? `${[...refused].join(', ')} cannot be used` : 'no model is in charge yet';
      if (running.size === 0) return { score: healthOf([why]) };
      return Object.fromEntries([...running].map(([version, { lag }]) => [`scorer ${version}`, lag.health]));
    },
    stop: async () => {
      unlisten();
      end.abort();
      for (const { stop } of running.values()) stop.abort();
      await Promise.allSettled([...[...running.values()].map((one) => one.done), releases.done, watching]);
    },
  };
}
