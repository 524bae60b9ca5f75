// A cursor: how far a client has come in the `alerts` topic, as one opaque word. It is made of log offsets alone, so any
// server on the same log honours it, also after every server has been restarted.
import type { PartitionOffset, PartitionRange } from '../core/log/log.ts';

const PREFIX = 'c1.';
/** Longer than any cursor of 512 partitions (at most 8 bytes of offset each, in base64url). */
export const MAX_CURSOR_LENGTH = 6000;

/**
 * @param offsets next offset to read of each partition 0..n-1; integers ≥ 0
 * @returns URL-safe word, about 1.4 characters per 7 bits of offset
 */
export function encodeCursor(offsets: readonly number[]): string {
  const bytes: number[] = [];
  for (const offset of offsets) {
    let rest = offset;
    while (rest >= 128) {
      bytes.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    bytes.push(rest);
  }
  return PREFIX + Buffer.from(bytes).toString('base64url');
}

/** The offsets of a cursor, or null when the word is not one. */
export function decodeCursor(cursor: string): number[] | null {
  if (!cursor.startsWith(PREFIX) || cursor.length > MAX_CURSOR_LENGTH) return null;
  const text = cursor.slice(PREFIX.length);
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null;
  const offsets: number[] = [];
  let value = 0;
  let scale = 1;
  for (const byte of Buffer.from(text, 'base64url')) {
    value += (byte % 128) * scale;
    if (!Number.isSafeInteger(value)) return null;
    scale *= 128;
    if (byte < 128) {
      offsets.push(value);
      value = 0;
      scale = 1;
    }
  }
  return scale === 1 ? offsets : null;
}

export interface StartingPoint {
  readonly offsets: readonly PartitionOffset[];
  /** True when records between the cursor and here may be gone: retention passed, or the cursor is of another log. */
  readonly gap: boolean;
}

/**
 * Where a client with this cursor starts: precisely at its cursor where the log still has it, at the earliest record of a
 * partition otherwise. Partitions the cursor does not know (the topic has grown) start at their earliest, without a gap.
 */
export function startingPoint(
  cursor: readonly number[] | null,
  ranges: readonly PartitionRange[],
): StartingPoint {
  let gap = cursor === null || cursor.length > ranges.length;
  const offsets = ranges.map(({ partition, earliest, end }) => {
    const wanted = cursor?.[partition];
    if (wanted === undefined) return { partition, offset: earliest };
    if (wanted >= earliest && wanted <= end) return { partition, offset: wanted };
    gap = true;
    return { partition, offset: earliest };
  });
  return { offsets, gap };
}
