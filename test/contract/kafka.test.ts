// The Kafka log under the contract, against a real broker.
import { describe, it } from 'vitest';
import { kafkaForTests } from '../support/kafka.ts';
import { logContract } from './log-contract.ts';

const kafka = await kafkaForTests();

if ('missing' in kafka) {
  describe.skip(`the contract of the log: Kafka (${kafka.missing})`, () => {
    it('needs a broker', () => undefined);
  });
} else {
  const { brokers } = kafka;
  logContract(
    'Kafka',
    async () => ({ where: { kind: 'kafka', brokers }, compactsAtOnce: false, takeOverMs: 12_000 }),
    async () => undefined,
  );
}
