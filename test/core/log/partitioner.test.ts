// The partitioner against the one it must agree with: kafkajs's default, which is Kafka's own.
import fc from 'fast-check';
import { Partitioners } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { murmur2, partitionOf } from '../../../core/log/partitioner.ts';

const theirs = Partitioners.DefaultPartitioner();

function kafkajsPartition(key: string, partitions: number): number {
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 0,
    replicas: [],
    isr: [],
  }));
  return theirs({ topic: 't', partitionMetadata, message: { key, value: null } });
}

describe('partitionOf', () => {
  it("is kafkajs's for any key and number of partitions", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.integer({ min: 1, max: 512 }),
        (key, n) => {
          expect(partitionOf(key, n)).toBe(kafkajsPartition(key, n));
        },
      ),
      { numRuns: 2000, seed: 1 },
    );
  });

  it('gives the values that the Java client tests itself with', () => {
    expect(murmur2(Buffer.from('21'))).toBe(-973932308);
    expect(murmur2(Buffer.from('foobar'))).toBe(-790332482);
    expect(murmur2(Buffer.from('a-little-bit-long-string'))).toBe(-985981536);
    expect(murmur2(Buffer.from('xx21yy'), 2, 2)).toBe(-973932308);
  });

  it('spreads vehicle identification numbers evenly', () => {
    const counts = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < 60_000; i++) counts[partitionOf(`WTT${String(i).padStart(14, '0')}`, 6)]! += 1;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });
});
