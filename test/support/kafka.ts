// The Kafka of this test run, for test files that need one.
import { inject } from 'vitest';
import { kafkaMissing } from '../../scripts/kafka.ts';
import type { KafkaAnswer } from './kafka-setup.ts';

/**
 * Brokers of the shared Kafka, or why there is none: then tests skip with the reason, except in CI, where a missing
 * part is a failure.
 */
export async function kafkaForTests(): Promise<KafkaAnswer> {
  const response = await fetch(inject('kafkaUrl'));
  const answer = (await response.json()) as KafkaAnswer;
  if ('missing' in answer) told(answer.missing);
  return answer;
}

/** For test files that start a Kafka of their own: why they cannot, by the same rule. */
export function kafkaMissingForTests(): string | undefined {
  const missing = kafkaMissing();
  if (missing !== undefined) told(missing);
  return missing;
}

function told(missing: string): void {
  if (process.env.CI === 'true') throw new Error(`no Kafka for the tests: ${missing}`);
  console.warn(`tests against Kafka are skipped: ${missing}`);
}
