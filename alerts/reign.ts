// One reign of one champion: `scores.<model>` → `alerts`, as a transform, from the moment the model took charge.
//
// A reign is named by the model and the time of the alias record, so a model that comes back later starts where it comes
// back, with nothing of its former reign. It starts at that ingest time: scores from before only warm the windows up, so a
// model scored over a year of history raises no storm. Alerts the former champion left open are taken over under their own
// ids: the phone is neither called twice nor left with an alert that nobody ends.
import type { Catalogue } from '../core/catalogue.ts';
import { messageOf, TelltaleError } from '../core/errors.ts';
import type { Alert, Score } from '../core/events.ts';
import { topicSpec } from '../core/log/create-topics.ts';
import type { Log, OutputRecord, RecordBatch } from '../core/log/log.ts';
import type { Metrics } from '../core/metrics.ts';
import { checkHysteresis, type Hysteresis, isStrange } from '../core/model/hysteresis.ts';
import type { ScoreCursor } from '../core/score-cursor.ts';
import type { Clock } from '../core/service.ts';
import { alertsTopic, policyStateTopic, scoreCursor, scoresTopic, telemetryTopic } from '../core/topics.ts';
import type { AlertView } from './alert-index.ts';
import { openAlerts } from './open-alerts.ts';
import {
  adoptAlert,
  type CarPolicy,
  isBlank,
  NEW_CAR,
  POLICY_DEFAULTS,
  type PolicyOptions,
  stepPolicy,
  supersededAlert,
} from './policy.ts';
import { decodeCar, encodeCar } from './policy-state.ts';
import { reasonsOf } from './reason.ts';

/** What the policy needs to know of the champion. */
export interface Champion {
  readonly version: string;
  /** When it took charge: the alias record's time, ms. */
  readonly sinceMs: number;
  readonly catalogue: Catalogue;
  readonly hysteresis: Hysteresis;
  /** How often a car usually speaks and which silence is a break; the policy's own times where it is not known. */
  readonly bundle?: { readonly stepMs: number; readonly gapMs: number };
}

export interface ReignOptions {
  readonly log: Log;
  readonly champion: Champion;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly warn: (line: string) => void;
  readonly signal: AbortSignal;
  /** Ingest time before the reign whose scores fill the windows. Default 15 s. */
  readonly warmUpMs?: number;
  readonly policy?: Partial<PolicyOptions>;
}

/** When to look once more for alerts that a process wrote which had not heard of the new champion yet. */
const SECOND_LOOK_MS = 10_000;

interface PartitionState {
  /** Cars that are not as expected; the others need no memory. */
  readonly cars: Map<string, CarPolicy>;
  /** Open alerts found in the topic that no car of this reign has taken over yet. */
  readonly orphans: Map<string, AlertView[]>;
  /** Ids of this reign's own alerts: no orphans. Not needed after the second look. */
  readonly own: Set<string>;
  readonly assignedMs: number;
  lookedTo: number;
  lag: number;
  lookAgain: boolean;
}

/** The policy's times at the pace of the champion's data: a rig that speaks once an hour is not quiet after half a minute. */
function paceOf({ bundle }: Champion) {
  if (!bundle) return POLICY_DEFAULTS;
  return {
    ...POLICY_DEFAULTS,
    gapMs: bundle.gapMs,
    quietMs: Math.max(POLICY_DEFAULTS.quietMs, 5 * bundle.stepMs),
    maxQuietMs: Math.max(POLICY_DEFAULTS.maxQuietMs, 150 * bundle.stepMs),
    criticalAfterMs: Math.max(POLICY_DEFAULTS.criticalAfterMs, 100 * bundle.stepMs),
  };
}

/** The topics of a model that scoring and the policy meet in, partitioned as `telemetry` is; whoever comes first makes them. */
export async function createReignTopics(log: Log, version: string): Promise<void> {
  const partitions = (await log.ranges(telemetryTopic.name)).length;
  await log.createTopic(topicSpec(scoresTopic(version), partitions));
  await log.createTopic(topicSpec(policyStateTopic(version), partitions));
}

/** The consumer group of a champion's reign. */
export const policyGroup = ({ version, sinceMs }: Pick<Champion, 'version' | 'sinceMs'>): string =>
  `alerts.${version}.${sinceMs}`;

