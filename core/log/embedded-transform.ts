// `transform` on the embedded log. One loop follows the group's membership and starts or stops a worker for each
// partition that is this member's; a worker reads, calls the handler, and commits outputs and offset in one transaction
// that first checks that its lease stands and that the group is still where the batch began.
import { setMaxListeners } from 'node:events';
import { isRetryable, TelltaleError } from '../errors.ts';
import { pause } from '../service.ts';
import { type Bell, GROUPS } from './embedded-bell.ts';
import { type EmbeddedMembers, LOOK_AT_SESSIONS_MS, type Member } from './embedded-members.ts';
import { DEFAULT_MAX_BATCH, type EmbeddedReader, LOOK_AGAIN_MS } from './embedded-read.ts';
import type { EmbeddedStore, Lease, TopicEntry } from './embedded-store.ts';
import type { WriteQueue } from './embedded-write.ts';
import { checkSizes } from './limits.ts';
import type { NewRecord, OutputRecord, TransformHandler, TransformOptions } from './log.ts';

/** Commits that may fail for lack of room or a failing disk, one after another, before the transform gives up: about 10 s. */
const MAX_WRITE_FAILURES = 12;
/** Partitions that may be lost without any commit between, before the transform gives up. */
const MAX_FENCED = 20;
/** The offset after batches that came to nothing is committed within this: a commit for each would cost more than they did. */
const IDLE_COMMIT_MS = 500;

export interface TransformParts {
  readonly store: EmbeddedStore;
  readonly reader: EmbeddedReader;
  readonly queue: WriteQueue;
  readonly members: EmbeddedMembers;
  readonly bell: Bell;
  /** Full name of a topic, from the name the caller uses. */
  readonly fullName: (name: string) => string;
}

interface Worker {
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

export class EmbeddedTransform {
  readonly #parts: TransformParts;
  readonly #name: string;
  readonly #topic: TopicEntry;
  readonly #options: TransformOptions;
  readonly #handler: TransformHandler;
  readonly #workers = new Map<number, Worker>();
  /** Aborted when the transform must end: asked to, or failed. */
  readonly #end = new AbortController();
  #failure: { readonly error: unknown } | undefined;
  #fencedInARow = 0;

