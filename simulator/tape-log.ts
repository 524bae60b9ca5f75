// A stretch of the log as a tape, so that what cars once sent can be driven again.
import type { Log, Position } from '../core/log/log.ts';
import { telemetryTopic } from '../core/topics.ts';
import type { Tape, TapeRow } from './replay.ts';

/** Telemetry that came in between two times; reads the stretch once to learn its cars. */
export async function tapeOfLog(log: Log, from: Position, to: Position): Promise<Tape> {
  const ids = new Set<string>();
  let rowCount = 0;
  for await (const batch of log.read(telemetryTopic.name, { from, to })) {
    rowCount += batch.records.length;
    for (const record of batch.records) ids.add(record.key);
  }
  return { name: `log ${telemetryTopic.name}`, ids: [...ids], rowCount, rows: () => rowsOf(log, from, to) };
}

async function* rowsOf(log: Log, from: Position, to: Position): AsyncGenerator<TapeRow> {
  for await (const batch of log.read(telemetryTopic.name, { from, to })) {
    for (const record of batch.records) {
      if (record.value === null) continue;
      const { vin, ts, signals } = telemetryTopic.decode(record.value);
      yield { id: vin, tsMs: ts, signals, fault: null };
    }
  }
}
