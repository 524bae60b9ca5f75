// Long sums leave no time for anything else: a Ctrl-C is heard only when the event loop turns.
import { TelltaleError } from './errors.ts';

/** Lets the event loop turn once. @throws TelltaleError ABORTED when that brought the wish to stop */
export async function yieldNow(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  if (signal.aborted) throw new TelltaleError('ABORTED', 'training was stopped');
}

/** `list.map(work)`, hearing `signal` before each. @throws TelltaleError ABORTED */
export async function mapYielding<T, R>(
  list: readonly T[],
  work: (one: T, i: number) => R,
  signal: AbortSignal,
): Promise<R[]> {
  const out: R[] = [];
  for (const [i, one] of list.entries()) {
    await yieldNow(signal);
    out.push(work(one, i));
  }
  return out;
}
