// Wakes who waits for new records: in this process by a call, in others by a file system notification. Each process
// writes one byte into a file of its own in a common folder, and all watch the folder. A notification can be lost
// (network file systems), so every wait also has a slow timeout: it bounds the delay, it does not carry the traffic.
import {
  closeSync,
  type FSWatcher,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  watch,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';

/** What rings: a topic's id, or GROUPS for members, leases and topics that come and go. */
export const GROUPS = 0;

const STALE_FILE_MS = 86_400_000;
const BYTE = Buffer.of(0);

/** What a waiter knew before it looked: it is not put to sleep when something rang since. */
export interface Ticket {
  readonly subject: number;
  readonly count: number;
}

interface Waiter {
  readonly subject: number;
  readonly wake: () => void;
}

export class Bell {
  readonly #file: string;
  readonly #fd: number;
  readonly #watcher: FSWatcher | undefined;
  readonly #counts = new Map<number, number>();
  readonly #waiters = new Set<Waiter>();
  #countFromOthers = 0;

  /** `dir` is made if it is not there; `id` must differ between all that open the log. */
  constructor(dir: string, id: string, warn: (line: string) => void) {
    mkdirSync(dir, { recursive: true });
    removeStale(dir);
    this.#file = join(dir, id);
    this.#fd = openSync(this.#file, 'w');
    try {
      this.#watcher = watch(dir, { persistent: false }, (_event, name) => {
        if (name !== id) this.#rungByOthers();
      });
      this.#watcher.on('error', (error) => warn(`log: lost the file notification: ${messageOf(error)}`));
    } catch (error) {
      warn(`log: no file notification (${messageOf(error)}); other processes are noticed within a second`);
    }
  }

  ticket(subject: number): Ticket {
    return { subject, count: (this.#counts.get(subject) ?? 0) + this.#countFromOthers };
  }

  /** Wakes the waiters of these subjects here, and all waiters of other processes. */
  ring(subjects: Iterable<number>): void {
    for (const subject of subjects) {
      this.#counts.set(subject, (this.#counts.get(subject) ?? 0) + 1);
      for (const waiter of this.#waiters) if (waiter.subject === subject) waiter.wake();
    }
    try {
      writeSync(this.#fd, BYTE, 0, 1, 0);
    } catch {
      // A full disk: the records are committed, and who waits in another process looks by itself within its timeout.
    }
  }

  /** Resolves when the ticket's subject rang since the ticket, when a signal aborts, or after the timeout. */
  wait(ticket: Ticket, timeoutMs: number, ...signals: readonly (AbortSignal | undefined)[]): Promise<void> {
    if (this.ticket(ticket.subject).count !== ticket.count) return Promise.resolve();
    if (signals.some((signal) => signal?.aborted)) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        for (const signal of signals) signal?.removeEventListener('abort', wake);
        resolve();
      };
      const waiter: Waiter = { subject: ticket.subject, wake };
      const timer = setTimeout(wake, timeoutMs);
      this.#waiters.add(waiter);
      for (const signal of signals) signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Wakes everyone and lets the file go. */
  close(): void {
    this.#watcher?.close();
    this.#rungByOthers();
    closeSync(this.#fd);
    rmSync(this.#file, { force: true });
  }

  #rungByOthers(): void {
    this.#countFromOthers += 1;
    for (const waiter of this.#waiters) waiter.wake();
  }
}

/** Files of processes that were killed long ago. A younger one may belong to a process that only this one cannot see. */
function removeStale(dir: string): void {
  for (const name of readdirSync(dir)) {
    const file = join(dir, name);
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat !== undefined && Date.now() - stat.mtimeMs > STALE_FILE_MS) rmSync(file, { force: true });
  }
}
