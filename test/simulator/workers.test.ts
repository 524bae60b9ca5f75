import { afterEach, describe, expect, it } from 'vitest';
import { summarise, summaryLines } from '../../simulator/progress.ts';
import { startWorkers } from '../../simulator/workers.ts';
import { brokerOf, closeAll, fast, fleetTo, START_MS, type TestBroker } from './support.ts';

const PROGRAM = new URL('../../main.ts', import.meta.url).pathname;
afterEach(closeAll);

/** Payloads by car, in order. */
function payloads(broker: TestBroker): Map<string, string[]> {
  const all = new Map<string, string[]>();
  for (const { client, payload } of broker.received) all.set(client, [...(all.get(client) ?? []), payload]);
  return new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
}

// Real processes take their time on a busy machine.
describe('a fleet split over processes', () => {
  it('sends, from three real processes, what one process sends; the reports add up', async () => {
    const faults = [{ fault: 'misfire' as const, at: '10s', cars: { count: 4 }, repairAfter: '20s' }];
    const scenario = fast({ cars: 10, faults });
    const [one, three] = [await brokerOf(), await brokerOf()];
    const { fleet } = fleetTo(one, scenario);
    await fleet.done;
    const order = { scenario, startMs: START_MS, brokers: [{ host: '127.0.0.1', port: three.port }] };
    const workers = startWorkers(order, 3, PROGRAM);
    await workers.done;
    expect(payloads(three)).toEqual(payloads(one));
    const summary = summarise('test', workers.reports());
    expect(summary).toMatchObject({ processes: 3, cars: 10, unacknowledged: 0, dropped: 0, failures: {} });
    expect(summary.acknowledged).toBe(fleet.stats().counts.acknowledged);
    expect(summary.groundTruth).toBe(fleet.stats().counts.truths);
    expect(summary.connectS).toBeGreaterThan(0);
    expect(summaryLines(summary)[0]).toContain('test: 10 cars in 3 processes');
  });

  it('stops when told, with everything acknowledged', async () => {
    const broker = await brokerOf();
    const scenario = { ...fast({ cars: 6 }), startMs: null, durationMs: null, speed: 1 };
    const order = { scenario, startMs: Date.now(), brokers: [{ host: '127.0.0.1', port: broker.port }] };
    const workers = startWorkers(order, 2, PROGRAM);
    await broker.until(() => broker.received.length >= 12);
    await workers.stop();
    await workers.done;
    const summary = summarise('test', workers.reports());
    expect(summary.acknowledged).toBe(broker.received.length);
    expect(summary.unacknowledged).toBe(0);
  });

  it('stops when told before it has begun', async () => {
    const broker = await brokerOf();
    const scenario = { ...fast({ cars: 6 }), startMs: null, durationMs: null, speed: 1 };
    const order = { scenario, startMs: Date.now(), brokers: [{ host: '127.0.0.1', port: broker.port }] };
    const workers = startWorkers(order, 2, PROGRAM);
    await workers.stop();
    await expect(workers.done).resolves.toBeUndefined();
    expect(summarise('test', workers.reports()).cars).toBe(6);
  });

  it('says when one of its processes ends early', async () => {
    const broker = await brokerOf();
    const scenario = { ...fast({ cars: 6 }), startMs: null, durationMs: null, speed: 1 };
    const order = { scenario, startMs: Date.now(), brokers: [{ host: '127.0.0.1', port: broker.port }] };
    const workers = startWorkers(order, 2, PROGRAM);
    await broker.until(() => broker.received.length >= 6);
    process.kill(workers.pids[1]!, 'SIGKILL');
    await expect(workers.done).rejects.toThrow('simulator process 2 of 2 ended early (SIGKILL)');
    await workers.stop();
  });
});
