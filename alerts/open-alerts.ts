// Which alerts stand open in one partition of the `alerts` topic: what a new reign takes over.
import { messageOf } from '../core/errors.ts';
import type { Alert } from '../core/events.ts';
import type { Log } from '../core/log/log.ts';
import { alertsTopic } from '../core/topics.ts';
import { type AlertView, foldAlert } from './alert-index.ts';

/** Records looked at; an alert that was raised before they begin is not found. */
const MAX_FOLD = 200_000;

export interface OpenAlerts {
  readonly views: ReadonlyMap<string, AlertView>;
  /** The offset after the last record looked at: where to look on from. */
  readonly next: number;
}

/** Reads from an offset, or as far back as is looked, to the end of the partition. */
export async function openAlerts(
  log: Log,
  partition: number,
  warn: (line: string) => void,
  since?: number,
): Promise<OpenAlerts> {
  const range = (await log.ranges(alertsTopic.name)).find((r) => r.partition === partition);
  const from = since ?? (range ? Math.max(range.earliest, range.end - MAX_FOLD) : 0);
  const views = new Map<string, AlertView>();
  let next = from;
  const offsets = [{ partition, offset: from }];
  for await (const { records } of log.read(alertsTopic.name, {
    ...{ partitions: [partition], from: { offsets }, to: 'end' },
  })) {
    for (const { value, offset } of records) {
      next = offset + 1;
      if (value === null) continue;
      try {
        fold(views, alertsTopic.decode(value));
      } catch (error) {
        warn(`alerts: record ${partition}-${offset} passed over: ${messageOf(error)}`);
      }
    }
  }
  return { views, next };
}

function fold(views: Map<string, AlertView>, alert: Alert): void {
  const before = views.get(alert.alertId);
  // Somebody may acknowledge an alert that is over already: that opens nothing.
  if (before === undefined && alert.phase === 'acknowledged') return;
  const view = foldAlert(before, alert);
  if (view.state === 'open') views.set(view.alertId, view);
  else views.delete(view.alertId);
}
