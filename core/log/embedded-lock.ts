// One process at a time opens, closes or writes the embedded store. lmdb has a lock for writers, but opening is not under
// it: lmdb 3.5.6 (LMDB's ITS#9496, mended there in 2021) reads the last transaction's number from the file and, a moment
// later, writes it into the memory that all processes share. A commit in between is undone: the next writer starts from the
// root before it, and what was acknowledged is overwritten. So whoever opens and whoever commits take this lock first.
// It is the writers' lock of a second, always empty lmdb environment: the kernel frees it when its holder is killed. Opening
// that one has the same fault, and no data that it could hurt.
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { TelltaleError } from '../errors.ts';

export class StoreLock {
  readonly #dir: string;
  readonly #env: RootDatabase;

  constructor(dir: string) {
    this.#dir = dir;
    this.#env = open({ path: join(dir, 'lock'), maxDbs: 1, noSync: true, overlappingSync: false });
  }

  /** Runs `work` while no other process opens, closes or writes the store. @throws TelltaleError LOG_UNAVAILABLE */
  hold<T>(work: () => T): T {
    return this.#env.transactionSync(() => {
      // lmdb does not say that it could not begin: a transaction that has no number has not locked anything.
      if (this.#env.getWriteTxnId() === 0)
        throw new TelltaleError(
          'LOG_UNAVAILABLE',
          `the lock of the log in ${this.#dir} cannot be taken; start again`,
        );
      return work();
    });
  }

  async close(): Promise<void> {
    await this.#env.close();
  }
}