  /** `name` is the topic's name as the caller uses it. */
  constructor(
    parts: TransformParts,
    name: string,
    topic: TopicEntry,
    options: TransformOptions,
    handler: TransformHandler,
  ) {
    this.#parts = parts;
    this.#name = name;
    this.#topic = topic;
    this.#options = options;
    this.#handler = handler;
    // One listener for each partition: their number is no leak.
    setMaxListeners(0, this.#end.signal);
  }

  async run(): Promise<void> {
    const { signal, group } = this.#options;
    if (signal.aborted) return;
    const { members, bell } = this.#parts;
    const stop = () => this.#end.abort();
    signal.addEventListener('abort', stop, { once: true });
    const member = await members.join(group, this.#topic.id);
    try {
      while (!this.#end.signal.aborted) {
        const ticket = bell.ticket(GROUPS);
        await this.#balance(member);
        await bell.wait(ticket, LOOK_AT_SESSIONS_MS, this.#end.signal);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      signal.removeEventListener('abort', stop);
      this.#end.abort();
      await this.#stopWorkers();
      // The log may be what failed; leases of a session that cannot let go are taken when its beat stands still.
      await members.leave(member).catch((error: unknown) => this.#fail(error));
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#end.abort();
  }

  async #stopWorkers(): Promise<void> {
    for (const worker of this.#workers.values()) worker.stop.abort();
    await Promise.all([...this.#workers.values()].map((worker) => worker.done));
  }

  /** Starts and stops workers so that they are those of this member's share. */
  async #balance(member: Member): Promise<void> {
    const { members, store } = this.#parts;
    const share = members.share(member, this.#topic.partitions);
    for (const [partition, worker] of this.#workers) if (!share.has(partition)) worker.stop.abort();
    const free = [...share].filter(
      (partition) =>
        !this.#workers.has(partition) &&
        store.leases.get([member.group, member.topicId, partition]) === undefined,
    );
    await Promise.all(
      free.map(async (partition) => {
        const lease = await members.acquire(member, partition, () => this.#begin(partition));
        if (lease !== undefined) this.#start(member, partition, lease);
      }),
    );
  }

  /** In the transaction that takes the lease: a group that starts at the end starts at this end, whatever comes later. */
  #begin(partition: number): void {
    const { store } = this.#parts;
    const key = [this.#options.group, this.#topic.id, partition] as [string, number, number];
    if (this.#options.from !== 'end' || store.offsets.get(key) !== undefined) return;
    const state = store.state(this.#topic.id, partition);
    if (state !== undefined) store.offsets.putSync(key, state.next);
  }

  #start(member: Member, partition: number, lease: Lease): void {
    const stop = new AbortController();
    const endWorker = () => stop.abort();
    this.#end.signal.addEventListener('abort', endWorker, { once: true });
    if (this.#end.signal.aborted) stop.abort();
    const done = this.#work(member, partition, lease, stop.signal)
      .catch((error: unknown) => this.#lost(error))
      .then(async () => {
        this.#end.signal.removeEventListener('abort', endWorker);
        this.#options.onRevoked?.(partition);
        this.#workers.delete(partition);
        await this.#parts.members.release(member, partition, lease);
      })
      .catch((error: unknown) => this.#fail(error));
    this.#workers.set(partition, { stop, done });
  }

  /** A fenced worker gives its partition back, to be taken anew; any other failure ends the transform. */
  #lost(error: unknown): void {
    this.#fencedInARow += 1;
    const fenced = error instanceof TelltaleError && error.code === 'LOG_FENCED';
    if (!fenced || this.#fencedInARow > MAX_FENCED) this.#fail(error);
  }

  async #work(member: Member, partition: number, lease: Lease, stop: AbortSignal): Promise<void> {
    const { store, reader, bell } = this.#parts;
    const { group, maxBatch = DEFAULT_MAX_BATCH } = this.#options;
    const topicId = this.#topic.id;
    // The lease is held: nobody else moves this offset any more.
    store.fresh();
    let committed = store.offsets.get([group, topicId, partition]);
    let next = committed ?? 0;
    await this.#options.onAssigned?.(partition, { next, signal: stop });
    let handled = committed;
    let committedMs = performance.now();
    const commit = async (outputs: readonly OutputRecord[]) => {
      if (handled === undefined) return;
      await this.#commit(member, partition, lease, committed, handled, outputs);
      this.#fencedInARow = 0;
      committed = handled;
      committedMs = performance.now();
    };
    while (!stop.aborted) {
      const ticket = bell.ticket(topicId);
      const fetched = reader.fetch(topicId, partition, next, Number.MAX_SAFE_INTEGER, maxBatch);
      next = fetched.next;
      const { records, end: highWatermark } = fetched;
      const outputs =
        records.length === 0
          ? []
          : await this.#handler({ topic: this.#name, partition, records, highWatermark });
      if (records.length > 0) handled = next;
      const dueMs = IDLE_COMMIT_MS - (performance.now() - committedMs);
      if (outputs.length > 0 || (handled !== committed && dueMs <= 0)) await commit(outputs);
      else if (records.length === 0)
        await bell.wait(ticket, handled === committed ? LOOK_AGAIN_MS : Math.ceil(dueMs), stop);
      // Without a commit to wait for the rest of the process has its turn all the same.
      else await new Promise<void>((resolve) => setImmediate(resolve));
    }
    // Who takes the partition next begins here; where the log is away, a little before.
    if (handled !== committed) await commit([]).catch(() => undefined);
  }

  /** Writes outputs and offset as one, trying again while the log has no room. */
  async #commit(
    member: Member,
    partition: number,
    lease: Lease,
    expected: number | undefined,
    next: number,
    outputs: readonly OutputRecord[],
  ): Promise<void> {
    const { store, queue, members } = this.#parts;
    const byTopic = this.#byTopic(outputs);
    for (let failures = 1; ; failures++) {
      try {
        return await queue.run(outputs.length, (commit) => {
          const key = [member.group, member.topicId, partition] as [string, number, number];
          if (!members.holds(member, partition, lease) || store.offsets.get(key) !== expected)
            throw new TelltaleError(
              'LOG_FENCED',
              `${member.group}: partition ${partition} of ${this.#name} is no longer this member's`,
            );
          const opened = [...byTopic].map(([name, records]) => ({ topic: commit.topic(name), records }));
          commit.checkRoom(outputs);
          for (const { topic, records } of opened) commit.append(topic, records);
          store.offsets.putSync(key, next);
        });
      } catch (error) {
        const fenced = error instanceof TelltaleError && error.code === 'LOG_FENCED';
        if (fenced || !isRetryable(error) || failures >= MAX_WRITE_FAILURES || this.#end.signal.aborted)
          throw error;
        await pause(Math.min(2000, 25 * 2 ** failures), this.#end.signal);
      }
    }
  }

  #byTopic(outputs: readonly OutputRecord[]): Map<string, NewRecord[]> {
    const byTopic = new Map<string, NewRecord[]>();
    for (const output of outputs) {
      const name = this.#parts.fullName(output.topic);
      const records = byTopic.get(name);
      if (records === undefined) byTopic.set(name, [output]);
      else records.push(output);
    }
    for (const [name, records] of byTopic) checkSizes(name, records);
    return byTopic;
  }
}
