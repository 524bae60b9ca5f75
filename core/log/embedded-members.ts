// Who works for a group on the embedded log. A process has one session, beating while it lives; each of its transforms
// is a member; the members of a group share the topic's partitions evenly, each held by a lease. A session whose process
// is gone (its pid tells, on the same machine at once) or whose beat stands still is removed by whoever notices, with its
// leases. Safety never rests on this: a commit checks its lease and its offset in the same transaction that writes.
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { GROUPS } from './embedded-bell.ts';
import type { EmbeddedStore, GroupKey, Lease, Session } from './embedded-store.ts';
import type { WriteQueue } from './embedded-write.ts';

/** How often the other sessions are looked at; a killed process is noticed within this. */
export const LOOK_AT_SESSIONS_MS = 500;
const BEAT_EVERY_MS = 1000;
/** A session that looks alive but beats no more (stopped, or on another machine) loses its leases after this. */
export const DEFAULT_SESSION_MS = 10_000;

/** A member of a group for one topic. */
export interface Member {
  readonly group: string;
  readonly topicId: number;
  readonly number: number;
}

interface Seen {
  readonly beat: number;
  readonly atMs: number;
}

export class EmbeddedMembers {
  readonly #store: EmbeddedStore;
  readonly #queue: WriteQueue;
  readonly #sessionMs: number;
  readonly session: string = randomUUID();
  readonly #joined = new Set<Member>();
  /** Beats of the others, by this process's own monotonic clock: clocks of processes need not agree. */
  readonly #seen = new Map<string, Seen>();
  #beat = 0;
  #beatAtMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(store: EmbeddedStore, queue: WriteQueue, sessionMs: number) {
    this.#sessionMs = sessionMs;
    this.#store = store;
    this.#queue = queue;
  }

  async join(group: string, topicId: number): Promise<Member> {
    let number = 0;
    await this.#queue.run(0, (commit) => {
      number = this.#store.nextNumber();
      this.#putSession();
      this.#store.members.putSync([group, topicId, number], this.session);
      commit.rung.add(GROUPS);
    });
    const member = { group, topicId, number };
    this.#joined.add(member);
    this.#timer ??= setInterval(() => this.#look(), LOOK_AT_SESSIONS_MS).unref();
    return member;
  }

  /** Gives up membership and all leases. */
  async leave(member: Member): Promise<void> {
    this.#joined.delete(member);
    if (this.#joined.size === 0) this.#stopLooking();
    await this.#queue.run(0, (commit) => {
      this.#store.members.removeSync([member.group, member.topicId, member.number]);
      this.#dropLeases((lease) => lease.session === this.session && lease.member === member.number);
      if (this.#joined.size === 0) this.#store.sessions.removeSync(this.session);
      commit.rung.add(GROUPS);
    });
  }

  /** The partitions that are this member's share now. */
  share(member: Member, partitions: number): Set<number> {
    this.#store.fresh();
    const members = this.#membersOf(member.group, member.topicId);
    const place = members.indexOf(member.number);
    const mine = new Set<number>();
    for (let p = 0; p < partitions; p++) if (place >= 0 && p % members.length === place) mine.add(p);
    return mine;
  }

  /** Takes the lease of a partition when nobody holds it. `work` runs in the same transaction, with the lease taken. */
  async acquire(member: Member, partition: number, work: () => void): Promise<Lease | undefined> {
    let taken: Lease | undefined;
    await this.#queue.run(0, () => {
      taken = undefined;
      const key: GroupKey = [member.group, member.topicId, partition];
      const held = this.#store.leases.get(key);
      const ownLeftover = held?.session === this.session && held.member === member.number;
      if (held !== undefined && !ownLeftover) return;
      taken = { session: this.session, member: member.number, epoch: this.#store.nextNumber() };
      this.#store.leases.putSync(key, taken);
      work();
    });
    return taken;
  }

  async release(member: Member, partition: number, lease: Lease): Promise<void> {
    await this.#queue.run(0, (commit) => {
      if (!this.holds(member, partition, lease)) return;
      this.#store.leases.removeSync([member.group, member.topicId, partition]);
      commit.rung.add(GROUPS);
    });
  }

  /** In a write: whether the lease still stands. */
  holds(member: Member, partition: number, lease: Lease): boolean {
    return this.#store.leases.get([member.group, member.topicId, partition])?.epoch === lease.epoch;
  }

  /** In a write: whether a living process works for the group on the topic. */
  active(group: string, topicId: number): boolean {
    return this.#sessionsOf(group, topicId).some((id) => {
      const session = this.#store.sessions.get(id);
      return session !== undefined && !this.#gone(id, session);
    });
  }

  #membersOf(group: string, topicId: number): number[] {
    return [...this.#store.members.getKeys(groupRange(group, topicId))].map(([, , number]) => number);
  }

  #sessionsOf(group: string, topicId: number): string[] {
    return [...this.#store.members.getRange(groupRange(group, topicId))].map(({ value }) => value);
  }

  #putSession(): void {
    this.#beat += 1;
    this.#beatAtMs = performance.now();
    this.#store.sessions.putSync(this.session, { ...PROCESS, beat: this.#beat });
  }

  /** Beats, and removes the sessions of the dead. */
  #look(): void {
    this.#store.fresh();
    const dead: string[] = [];
    let known = false;
    for (const { key, value } of this.#store.sessions.getRange({})) {
      if (key === this.session) known = true;
      else if (this.#gone(key, value)) dead.push(key);
    }
    const due = performance.now() - this.#beatAtMs >= BEAT_EVERY_MS;
    if (!due && known && dead.length === 0) return;
    this.#queue
      .run(0, (commit) => {
        this.#putSession();
        // Whoever was suspended so long that others removed it comes back as the same member.
        for (const { group, topicId, number } of known ? [] : this.#joined)
          this.#store.members.putSync([group, topicId, number], this.session);
        for (const session of dead) this.#remove(session);
        if (dead.length > 0 || !known) commit.rung.add(GROUPS);
      })
      .catch(() => {
        // The next look tries again; a log that cannot be written shows itself in the transforms' own commits.
      });
  }

  /** In a write. */
  #remove(session: string): void {
    for (const { key, value } of [...this.#store.members.getRange({})])
      if (value === session) this.#store.members.removeSync(key);
    this.#dropLeases((lease) => lease.session === session);
    this.#store.sessions.removeSync(session);
    this.#seen.delete(session);
  }

  #dropLeases(drop: (lease: Lease) => boolean): void {
    for (const { key, value } of [...this.#store.leases.getRange({})])
      if (drop(value)) this.#store.leases.removeSync(key);
  }

  #gone(id: string, session: Session): boolean {
    if (id === this.session) return false;
    if (session.place === PROCESS.place && startOf(session.pid) !== session.started) return true;
    const seen = this.#seen.get(id);
    const nowMs = performance.now();
    if (seen === undefined || seen.beat !== session.beat) {
      this.#seen.set(id, { beat: session.beat, atMs: nowMs });
      return false;
    }
    return nowMs - seen.atMs > this.#sessionMs;
  }

  /** Stops looking at the others; for closing the log. */
  stop(): void {
    this.#stopLooking();
  }

  #stopLooking(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function groupRange(group: string, topicId: number): { start: GroupKey; end: GroupKey } {
  return { start: [group, topicId, 0], end: [group, topicId, Number.MAX_SAFE_INTEGER] };
}

/**
 * When a process started, in the kernel's ticks; '' where only its existence can be known, undefined when it is gone.
 * A pid alone may belong to a later process.
 */
function startOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return undefined;
  }
  try {
    // The command's name, in parentheses, may hold spaces: count fields after it. Field 22 of proc_pid_stat(5), and
    // the state, field 3: a zombie holds nothing any more.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : (fields[19] ?? '');
  } catch {
    return '';
  }
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

const PROCESS = {
  pid: process.pid,
  place: `${hostname()} ${pidNamespace()}`,
  started: startOf(process.pid) ?? '',
} as const;
