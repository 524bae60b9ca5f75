// Vitest's global set-up: one Kafka for the whole run, started when the first test file asks for it and stopped at the end.
// Test files are processes of their own, so that they ask over HTTP (test/support/kafka.ts).
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { kafkaMissing, type RunningKafka, startKafka } from '../../scripts/kafka.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where to ask for Kafka. */
    kafkaUrl: string;
  }
}

/** What a test file is told. */
export type KafkaAnswer = { readonly brokers: string } | { readonly missing: string };

async function answer(start: () => Promise<RunningKafka>): Promise<KafkaAnswer> {
  const missing = kafkaMissing();
  if (missing !== undefined) return { missing };
  try {
    return { brokers: (await start()).brokers };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}

let teardownKafka: () => Promise<void> = async () => undefined;

export async function setup(project: TestProject): Promise<void> {
  let kafka: Promise<RunningKafka> | undefined;
  const start = () => {
    kafka ??= startKafka();
    return kafka;
  };
  const server = createServer((_request, response) => {
    answer(start).then(
      (told) => response.end(JSON.stringify(told)),
      (error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  project.provide('kafkaUrl', `http://127.0.0.1:${port}/`);
  teardownKafka = async () => {
    server.closeAllConnections();
    server.close();
    await kafka?.then(
      (running) => running.stop(),
      () => undefined,
    );
  };
}

export function teardown(): Promise<void> {
  return teardownKafka();
}
