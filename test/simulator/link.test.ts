import { afterEach, describe, expect, it } from 'vitest';
import { encodePublish } from '../../simulator/encode.ts';
import { Publisher, type PublisherOptions } from '../../simulator/publisher.ts';
import { startTestBroker, type TestBroker } from './support.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function brokerOf(): Promise<TestBroker> {
  const broker = await startTestBroker();
  closers.push(broker.close);
  return broker;
}

function publisherTo(port: number, changes: Partial<PublisherOptions> = {}) {
  const warnings: string[] = [];
  const publisher = new Publisher({
    brokers: [{ host: '127.0.0.1', port }],
    clientIds: ['A'],
    window: 4,
    queue: 10,
    policy: 'drop-oldest',
    connectPerSecond: 10_000,
    seed: 1,
    warn: (line) => warnings.push(line),
    ...changes,
  });
  closers.push(() => {
    publisher.stop();
  });
  return { publisher, warnings, link: publisher.links[0]! };
}

const event = (n: number) => encodePublish('cars/A/telemetry', Buffer.from(String(n)));
const numbers = (broker: TestBroker) => broker.received.map((r) => Number(r.payload));

describe("a car's link", () => {
  it('keeps its window, sends in order, and counts what was acknowledged', async () => {
    const broker = await brokerOf();
    const answers: (() => void)[] = [];
    broker.onPublish = (_e, answer) => answers.push(answer.ack);
    const { publisher, link } = publisherTo(broker.port);
    publisher.start();
    for (let n = 0; n < 9; n += 1) link.offer(event(n));
    await broker.until(() => broker.received.length === 4);
    expect(numbers(broker)).toEqual([0, 1, 2, 3]);
    answers[0]!();
    await broker.until(() => broker.received.length === 5);
    broker.onPublish = (_e, answer) => answer.ack();
    for (const ack of answers.slice(1)) ack();
    await link.drained();
    expect(numbers(broker)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(publisher.counts).toMatchObject({ offered: 9, sent: 9, acknowledged: 9, resent: 0, dropped: 0 });
    expect(publisher.latency.count).toBe(9);
  });

  it('takes acknowledgements in any order and does not resend those it has', async () => {
    const broker = await brokerOf();
    const answers = new Map<number, () => void>();
    broker.onPublish = (e, answer) => answers.set(Number(e.payload), answer.ack);
    const { publisher, link } = publisherTo(broker.port);
    publisher.start();
    for (let n = 0; n < 4; n += 1) link.offer(event(n));
    await broker.until(() => broker.received.length === 4);
    answers.get(2)!();
    await publisher.room(3);
    broker.onPublish = (_e, answer) => answer.ack();
    broker.cutAll();
    await link.drained();
    expect(numbers(broker)).toEqual([0, 1, 2, 3, 0, 1, 3]);
    expect(broker.received.slice(4).every((r) => r.dup)).toBe(true);
    expect(publisher.counts).toMatchObject({ acknowledged: 4, resent: 3, reconnects: 1 });
  });

  it('comes back after every loss and loses nothing that was offered', async () => {
    const broker = await brokerOf();
    let seen = 0;
    broker.onPublish = (_e, answer) => {
      seen += 1;
      if (seen % 5 === 0) answer.cut();
      else answer.ack();
    };
    const { publisher, link, warnings } = publisherTo(broker.port, { queue: 100 });
    publisher.start();
    for (let n = 0; n < 20; n += 1) link.offer(event(n));
    await link.drained();
    expect([...new Set(numbers(broker))].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, n) => n),
    );
    expect(publisher.counts.acknowledged).toBe(20);
    expect(publisher.counts.dropped).toBe(0);
    // One cause, told once.
    expect(warnings).toHaveLength(1);
  });

  it.each([
    ['drop-oldest' as const, [5, 6, 7, 8, 9, 10, 11, 12, 13, 14]],
    ['drop-newest' as const, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ])('bounds its queue by the policy %s, and counts', async (policy, expected) => {
    const broker = await brokerOf();
    const { publisher, link } = publisherTo(broker.port, { policy });
    for (let n = 0; n < 15; n += 1) link.offer(event(n));
    expect(publisher.counts.dropped).toBe(5);
    publisher.start();
    await link.drained();
    expect(numbers(broker)).toEqual(expected);
    expect(publisher.pending).toBe(0);
  });

  it('holds events in a tunnel and sends them in order afterwards', async () => {
    const broker = await brokerOf();
    const { publisher, link } = publisherTo(broker.port);
    publisher.start();
    await publisher.connected(1);
    link.suspend();
    for (let n = 0; n < 6; n += 1) link.offer(event(n));
    expect(link.held).toBe(true);
    expect(publisher.counts.held).toBe(6);
    expect(publisher.pending).toBe(0);
    link.start();
    expect(publisher.counts.held).toBe(0);
    await link.drained();
    expect(numbers(broker)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(broker.connects).toEqual(['A', 'A']);
  });

  it('reports a broker that refuses once for all cars, with counts', async () => {
    const broker = await brokerOf();
    broker.connectCode = 5;
    const ids = Array.from({ length: 40 }, (_, n) => `car${n}`);
    const { publisher, warnings } = publisherTo(broker.port, { clientIds: ids });
    publisher.start();
    await broker.until(() => broker.connects.length >= 60);
    expect(warnings).toEqual(['simulator: the broker refused the connection (return code 5)']);
    const [total] = Object.values(publisher.failures.totals());
    expect(total).toBeGreaterThanOrEqual(59);
    expect(publisher.counts.connected).toBe(0);
  });

  it('reports a broker that is not there by its address', async () => {
    const broker = await startTestBroker();
    await broker.close();
    const { publisher, warnings } = publisherTo(broker.port, { clientIds: ['A', 'B', 'C'] });
    publisher.start();
    await expect.poll(() => publisher.failures.totals()).not.toEqual({});
    expect(warnings).toEqual([`simulator: ECONNREFUSED at 127.0.0.1:${broker.port}`]);
  });

  it('gives up a connection that has fallen silent', async () => {
    const broker = await brokerOf();
    broker.onPublish = () => {};
    const { publisher, link, warnings } = publisherTo(broker.port, { silenceMs: 500 });
    publisher.start();
    link.offer(event(1));
    await broker.until(() => broker.received.length === 1);
    broker.onPublish = (_e, answer) => answer.ack();
    await link.drained();
    expect(numbers(broker)).toEqual([1, 1]);
    expect(warnings).toEqual(['simulator: no acknowledgement in time']);
  });

  it('keeps few at the door of a broker that is slow to welcome', async () => {
    const broker = await brokerOf();
    const welcomes: (() => void)[] = [];
    broker.onConnect = (welcome) => welcomes.push(welcome);
    const ids = Array.from({ length: 70 }, (_, n) => `car${n}`);
    const { publisher } = publisherTo(broker.port, { clientIds: ids, connectPerSecond: 30 });
    publisher.start();
    await broker.until(() => broker.connects.length === 30);
    expect(publisher.counts).toMatchObject({ connecting: 30, connected: 0 });
    broker.onConnect = (welcome) => welcome();
    for (const welcome of welcomes) welcome();
    await publisher.connected(70);
    expect(publisher.counts.connecting).toBe(0);
  });

  it('admits connections at the pace of the ramp', async () => {
    const broker = await brokerOf();
    const ids = Array.from({ length: 60 }, (_, n) => `car${n}`);
    const { publisher } = publisherTo(broker.port, { clientIds: ids, connectPerSecond: 200 });
    const started = performance.now();
    publisher.start();
    await publisher.connected(60);
    expect(performance.now() - started).toBeGreaterThan(200);
    expect(broker.connects).toHaveLength(60);
  });
});
