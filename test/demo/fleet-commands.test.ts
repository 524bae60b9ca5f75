// A command for a whole fleet on its way through the broker that is really used, which takes no packet over 256 KB.
import { expect, it, onTestFinished } from 'vitest';
import type { FleetCommand } from '../../core/events.ts';
import { connectFleetControl, listenForCommands, messagesOf } from '../../simulator/control.ts';
import { startRig } from '../ingest/rig.ts';

it('reaches each of 100,000 cars once, in messages the broker takes, and the next command too', async () => {
  const rig = await startRig();
  const broker = { host: '127.0.0.1', port: rig.ingest.port };
  const vins = Array.from({ length: 100_000 }, (_, i) => `WTT0TESTCAR${String(i).padStart(6, '0')}`);
  const obeyed: FleetCommand[] = [];
  const over = Promise.withResolvers<void>();
  const fleet = listenForCommands({ ...broker, warn: expect.fail }, (command) => {
    obeyed.push(command);
    if (command.action === 'repair') over.resolve();
  });
  onTestFinished(() => fleet.close());
  await fleet.ready;
  const desk = await connectFleetControl(broker);
  onTestFinished(() => desk.close());
  await desk.send({ vins, action: 'break', fault: 'misfire', severity: 0.5 });
  await desk.send({ vins: [vins[0]!], action: 'repair' });
  await over.promise;
  const broken = obeyed.filter(({ action }) => action === 'break');
  expect(broken.flatMap((command) => command.vins)).toEqual(vins);
  expect(new Set(broken.map(({ fault, severity }) => `${fault} ${severity}`))).toEqual(
    new Set(['misfire 0.5']),
  );
  expect(rig.lines).toEqual([]);
});

it('is cut into messages of 64 KB at most, whatever letters the cars are named in', () => {
  const vins = Array.from({ length: 5000 }, (_, i) => `車"${'é'.repeat(50)}${i}`);
  const messages = [...messagesOf({ vins, action: 'repair' })];
  expect(Math.max(...messages.map((message) => Buffer.byteLength(message)))).toBeLessThanOrEqual(64 * 1024);
  expect(messages.flatMap((message) => (JSON.parse(message) as FleetCommand).vins)).toEqual(vins);
  expect([...messagesOf({ vins: ['A'], action: 'repair' })]).toEqual(['{"vins":["A"],"action":"repair"}']);
});
