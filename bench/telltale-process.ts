// The program's own processes as a benchmark starts, measures and ends them. Shared by bench/reference-100k.ts and
// bench/whole-stream.ts. Linux: what a process used is read from /proc.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Usage, usageOf } from './ingest-run.ts';

const MAIN = new URL('../main.ts', import.meta.url).pathname;

/** Starts `telltale …`; it ends with the benchmark, whatever happens to that. */
export function telltale(args: readonly string[], errors: 'inherit' | 'pipe' = 'inherit'): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', errors] });
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('exit', () => process.off('exit', killWithUs));
  return child;
}

/** The first line that a process prints and the pattern fits. @throws Error when it ends before */
export async function lineOf(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  const lines = createInterface({ input: child.stdout! });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`a process ended with code ${code} before it printed ${pattern}`);
  });
  ended.catch(() => undefined);
  const found = new Promise<RegExpExecArray>((resolve) => {
    lines.on('line', (line) => {
      const match = pattern.exec(line);
      if (match) resolve(match);
    });
  });
  return Promise.race([found, ended]);
}

/** `telltale ingest` number `n` on a loopback address of its own, so that local ports suffice for 100,000 connections. */
export async function startBroker(
  n: number,
  dir: string,
  more: readonly string[] = [],
): Promise<{ child: ChildProcess; address: string }> {
  const host = `127.0.0.${n + 1}`;
  const child = telltale(['ingest', '--data-dir', dir, '--mqtt-host', host, '--mqtt-port', '0', ...more]);
  const [, port] = await lineOf(child, /MQTT on [^ ]*:(\d+)/);
  return { child, address: `${host}:${port}` };
}

/** Asks it to end and waits. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** Processes whose parent is `pid`. */
export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '))
    .filter((text) => text !== '')
    .map(Number);
}

/** Memory as the kernel shares it out: PSS counts a page that n processes map as an n-th of it. */
function sharedOutBytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024;
}

/** Processes that do one kind of work, measured together. */
export class Side {
  readonly name: string;
  pids: readonly number[];
  cpuSeconds = 0;
  /** Peaks: of all together, and of the largest one. */
  ownBytes = 0;
  largestOwnBytes = 0;
  largestPssBytes = 0;
  #cpuAtMark = 0;

  constructor(name: string, pids: readonly number[]) {
    this.name = name;
    this.pids = pids;
  }

  /** CPU seconds since `mark`. */
  get cpuSinceMark(): number {
    return this.cpuSeconds - this.#cpuAtMark;
  }

  mark(): void {
    this.sample();
    this.#cpuAtMark = this.cpuSeconds;
  }

  /** @param shared also looks at what is shared out, which takes the kernel a while where a large log is mapped */
  sample(shared = false): void {
    try {
      const all = this.pids.map(usageOf);
      const sum = (of: (usage: Usage) => number) => all.reduce((total, usage) => total + of(usage), 0);
      this.cpuSeconds = sum(({ cpuSeconds }) => cpuSeconds);
      this.ownBytes = Math.max(
        this.ownBytes,
        sum(({ ownBytes }) => ownBytes),
      );
      this.largestOwnBytes = Math.max(this.largestOwnBytes, ...all.map(({ ownBytes }) => ownBytes));
      if (shared) this.largestPssBytes = Math.max(this.largestPssBytes, ...this.pids.map(sharedOutBytes));
    } catch {
      // A process of this side has just ended; the last full sample stands.
    }
  }
}