export class Reign {
  readonly #options: ReignOptions;
  readonly #policy: PolicyOptions;
  readonly #scores;
  readonly #cursor = scoreCursor();
  readonly #states;
  readonly #warmFromMs: number;
  readonly #partitions = new Map<number, PartitionState>();
  readonly group: string;

  constructor(options: ReignOptions) {
    const { champion, warmUpMs = 15_000 } = options;
    checkHysteresis(champion.hysteresis);
    this.#options = options;
    this.#scores = scoresTopic(champion.version);
    this.#states = policyStateTopic(champion.version);
    this.#warmFromMs = champion.sinceMs - warmUpMs;
    this.#policy = {
      ...paceOf(champion),
      hysteresis: champion.hysteresis,
      describe: reasonsOf(champion.catalogue),
      ...options.policy,
    };
    this.group = policyGroup(champion);
  }

  /** Runs until the signal aborts. @throws TelltaleError when the log fails past its bounds */
  async run(): Promise<void> {
    const { log, signal } = this.#options;
    await this.#prepare();
    await log.transform(
      this.#scores.name,
      {
        group: this.group,
        signal,
        onAssigned: (partition) => this.#assign(partition),
        onRevoked: (partition) => this.#partitions.delete(partition),
      },
      (batch) => this.#handle(batch),
    );
  }

  /** Its topics, and for a new reign a start near its first score: the records before it would be passed over one by one. */
  async #prepare(): Promise<void> {
    const { log, warn, champion } = this.#options;
    await createReignTopics(log, champion.version);
    try {
      if ((await log.committed(this.group, this.#scores.name)).length > 0) return;
      const start = await log.offsetsAt(this.#scores.name, this.#warmFromMs);
      await log.seek(this.group, this.#scores.name, start);
    } catch (error) {
      // Another process of the group is at it already. What comes too early is passed over by its time.
      if (!(error instanceof TelltaleError)) throw error;
      warn(`alerts: ${this.group}: starts without a seek: ${messageOf(error)}`);
    }
  }

  async #assign(partition: number): Promise<void> {
    const { log, champion, clock } = this.#options;
    const cars = new Map<string, CarPolicy>();
    for await (const { records } of log.read(this.#states.name, { partitions: [partition], to: 'end' })) {
      for (const { key, value } of records) {
        const car = value === null ? null : decodeCar(value, champion.sinceMs);
        if (car) cars.set(key, car);
        else cars.delete(key);
      }
    }
    const { views, next } = await openAlerts(log, partition, this.#options.warn);
    const own = new Set([...cars.values()].flatMap(({ open }) => (open ? [open.alertId] : [])));
    const state: PartitionState = {
      ...{ cars, orphans: new Map(), own, assignedMs: clock(), lookedTo: next, lookAgain: true, lag: 0 },
    };
    this.#orphan(state, views);
    this.#partitions.set(partition, state);
  }

  #orphan(state: PartitionState, views: ReadonlyMap<string, AlertView>): void {
    for (const view of views.values()) {
      if (state.own.has(view.alertId)) continue;
      state.orphans.set(view.vin, [...(state.orphans.get(view.vin) ?? []), view]);
    }
  }

  /** Once, a little after the reign began: alerts of the former one that were written after the first look. */
  async #secondLook(partition: number, state: PartitionState): Promise<void> {
    const { log, clock, warn } = this.#options;
    if (!state.lookAgain || clock() - state.assignedMs < SECOND_LOOK_MS) return;
    state.lookAgain = false;
    const { views } = await openAlerts(log, partition, warn, state.lookedTo);
    this.#orphan(state, views);
    state.own.clear();
  }

  async #handle(batch: RecordBatch): Promise<OutputRecord[]> {
    const state = this.#partitions.get(batch.partition);
    if (!state)
      throw new TelltaleError('LOG_FENCED', `partition ${batch.partition} came without being assigned`);
    await this.#secondLook(batch.partition, state);
    const alerts: Alert[] = [];
    const changed = new Map<string, CarPolicy | undefined>();
    for (const { value, timestampMs } of batch.records) {
      // A record's time is that of its newest score.
      if (value === null || timestampMs < this.#warmFromMs) continue;
      this.#readScores(value, timestampMs, (score) => this.#take(state, score, alerts, changed));
    }
    this.#measure(batch, state, alerts);
    const records = alerts.map((alert) => ({ key: alert.vin, value: alertsTopic.encode(alert) }));
    return [
      ...records.map((record) => ({ topic: alertsTopic.name, ...record })),
      ...this.#stateRecords(state, changed),
    ];
  }

  #measure({ records, highWatermark }: RecordBatch, state: PartitionState, alerts: readonly Alert[]): void {
    const { metrics } = this.#options;
    for (const { phase } of alerts) metrics.counter('telltale_alerts_total').inc({ phase });
    state.lag = highWatermark - 1 - (records.at(-1)?.offset ?? highWatermark - 1);
    const lags = [...this.#partitions.values()].map(({ lag }) => lag);
    metrics.gauge('telltale_alerts_lag').set(lags.reduce((sum, lag) => sum + lag, 0));
  }

  /** Hands out the scores of a record one after another, in the same object each time. */
  #readScores(value: Uint8Array, timestampMs: number, take: (score: ScoreCursor) => void): void {
    const score = this.#cursor;
    try {
      score.open(value, timestampMs);
      while (score.next()) if (score.receivedTs >= this.#warmFromMs) take(score);
    } catch (error) {
      if (!(error instanceof TelltaleError) || error.code !== 'RECORD_INVALID') throw error;
      this.#options.warn(`alerts: scores passed over: ${messageOf(error)}`);
    }
  }

  /** One score: adopts what was left open, steps the policy, remembers what the car was before the batch. */
  #take(
    state: PartitionState,
    score: ScoreCursor,
    alerts: Alert[],
    changed: Map<string, CarPolicy | undefined>,
  ): void {
    const { vin, receivedTs } = score;
    const { champion, metrics, clock } = this.#options;
    const before = state.cars.get(vin);
    const isOrphan = state.orphans.size > 0 && state.orphans.has(vin);
    // A calm score of a car as expected: nothing comes of it, and most are so.
    if (before === undefined && !isOrphan && !isStrange(score.score, score.threshold)) return;
    const inCharge = receivedTs >= champion.sinceMs;
    let car = before ?? NEW_CAR;
    if (inCharge && isOrphan && !score.late) car = this.#adopt(state, car, score, alerts);
    const step = stepPolicy(this.#policy, car, score, inCharge);
    for (const { phase, alertId } of step.alerts) {
      if (phase !== 'raised') continue;
      if (state.lookAgain) state.own.add(alertId);
      metrics.histogram('telltale_alerts_delay_ms').observe(Math.max(0, clock() - receivedTs));
    }
    alerts.push(...step.alerts);
    if (step.car === before || (before === undefined && isBlank(step.car))) return;
    if (!changed.has(vin)) changed.set(vin, before);
    state.cars.set(vin, step.car);
  }

  #adopt(state: PartitionState, car: CarPolicy, score: Score, alerts: Alert[]): CarPolicy {
    const orphans = state.orphans.get(score.vin);
    if (!orphans) return car;
    state.orphans.delete(score.vin);
    let adopted = car;
    for (const orphan of orphans) {
      if (state.lookAgain) state.own.add(orphan.alertId);
      if (adopted.open === null) adopted = adoptAlert(adopted, orphan, score.ts);
      else if (adopted.open.alertId !== orphan.alertId) alerts.push(supersededAlert(score, orphan));
    }
    return adopted;
  }

  /** State of the cars that changed; a car as expected again is forgotten, here and by a tombstone in the topic. */
  #stateRecords(state: PartitionState, changed: ReadonlyMap<string, CarPolicy | undefined>): OutputRecord[] {
    const records: OutputRecord[] = [];
    for (const [vin, before] of changed) {
      const car = state.cars.get(vin) ?? NEW_CAR;
      const value = encodeCar(car, this.#options.champion.sinceMs);
      if (value === null) state.cars.delete(vin);
      if (value !== null || before !== undefined) records.push({ topic: this.#states.name, key: vin, value });
    }
    return records;
  }
}
