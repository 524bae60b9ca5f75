import { expect, it } from 'vitest';
import { kafkaForTests } from '../support/kafka.ts';
import { alertReachesThePhone } from './stream.ts';

const kafka = await kafkaForTests();

it.skipIf('missing' in kafka)(
  "carries a broken car's alert from its engine to its owner's phone, on Apache Kafka",
  async () => {
    const brokers = 'brokers' in kafka ? kafka.brokers : '';
    expect(brokers).not.toBe('');
    await alertReachesThePhone({ KAFKA_BROKERS: brokers, TELLTALE_TOPIC_PREFIX: `e2e-${process.pid}.` });
  },
  1_800_000,
);
