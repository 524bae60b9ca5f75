// Faults that really happened in the rows at hand: read from the log's ground truth, and judged one by one on scores by
// models that had not seen the car. A fault counts from the moment it could be seen, not from the moment it began.
import type { Log } from '../../core/log/log.ts';
import { groundTruthTopic } from '../../core/topics.ts';
import type { Series } from './series.ts';

/** A fault that is known to have happened: visible in the readings of one car in [fromMs, toMs), event time. */
export interface KnownFault {
  readonly id: string;
  readonly kind: string;
  readonly fromMs: number;
  /** Infinity: not mended yet. */
  readonly toMs: number;
}

export interface Truth {
  readonly faults: readonly KnownFault[];
  /** Faults of these cars in the stretch of time, of which no row was kept. */
  readonly notKept: number;
}

/** Rows [from, to) of a series while the fault could be seen; null when there is none. */
export function visibleIn({ id, tsMs }: Series, fault: KnownFault): readonly [number, number] | null {
  if (id !== fault.id) return null;
  const from = tsMs.findIndex((ts) => ts >= fault.fromMs);
  if (from < 0 || tsMs[from]! >= fault.toMs) return null;
  const end = tsMs.findIndex((ts) => ts >= fault.toMs);
  return [from, end < 0 ? tsMs.length : end];
}

/**
 * The faults that could be seen in `series`, oldest first. A redelivered record changes nothing; a fault that never
 * became visible is none.
 * @throws TelltaleError RECORD_INVALID and what the log throws
 */
export async function readTruth(log: Pick<Log, 'read'>, series: readonly Series[]): Promise<Truth> {
  const span = new Map<string, { from: number; to: number }>();
  for (const { id, tsMs } of series) {
    const [first, last] = [tsMs[0]!, tsMs.at(-1)!];
    const known = span.get(id);
    span.set(id, { from: Math.min(known?.from ?? first, first), to: Math.max(known?.to ?? last, last) });
  }
  const found = new Map<string, { id: string; kind: string; fromMs: number; toMs: number }>();
  for await (const { records } of log.read(groundTruthTopic.name, { to: 'end' })) {
    for (const { value } of records) {
      if (value === null) continue;
      const { vin, ts, faultId, fault, phase } = groundTruthTopic.decode(value);
      if (phase === 'started' || !span.has(vin)) continue;
      const one = found.get(faultId) ?? { id: vin, kind: fault, fromMs: Infinity, toMs: Infinity };
      if (phase === 'visible') one.fromMs = ts;
      else one.toMs = ts;
      found.set(faultId, one);
    }
  }
  const inTime = [...found.values()]
    .filter(({ id, fromMs, toMs }) => fromMs <= span.get(id)!.to && toMs > span.get(id)!.from)
    .sort((a, b) => a.fromMs - b.fromMs);
  const faults = inTime.filter((fault) => series.some((one) => visibleIn(one, fault) !== null));
  return { faults, notKept: inTime.length - faults.length };
}

/** True for a series in which a known fault can be seen. */
export const isTouched = (truth: readonly KnownFault[], series: Series): boolean =>
  truth.some((fault) => visibleIn(series, fault) !== null);
