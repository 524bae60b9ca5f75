// The `alerts` topic folded: each alert with all its phases in one view; the open ones by car; the newest first.
import { type Static, Type } from 'typebox';
import { Alert } from '../core/events.ts';
import { type CarFilter, seesCar } from './car-filter.ts';

/** One alert as a person sees it: the last word on each of its phases. */
export const AlertView = Type.Object(
  {
    alertId: Type.String(),
    vin: Type.String(),
    state: Type.Enum(['open', 'cleared']),
    severity: Alert.properties.severity,
    raisedTs: Type.Integer(),
    updatedTs: Type.Integer({ description: 'Event time of the newest phase' }),
    escalatedTs: Type.Optional(Type.Integer()),
    acknowledgedTs: Type.Optional(Type.Integer({ description: 'Of its present severity' })),
    acknowledgedBy: Type.Optional(Type.String()),
    clearedTs: Type.Optional(Type.Integer()),
    model: Type.String(),
    score: Type.Number(),
    threshold: Type.Number(),
    top: Alert.properties.top,
    reason: Type.String(),
  },
  { additionalProperties: false, $id: 'AlertView' },
);
export type AlertView = Static<typeof AlertView>;

/** The view after one more phase. The clearing phase keeps the reason for which the alert was raised. */
export function foldAlert(view: AlertView | undefined, alert: Alert): AlertView {
  const base: AlertView = view ?? {
    alertId: alert.alertId,
    vin: alert.vin,
    state: 'open',
    severity: alert.severity,
    raisedTs: alert.raisedTs,
    updatedTs: alert.ts,
    model: alert.model,
    score: alert.score,
    threshold: alert.threshold,
    top: alert.top,
    reason: alert.reason,
  };
  const next = { ...base, updatedTs: Math.max(base.updatedTs, alert.ts) };
  switch (alert.phase) {
    case 'raised':
      return next;
    case 'escalated': {
      const { severity, score, threshold, top, reason } = alert;
      // Who has seen the warning has not seen that it grew worse.
      const { acknowledgedTs: _ts, acknowledgedBy: _by, ...unseen } = next;
      return { ...unseen, severity, score, threshold, top, reason, escalatedTs: alert.ts };
    }
    case 'acknowledged':
      // The first counts, and only for what the person could see: one may cross an escalation on its way.
      if (next.acknowledgedTs !== undefined || alert.severity !== next.severity) return next;
      return {
        ...next,
        acknowledgedTs: alert.ts,
        ...(alert.by === undefined ? {} : { acknowledgedBy: alert.by }),
      };
    case 'cleared':
      return { ...next, state: 'cleared', clearedTs: next.clearedTs ?? alert.ts };
  }
}

export interface AlertQuery {
  /** Which cars; absent: all. */
  readonly sees?: (vin: string) => boolean;
  /** Only alerts raised before this event time. */
  readonly beforeTs?: number;
  /** Only alerts raised at or after this event time. */
  readonly fromTs?: number;
  readonly state?: AlertView['state'];
  /** How many of the newest are passed over. */
  readonly offset?: number;
  readonly limit: number;
}

/** Some alerts, and how many there are of their kind. */
export interface AlertPage {
  readonly total: number;
  readonly alerts: AlertView[];
}

export class AlertIndex {
  /** In the order in which they were first seen. */
  readonly #views = new Map<string, AlertView>();
  readonly #openByVin = new Map<string, Map<string, AlertView>>();
  readonly #keep: number;
  #open = 0;

  /** @param keep cleared alerts are forgotten, oldest first, beyond this number; open ones never */
  constructor(keep = 20_000) {
    this.#keep = keep;
  }

  get openCount(): number {
    return this.#open;
  }

  apply(alert: Alert): void {
    const before = this.#views.get(alert.alertId);
    // Somebody may acknowledge an alert that is over and forgotten already: that opens nothing.
    if (before === undefined && alert.phase === 'acknowledged') return;
    const view = foldAlert(before, alert);
    this.#views.set(alert.alertId, view);
    const open = this.#openByVin.get(alert.vin) ?? new Map<string, AlertView>();
    const wasOpen = open.has(alert.alertId);
    if (view.state === 'open') {
      open.set(alert.alertId, view);
      this.#openByVin.set(alert.vin, open);
      if (!wasOpen) this.#open += 1;
    } else if (wasOpen) {
      open.delete(alert.alertId);
      if (open.size === 0) this.#openByVin.delete(alert.vin);
      this.#open -= 1;
    }
    if (this.#views.size - this.#open > this.#keep) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const [alertId, view] of this.#views) {
      if (view.state === 'open') continue;
      this.#views.delete(alertId);
      return;
    }
  }

  get(alertId: string): AlertView | undefined {
    return this.#views.get(alertId);
  }

  /** The car's open alerts, oldest first; nearly always none or one. */
  openOf(vin: string): readonly AlertView[] {
    const open = this.#openByVin.get(vin);
    return open ? [...open.values()] : [];
  }

  /** How many alerts stand open against the cars of a filter. */
  openCountOf(filter: CarFilter): number {
    const { vins, prefixes } = filter;
    if (vins === null) return this.#open;
    let count = 0;
    if (prefixes.length === 0 && vins.size < this.#openByVin.size)
      for (const vin of vins) count += this.#openByVin.get(vin)?.size ?? 0;
    else for (const [vin, alerts] of this.#openByVin) if (seesCar(filter, vin)) count += alerts.size;
    return count;
  }

  /** The open alerts of the cars seen, newest first, at most `limit` of them, and how many there are. */
  open(sees: (vin: string) => boolean, limit: number): AlertPage {
    const found: AlertView[] = [];
    for (const [vin, alerts] of this.#openByVin) if (sees(vin)) found.push(...alerts.values());
    return pageOf(found, 0, limit);
  }

  /** Newest first by the time of raising. */
  list(query: AlertQuery): AlertPage {
    const {
      sees = () => true,
      beforeTs = Number.POSITIVE_INFINITY,
      fromTs = 0,
      state,
      offset = 0,
      limit,
    } = query;
    const found: AlertView[] = [];
    for (const view of this.#views.values()) {
      if (view.raisedTs >= beforeTs || view.raisedTs < fromTs) continue;
      if (state !== undefined && view.state !== state) continue;
      if (sees(view.vin)) found.push(view);
    }
    return pageOf(found, offset, limit);
  }
}

function pageOf(found: AlertView[], offset: number, limit: number): AlertPage {
  found.sort((a, b) => b.raisedTs - a.raisedTs || (a.alertId < b.alertId ? -1 : 1));
  return { total: found.length, alerts: found.slice(offset, offset + limit) };
}
