// One run of the real `telltale ingest` process on an embedded log of its own, under the lean generator, each pinned to a
// core where `taskset` is there. Shared by bench/ingest.ts (how fast) and bench/soak.ts (how steady).
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { GeneratorReport } from './ingest-generator.ts';

const MAIN = new URL('../main.ts', import.meta.url).pathname;
const GENERATOR = new URL('./ingest-generator.ts', import.meta.url).pathname;
/** Linux counts a process's CPU time in ticks of 10 ms. */
const TICK_SECONDS = 0.01;

/** Whether processes can be pinned to cores here. */
export const canPin = spawnSync('taskset', ['-c', '0', 'true']).status === 0;

function startPinned(core: number, script: string, args: readonly string[]): ChildProcess {
  const command = [process.execPath, script, ...args];
  const [program, ...rest] = canPin ? ['taskset', '-c', String(core), ...command] : command;
  const child = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  // A measurement that fails leaves nothing running.
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('exit', () => process.off('exit', killWithUs));
  return child;
}

export interface Usage {
  readonly cpuSeconds: number;
  /** Memory of the process itself; pages of the log's memory-mapped file are the kernel's cache and not counted. */
  readonly ownBytes: number;
  readonly mappedBytes: number;
}

/** What a process has used so far (Linux). */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kb = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return {
    cpuSeconds: (Number(stat[11]) + Number(stat[12])) * TICK_SECONDS,
    ownBytes: kb('RssAnon') * 1024,
    mappedBytes: (kb('RssFile') + kb('RssShmem')) * 1024,
  };
}

export interface BrokerProcess {
  readonly pid: number;
  readonly port: number;
  /** Ends it in order; resolves with its last line. */
  stop(): Promise<string>;
}

/** Starts `telltale ingest` on an empty log. */
export async function startBrokerProcess(args: readonly string[] = []): Promise<BrokerProcess> {
  const dir = mkdtempSync(join(tmpdir(), 'telltale-bench-'));
  const child = startPinned(0, MAIN, ['ingest', '--data-dir', dir, '--mqtt-port', '0', ...args]);
  const lines = createInterface({ input: child.stdout! });
  let last = '';
  lines.on('line', (line) => {
    last = line;
  });
  const [first] = (await once(lines, 'line')) as [string];
  const port = Number(/MQTT on [^ ]*:(\d+)/.exec(first)?.[1]);
  return {
    pid: child.pid!,
    port,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      rmSync(dir, { recursive: true, force: true });
      return last;
    },
  };
}

export interface GeneratorProcess {
  readonly report: Promise<GeneratorReport>;
}

/** Starts the generator; its report comes when it has run its time. */
export function startGenerator(port: number, flags: Readonly<Record<string, number>>): GeneratorProcess {
  const args = Object.entries({ port, ...flags }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = startPinned(1, GENERATOR, args);
  const lines = createInterface({ input: child.stdout! });
  const report = (async () => {
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the generator ended with code ${code} before its report`);
    });
    const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
    ended.catch(() => undefined);
    return JSON.parse(line) as GeneratorReport;
  })();
  return { report };
}
