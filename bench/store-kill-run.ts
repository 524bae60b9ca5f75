// Writers append to one embedded log while other processes open and close it; each is frozen for moments, as a busy machine
// does it, and killed at any moment. Then every acknowledged record must be there once, and every record must stand at the offset where it was first read.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log/log.ts';
import { pause } from '../core/service.ts';
import { hashUnit } from '../simulator/random.ts';
import { type ChildTask, EVENTS, openHere, READY } from './store-kill-child.ts';

export interface KillOptions {
  /** Folder of the log, empty. */
  readonly dir: string;
  readonly seconds: number;
  /** On a busy machine it goes on until there were so many openings, freezes and records, at most ten times as long. */
  readonly atLeast: { readonly openings: number; readonly freezes: number; readonly acknowledged: number };
  readonly writers: number;
  readonly openers: number;
  /** How long a process lives from when it is about to open the log until it is killed, ms; null: it is left alone. */
  readonly writerLifeMs: readonly [number, number] | null;
  readonly openerLifeMs: readonly [number, number] | null;
  /** An opener is stopped and continued all the time, at most so long, ms; 0: never. */
  readonly freezeMs: number;
  /** An opener rests between two openings at most this, ms. */
  readonly restMs: number;
  /** Has the log open all the time and reads along; without it the log is at times open nowhere. */
  readonly follow: boolean;
  readonly seed: number;
}

export interface KillResult {
  readonly acknowledged: number;
  readonly openings: number;
  readonly freezes: number;
  readonly kills: { readonly writers: number; readonly openers: number };
  /** Acknowledged and not in the log. */
  readonly lost: readonly string[];
  /** In the log twice though acknowledged, or at an offset where another record was read before. */
  readonly moved: readonly string[];
  /** What processes said that ended by themselves. */
  readonly failures: readonly string[];
}

const CHILD = join(import.meta.dirname, 'store-kill-child.ts');

class Hammer {
  readonly #options: KillOptions;
  readonly #alive = new Map<ChildProcess, Promise<void>>();
  /** Name of a writer → numbers below this were acknowledged. A restarted one goes on under a new name. */
  readonly #acknowledged = new Map<string, number>();
  readonly #failures: string[] = [];
  readonly #kills = { writers: 0, openers: 0 };
  #openings = 0;
  #freezes = 0;
  #started = 0;
  #over = false;

  constructor(options: KillOptions) {
    this.#options = options;
  }

  async run(): Promise<KillResult> {
    const { dir, writers, openers, follow } = this.#options;
    const stop = new AbortController();
    const log = follow ? openHere(dir, true) : undefined;
    await log?.createTopic(EVENTS);
    const seen = new Map<string, string>();
    const following: Promise<void> | undefined =
      log === undefined ? undefined : followInto(log, seen, stop.signal);
    for (let i = 0; i < writers; i++) this.#start('writer');
    for (let i = 0; i < openers; i++) this.#start('opener');
    const startMs = performance.now();
    // A process that failed is the end: what comes after it shows nothing new.
    while (this.#failures.length === 0 && !this.#enough(performance.now() - startMs)) await pause(50);
    this.#over = true;
    for (const child of this.#alive.keys()) child.kill('SIGKILL');
    await Promise.all(this.#alive.values());
    stop.abort();
    await following?.catch((error: unknown) => this.#failures.push(`the reader: ${messageOf(error)}`));
    await log?.close();
    return this.#check(seen);
  }

  #enough(ranMs: number): boolean {
    const { seconds, atLeast } = this.#options;
    if (ranMs < seconds * 1000) return false;
    const acknowledged = [...this.#acknowledged.values()].reduce((sum, count) => sum + count, 0);
    const done =
      this.#openings >= atLeast.openings &&
      this.#freezes >= atLeast.freezes &&
      acknowledged >= atLeast.acknowledged;
    return done || ranMs >= 10 * seconds * 1000;
  }

  #start(role: ChildTask['role']): void {
    const { dir, seed, restMs, writerLifeMs, openerLifeMs } = this.#options;
    const number = ++this.#started;
    const name = `${role}${number}`;
    const task: ChildTask = { role, dir, seed: seed + number, name, from: 0, restMs };
    const child = spawn(process.execPath, [CHILD, JSON.stringify(task)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const life = role === 'writer' ? writerLifeMs : openerLifeMs;
    let timer: NodeJS.Timeout | undefined;
    let killed = false;
    const kill = () => {
      killed = true;
      child.kill('SIGKILL');
      this.#kills[`${role}s`] += 1;
    };
    if (role === 'writer') this.#acknowledged.set(name, 0);
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === READY) {
        if (life !== null) timer = setTimeout(kill, life[0] + hashUnit(seed, number) * (life[1] - life[0]));
        if (role === 'opener' && this.#options.freezeMs > 0) void this.#freeze(child, seed + number);
      } else if (role === 'writer') this.#acknowledged.set(name, Number(line));
      else this.#openings += 1;
    });
    let said = '';
    child.stderr.on('data', (data: Buffer) => {
      said = `${said}${data}`.slice(-2000);
    });
    const ended = new Promise<void>((resolve) => {
      child.once('close', (code, signal) => {
        clearTimeout(timer);
        this.#alive.delete(child);
        if (!killed && !this.#over) this.#failures.push(`${name} ended (${code ?? signal}): ${said.trim()}`);
        if (!this.#over) this.#start(role);
        resolve();
      });
    });
    this.#alive.set(child, ended);
  }

  /** Stops and continues the process at random moments, as long as it lives. */
  async #freeze(child: ChildProcess, seed: number): Promise<void> {
    for (let turn = 0; this.#alive.has(child); turn++) {
      child.kill('SIGSTOP');
      this.#freezes += 1;
      await pause(hashUnit(seed, 2 * turn) * this.#options.freezeMs);
      child.kill('SIGCONT');
      await pause(hashUnit(seed, 2 * turn + 1) * this.#options.freezeMs);
    }
  }

  async #check(seen: ReadonlyMap<string, string>): Promise<KillResult> {
    const log = openHere(this.#options.dir);
    const held = new Map<string, number>();
    const moved: string[] = [];
    for await (const { partition, records } of log.read(EVENTS.name, { to: 'end' }))
      for (const { offset, value } of records) {
        const text = Buffer.from(value ?? []).toString();
        held.set(text, (held.get(text) ?? 0) + 1);
        const before = seen.get(`${partition}:${offset}`);
        if (before !== undefined && before !== text)
          moved.push(`${partition}:${offset} was ${before}, is ${text}`);
      }
    await log.close();
    const lost: string[] = [];
    let acknowledged = 0;
    for (const [name, end] of this.#acknowledged) {
      acknowledged += end;
      for (let i = 0; i < end; i++) {
        const times = held.get(`${name}:${i}`) ?? 0;
        if (times === 0) lost.push(`${name}:${i}`);
        else if (times > 1) moved.push(`${name}:${i} is there ${times} times`);
      }
    }
    return {
      acknowledged,
      openings: this.#openings,
      freezes: this.#freezes,
      kills: this.#kills,
      lost,
      moved,
      failures: this.#failures,
    };
  }
}

async function followInto(log: Log, seen: Map<string, string>, signal: AbortSignal): Promise<void> {
  for await (const { partition, records } of log.read(EVENTS.name, { signal }))
    for (const { offset, value } of records)
      seen.set(`${partition}:${offset}`, Buffer.from(value ?? []).toString());
}

/** Does it, and says what it found. */
export const hammer = (options: KillOptions): Promise<KillResult> => new Hammer(options).run();
