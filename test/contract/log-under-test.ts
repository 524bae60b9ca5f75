// What the contract suite needs to know of a log, and small helpers that its parts share.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { openEmbeddedLog } from '../../core/log/embedded.ts';
import { openKafkaLog } from '../../core/log/kafka.ts';
import type { Log, LogRecord, NewRecord, ReadOptions, RecordBatch, TopicSpec } from '../../core/log/log.ts';

/** How another process opens the same log. */
export type Where =
  | { readonly kind: 'embedded'; readonly dir: string }
  | { readonly kind: 'kafka'; readonly brokers: string };

export interface LogUnderTest {
  readonly where: Where;
  /** Superseded records of a compacted topic are gone as soon as the newer one is there. */
  readonly compactsAtOnce: boolean;
  /** How long a process that was killed may hold its partitions, ms. */
  readonly takeOverMs: number;
}

export interface OpenOptions {
  readonly prefix: string;
  readonly clock?: () => number;
  /** Default: the log's own. */
  readonly sessionMs?: number;
}

/** Where processes are killed, members of a group are missed after this; elsewhere a machine that stalls loses none. */
export const CRASH_SESSION_MS = 2500;

export async function openAt(where: Where, { clock = Date.now, ...options }: OpenOptions): Promise<Log> {
  const warn = (line: string) => console.warn(line);
  if (where.kind === 'embedded') return openEmbeddedLog({ dir: where.dir, clock, warn, ...options });
  return openKafkaLog({ brokers: [where.brokers], replication: 1, clock, warn, ...options });
}

const TURN_MS = 50;

/** Counts the time in which this process had its turns: a machine that stands still for a while is not late for it. */
export function countTurns(): () => number {
  let countedMs = 0;
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    countedMs += Math.min(nowMs - lastMs, 2 * TURN_MS);
    lastMs = nowMs;
  }, TURN_MS);
  return () => {
    clearInterval(timer);
    return countedMs;
  };
}

export const plain = (name: string, partitions = 3): TopicSpec => ({
  name,
  partitions,
  retentionMs: null,
  compacted: false,
});
export const compacted = (name: string, partitions = 3): TopicSpec => ({
  ...plain(name, partitions),
  compacted: true,
});

export const bytes = (text: string): Buffer => Buffer.from(text);
export const textOf = (record: LogRecord): string =>
  record.value === null ? 'null' : Buffer.from(record.value).toString();
export const record = (key: string, value: string, timestampMs?: number): NewRecord =>
  timestampMs === undefined ? { key, value: bytes(value) } : { key, value: bytes(value), timestampMs };

/** `count` records over `keys` keys, numbered `prefix0` … */
export function numbered(count: number, keys = 7, from = 0): NewRecord[] {
  return Array.from({ length: count }, (_, i) => record(`car-${(from + i) % keys}`, `${from + i}`));
}

/** All records of a bounded read, with the partition of each. */
export async function readAll(
  log: Log,
  topic: string,
  options: ReadOptions = { to: 'end' },
): Promise<(LogRecord & { readonly partition: number })[]> {
  const all: (LogRecord & { readonly partition: number })[] = [];
  for await (const batch of log.read(topic, options))
    for (const one of batch.records) all.push({ ...one, partition: batch.partition });
  return all;
}

/** Follows a topic until `enough` says so of what has come. */
export async function readUntil(
  log: Log,
  topic: string,
  enough: (records: readonly LogRecord[]) => boolean,
  options: ReadOptions = {},
): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for await (const batch of log.read(topic, options)) {
    all.push(...batch.records);
    if (enough(all)) break;
  }
  return all;
}

export async function nextBatch(iterator: AsyncIterator<RecordBatch>): Promise<RecordBatch> {
  const { value, done } = await iterator.next();
  if (done === true) throw new Error('the read has ended');
  return value;
}

/** Something that happens once, to be waited for. */
export function event<T = void>(): { readonly happened: Promise<T>; readonly happens: (value: T) => void } {
  let happens: (value: T) => void = () => undefined;
  const happened = new Promise<T>((resolve) => {
    happens = resolve;
  });
  return { happened, happens };
}

/** What a child process (child.ts) is asked to do. */
export interface Task {
  readonly where: Where;
  readonly prefix: string;
  /**
   * `count`: copies `in` to `out` with a count of each car's records, kept in `state`; `hang`: does so but never leaves
   * the handler; `suspend`: leaves it after SIGCONT; `append`: appends to `in`.
   */
  readonly act: 'count' | 'hang' | 'suspend' | 'append';
  /** For `append`: how many records. */
  readonly records?: number;
  readonly keyPrefix?: string;
}

export interface Child {
  readonly process: ChildProcess;
  /** Resolves at the first line that begins with `word`; rejects when the child ends before. */
  said(word: string): Promise<string>;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): void;
}

const CHILD_FILE = new URL('./child.ts', import.meta.url).pathname;

/** Starts a process that works on the log; its stderr is ours. `shell` wraps the command line, for limits. */
export function startChild(task: Task, shell?: (command: string) => string): Child {
  const command = [process.execPath, CHILD_FILE, JSON.stringify(task)];
  const child =
    shell === undefined
      ? spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
      : spawn('sh', ['-c', shell(command.map((part) => `'${part}'`).join(' '))], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  createInterface({ input: child.stdout! }).on('line', (line) => {
    lines.push(line);
    for (const listener of listeners) listener();
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  );
  return {
    process: child,
    ended,
    kill: (signal) => void child.kill(signal),
    said: (word) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find((line) => line.startsWith(word));
          if (found === undefined) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
        ended.then(({ code, signal }) =>
          reject(
            new Error(`the child ended (${code ?? signal}) before saying ${word}: ${lines.join(' | ')}`),
          ),
        );
      }),
  };
}
