// What names, topics and records both logs accept: Kafka's rules, so that what works on one works on the other.
import { invariant, TelltaleError } from '../errors.ts';
import { MAX_RECORD_BYTES, type NewRecord, type TopicSpec } from './log.ts';

const NAME = /^[A-Za-z0-9._-]{1,249}$/;
/** As the setting `partitions` allows. */
const MAX_PARTITIONS = 512;

/** Topic names are spelled in core/topics.ts, so that a wrong one is a fault of the program. */
export function checkTopicSpec(spec: TopicSpec, prefix: string): void {
  const { name, partitions, retentionMs } = spec;
  invariant(NAME.test(prefix + name), `"${prefix + name}" is not a topic's name`);
  invariant(
    Number.isInteger(partitions) && partitions >= 1 && partitions <= MAX_PARTITIONS,
    `topic ${name}: ${partitions} partitions`,
  );
  invariant(retentionMs === null || retentionMs > 0, `topic ${name}: retention of ${retentionMs} ms`);
}

export function checkGroupName(group: string, prefix: string): void {
  invariant(NAME.test(prefix + group), `"${prefix + group}" is not a group's name`);
}

/** Checks sizes before anything is queued. @throws TelltaleError LOG_RECORD_TOO_LARGE */
export function checkSizes(topic: string, records: readonly NewRecord[]): void {
  for (const { key, value } of records) {
    // A UTF-16 unit is at most three bytes of UTF-8: the exact length is asked for only near the limit.
    const valueBytes = value?.length ?? 0;
    if (valueBytes + key.length * 3 <= MAX_RECORD_BYTES && key.length * 3 <= 0xffff) continue;
    const keyBytes = Buffer.byteLength(key);
    if (keyBytes <= 0xffff && keyBytes + valueBytes <= MAX_RECORD_BYTES) continue;
    const why = keyBytes > 0xffff ? `its key has ${keyBytes} bytes` : `it has ${keyBytes + valueBytes} bytes`;
    throw new TelltaleError(
      'LOG_RECORD_TOO_LARGE',
      `${topic}: record with key ${key.slice(0, 64)}: ${why}, the limit is ${keyBytes > 0xffff ? 0xffff : MAX_RECORD_BYTES}`,
    );
  }
}
