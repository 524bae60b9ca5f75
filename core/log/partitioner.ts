// The partition of a key: Kafka's default partitioner (murmur2), so that one key has one partition whatever log it is in.

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/**
 * MurmurHash2 (Austin Appleby), 32 bits, with the seed of Kafka's Java client; hashes `length` bytes from `start`.
 * @returns a signed 32-bit integer
 */
export function murmur2(bytes: Uint8Array, start = 0, length = bytes.length - start): number {
  let hash = SEED ^ length;
  const tail = start + (length & ~3);
  for (let at = start; at < tail; at += 4) {
    let k = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    hash = Math.imul(hash, M) ^ Math.imul(k, M);
  }
  const rest = length & 3;
  if (rest === 3) hash ^= bytes[tail + 2]! << 16;
  if (rest >= 2) hash ^= bytes[tail + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ bytes[tail]!, M);
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return (hash ^ (hash >>> 15)) | 0;
}

/** Partition from 0 to `partitions - 1` of a key's UTF-8 bytes. */
export function partitionOfBytes(
  bytes: Uint8Array,
  start: number,
  length: number,
  partitions: number,
): number {
  return (murmur2(bytes, start, length) & 0x7fffffff) % partitions;
}

/** Partition from 0 to `partitions - 1` of a key. */
export function partitionOf(key: string, partitions: number): number {
  const bytes = Buffer.from(key);
  return partitionOfBytes(bytes, 0, bytes.length, partitions);
}
