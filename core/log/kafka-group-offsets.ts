// A group's offsets within a transaction on Kafka: sending them, and waiting until a commit of them can be seen.
import type { Producer, Transaction } from 'kafkajs';
import { pause } from '../service.ts';
import { protocolType } from './kafka-client.ts';
import type { PartitionOffset } from './log.ts';

const MAX_CONCURRENT_TRIES = 500;
const CONCURRENT_WAIT_MS = 10;

/** Full names; at least one offset. */
export interface GroupOffsets {
  readonly group: string;
  readonly topic: string;
  readonly offsets: readonly PartitionOffset[];
}

/** kafkajs does not itself wait here for the markers of the transaction before, as it does when records are sent. */
export async function sendOffsets(
  transaction: Transaction,
  { group, topic, offsets }: GroupOffsets,
): Promise<void> {
  const partitions = offsets.map(({ partition, offset }) => ({ partition, offset: String(offset) }));
  for (let tries = 1; ; tries++) {
    try {
      return await transaction.sendOffsets({ consumerGroupId: group, topics: [{ topic, partitions }] });
    } catch (error) {
      if (protocolType(error) !== 'CONCURRENT_TRANSACTIONS' || tries >= MAX_CONCURRENT_TRIES) throw error;
      await pause(CONCURRENT_WAIT_MS);
    }
  }
}

/**
 * Waits until what this producer committed last can be read. A broker answers a commit before its markers are written,
 * but a further transaction cannot take offsets before they are: such a one is begun, and aborted.
 */
export async function settled(producer: Producer, offsets: GroupOffsets): Promise<void> {
  const transaction = await producer.transaction();
  await sendOffsets(transaction, offsets);
  await transaction.abort();
}
