import { it } from 'vitest';
import { alertReachesThePhone } from './stream.ts';

it("carries a broken car's alert from its engine to its owner's phone, on the embedded log", async () => {
  await alertReachesThePhone({ KAFKA_BROKERS: '' });
}, 1_800_000);
