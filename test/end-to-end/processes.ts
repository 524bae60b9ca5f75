// Telltale commands as processes of their own, the way an operator runs them: started, listened to, stopped by their pid.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const ROOT = new URL('../..', import.meta.url).pathname;

export interface Program {
  readonly pid: number;
  readonly lines: readonly string[];
  /** Resolves with the first line, past or future, that matches; rejects when the program ends or `limitMs` passes without one. */
  line(pattern: RegExp, limitMs?: number): Promise<RegExpExecArray>;
  /** Exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Asks it to stop, as Ctrl-C does, and waits. */
  interrupt(): Promise<number | null>;
  kill(): void;
}

/** Starts `telltale <args>`; stdout and stderr are read line by line. */
export function start(args: readonly string[], env: Readonly<Record<string, string>>): Program {
  const child: ChildProcess = spawn(process.execPath, ['main.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let waiting: (() => void)[] = [];
  let over = false;
  const wake = () => {
    const woken = waiting;
    waiting = [];
    for (const resolve of woken) resolve();
  };
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream! }).on('line', (line) => {
      lines.push(line);
      wake();
    });
  }
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      over = true;
      wake();
      resolve(code);
    });
  });
  return {
    pid: child.pid ?? -1,
    lines,
    exited,
    line: async (pattern, limitMs = 600_000) => {
      const limit = AbortSignal.timeout(limitMs);
      limit.addEventListener('abort', wake, { once: true });
      for (let next = 0; ; ) {
        for (; next < lines.length; next += 1) {
          const match = pattern.exec(lines[next]!);
          if (match) return match;
        }
        const why = over ? 'ended' : limit.aborted ? `waited ${limitMs} ms` : null;
        if (why !== null)
          throw new Error(`telltale ${args[0]}: ${why} without ${pattern}:\n${lines.join('\n')}`);
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    interrupt: () => {
      child.kill('SIGINT');
      return exited;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
