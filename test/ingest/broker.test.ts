import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { SilentSockets } from '../../core/silent-sockets.ts';
import { MAX_PACKET_BYTES } from '../../ingest/broker.ts';
import { MqttCar } from '../support/mqtt-car.ts';
import { CATALOGUE, eventOf, type Rig, startRig, topicOf } from './rig.ts';

it('refuses a client id that cannot name a car, and none at all', async () => {
  const rig = await startRig();
  for (const id of ['a/b', 'a+b', '#', '', 'x'.repeat(65)]) {
    const car = await rig.car(id);
    expect([id, car.returnCode]).toEqual([id, 2]);
    await car.closed;
  }
  expect((await rig.car('drive 7')).returnCode).toBe(0);
  expect(rig.ingest.stats().connections).toBe(1);
});

it('asks for the password when there is one', async () => {
  const rig = await startRig({ password: 'sesame' });
  expect((await rig.car('CAR1')).returnCode).toBe(4);
  expect((await rig.car('CAR1', 'sesam')).returnCode).toBe(4);
  // Whoever would command cars, too.
  expect((await rig.car('control-page')).returnCode).toBe(4);
  expect((await rig.car('control-page', 'sesam')).returnCode).toBe(4);
  const car = await rig.car('CAR1', 'sesame');
  expect(car.returnCode).toBe(0);
  await car.publishAcked(topicOf('CAR1'), eventOf('CAR1', 1));
});

it('lets a car hear its own commands and those to the fleet, nothing else', async () => {
  const rig = await startRig();
  const car = await rig.car('CAR1');
  expect(
    await car.subscribe('fleet/commands', 'cars/CAR1/commands', 'cars/CAR2/commands', 'cars/CAR1/telemetry'),
  ).toEqual([1, 1, 128, 128]);
  expect(await car.subscribe('#', 'cars/+/telemetry', '$SYS/#', 'fleet/+')).toEqual([128, 128, 128, 128]);
});

it('carries commands from control clients to cars, and events to nobody', async () => {
  const rig = await startRig();
  const car = await rig.car('CAR1');
  const other = await rig.car('CAR2');
  await car.subscribe('fleet/commands', 'cars/CAR1/commands');
  await other.subscribe('fleet/commands', 'cars/CAR2/commands');
  const control = await rig.car('control-page');
  await control.publishAcked('fleet/commands', 'all');
  await control.publishAcked('cars/CAR1/commands', 'one');
  await car.until(() => car.received.length === 2);
  await other.until(() => other.received.length === 1);
  // A car that claims to command is not obeyed; its message is a dead letter.
  await car.publishAcked('fleet/commands', 'mutiny');
  await car.publishAcked(topicOf('CAR1'), eventOf('CAR1', 1));
  await control.publishAcked('fleet/commands', 'end');
  await other.until(() => other.received.length === 2);
  expect(car.received.map(({ payload }) => String(payload))).toEqual(['all', 'one', 'end']);
  expect(other.received.map(({ payload }) => String(payload))).toEqual(['all', 'end']);
  expect((await rig.deadLetters()).map(({ reason, client }) => [reason, client])).toEqual([
    ['unknown-topic', 'CAR1'],
  ]);
});

it('keeps no command for those who come later or are away', async () => {
  const rig = await startRig();
  const control = await rig.car('control-page');
  const packet = { ...control.packet('fleet/commands', 'old'), retain: true };
  control.send(packet);
  await control.acked(packet.messageId);
  const car = await rig.car('CAR1');
  await car.subscribe('fleet/commands');
  await control.publishAcked('fleet/commands', 'new');
  await car.until(() => car.received.length > 0);
  expect(car.received.map(({ payload }) => String(payload))).toEqual(['new']);
  await car.drop();
  await control.publishAcked('fleet/commands', 'missed');
  const back = await rig.car('CAR1');
  await back.subscribe('fleet/commands');
  await control.publishAcked('fleet/commands', 'newer');
  await back.until(() => back.received.length > 0);
  expect(back.received.map(({ payload }) => String(payload))).toEqual(['newer']);
});

