// A stretch of the log as a tape, so that what cars once sent can be driven again.
import type { Catalogue } from '../core/catalogue.ts';
import type { Log, Position } from '../core/log/log.ts';
import { createTelemetryReader } from '../core/telemetry-reader.ts';
import { telemetryTopic } from '../core/topics.ts';
import type { Tape, TapeRow } from './replay.ts';

/** Telemetry that came in between two times; reads the stretch once to learn its cars. */
export async function tapeOfLog(log: Log, catalogue: Catalogue, from: Position, to: Position): Promise<Tape> {
  const ids = new Set<string>();
  let rowCount = 0;
  for await (const batch of log.read(telemetryTopic.name, { from, to })) {
    rowCount += batch.records.length;
    for (const record of batch.records) ids.add(record.key);
  }
  const rows = () => rowsOf(log, catalogue, from, to);
  return { name: `log ${telemetryTopic.name}`, ids: [...ids], rowCount, rows };
}

async function* rowsOf(
  log: Log,
  catalogue: Catalogue,
  from: Position,
  to: Position,
): AsyncGenerator<TapeRow> {
  const read = createTelemetryReader(catalogue);
  const names = catalogue.signals.map(({ name }) => name);
  for await (const batch of log.read(telemetryTopic.name, { from, to })) {
    for (const { value, offset } of batch.records) {
      if (value === null) continue;
      const event = read(value);
      if (event === null) {
        yield {
          id: '',
          tsMs: 0,
          signals: {},
          fault: `partition ${batch.partition}, offset ${offset}: no event`,
        };
        continue;
      }
      const signals: Record<string, number> = {};
      for (const [i, name] of names.entries())
        if (!Number.isNaN(event.values[i])) signals[name] = event.values[i]!;
      yield { id: event.vin, tsMs: event.tsMs, signals, fault: null };
    }
  }
}
