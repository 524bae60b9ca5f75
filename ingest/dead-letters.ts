// Dead letters at rest: which are still open, and how they are listed. Group `redrive` stands in the topic where the
// open ones begin; a letter before it was sent again, or was put back at the end because it still failed.
import type { DeadLetter } from '../core/events.ts';
import type { Log, Position } from '../core/log/log.ts';
import { printable } from '../core/printable.ts';
import { deadLettersTopic } from '../core/topics.ts';

/** The consumer group whose offset divides settled letters from open ones. */
export const REDRIVE_GROUP = 'redrive';

/** Which letters are meant; absent: any. Times are the ingest times of the original messages, `toMs` exclusive. */
export interface Choice {
  readonly reason?: DeadLetter['reason'];
  readonly fromMs?: number;
  readonly toMs?: number;
}

export interface StoredLetter {
  readonly offset: number;
  readonly letter: DeadLetter;
}

export function isChosen({ reason, receivedTs }: DeadLetter, choice: Choice): boolean {
  return (
    (choice.reason === undefined || choice.reason === reason) &&
    receivedTs >= (choice.fromMs ?? Number.NEGATIVE_INFINITY) &&
    receivedTs < (choice.toMs ?? Number.POSITIVE_INFINITY)
  );
}

/** Where the open letters begin. */
async function openFrom(log: Pick<Log, 'committed'>): Promise<Position> {
  const offsets = await log.committed(REDRIVE_GROUP, deadLettersTopic.name);
  return offsets.length === 0 ? 'earliest' : { offsets };
}

/**
 * Letters in the order they came, up to the end at the time of the call.
 * @param which `open`: not yet sent again; `all`: every one that is retained, those put back more than once
 */
export async function* readLetters(
  log: Pick<Log, 'committed' | 'read'>,
  which: 'open' | 'all',
  signal?: AbortSignal,
): AsyncIterable<StoredLetter> {
  const from = which === 'open' ? await openFrom(log) : 'earliest';
  const options = { from, to: 'end', ...(signal && { signal }) } as const;
  for await (const batch of log.read(deadLettersTopic.name, options))
    for (const { offset, value } of batch.records)
      if (value !== null) yield { offset, letter: deadLettersTopic.decode(value) };
}

/** One letter in one line: time, reason, client, what is wrong, the beginning of its payload. */
export function describeLetter({ letter }: StoredLetter): string {
  const { reason, detail, client, payloadBase64, receivedTs } = letter;
  const payload = Buffer.from(payloadBase64.slice(0, 400), 'base64').toString();
  return [
    new Date(receivedTs).toISOString(),
    reason.padEnd(16),
    printable(client, 64),
    ` ${printable(detail, 160)}`,
    ` ${printable(payload, 80)}`,
  ].join(' ');
}

/** `3 not-json, 1 foreign-vin`, most frequent first; `none` of nothing. */
export function describeCounts(counts: ReadonlyMap<string, number>): string {
  const rows = [...counts].sort(([, a], [, b]) => b - a).map(([reason, count]) => `${count} ${reason}`);
  return rows.length === 0 ? 'none' : rows.join(', ');
}

export function addTo(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