it('gives a client id to who connects last, and what the former sent is not lost', async () => {
  const rig = await startRig();
  const former = await rig.car('CAR1');
  const release = Promise.withResolvers<void>();
  const called = Promise.withResolvers<void>();
  rig.intercept(async (_topic, _records, next) => {
    called.resolve();
    await release.promise;
    await next();
  });
  former.publish(topicOf('CAR1'), eventOf('CAR1', 1));
  await called.promise;
  const latter = await rig.car('CAR1');
  await former.closed;
  expect(former.acks).toEqual([]);
  release.resolve();
  // Not acknowledged, so the car sends it again: twice in the log, told apart by seq.
  await latter.publishAcked(topicOf('CAR1'), eventOf('CAR1', 1));
  await latter.publishAcked(topicOf('CAR1'), eventOf('CAR1', 2));
  const seqs = (await rig.records('telemetry')).map(
    ({ value }) => JSON.parse(Buffer.from(value!).toString()).seq,
  );
  expect(seqs).toEqual([1, 1, 2]);
  expect(rig.ingest.stats().connections).toBe(1);
});

it('closes a connection before a packet that is too long for memory, and only that one', async () => {
  const rig = await startRig();
  const car = await rig.car('CAR1');
  const hostile = await rig.car('HOSTILE');
  hostile.publish(topicOf('HOSTILE'), Buffer.alloc(MAX_PACKET_BYTES + 1));
  await hostile.closed;
  expect(rig.lines.join('\n')).toMatch(/closed before a packet of 262\d{3} bytes/);
  await car.publishAcked(topicOf('CAR1'), eventOf('CAR1', 1));
});

