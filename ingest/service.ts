// The ingest service: broker and bridge over a log that is already open, started and stopped in order. The demo runs it
// in its own process, `telltale ingest` alone in one.
import type { Catalogue } from '../core/catalogue.ts';
import { type Health, healthOf, since } from '../core/health.ts';
import { createFixedTopics } from '../core/log/create-topics.ts';
import type { Log } from '../core/log/log.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Clock, Service } from '../core/service.ts';
import { deadLettersTopic } from '../core/topics.ts';
import { Warnings } from '../core/warnings.ts';
import { Bridge, type BridgeStats } from './bridge.ts';
import { startBroker } from './broker.ts';
import { TIME_BOUNDS, type TimeBounds } from './plausible-time.ts';
import { Takeovers } from './takeovers.ts';

export interface IngestOptions {
  readonly log: Pick<Log, 'append' | 'createTopic'>;
  readonly catalogue: Catalogue;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Partitions of topics keyed by car, when they are created here. */
  readonly partitions: number;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly warn: (line: string) => void;
  /** How far event times may be from their receipt. Default: 400 days before it, 10 minutes after it. */
  readonly timeBounds?: TimeBounds;
  /** Default '': none is asked. */
  readonly password?: string;
  /** Default 19,000. */
  readonly maxConnections?: number;
  /** Events that may wait for the log, bytes. Default 64 MiB. */
  readonly maxHeldBytes?: number;
  /** How long a failing append is tried again before messages are given back unacknowledged, ms. Default 30,000. */
  readonly retryMs?: number;
  /** Pause between two batches, in which messages gather, ms. Default 5. */
  readonly tickMs?: number;
}

export interface IngestStats extends BridgeStats {
  readonly connections: number;
  /** True while connections are not read because too much waits for the log. */
  readonly holding: boolean;
}

export interface Ingest extends Service {
  readonly port: number;
  stats(): IngestStats;
  /** Whether cars are acknowledged, and what else an operator should know. */
  health(): Health;
}

/** Starts ingest. @throws TelltaleError PORT_IN_USE, MQTT_UNAVAILABLE, or what creating topics throws */
export async function startIngest(options: IngestOptions): Promise<Ingest> {
  const { log, clock, metrics, warn } = options;
  await createFixedTopics(log, options.partitions);
  const trouble = new Warnings({ warn, clock });
  const end = Promise.withResolvers<void>();
  // A service that is stopped, not awaited, must not end the process by an unheard rejection; who awaits `done` hears it.
  end.promise.catch(() => undefined);
  let holding = false;
  const bridge = new Bridge({
    ...options,
    trouble,
    timeBounds: options.timeBounds ?? TIME_BOUNDS,
    maxHeldBytes: options.maxHeldBytes ?? 64 * 1024 * 1024,
    onFull: (full) => {
      holding = full;
      broker.hold(full);
      if (full) trouble.report('held', 'ingest: the log is slower than the cars: connections wait');
    },
    onFatal: (error) => end.reject(error),
  });
  const connectionsGauge = metrics.gauge('telltale_ingest_connections');
  const refused = metrics.counter('telltale_ingest_refused_total');
  const takenOver = metrics.counter('telltale_ingest_takeovers_total');
  const maxConnections = options.maxConnections ?? 19_000;
  const broker = await startBroker({
    host: options.host,
    port: options.port,
    password: options.password ?? '',
    maxConnections,
    trouble,
    takeovers: new Takeovers(trouble, clock),
    onRefused: (cause) => refused.inc({ cause }),
    onTakeover: () => takenOver.inc(),
    accept: (client, packet, done) => bridge.accept(client, packet, done),
    onConnections: (count) => connectionsGauge.set(count),
  });
  return {
    name: 'ingest',
    port: broker.port,
    done: end.promise,
    health: () => healthOfIngest(bridge, { holding, full: broker.connections >= maxConnections }),
    stats: () => ({ ...bridge.stats, connections: broker.connections, holding }),
    stop: async () => {
      broker.quiesce();
      bridge.giveUp();
      await bridge.drained();
      await broker.close();
      // A last will of a car is a message like any other, sent when its connection is closed.
      await bridge.drained();
      trouble.flush();
      end.resolve();
    },
  };
}

function healthOfIngest(bridge: Bridge, { holding, full }: { holding: boolean; full: boolean }): Health {
  const failing = bridge.failing();
  const telling = (what: string, { sinceMs, why }: { sinceMs: number; why: string }) =>
    `${what} since ${since(sinceMs)}: ${why}`;
  const down = failing
    .filter(({ topic }) => topic !== deadLettersTopic.name)
    .map((one) => telling(`no car is acknowledged (${one.topic})`, one));
  const letters = failing.find(({ topic }) => topic === deadLettersTopic.name);
  return healthOf(down, [
    ...(letters ? [telling('dead letters are not written', letters)] : []),
    ...(bridge.stats.lettersDropped > 0
      ? [`dead letters that are lost: ${bridge.stats.lettersDropped}`]
      : []),
    ...(holding ? ['the log is slower than the cars: connections wait'] : []),
    ...(full ? ['every connection is taken: new cars are closed'] : []),
  ]);
}
