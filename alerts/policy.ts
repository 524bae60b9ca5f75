// The alert policy of one car: scores in, alert phases out. Pure, so that what a restart restores is all there is.
//
// Raised when the hysteresis says so (ten of the last fifteen), warning or critical by how far past the threshold the window
// is; escalated when it grows worse or lasts; cleared when the hysteresis has released it and the car has stayed quiet for a
// while. That while doubles with each alert the car had within the hour, so that a fault on the edge is one long alert and
// not a phone ringing all day. When the hysteresis is up is told by stepAlert, as it is to training and to `score --csv`; what is up
// again within that while, also after a pause, is the alert that is still open.
import type { Alert, Score, SignalShare } from '../core/events.ts';
import {
  beginsAnew,
  type Hysteresis,
  type HysteresisState,
  isActive,
  isStrange,
  stepAlert,
  strangeCount,
} from '../core/model/hysteresis.ts';
import { ratioOf } from './ratio.ts';
import { blameOf, type Describe } from './reason.ts';

export interface PolicyOptions {
  readonly hysteresis: Hysteresis;
  readonly describe: Describe;
  /** Mean ratio (ratio.ts) over the window's strange events from which an alert is critical. */
  readonly criticalRatio: number;
  /** An alert that has been up for this long without a pause is critical. Event time. */
  readonly criticalAfterMs: number;
  /** Quiet event time before an alert is cleared, for the first alert of an hour; doubled for each further one. */
  readonly quietMs: number;
  readonly maxQuietMs: number;
  /** A hole in event time after which what came before says nothing about now: the window starts anew. */
  readonly gapMs: number;
}

export const POLICY_DEFAULTS = {
  criticalRatio: 2,
  criticalAfterMs: 10 * 60_000,
  quietMs: 30_000,
  maxQuietMs: 15 * 60_000,
  gapMs: 5 * 60_000,
} as const satisfies Partial<PolicyOptions>;

const HOUR_MS = 3_600_000;
/** Raises remembered for the flapping guard. */
const MAX_RAISES = 8;

/** An alert that is up. */
export interface OpenAlert {
  readonly alertId: string;
  readonly raisedTs: number;
  readonly severity: Alert['severity'];
  readonly top: readonly SignalShare[];
  /** Event time since which the hysteresis has been released; null while it is up. */
  readonly quietSinceTs: number | null;
  /** Event time since which it has been up without a pause. */
  readonly upSinceTs: number;
}

/** A strange event of the window. */
export interface Blame {
  readonly ratio: number;
  readonly top: readonly SignalShare[];
}

/** All that the policy knows of a car. */
export interface CarPolicy {
  readonly hysteresis: HysteresisState;
  /** Event time of the newest event. */
  readonly lastTs: number;
  /** The strange events of the window, oldest first; as many as the hysteresis counts. */
  readonly blamed: readonly Blame[];
  readonly open: OpenAlert | null;
  /** Event times of the raises of the last hour, oldest first. */
  readonly raises: readonly number[];
}

export const NEW_CAR: CarPolicy = {
  hysteresis: 0,
  lastTs: 0,
  blamed: [],
  open: null,
  raises: [],
};

/** True when forgetting the car and starting it anew would change nothing. */
export function isBlank(car: CarPolicy): boolean {
  return car.hysteresis === 0 && car.open === null && car.raises.length === 0;
}

export interface Step {
  readonly car: CarPolicy;
  readonly alerts: readonly Alert[];
}

const meanRatio = (blamed: readonly Blame[]) =>
  blamed.length === 0 ? 0 : blamed.reduce((sum, { ratio }) => sum + ratio, 0) / blamed.length;

/**
 * A car's clock may have been set back, by a year that it was ahead: scoring follows it, and so must every time kept here,
 * or an alert would stand until that year has passed. Events that are merely out of order are never so far back.
 */
function followClock({ gapMs }: PolicyOptions, car: CarPolicy, score: Score): CarPolicy {
  if (score.ts >= car.lastTs || !beginsAnew(car.lastTs, score.ts, gapMs)) return car;
  const { open } = car;
  return {
    ...NEW_CAR,
    open: open && {
      ...open,
      upSinceTs: score.ts,
      quietSinceTs: open.quietSinceTs === null ? null : score.ts,
    },
  };
}

/** The car after the event itself: window, blame, times; alerts not yet considered. */
function observe(options: PolicyOptions, former: CarPolicy, score: Score): CarPolicy {
  const car = followClock(options, former, score);
  const strange = isStrange(score.score, score.threshold);
  const window = { state: car.hysteresis, newestTsMs: car.lastTs };
  const { state: hysteresis, newestTsMs } = stepAlert(options, window, { tsMs: score.ts, strange });
  const blamed = strange ? [...car.blamed, { ratio: ratioOf(score), top: score.top }] : car.blamed;
  // Of a window that begins anew none of those before are left.
  const count = strangeCount(hysteresis);
  return {
    ...car,
    hysteresis,
    lastTs: newestTsMs,
    blamed: blamed.length > count ? blamed.slice(blamed.length - count) : blamed,
    raises: car.raises.filter((ts) => score.ts - ts < HOUR_MS),
  };
}

