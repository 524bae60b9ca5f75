import { describe, expect, it } from 'vitest';
import { TelltaleError } from '../../core/errors.ts';
import type { NewRecord } from '../../core/log/log.ts';
import { Warnings } from '../../core/warnings.ts';
import { Appender, type AppenderOptions, type Entry } from '../../ingest/appender.ts';

interface Call {
  readonly topic: string;
  readonly keys: readonly string[];
  readonly finish: (error?: Error) => void;
}

/** An append whose calls the test ends one by one, and everything that was settled. */
function rig(options: Partial<AppenderOptions<Entry>> = {}) {
  const calls: Call[] = [];
  const heard: (() => void)[] = [];
  const settled: string[] = [];
  const fatal: unknown[] = [];
  const lines: string[] = [];
  const append = (topic: string, records: readonly NewRecord[]) =>
    new Promise<void>((resolve, reject) => {
      const finish = (error?: Error) => (error ? reject(error) : resolve());
      calls.push({ topic, keys: records.map((record) => record.key), finish });
      for (const hear of heard.splice(0)) hear();
    });
  let nowMs = 0;
  const clock = () => nowMs;
  const appender = new Appender<Entry>({
    log: { append },
    clock,
    trouble: new Warnings({ warn: (line) => lines.push(line), clock }),
    tickMs: 1,
    onSettled: (entries, outcomes) => {
      for (const { topic, record } of entries)
        settled.push(`${record.key}:${outcomes.get(topic)?.code ?? 'ok'}`);
    },
    onFatal: (error) => fatal.push(error),
    ...options,
  });
  return {
    appender,
    calls,
    settled,
    fatal,
    lines,
    pass: (ms: number) => {
      nowMs += ms;
    },
    push: (key: string, topic = 'telemetry') =>
      appender.push({ topic, record: { key, value: null }, bytes: 10 }),
    /** Waits for the nth append call (from 1). */
    call: async (n: number): Promise<Call> => {
      while (calls.length < n) await new Promise<void>((resolve) => heard.push(resolve));
      return calls[n - 1]!;
    },
  };
}

const away = () => new TelltaleError('LOG_UNAVAILABLE', 'broker away');

describe('an appender', () => {
  it('puts what comes within a tick into one append, and the rest into the next, in order', async () => {
    const { appender, push, call, settled } = rig();
    push('a');
    push('b');
    const first = await call(1);
    push('c');
    push('d');
    expect(first.keys).toEqual(['a', 'b']);
    expect(settled).toEqual([]);
    expect(appender.held).toEqual({ entries: 4, bytes: 40 });
    first.finish();
    const second = await call(2);
    expect(second.keys).toEqual(['c', 'd']);
    second.finish();
    await appender.drained();
    expect(settled).toEqual(['a:ok', 'b:ok', 'c:ok', 'd:ok']);
    expect(appender.held).toEqual({ entries: 0, bytes: 0 });
  });

  it('goes at once with a full batch and never makes a larger one than allowed', async () => {
    const { push, call, calls } = rig({ tickMs: 1e9, fullBatch: 3, maxBatch: 4 });
    for (const key of ['a', 'b', 'c']) push(key);
    expect(calls[0]?.keys).toEqual(['a', 'b', 'c']);
    for (const key of ['d', 'e', 'f', 'g', 'h', 'i', 'j']) push(key);
    calls[0]?.finish();
    expect((await call(2)).keys).toEqual(['d', 'e', 'f', 'g']);
    calls[1]?.finish();
    expect((await call(3)).keys).toEqual(['h', 'i', 'j']);
  });

  it('settles a batch of several topics in the order it came, each by its own topic', async () => {
    const { appender, push, call, settled } = rig({ retryMs: 0 });
    push('a');
    push('x', 'dead-letters');
    push('b');
    const telemetry = await call(1);
    const dead = await call(2);
    expect([telemetry.keys, dead.keys]).toEqual([['a', 'b'], ['x']]);
    dead.finish(away());
    telemetry.finish();
    await appender.drained();
    expect(settled).toEqual(['a:ok', 'x:LOG_UNAVAILABLE', 'b:ok']);
  });

  it('tries a retryable failure again, tells it once, and says when the log is back', async () => {
    const { appender, push, call, settled, lines } = rig();
    push('a');
    for (let n = 1; n <= 3; n++) (await call(n)).finish(away());
    expect(settled).toEqual([]);
    (await call(4)).finish();
    await appender.drained();
    expect(settled).toEqual(['a:ok']);
    expect(lines).toEqual([
      'ingest: telemetry: LOG_UNAVAILABLE: broker away; trying again',
      'ingest: telemetry: the log accepts again after 3 failures',
    ]);
  });

  it('gives messages back when the deadline is over, and takes new ones', async () => {
    const { appender, push, call, settled, pass, fatal } = rig({ retryMs: 100 });
    push('a');
    const first = await call(1);
    pass(100);
    first.finish(away());
    await appender.drained();
    push('b');
    (await call(2)).finish();
    await appender.drained();
    expect(settled).toEqual(['a:LOG_UNAVAILABLE', 'b:ok']);
    expect(fatal).toEqual([]);
  });

  it('reports what trying again cannot mend, once, without trying again', async () => {
    const { appender, push, call, settled, fatal, calls } = rig();
    push('a');
    const error = new TelltaleError('LOG_CLOSED', 'closed');
    (await call(1)).finish(error);
    await appender.drained();
    expect(settled).toEqual(['a:LOG_CLOSED']);
    expect(fatal).toEqual([error]);
    expect(calls).toHaveLength(1);
  });

  it('tells every append that does not return, also behind one that fails', async () => {
    const { appender, push, call, pass } = rig();
    push('x', 'ground-truth');
    push('a');
    (await call(1)).finish(away());
    await call(2);
    await call(3);
    pass(10_000);
    const first = { topic: 'ground-truth', sinceMs: 0, why: 'LOG_UNAVAILABLE: broker away' };
    const second = { topic: 'telemetry', sinceMs: 0, why: 'an append does not return' };
    expect(appender.failing()).toEqual([first, second]);
  });

  it('does not try again after giving up, and drains what still waits', async () => {
    const { appender, push, call, settled } = rig({ tickMs: 1e9 });
    push('a');
    const drained = appender.drained();
    appender.giveUp();
    push('b');
    (await call(1)).finish(away());
    (await call(2)).finish();
    await drained;
    expect(settled).toEqual(['a:LOG_UNAVAILABLE', 'b:ok']);
  });
});
