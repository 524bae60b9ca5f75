// A topic's retention and compaction as Kafka's settings.
import type { IResourceConfigEntry } from 'kafkajs';
import type { TopicSpec } from './log.ts';

const HOUR_MS = 3_600_000;
const MIN_SEGMENT_MS = 60_000;
const MAX_SEGMENT_MS = 24 * HOUR_MS;

/**
 * Kafka deletes and compacts whole segments, and never the one being written: segments are rolled often enough that
 * retention is met within a quarter of its time, and state topics, read whole at each restart, stay short.
 */
export function topicConfig(
  { retentionMs, compacted }: TopicSpec,
  replication: number,
): IResourceConfigEntry[] {
  const entries: Record<string, string> = {
    'retention.ms': String(retentionMs ?? -1),
    'min.insync.replicas': String(Math.min(2, replication)),
    'message.timestamp.type': 'CreateTime',
    'compression.type': 'producer',
  };
  if (compacted) {
    entries['cleanup.policy'] = retentionMs === null ? 'compact' : 'compact,delete';
    entries['segment.ms'] = String(HOUR_MS / 6);
    entries['segment.bytes'] = String(32 * 2 ** 20);
    entries['min.cleanable.dirty.ratio'] = '0.2';
  } else if (retentionMs !== null) {
    entries['segment.ms'] = String(
      Math.min(MAX_SEGMENT_MS, Math.max(MIN_SEGMENT_MS, Math.floor(retentionMs / 4))),
    );
  }
  return Object.entries(entries).map(([name, value]) => ({ name, value }));
}
