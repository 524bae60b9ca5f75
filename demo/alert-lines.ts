// The alerts of the log as lines for a person: one line for each alert, beginning with `alert`, ending with its reason.
import type { Alert } from '../core/events.ts';
import type { Log, Position } from '../core/log/log.ts';
import { alertsTopic } from '../core/topics.ts';

/** `alert 10:04:31 WVW… critical: coolant temperature 118 °C, expected about 92 °C` — other phases begin with their name. */
export function alertLine(alert: Alert): string {
  const time = new Date(alert.ts).toISOString().slice(11, 19);
  const head =
    alert.phase === 'raised'
      ? `alert ${time} ${alert.vin} ${alert.severity}`
      : `${alert.phase} ${time} ${alert.vin}`;
  return `${head}: ${alert.reason.replaceAll(/\s+/g, ' ')}`;
}

/** Calls back with each phase of each alert from a position on, until the signal aborts. */
export async function followAlerts(
  log: Log,
  from: Position,
  signal: AbortSignal,
  each: (alert: Alert) => void,
): Promise<void> {
  for await (const { records } of log.read(alertsTopic.name, { from, signal })) {
    for (const { value } of records) if (value !== null) each(alertsTopic.decode(value));
  }
}
