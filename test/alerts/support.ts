// What the tests of the alerts room share: scores with chosen strangeness, a real embedded log, a champion that can change.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChampionSource } from '../../alerts/champions.ts';
import type { Champion } from '../../alerts/reign.ts';
import { type TokenStore, type TokensFile, tokenStore } from '../../alerts/tokens.ts';
import type { Catalogue } from '../../core/catalogue.ts';
import type { Alert, Score } from '../../core/events.ts';
import { createFixedTopics, topicSpec } from '../../core/log/create-topics.ts';
import { openEmbeddedLog } from '../../core/log/embedded.ts';
import type { Log } from '../../core/log/log.ts';
import { Metrics } from '../../core/metrics.ts';
import { HYSTERESIS } from '../../core/model/hysteresis.ts';
import { alertsTopic, scoresTopic } from '../../core/topics.ts';

export const CATALOGUE: Catalogue = {
  name: 'test',
  version: 1,
  signals: [
    { name: 'coolantC', unit: '°C', min: -40, max: 215, label: 'coolant temperature' },
    { name: 'batteryV', unit: 'V', min: 0, max: 20, label: 'battery voltage' },
    { name: 'lambda', unit: '', min: 0, max: 2 },
  ],
};

/** Grants every car, and breaking them. */
export const ALL = 'token-for-everything';
/** Grants every car to look at. */
export const WATCH = 'token-that-only-looks';
/** Grants CAR1 and CAR2. */
export const FAMILY = 'token-for-two-cars';
/** The secret of the cars' own tokens. */
export const SECRET = 'a secret of at least thirty-two letters';

export const TOKENS = tokenStore({
  tokens: [
    { token: ALL, name: 'operator', vins: '*', control: true },
    { token: WATCH, name: 'watcher', vins: '*' },
    { token: FAMILY, name: 'family', vins: ['CAR1', 'CAR2'], control: true },
  ],
  carSecret: SECRET,
});

/** A token store whose file the test changes by hand. */
export function changingTokens(first: TokensFile): TokenStore & { set(next: TokensFile): void } {
  let store = tokenStore(first);
  let generation = 0;
  return {
    grantOf: (token) => store.grantOf(token),
    generation: () => generation,
    set: (next) => {
      store = tokenStore(next);
      generation += 1;
    },
  };
}

/** What every server of the tests is told: a free port of this machine, the time as it is, the tokens above. */
export const serverOn = (log: Log, warn: (line: string) => void = () => undefined) => ({
  ...{ log, warn, host: '127.0.0.1', port: 0 },
  ...{ tokens: TOKENS, metrics: new Metrics(), clock: Date.now },
});

/** A minute after the epoch's 1,700,000,000th second: an arbitrary event time to count from. */
export const T0 = 1_700_000_060_000;

/** A score of this ratio (alerts/ratio.ts) to its threshold of 5, blamed on a coolant at 118 where 92 was expected. */
export function makeScore(vin: string, second: number, ratio: number, more: Partial<Score> = {}): Score {
  return {
    vin,
    seq: second,
    ts: T0 + second * 1000,
    partition: 0,
    offset: second,
    model: 'm1',
    score: 5 * Math.sqrt(ratio),
    threshold: 5,
    late: false,
    values: [118, 13.9, null],
    expected: [92, 14.1, 1],
    top: [
      { signal: 'coolantC', value: 118, expected: 92, share: 0.8 },
      { signal: 'batteryV', value: 13.9, expected: 14.1, share: 0.05 },
    ],
    ...more,
  };
}

export interface TempLog {
  readonly log: Log;
  readonly dir: string;
  readonly warnings: string[];
  open(): Log;
  close(): Promise<void>;
}

/** A fresh embedded log with the fixed topics in a folder of its own. */
export async function tempLog(partitions = 3): Promise<TempLog> {
  const dir = await mkdtemp(join(tmpdir(), 'telltale-alerts-'));
  const warnings: string[] = [];
  const warn = (line: string) => warnings.push(line);
  const opened: Log[] = [];
  const open = () => {
    const log = openEmbeddedLog({ dir, prefix: '', clock: Date.now, warn });
    opened.push(log);
    return log;
  };
  const log = open();
  await createFixedTopics(log, partitions);
  return {
    log,
    dir,
    warnings,
    open,
    close: async () => {
      for (const each of opened) await each.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Scores as scoring writes them, or with `former` as it once did: one to a record, as JSON. */
export async function appendScores(
  log: Log,
  scores: readonly Score[],
  timestampMs?: number,
  former = false,
): Promise<void> {
  const [first] = scores;
  if (!first) return;
  const topic = scoresTopic(first.model);
  const partitions = (await log.ranges('telemetry')).length;
  await log.createTopic(topicSpec(topic, partitions));
  const time = timestampMs === undefined ? {} : { timestampMs };
  const receivedTs = timestampMs ?? Date.now();
  await log.append(
    topic.name,
    scores.map((score) => ({
      key: score.vin,
      value: former ? Buffer.from(JSON.stringify(score)) : topic.encode([{ receivedTs, ...score }]),
      ...time,
    })),
  );
}

let made = 0;

/** An alert phase; each call without an id makes a new alert. */
export function makeAlert(vin: string, more: Partial<Alert> = {}): Alert {
  made += 1;
  return {
    alertId: `${vin}:m1:0-${made}`,
    vin,
    phase: 'raised',
    severity: 'warning',
    ts: T0 + made,
    raisedTs: T0 + made,
    model: 'm1',
    score: 9,
    threshold: 5,
    top: [],
    reason: 'coolant temperature too high: 118 °C, expected about 92 °C',
    ...more,
  };
}

export const appendAlerts = (log: Log, alerts: readonly Alert[]): Promise<void> =>
  log.append(
    alertsTopic.name,
    alerts.map((alert) => ({ key: alert.vin, value: alertsTopic.encode(alert) })),
  );

/** All alerts that stand in the log, partition by partition. */
export async function alertsIn(log: Log): Promise<Alert[]> {
  const found: Alert[] = [];
  for await (const { records } of log.read(alertsTopic.name, { to: 'end' }))
    for (const { value } of records) if (value) found.push(alertsTopic.decode(value));
  return found;
}

export const champion = (version: string, sinceMs: number): Champion => ({
  version,
  sinceMs,
  catalogue: CATALOGUE,
  hysteresis: HYSTERESIS,
});

/** A champion that the test changes by hand. */
export function championSource(first: Champion | null): ChampionSource & { set(next: Champion): void } {
  let current = first;
  const listeners = new Set<() => void>();
  return {
    current: () => current,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set: (next) => {
      current = next;
      for (const listener of [...listeners]) listener();
    },
  };
}
