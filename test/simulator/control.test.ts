import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import { afterEach, describe, expect, it } from 'vitest';
import type { FleetCommand } from '../../core/events.ts';
import { connectFleetControl, followCommands, listenForCommands } from '../../simulator/control.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A real broker, with whom a command travels as in a running system. */
async function startAedes(at = 0): Promise<{ broker: Aedes; port: number }> {
  const broker = await Aedes.createBroker({ concurrency: 0 });
  const server = createServer(broker.handle);
  await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
  closers.push(() => new Promise<void>((resolve) => broker.close(() => server.close(() => resolve()))));
  const address = server.address();
  return { broker, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

describe('live control', () => {
  it('carries a command from the desk to the fleet; nonsense is told and passed over', async () => {
    const { broker, port } = await startAedes();
    const warnings: string[] = [];
    const obeyed: FleetCommand[] = [];
    const got = Promise.withResolvers<void>();
    const fleet = await followCommands(
      { host: '127.0.0.1', port, warn: (line) => warnings.push(line) },
      (c) => {
        obeyed.push(c);
        got.resolve();
      },
    );
    closers.push(() => fleet.close());
    const desk = await connectFleetControl({ host: '127.0.0.1', port });
    closers.push(() => desk.close());
    const say = (payload: string) =>
      new Promise<void>((resolve, reject) =>
        broker.publish(
          { cmd: 'publish', topic: 'fleet/commands', payload, qos: 1, retain: false, dup: false },
          (error) => (error ? reject(error) : resolve()),
        ),
      );
    await say('no json');
    await say('{"vins":["A"],"action":"explode"}');
    await desk.send({ vins: ['A', 'B'], action: 'break', fault: 'misfire', severity: 0.5 });
    await got.promise;
    expect(obeyed).toEqual([{ vins: ['A', 'B'], action: 'break', fault: 'misfire', severity: 0.5 }]);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toBe('simulator: a command that is not JSON was passed over');
  });

  it('finds a broker that comes later', async () => {
    const { port } = await startAedes();
    await closers.pop()!();
    const got = Promise.withResolvers<void>();
    const fleet = listenForCommands({ host: '127.0.0.1', port, warn: () => {} }, () => got.resolve());
    closers.push(() => fleet.close());
    await startAedes(port);
    const desk = await connectFleetControl({ host: '127.0.0.1', port });
    closers.push(() => desk.close());
    await fleet.ready;
    await desk.send({ vins: ['A'], action: 'repair' });
    await got.promise;
  });

  it('says with a code that there is no broker', async () => {
    await expect(connectFleetControl({ host: '127.0.0.1', port: 1 })).rejects.toMatchObject({
      code: 'MQTT_UNAVAILABLE',
      retryable: true,
    });
  });
});
