// Taking over a partition: the snapshots of its cars, then the telemetry that is in none of them, up to where scoring goes on.
import { counted } from '../core/counted.ts';
import type { Assignment, Log } from '../core/log/log.ts';
import { scorerStateTopic, telemetryTopic } from '../core/topics.ts';
import type { Scorer } from './scorer.ts';

export interface RestoreOptions {
  readonly log: Pick<Log, 'read' | 'ranges'>;
  readonly version: string;
  readonly warn: (line: string) => void;
}

export interface Restored {
  /** Snapshots read. */
  readonly snapshots: number;
  /** Events of telemetry that cars were advanced by. */
  readonly replayed: number;
}

/**
 * Brings a new scorer to where the partition's last one committed. A state that cannot be read, and events that telemetry no longer
 * has, are said; the scorer goes on without them. Ends early, with a scorer that must not be used, when `signal` aborts.
 */
export async function restore(
  { log, version, warn }: RestoreOptions,
  scorer: Scorer,
  partition: number,
  { next, signal }: Assignment,
): Promise<Restored> {
  const say = (line: string) => warn(`scorer ${version}: ${line}`);
  const states = log.read(scorerStateTopic(version).name, { partitions: [partition], to: 'end', signal });
  let snapshots = 0;
  let unread = 0;
  for await (const { records } of states)
    for (const { key, value } of records) {
      if (value === null) continue;
      snapshots += 1;
      if (!scorer.restore(key, value)) unread += 1;
    }
  if (unread > 0)
    say(
      `${counted(unread, 'state')} of partition ${partition} cannot be read (another version of the program wrote them); these cars begin anew`,
    );
  const from = scorer.replayFrom(next);
  if (from === null || signal.aborted) return { snapshots, replayed: 0 };
  const { name } = telemetryTopic;
  const earliest = (await log.ranges(name)).find((range) => range.partition === partition)?.earliest ?? 0;
  if (earliest > from)
    say(
      `telemetry of partition ${partition} begins at offset ${earliest}, what is in no snapshot at ${from}: its retention has passed events that cars would have been told again; their states go on without them`,
    );
  const at = (offset: number) => ({ offsets: [{ partition, offset }] });
  const telemetry = log.read(name, { partitions: [partition], from: at(from), to: at(next), signal });
  let replayed = 0;
  for await (const batch of telemetry) replayed += scorer.replay(batch);
  return { snapshots, replayed };
}
