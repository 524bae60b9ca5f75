// A person says: I have seen it. The acknowledgement is one more phase of the alert in the `alerts` topic, so every phone and
// every server learns of it by the same way as of the alert itself. It is of the severity that the person saw: an alert that
// grows worse afterwards wants to be seen again.
import type { Alert } from '../core/events.ts';
import type { Log } from '../core/log/log.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Clock } from '../core/service.ts';
import { alertsTopic } from '../core/topics.ts';
import type { AlertIndex } from './alert-index.ts';
import { type Grant, grants } from './tokens.ts';

export interface AcknowledgeOptions {
  readonly log: Log;
  readonly index: AlertIndex;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/**
 * Appends the acknowledgement unless there is one; resolves to false when this grant sees no such alert. Two servers may
 * acknowledge the same alert at once: readers take the first.
 */
export function acknowledger({ log, index, metrics, clock }: AcknowledgeOptions) {
  const underWay = new Map<string, Promise<void>>();

  async function append(alert: Alert): Promise<void> {
    await log.append(alertsTopic.name, [{ key: alert.vin, value: alertsTopic.encode(alert) }]);
    metrics.counter('telltale_alerts_total').inc({ phase: 'acknowledged' });
  }

  return async (alertId: string, grant: Grant): Promise<boolean> => {
    const view = index.get(alertId);
    if (!view || !grants(grant, view.vin)) return false;
    if (view.acknowledgedTs !== undefined) return true;
    const { vin, severity, raisedTs, model, score, threshold, top, reason } = view;
    const facts = { alertId, vin, severity, raisedTs, model, score, threshold, top, reason };
    const key = `${alertId} ${severity}`;
    const known = underWay.get(key);
    const appended = known ?? append({ ...facts, phase: 'acknowledged', ts: clock(), by: grant.name });
    underWay.set(key, appended);
    try {
      await appended;
    } finally {
      underWay.delete(key);
    }
    return true;
  };
}
