// Who is champion, and the work that follows it: whatever runs for one champion is stopped in order when another takes charge.
import type { Champion } from './reign.ts';

/** The present champion and its successors. */
export interface ChampionSource {
  /** Null while none has been released. */
  current(): Champion | null;
  /** Calls back after each change; returns the way to stop that. */
  onChange(listener: () => void): () => void;
}

const same = (a: Champion | null, b: Champion | null) =>
  a === b || (a !== null && b !== null && a.version === b.version && a.sinceMs === b.sinceMs);

/** Resolves with the champion as soon as it is another one than `known`, with null when the signal aborts. */
function nextChampion(
  source: ChampionSource,
  known: Champion | null,
  signal: AbortSignal,
): Promise<Champion | null> {
  return new Promise((resolve) => {
    let stop = () => {};
    const settle = (champion: Champion | null) => {
      stop();
      signal.removeEventListener('abort', abort);
      resolve(champion);
    };
    const abort = () => settle(null);
    const look = () => {
      const current = source.current();
      if (current !== null && !same(current, known)) settle(current);
    };
    if (signal.aborted) return resolve(null);
    signal.addEventListener('abort', abort, { once: true });
    stop = source.onChange(look);
    look();
  });
}

/** Runs `work` for each champion in turn, the former one's ended first; rejects as soon as one rejects. */
export async function followChampions(
  source: ChampionSource,
  signal: AbortSignal,
  work: (champion: Champion, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  let champion = await nextChampion(source, null, signal);
  while (champion !== null) {
    const over = new AbortController();
    const working = work(champion, AbortSignal.any([signal, over.signal]));
    const failed = working.then(() => new Promise<never>(() => {}));
    const next = await Promise.race([nextChampion(source, champion, signal), failed]);
    over.abort();
    await working;
    champion = next;
  }
}
