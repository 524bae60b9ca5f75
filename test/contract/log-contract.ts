// THE CONTRACT of core/log/log.ts: every log passes the same suite. `make` says where the log is; each test works under a
// prefix of its own, so that one store or one broker serves them all.
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import type { Log } from '../../core/log/log.ts';
import { appendContract } from './contract-append.ts';
import { crashContract } from './contract-crash.ts';
import { readContract } from './contract-read.ts';
import { transformContract } from './contract-transform.ts';
import { type LogUnderTest, type OpenOptions, openAt } from './log-under-test.ts';

export interface Bench {
  readonly subject: () => LogUnderTest;
  /** A prefix that no other test has. */
  readonly prefix: () => string;
  /** Opens the log; closed after the test. Default: a new prefix. */
  readonly open: (options?: Partial<OpenOptions>) => Promise<Log>;
}

export function logContract(
  name: string,
  make: () => Promise<LogUnderTest>,
  dispose: () => Promise<void>,
): void {
  describe(`the contract of the log: ${name}`, () => {
    let subject: LogUnderTest;
    let tests = 0;
    const opened: Log[] = [];
    beforeAll(async () => {
      subject = await make();
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((log) => log.close()));
    });
    afterAll(dispose);
    const run = `${process.pid}-${Date.now().toString(36)}`;
    const prefix = () => `${run}-${++tests}.`;
    const bench: Bench = {
      subject: () => subject,
      prefix,
      open: async (options = {}) => {
        const log = await openAt(subject.where, { prefix: prefix(), ...options });
        opened.push(log);
        return log;
      },
    };
    appendContract(bench);
    readContract(bench);
    transformContract(bench);
    crashContract(bench);
  });
}