function phaseOf(score: Score, open: OpenAlert, phase: Alert['phase'], reason: string): Alert {
  return {
    alertId: open.alertId,
    vin: score.vin,
    phase,
    severity: open.severity,
    ts: score.ts,
    raisedTs: open.raisedTs,
    model: score.model,
    score: score.score,
    threshold: score.threshold,
    top: [...open.top],
    reason,
  };
}

function raise(options: PolicyOptions, car: CarPolicy, score: Score): Step {
  const top = blameOf(car.blamed.map((blame) => blame.top));
  const open: OpenAlert = {
    alertId: `${score.vin}:${score.model}:${score.partition}-${score.offset}`,
    raisedTs: score.ts,
    severity: meanRatio(car.blamed) >= options.criticalRatio ? 'critical' : 'warning',
    top,
    quietSinceTs: null,
    upSinceTs: score.ts,
  };
  const raises = [...car.raises, score.ts].slice(-MAX_RAISES);
  return {
    car: { ...car, open, raises },
    alerts: [phaseOf(score, open, 'raised', options.describe(top, score.lost))],
  };
}

/** While the hysteresis is up: worse or long enough makes a warning critical, once. */
function hold(options: PolicyOptions, car: CarPolicy, open: OpenAlert, score: Score): Step {
  const upSinceTs = open.quietSinceTs === null ? open.upSinceTs : score.ts;
  const worse = meanRatio(car.blamed) >= options.criticalRatio;
  const long = score.ts - upSinceTs >= options.criticalAfterMs;
  if (open.severity === 'critical' || !(worse || long))
    return { car: { ...car, open: { ...open, upSinceTs, quietSinceTs: null } }, alerts: [] };
  const top = blameOf(car.blamed.map((blame) => blame.top));
  const critical: OpenAlert = { ...open, severity: 'critical', top, upSinceTs, quietSinceTs: null };
  return {
    car: { ...car, open: critical },
    alerts: [phaseOf(score, critical, 'escalated', options.describe(top, score.lost))],
  };
}

/** Quiet may come of readings that are as expected, or of none: then nothing is known to be well. */
function whyCleared({ describe }: PolicyOptions, { top }: OpenAlert, { lost = [] }: Score): string {
  const unseen = top.filter(({ signal }) => lost.includes(signal));
  if (unseen.length === 0) return 'the readings are as expected again';
  return `${describe(unseen.map((one) => ({ ...one, value: null })))}, so what was odd cannot be seen any more`;
}

/** While the hysteresis is released: cleared after enough quiet. */
function calm(options: PolicyOptions, car: CarPolicy, open: OpenAlert, score: Score): Step {
  const quietSinceTs = open.quietSinceTs ?? score.ts;
  const repeats = Math.max(0, car.raises.length - 1);
  const neededMs = Math.min(options.maxQuietMs, options.quietMs * 2 ** repeats);
  if (score.ts - quietSinceTs < neededMs)
    return { car: { ...car, open: { ...open, quietSinceTs } }, alerts: [] };
  return {
    car: { ...car, open: null },
    alerts: [phaseOf(score, open, 'cleared', whyCleared(options, open, score))],
  };
}

/**
 * One score. Late ones change nothing.
 * @param mayRaise false while warming up on scores from before this model was in charge: windows fill, nobody is called
 */
export function stepPolicy(options: PolicyOptions, before: CarPolicy, score: Score, mayRaise = true): Step {
  if (score.late) return { car: before, alerts: [] };
  const car = observe(options, before, score);
  const { open } = car;
  if (!isActive(car.hysteresis)) return open ? calm(options, car, open, score) : { car, alerts: [] };
  if (open) return hold(options, car, open, score);
  return mayRaise ? raise(options, car, score) : { car, alerts: [] };
}

/**
 * An alert that the former champion left open, taken over: this model now says how long it lasts.
 * @param ts event time of the takeover
 */
export function adoptAlert(
  car: CarPolicy,
  alert: Pick<Alert, 'alertId' | 'raisedTs' | 'severity' | 'top'>,
  ts: number,
): CarPolicy {
  const { alertId, raisedTs, severity, top } = alert;
  return { ...car, open: { alertId, raisedTs, severity, top, quietSinceTs: null, upSinceTs: ts } };
}

/** The end of an alert that another one of the same car has made needless. */
export function supersededAlert(
  score: Score,
  alert: Pick<Alert, 'alertId' | 'raisedTs' | 'severity' | 'top'>,
): Alert {
  const open = { ...alert, quietSinceTs: null, upSinceTs: alert.raisedTs };
  return phaseOf(score, open, 'cleared', 'another alert of this car goes on');
}
