import { afterEach, describe, expect, it } from 'vitest';
import { groundTruthTopic, mqttTopics } from '../../core/topics.ts';
import { LatencyHistogram } from '../../simulator/stats.ts';
import { partOf } from '../../simulator/workers.ts';
import {
  brokerOf,
  closeAll,
  decode,
  fast,
  fleetTo,
  START_MS,
  scenarioWith,
  type TestBroker,
  telemetry,
} from './support.ts';

afterEach(closeAll);

function byCar(broker: TestBroker): Map<string, number[]> {
  const seqs = new Map<string, number[]>();
  for (const r of telemetry(broker)) {
    const { vin, seq } = decode(r);
    seqs.set(vin, [...(seqs.get(vin) ?? []), seq]);
  }
  return seqs;
}

describe('a run', () => {
  it('publishes every event of every car, in order, under the car’s own id, and ends', async () => {
    const broker = await brokerOf();
    const { fleet, warnings } = fleetTo(broker, fast());
    await fleet.done;
    const seqs = byCar(broker);
    expect([...seqs.keys()].sort()).toEqual([...fleet.vins].sort());
    for (const list of seqs.values())
      expect(list).toEqual(Array.from({ length: 60 }, (_, n) => START_MS + n));
    expect(broker.received.every((r) => r.topic === mqttTopics.telemetry(r.client))).toBe(true);
    expect(fleet.stats().counts).toMatchObject({ offered: 720, acknowledged: 720, dropped: 0 });
    expect(fleet.stats().pending).toBe(0);
    expect(warnings).toEqual([]);
  });

  it('loses nothing over a broker that cuts connections', async () => {
    const broker = await brokerOf();
    let n = 0;
    broker.onPublish = (_e, answer) => {
      n += 1;
      if (n % 97 === 0) answer.cut();
      else answer.ack();
    };
    const { fleet } = fleetTo(broker, fast());
    await fleet.done;
    for (const list of byCar(broker).values())
      expect([...new Set(list)].sort((a, b) => a - b)).toEqual(
        Array.from({ length: 60 }, (_, k) => START_MS + k),
      );
    expect(fleet.stats().counts.acknowledged).toBe(720);
    expect(fleet.stats().counts.resent).toBeGreaterThan(0);
  });

  it('sends a tunnel’s events afterwards, in order', async () => {
    const broker = await brokerOf();
    const scenario = fast({ cars: 3, harmless: [{ kind: 'tunnel', at: '10s', lasts: '30s' }] });
    const { fleet } = fleetTo(broker, scenario);
    await fleet.done;
    // What was on the wire when the tunnel began may come twice; first sight of each is in order.
    for (const list of byCar(broker).values())
      expect([...new Set(list)]).toEqual(Array.from({ length: 60 }, (_, k) => START_MS + k));
    expect(broker.connects.length).toBe(6);
  });

  it('does not end before cars that are still in a tunnel have delivered', async () => {
    const broker = await brokerOf();
    const { fleet } = fleetTo(broker, fast({ harmless: [{ kind: 'tunnel', at: '50s', lasts: '1h' }] }));
    await fleet.done;
    for (const list of byCar(broker).values()) expect(new Set(list).size).toBe(60);
  });

  it('comes back from a connection storm with nothing lost', async () => {
    const broker = await brokerOf();
    const { fleet } = fleetTo(broker, fast({ storms: [{ at: '20s' }, { at: '30s', pct: 50, down: '10s' }] }));
    await fleet.done;
    for (const list of byCar(broker).values()) expect(new Set(list).size).toBe(60);
    expect(fleet.stats().counts.reconnects).toBeGreaterThanOrEqual(12);
  });

  it('tells the truth about its faults on a topic of its own', async () => {
    const broker = await brokerOf();
    const faults = [{ fault: 'tyre-blow-out' as const, at: '5s', repairAfter: '30s', cars: { count: 1 } }];
    const { fleet } = fleetTo(broker, fast({ faults }));
    await fleet.done;
    const truth = broker.received
      .filter((r) => r.topic.endsWith('/ground-truth'))
      .map((r) => groundTruthTopic.decode(Buffer.from(r.payload)));
    expect(truth.map((t) => t.phase)).toEqual(['started', 'visible', 'repaired']);
    expect(truth[0]).toMatchObject({ fault: 'tyre-blow-out', ts: START_MS + 5000, severity: 1 });
    expect(truth[2]!.ts).toBe(START_MS + 35_000);
  });

  it('drives the history first, catches up with the clock, then keeps its pace', async () => {
    const broker = await brokerOf();
    const { fleet } = fleetTo(broker, scenarioWith({ cars: 4, history: '10m' }));
    await fleet.caughtUp;
    const history = telemetry(broker).map(decode);
    expect(history.length).toBeGreaterThanOrEqual(4 * 599);
    expect(Math.min(...history.map((e) => e.ts))).toBeLessThan(Date.now() - 595_000);
    const [before, sinceMs] = [telemetry(broker).length, Date.now()];
    await broker.until(() => telemetry(broker).length >= before + 8);
    const live = telemetry(broker).slice(before).map(decode);
    const untilMs = Date.now();
    for (const { ts } of live) {
      expect(ts).toBeGreaterThan(sinceMs - 5000);
      expect(ts).toBeLessThan(untilMs + 5000);
    }
    const ts = byCarTimes(broker, fleet.vins[0]!);
    expect(ts.every((t, i) => i === 0 || t - ts[i - 1]! === 1000)).toBe(true);
    await fleet.stop();
    expect(fleet.stats().counts.acknowledged).toBe(fleet.stats().counts.offered);
  });

  it('goes on where cars that have been on the road would be by now', async () => {
    const [whole, later, fresh] = [await brokerOf(), await brokerOf(), await brokerOf()];
    const sinceMs = START_MS;
    const half = fast({ start: new Date(START_MS + 30_000).toISOString(), duration: '30s' });
    const runs = [
      fleetTo(whole, fast()).fleet,
      fleetTo(later, half, { sinceMs }).fleet,
      fleetTo(fresh, half).fleet,
    ];
    await Promise.all(runs.map(({ done }) => done));
    const [driven, resumed, anew] = [whole, later, fresh].map(
      (broker) =>
        new Map(
          telemetry(broker)
            .map(decode)
            // Seconds that all three have whole.
            .filter(({ ts }) => ts >= START_MS + 31_000 && ts < START_MS + 60_000)
            .map(({ vin, ts, signals }) => [`${vin} ${ts}`, signals]),
        ),
    );
    expect(resumed!.size).toBe(12 * 29);
    expect(resumed).toEqual(driven);
    expect(anew).not.toEqual(driven);
  });

  it('obeys commands for cars it has, and only what makes sense', async () => {
    const broker = await brokerOf();
    const { fleet } = fleetTo(
      broker,
      scenarioWith({ fleets: [{ name: 'a', share: 1, models: { compact: 1 } }] }),
    );
    const [a, b] = fleet.vins as [string, string];
    expect(fleet.command({ vins: [a, b, 'nobody'], action: 'break', fault: 'misfire', severity: 0.5 })).toBe(
      2,
    );
    expect(fleet.command({ vins: [a], action: 'break', fault: 'misfire' })).toBe(0);
    expect(fleet.command({ vins: [a], action: 'break', fault: 'ev-cell-ageing' })).toBe(0);
    expect(fleet.command({ vins: [a], action: 'break', fault: 'gremlins' })).toBe(0);
    expect(fleet.command({ vins: [a], action: 'break' })).toBe(0);
    expect(fleet.stats().faultsActive).toBe(2);
    expect(fleet.command({ vins: [a], action: 'repair' })).toBe(1);
    expect(fleet.command({ vins: [b], action: 'slow', speedFactor: 0.4 })).toBe(1);
    expect(fleet.stats().faultsActive).toBe(1);
  });

  it('splits a fleet evenly, every car once', () => {
    const parts = Array.from({ length: 6 }, (_, i) => partOf(100_000, i, 6));
    expect(parts.reduce((n, p) => n + p.count, 0)).toBe(100_000);
    for (const [i, part] of parts.slice(1).entries())
      expect(part.first).toBe(parts[i]!.first + parts[i]!.count);
    expect(
      Math.max(...parts.map((p) => p.count)) - Math.min(...parts.map((p) => p.count)),
    ).toBeLessThanOrEqual(1);
  });
});

function byCarTimes(broker: TestBroker, vin: string): number[] {
  return telemetry(broker)
    .filter((r) => r.client === vin)
    .map((r) => decode(r).ts);
}

describe('the latency histogram', () => {
  it('gives quantiles within a bucket of the truth and adds up over processes', () => {
    const [a, b] = [new LatencyHistogram(), new LatencyHistogram()];
    for (let ms = 1; ms <= 1000; ms += 1) (ms % 2 ? a : b).record(ms);
    a.add(b.toJSON());
    expect(a.count).toBe(1000);
    expect(a.quantile(0.5) / 500).toBeGreaterThan(0.99);
    expect(a.quantile(0.5) / 500).toBeLessThan(1.1);
    expect(a.quantile(0.99) / 990).toBeLessThan(1.1);
    expect(new LatencyHistogram().quantile(0.5)).toBe(0);
  });
});