it('survives bytes that are no MQTT', async () => {
  const rig = await startRig();
  const car = await rig.car('CAR1');
  for (const garbage of [
    'GET / HTTP/1.1\r\n\r\n',
    '\x00\x00\x00',
    '\x10\xff\xff\xff\xff\xff',
    '\x30\x03ab',
  ]) {
    const socket = connect(rig.ingest.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end(Buffer.from(garbage, 'latin1'));
    await once(socket, 'close');
  }
  await car.publishAcked(topicOf('CAR1'), eventOf('CAR1', 1));
  expect(rig.ingest.stats()).toMatchObject({ accepted: 1, connections: 1 });
});

it('takes no more connections than it is told', async () => {
  const rig = await startRig({ maxConnections: 2 });
  await rig.car('CAR1');
  const second = await rig.car('CAR2');
  const third = await rig.car('CAR3');
  await third.closed;
  expect(third.returnCode).toBe(-1);
  await second.drop();
  await expect.poll(() => rig.ingest.stats().connections).toBe(1);
  expect((await rig.car('CAR4')).returnCode).toBe(0);
});

it('counts its connections', async () => {
  const rig = await startRig();
  const cars = await Promise.all(['CAR1', 'CAR2', 'CAR3'].map((id) => rig.car(id)));
  expect(await rig.metrics.text()).toContain('telltale_ingest_connections 3');
  cars[0]!.send({ cmd: 'disconnect' });
  await cars[0]!.closed;
  await expect.poll(() => rig.ingest.stats().connections).toBe(2);
  expect(await rig.metrics.text()).toContain('telltale_ingest_connections 2');
});

it('says when its port is taken', async () => {
  const rig = await startRig();
  await expect(startRig({ port: rig.ingest.port })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
});

it('stops although somebody connected and never said a word', async () => {
  const rig = await startRig({ catalogue: CATALOGUE });
  const silent = connect(rig.ingest.port, '127.0.0.1');
  silent.on('error', () => undefined);
  await once(silent, 'connect');
  // A car behind it in the queue of connections is served, so the silent one has been accepted.
  await MqttCar.connect({ port: rig.ingest.port, id: 'CAR1' });
  await rig.ingest.stop();
  await once(silent, 'close');
});

it('says when a client id is fought over, with a count, and counts each takeover', async () => {
  const rig = await startRig();
  const cars: MqttCar[] = [];
  for (let n = 0; n < 6; n++) {
    cars.push(await rig.car('CAR1'));
    await cars.at(-2)?.closed;
  }
  await rig.warned(/fought over/);
  expect(rig.lines).toHaveLength(1);
  expect(rig.lines[0]).toMatch(
    /^ingest: client id CAR1 is fought over: 127\.0\.0\.1:\d+ took it from 127\.0\.0\.1:\d+, 3 times in \d+ s; give each device its own id$/,
  );
  expect(await rig.metrics.text()).toContain('telltale_ingest_takeovers_total 5');
  await rig.ingest.stop();
  expect(rig.lines[1]).toMatch(/5 times in \d+ s; .* \(2 of this kind were not told one by one\)$/);
});

it('says once for each cause why cars are refused, and counts them', async () => {
  const rig = await startRig({ password: 'sesame' });
  for (let n = 0; n < 5; n++) await (await rig.car(`CAR${n}`, 'wrong')).closed;
  for (let n = 0; n < 3; n++) await (await rig.car(`a/b\nserve: all well ${n}`, 'sesame')).closed;
  await rig.ingest.stop();
  expect(rig.lines).toEqual([
    'ingest: CAR0: wrong password',
    'ingest: a/b\\nserve: all well 0: this client id cannot name a car',
    'ingest: CAR4: wrong password (4 of this kind were not told one by one)',
    'ingest: a/b\\nserve: all well 2: this client id cannot name a car (2 of this kind were not told one by one)',
  ]);
  const text = await rig.metrics.text();
  expect(text).toContain('telltale_ingest_refused_total{cause="password"} 5');
  expect(text).toContain('telltale_ingest_refused_total{cause="client-id"} 3');
});

describe('one client costs only so much', () => {
  /** Sends it all, and resolves when the broker has closed the connection; another car is served meanwhile. */
  async function cutOff(rig: Rig, car: MqttCar, bytes: Buffer): Promise<void> {
    car.socket.write(bytes);
    const other = await rig.car('OTHER');
    await other.publishAcked(topicOf('OTHER'), eventOf('OTHER', 1));
    await car.closed;
  }

  it('subscriptions', async () => {
    const rig = await startRig();
    const car = await rig.car('CAR1');
    const subscriptions = Array.from({ length: 20_000 }, (_, i) => ({ topic: `t${i}`, qos: 0 as const }));
    await cutOff(rig, car, generate({ cmd: 'subscribe', messageId: 1, subscriptions }));
    await rig.warned(/CAR1: too many subscriptions/);
  });

  it('messages half done at QoS 2', async () => {
    const rig = await startRig();
    const car = await rig.car('CAR1');
    const packets = Array.from({ length: 200 }, () => car.packet(topicOf('CAR1'), eventOf('CAR1', 1), 2));
    await cutOff(rig, car, Buffer.concat(packets.map((packet) => generate(packet))));
    await rig.warned(/CAR1: maxInflightInbound exceeded: 100/);
  });

  it('a last will', async () => {
    const rig = await startRig();
    const car = connect({ port: rig.ingest.port, host: '127.0.0.1' });
    const will = { topic: topicOf('CAR1'), payload: Buffer.alloc(10_000), qos: 0 as const, retain: false };
    const login = { protocolId: 'MQTT', protocolVersion: 4, keepalive: 0, clean: true } as const;
    car.write(generate({ cmd: 'connect', clientId: 'CAR1', ...login, will }));
    await once(car, 'close');
    await rig.warned(/a last will has at most 8192 bytes/);
    expect(await rig.metrics.text()).toContain('telltale_ingest_refused_total{cause="will"} 1');
  });

  it('commands that a car does not read', async () => {
    const rig = await startRig();
    const car = await rig.car('CAR1');
    await car.subscribe('fleet/commands');
    car.socket.pause();
    const control = await rig.car('control-page');
    const packet = generate(control.packet('fleet/commands', Buffer.alloc(200_000), 0));
    for (let n = 0; n < 200; n++) control.socket.write(packet);
    await control.closed;
    await rig.warned(/control-page: too many commands wait for clients that do not read them/);
  });

  it('connections of one address that do not say who they are', () => {
    const silent = new SilentSockets(400);
    const socket = (remoteAddress: string) =>
      Object.assign(new EventEmitter(), { remoteAddress }) as unknown as Socket;
    const sockets = Array.from({ length: 101 }, () => socket('10.0.0.1'));
    expect(sockets.map((one) => silent.admit(one))).toEqual(sockets.map((_, i) => i < 100));
    expect(silent.admit(socket('10.0.0.2'))).toBe(true);
    silent.identified(sockets[0]!);
    expect(silent.admit(socket('10.0.0.1'))).toBe(true);
    sockets[1]!.emit('close');
    expect(silent.admit(socket('10.0.0.1'))).toBe(true);
    expect(silent.admit(socket('10.0.0.1'))).toBe(false);
  });
});
