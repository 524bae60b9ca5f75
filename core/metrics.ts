// The metrics of all services in one table, so that the reference page and a test can hold them. A registry is made per
// process (or per test) and passed in; nothing is global.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

type MetricSpec = {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels?: readonly string[];
  /** Upper bounds, for histograms. */
  readonly buckets?: readonly number[];
};

const LATENCY_MS = [1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 1000, 2000, 5000, 10_000] as const;

export const METRICS = {
  telltale_ingest_events_total: {
    type: 'counter',
    help: 'Events accepted into telemetry (durable and acknowledged)',
  },
  telltale_ingest_dead_letters_total: {
    type: 'counter',
    help: 'Messages sent to dead-letters',
    labels: ['reason'],
  },
  telltale_ingest_letters_dropped_total: {
    type: 'counter',
    help: 'Dead letters lost because the log did not take them',
  },
  telltale_ingest_refused_total: {
    type: 'counter',
    help: 'Connections and packets that the broker refused',
    labels: ['cause'],
  },
  telltale_ingest_takeovers_total: {
    type: 'counter',
    help: 'Connections closed because another came with the same client id',
  },
  telltale_ingest_readings_total: {
    type: 'counter',
    help: 'Readings of accepted events that are taken as missing; signal is empty for names outside the catalogue',
    labels: ['reason', 'signal'],
  },
  telltale_ingest_odd_events_total: {
    type: 'counter',
    help: 'Events accepted that have fields nobody reads (unknown-field), or no reading at all (no-reading)',
    labels: ['reason'],
  },
  telltale_ingest_connections: { type: 'gauge', help: 'MQTT connections open' },
  telltale_ingest_append_ms: {
    type: 'histogram',
    help: 'From PUBLISH received to durable in the log',
    buckets: LATENCY_MS,
  },
  telltale_scoring_events_total: { type: 'counter', help: 'Events scored' },
  telltale_scoring_duplicates_total: {
    type: 'counter',
    help: 'Redelivered events recognised and not scored again',
  },
  telltale_scoring_restarts_total: {
    type: 'counter',
    help: "Cars' counters that began anew: told from redeliveries, scored on",
  },
  telltale_scoring_forgotten_total: {
    type: 'counter',
    help: 'Events from before what is remembered of their car: not scored, as they may have been',
  },
  telltale_scoring_late_total: {
    type: 'counter',
    help: 'Events later than the stated lateness: scored, left out of state',
  },
  telltale_scoring_invalid_total: {
    type: 'counter',
    help: 'Telemetry records that cannot be read: passed over',
  },
  telltale_scoring_state_bytes_total: { type: 'counter', help: "Bytes of snapshots of cars' states written" },
  telltale_scoring_replayed_total: {
    type: 'counter',
    help: 'Events read again, without output, to bring cars from their snapshots to where scoring goes on',
  },
  telltale_scoring_lag: { type: 'gauge', help: 'Telemetry events not yet scored', labels: ['model'] },
  telltale_alerts_total: { type: 'counter', help: 'Alert phases written', labels: ['phase'] },
  telltale_alerts_lag: {
    type: 'gauge',
    help: 'Records of scores the alert policy has not seen yet; each holds the scores of a batch',
  },
  telltale_alerts_delay_ms: {
    type: 'histogram',
    help: 'From an event taken in to the alert that it raised',
    buckets: LATENCY_MS,
  },
  telltale_http_refused_total: {
    type: 'counter',
    help: 'Visitors of the page, REST and feed that were refused',
    labels: ['cause'],
  },
  telltale_feed_clients: { type: 'gauge', help: 'WebSocket clients connected' },
  telltale_feed_messages_total: { type: 'counter', help: 'Alerts sent to WebSocket clients' },
  telltale_feed_slow_clients_total: {
    type: 'counter',
    help: 'Clients disconnected because their queue was full',
  },
} as const satisfies Record<string, MetricSpec>;

type NamesOf<K extends MetricSpec['type']> = {
  [N in keyof typeof METRICS]: (typeof METRICS)[N]['type'] extends K ? N : never;
}[keyof typeof METRICS];

/** A process's metrics: made on first use, shown by `text()` in the Prometheus format. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #made = new Map<string, Counter | Gauge | Histogram>();

  #get<M extends Counter | Gauge | Histogram>(name: string, make: () => M): M {
    const known = this.#made.get(name);
    if (known) return known as M;
    const metric = make();
    this.#made.set(name, metric);
    return metric;
  }

  counter(name: NamesOf<'counter'>): Counter {
    const { help, labels } = METRICS[name] as MetricSpec;
    return this.#get(
      name,
      () => new Counter({ name, help, labelNames: [...(labels ?? [])], registers: [this.#registry] }),
    );
  }

  gauge(name: NamesOf<'gauge'>): Gauge {
    const { help, labels } = METRICS[name] as MetricSpec;
    return this.#get(
      name,
      () => new Gauge({ name, help, labelNames: [...(labels ?? [])], registers: [this.#registry] }),
    );
  }

  histogram(name: NamesOf<'histogram'>): Histogram {
    const { help, labels, buckets } = METRICS[name] as MetricSpec;
    return this.#get(
      name,
      () =>
        new Histogram({
          name,
          help,
          labelNames: [...(labels ?? [])],
          buckets: [...(buckets ?? [])],
          registers: [this.#registry],
        }),
    );
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
