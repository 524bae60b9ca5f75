// The other process of the contract suite: works on the log as it is told on the command line and says on stdout how far
// it is. It is killed without warning.
import { pathToFileURL } from 'node:url';
import type { Log, OutputRecord, RecordBatch } from '../../core/log/log.ts';
import { bytes, CRASH_SESSION_MS, numbered, openAt, type Task, textOf } from './log-under-test.ts';

/** Writes synchronously: a line that was said was said before the kill. */
const say = (line: string) => process.stdout.write(`${line}\n`);

/** Counts each car's records: the count goes out with the record and is kept in a compacted topic. */
export class Counter {
  readonly #counts = new Map<number, Map<string, number>>();

  /** Reads a partition's counts back. */
  async restore(log: Log, partition: number): Promise<void> {
    const counts = new Map<string, number>();
    for await (const batch of log.read('state', { partitions: [partition], to: 'end' }))
      for (const record of batch.records) counts.set(record.key, Number(textOf(record)));
    this.#counts.set(partition, counts);
  }

  forget(partition: number): void {
    this.#counts.delete(partition);
  }

  outputs(batch: RecordBatch): OutputRecord[] {
    const counts = this.#counts.get(batch.partition);
    if (counts === undefined) throw new Error(`partition ${batch.partition} has not been restored`);
    const touched = new Set<string>();
    const out = batch.records.map((record): OutputRecord => {
      const count = (counts.get(record.key) ?? 0) + 1;
      counts.set(record.key, count);
      touched.add(record.key);
      return { topic: 'out', key: record.key, value: bytes(`${textOf(record)}:${count}`) };
    });
    const state = [...touched].map((key) => ({ topic: 'state', key, value: bytes(String(counts.get(key))) }));
    return [...out, ...state];
  }
}

async function work(task: Task): Promise<void> {
  const log = await openAt(task.where, { prefix: task.prefix, sessionMs: CRASH_SESSION_MS });
  const never = new AbortController();
  const counter = new Counter();
  // Its handlers wait until the process was stopped and continued: it is stopped while it writes nothing, because a
  // process stopped inside a write of the embedded log holds the store's write lock, and with it all other writers.
  const continued = new Promise<void>((resolve) => process.once('SIGCONT', () => resolve()));
  if (task.act === 'append') {
    const records = numbered(task.records ?? 1).map((one) => ({
      ...one,
      key: `${task.keyPrefix ?? ''}${one.key}`,
    }));
    for (let at = 0; at < records.length; at += 100) {
      await log.append('in', records.slice(at, at + 100));
      say(`appended ${Math.min(records.length, at + 100)}`);
    }
    say('done');
    await log.close();
    return;
  }
  await log.transform(
    'in',
    {
      group: 'counter',
      maxBatch: 50,
      signal: never.signal,
      onAssigned: (partition) => counter.restore(log, partition),
      onRevoked: (partition) => counter.forget(partition),
    },
    async (batch) => {
      const outputs = counter.outputs(batch);
      say(`handling ${batch.partition}`);
      if (task.act === 'hang') await new Promise(() => setInterval(() => undefined, 60_000));
      if (task.act === 'suspend') await continued;
      return outputs;
    },
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await work(JSON.parse(process.argv[2] ?? '{}') as Task).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'none';
    say(`failed ${code} ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 3;
  });
