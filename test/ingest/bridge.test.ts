import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import type { Client } from 'aedes';
import mqttPacket from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { TelltaleError } from '../../core/errors.ts';
import { createFixedTopics } from '../../core/log/create-topics.ts';
import { Metrics } from '../../core/metrics.ts';
import { Warnings } from '../../core/warnings.ts';
import { Bridge } from '../../ingest/bridge.ts';
import { TIME_BOUNDS } from '../../ingest/plausible-time.ts';
import { CATALOGUE, eventOf, startRig, temporaryLog, topicOf } from './rig.ts';

describe('a good event', () => {
  it('is acknowledged only when the log has it, and stands there with its original bytes', async () => {
    const rig = await startRig({ clock: () => 1_750_000_000_123 });
    const car = await rig.car('CAR1');
    const called = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    rig.intercept(async (_topic, _records, next) => {
      called.resolve();
      await release.promise;
      await next();
    });
    const event = eventOf('CAR1', 7, { speedKmh: 50 }, 1_750_000_000_000);
    const packet = car.packet(topicOf('CAR1'), event);
    car.send(packet, { cmd: 'pingreq' });
    await called.promise;
    // The broker has read the PUBLISH and answers what came after it; the PUBACK is still owed.
    await car.packetOf('pingresp');
    expect(car.acks).toEqual([]);
    release.resolve();
    await car.acked(packet.messageId);
    const [record] = await rig.records('telemetry');
    expect(record).toMatchObject({ key: 'CAR1', timestampMs: 1_750_000_000_123 });
    expect(Buffer.from(record!.value!)).toEqual(event);
    expect(rig.ingest.stats()).toMatchObject({ accepted: 1, deadLetters: 0, heldEntries: 0, heldBytes: 0 });
  });

  it('keeps its place: many events of many cars stand in the order in which each car sent them', async () => {
    const rig = await startRig();
    const cars = await Promise.all(Array.from({ length: 10 }, (_, i) => rig.car(`CAR${i}`)));
    await Promise.all(
      cars.map(async (car) => {
        const packets = Array.from({ length: 300 }, (_, seq) =>
          car.packet(topicOf(car.id), eventOf(car.id, seq)),
        );
        for (let i = 0; i < 300; i += 7) car.send(...packets.slice(i, i + 7));
        await car.acked(packets.at(-1)!.messageId);
        expect(car.acks).toEqual(packets.map((packet) => packet.messageId));
      }),
    );
    const seen = new Map<string, number[]>();
    for (const { key, value } of await rig.records('telemetry'))
      seen.set(key, [...(seen.get(key) ?? []), JSON.parse(Buffer.from(value!).toString()).seq]);
    expect(seen.size).toBe(10);
    for (const seqs of seen.values()) expect(seqs).toEqual(Array.from({ length: 300 }, (_, seq) => seq));
  });

  it('is taken at QoS 0 and QoS 2 as well', async () => {
    const rig = await startRig();
    const car = await rig.car('CAR1');
    car.publish(topicOf('CAR1'), eventOf('CAR1', 1), 0);
    const id = car.publish(topicOf('CAR1'), eventOf('CAR1', 2), 2);
    await car.packetOf('pubrec');
    car.send({ cmd: 'pubrel', messageId: id });
    await car.packetOf('pubcomp');
    expect(
      (await rig.records('telemetry')).map(({ value }) => JSON.parse(Buffer.from(value!).toString()).seq),
    ).toEqual([1, 2]);
    expect(car.acks).toEqual([]);
  });

  it('may be ground truth, which has a topic of its own', async () => {
    const rig = await startRig();
    const car = await rig.car('CAR1');
    const truth = {
      vin: 'CAR1',
      ts: Date.now(),
      faultId: 'f1',
      fault: 'overheating',
      severity: 0.4,
      phase: 'visible',
    };
    await car.publishAcked('cars/CAR1/ground-truth', JSON.stringify(truth));
    const [record] = await rig.records('ground-truth');
    expect(JSON.parse(Buffer.from(record!.value!).toString())).toEqual(truth);
    expect(rig.ingest.stats()).toMatchObject({ accepted: 0, groundTruth: 1 });
  });
});

/** An event whose time is in seconds. */
const SECONDS = { seq: 2, ts: Math.round(Date.now() / 1000), signals: { speedKmh: 50 } };

describe('a reading that is none', () => {
  it('costs the event no more than itself: the bytes are kept, and each cause is counted and told', async () => {
    const rig = await startRig();
    const [one, two] = [await rig.car('CAR1'), await rig.car('CAR2')];
    const events = [
      eventOf('CAR1', 1, { speedKmh: 50, coolantC: 65_535 }),
      eventOf('CAR1', 2, { speedKmh: 50, coolantC: 'NaN', flux: 1, spin: 2 }),
      eventOf('CAR1', 3, { coolantC: -999 }),
    ];
    for (const event of events) await one.publishAcked(topicOf('CAR1'), event);
    await two.publishAcked(topicOf('CAR2'), eventOf('CAR2', 4, { speedKmh: 50, coolantC: 65_535 }));
    await two.publishAcked(topicOf('CAR2'), eventOf('CAR2', 5));
    const stored = (await rig.records('telemetry')).map(({ value }) => Buffer.from(value!));
    for (const event of events) expect(stored.some((bytes) => bytes.equals(event))).toBe(true);
    expect(rig.ingest.stats()).toMatchObject({ accepted: 5, deadLetters: 0 });
    const text = await rig.metrics.text();
    for (const line of [
      'telltale_ingest_readings_total{reason="out-of-range",signal="coolantC"} 3',
      'telltale_ingest_readings_total{reason="not-a-number",signal="coolantC"} 1',
      'telltale_ingest_readings_total{reason="unknown-signal",signal=""} 2',
      'telltale_ingest_odd_events_total{reason="no-reading"} 1',
    ])
      expect(text.split('\n')).toContain(line);
    await rig.ingest.stop();
    expect(rig.lines).toEqual([
      'ingest: coolantC: 1 reading of 1 car outside -50…150 °C (e.g. 65535 from CAR1), taken as missing',
      'ingest: coolantC: 1 reading of 1 car is no number (e.g. "NaN" from CAR1), taken as missing',
      'ingest: 2 readings of 1 car under names that catalogue two does not have (such as flux, spin): left out',
      'ingest: 1 event of 1 car without any reading (e.g. from CAR1): nothing of them can be scored',
      expect.stringMatching(
        /^ingest: coolantC: 3 readings of 2 cars outside -50…150 °C \(e\.g\. 65535 from CAR2\), taken as missing \(2 /,
      ),
    ]);
  });
});

describe('a time that cannot be', () => {
  it('makes a dead letter that says the likely mistake, and one line for all of them', async () => {
    const rig = await startRig();
    const car = await rig.car('CAR1');
    for (const seq of [1, 2, 3])
      await car.publishAcked(topicOf('CAR1'), JSON.stringify({ ...SECONDS, vin: 'CAR1', seq }));
    expect((await rig.deadLetters()).map(({ reason }) => reason)).toEqual(Array(3).fill('implausible-time'));
    await rig.ingest.stop();
    expect(rig.lines).toEqual([
      expect.stringMatching(/CAR1: .*1970-01-.*; it looks like seconds: send milliseconds/),
      expect.stringMatching(/CAR1: .*1970-01-.*send milliseconds.* \(2 /),
    ]);
  });
});

describe('a bad message', () => {
  it('becomes a dead letter with its reason and bytes, is acknowledged in its place, and the car goes on', async () => {
    const rig = await startRig();
    const car = await rig.car('CAR1');
    const bad: readonly (readonly [string, string, Buffer])[] = [
      ['not-json', topicOf('CAR1'), Buffer.from([0x7b, 0xff, 0x00])],
      ['wrong-schema', topicOf('CAR1'), Buffer.from('{"vin":"CAR1"}')],
      ['wrong-schema', topicOf('CAR1'), eventOf('CAR1', 1, [88])],
      ['implausible-time', topicOf('CAR1'), Buffer.from(JSON.stringify({ ...SECONDS, vin: 'CAR1' }))],
      ['foreign-vin', topicOf('CAR1'), eventOf('CAR2', 3)],
      ['foreign-vin', topicOf('CAR2'), eventOf('CAR2', 4)],
      ['too-large', topicOf('CAR1'), Buffer.alloc(100_000, 0x20)],
      ['unknown-topic', 'weather', Buffer.from('sunny')],
      ['unknown-topic', 'fleet/commands', Buffer.from('{}')],
    ];
    const packets = bad.map(([, topic, payload]) => car.packet(topic, payload));
    const good = car.packet(topicOf('CAR1'), eventOf('CAR1', 5));
    car.send(...packets.slice(0, 5), good, ...packets.slice(5));
    await car.acked(packets.at(-1)!.messageId);
    expect(car.acks).toHaveLength(10);
    expect(car.acks[5]).toBe(good.messageId);
    const letters = await rig.deadLetters();
    expect(letters.map(({ reason, topic }) => [reason, topic])).toEqual(
      bad.map(([reason, topic]) => [reason, topic]),
    );
    for (const [i, letter] of letters.entries()) {
      expect(letter.client).toBe('CAR1');
      expect(Buffer.from(letter.payloadBase64, 'base64').equals(bad[i]![2])).toBe(true);
    }
    expect(await rig.records('telemetry')).toHaveLength(1);
    expect(rig.ingest.stats()).toMatchObject({ accepted: 1, deadLetters: 9, connections: 1 });
    const text = await rig.metrics.text();
    expect(text).toContain('telltale_ingest_dead_letters_total{reason="foreign-vin"} 2');
    expect(text).toContain('telltale_ingest_events_total 1');
    expect(text).toContain('telltale_ingest_append_ms_count 10');
  });

  it('is not acknowledged before its dead letter is durable, when the log is well', async () => {
    const rig = await startRig();
    const car = await rig.car('CAR1');
    let durable = 0;
    rig.intercept(async (_topic, _records, next) => {
      await next();
      durable += 1;
    });
    await car.publishAcked(topicOf('CAR1'), 'nonsense');
    expect(durable).toBe(1);
    expect(await rig.deadLetters()).toHaveLength(1);
  });

  it('never keeps a good one from being acknowledged: letters that the log does not take are lost, counted and said', async () => {
    const rig = await startRig({ retryMs: 0 });
    const car = await rig.car('CAR1');
    rig.intercept(async (topic, _records, next) => {
      if (topic === 'dead-letters') throw new TelltaleError('LOG_FULL', 'no room');
      await next();
    });
    const packets = [
      car.packet(topicOf('CAR1'), eventOf('CAR1', 1)),
      car.packet(topicOf('CAR1'), 'nonsense'),
      car.packet(topicOf('CAR1'), eventOf('CAR1', 2)),
    ];
    car.send(...packets);
    for (const { messageId } of packets) await car.acked(messageId);
    expect(car.isClosed).toBe(false);
    await rig.warned(/a dead letter is lost: LOG_FULL: no room/);
    expect(rig.ingest.stats()).toMatchObject({ accepted: 2, deadLetters: 1, lettersDropped: 1 });
    expect(await rig.metrics.text()).toContain('telltale_ingest_letters_dropped_total 1');
    expect(rig.ingest.health()).toMatchObject({
      status: 'degraded',
      why: [
        expect.stringMatching(/^dead letters are not written since .*: LOG_FULL: no room$/),
        'dead letters that are lost: 1',
      ],
    });
    expect(await rig.records('telemetry')).toHaveLength(2);
  });

  it('waits aside when its append does not return, within a bound', async () => {
    const rig = await startRig();
    const car = await rig.car('CAR1');
    const { promise: open, resolve: letGo } = Promise.withResolvers<void>();
    rig.intercept(async (topic, _records, next) => {
      if (topic === 'dead-letters') await open;
      await next();
    });
    // 32 MiB may wait; a letter is four thirds of its payload and something.
    const letters = Array.from({ length: 600 }, () =>
      car.packet(topicOf('CAR1'), Buffer.alloc(60_000, 0x20)),
    );
    for (const letter of letters) car.send(letter);
    await car.publishAcked(topicOf('CAR1'), eventOf('CAR1', 1));
    expect(rig.ingest.stats().accepted).toBe(1);
    letGo();
    await rig.ingest.stop();
    const kept = (await rig.deadLetters()).length;
    expect(kept).toBeGreaterThan(200);
    expect(kept + rig.ingest.stats().lettersDropped).toBe(600);
    expect(rig.lines.join()).toMatch(/dead letters are lost: too many wait for the log already/);
  });

  it('is told once for each reason, with its count, whatever the car calls itself', async () => {
    const rig = await startRig();
    const car = await rig.car('CAR\u202e1');
    for (let n = 0; n < 5; n++) await car.publishAcked(topicOf('CAR\u202e1'), 'nonsense');
    expect(rig.lines).toHaveLength(1);
    expect(rig.lines[0]).toMatch(/^ingest: dead letter of CAR\\u202e1: not-json: /);
    await rig.ingest.stop();
    expect(rig.lines[1]).toContain('(4 of this kind were not told one by one)');
  });
});

describe('health', () => {
  it('says when no car is acknowledged, since when and why; and when they are again', async () => {
    const rig = await startRig();
    const car = await rig.car('CAR1');
    expect(rig.ingest.health()).toEqual({ status: 'ready', why: [] });
    let full = true;
    rig.intercept(async (_topic, _records, next) => {
      if (full) throw new TelltaleError('LOG_FULL', 'the disk is full');
      await next();
    });
    const id = car.publish(topicOf('CAR1'), eventOf('CAR1', 1));
    await rig.warned(/LOG_FULL/);
    expect(rig.ingest.health()).toMatchObject({
      status: 'down',
      why: [
        expect.stringMatching(
          /^no car is acknowledged \(telemetry\) since 20.*Z: LOG_FULL: the disk is full$/,
        ),
      ],
    });
    full = false;
    await car.acked(id);
    expect(rig.ingest.health()).toEqual({ status: 'ready', why: [] });
  });
});

describe('a log that is away', () => {
  it('for a moment is waited for; the car notices nothing but time', async () => {
    const rig = await startRig();
    const car = await rig.car('CAR1');
    let failures = 0;
    rig.intercept(async (_topic, _records, next) => {
      if (failures++ < 3) throw new TelltaleError('LOG_UNAVAILABLE', 'broker away');
      await next();
    });
    await car.publishAcked(topicOf('CAR1'), eventOf('CAR1', 1));
    expect(await rig.records('telemetry')).toHaveLength(1);
    expect(rig.lines).toEqual([
      'ingest: telemetry: LOG_UNAVAILABLE: broker away; trying again',
      'ingest: telemetry: the log accepts again after 3 failures',
    ]);
  });

  it('for too long closes connections unacknowledged; the car comes back, sends again, and nothing is lost', async () => {
    const rig = await startRig({ retryMs: 50 });
    const first = await rig.car('CAR1');
    let away = true;
    rig.intercept(async (_topic, _records, next) => {
      if (away) throw new TelltaleError('LOG_UNAVAILABLE', 'broker away');
      await next();
    });
    const unacked = [1, 2, 3].map((seq) => eventOf('CAR1', seq));
    first.send(...unacked.map((payload) => first.packet(topicOf('CAR1'), payload)));
    await first.closed;
    expect(first.acks).toEqual([]);
    expect(rig.ingest.stats()).toMatchObject({ accepted: 0, givenBack: 3, heldEntries: 0 });
    away = false;
    const second = await rig.car('CAR1');
    for (const payload of unacked) await second.publishAcked(topicOf('CAR1'), payload);
    expect(await rig.records('telemetry')).toHaveLength(3);
    await expect(Promise.race([rig.ingest.done, Promise.resolve('still serving')])).resolves.toBe(
      'still serving',
    );
  });

  it('that lost what it had acknowledged ends the service, and health says so until then', async () => {
    const rig = await startRig();
    const car = await rig.car('CAR1');
    rig.intercept(async () => {
      throw new TelltaleError('LOG_REWOUND', 'partition 0 ends before offset 9');
    });
    car.publish(topicOf('CAR1'), eventOf('CAR1', 1));
    await expect(rig.ingest.done).rejects.toMatchObject({ code: 'LOG_REWOUND' });
    expect(rig.ingest.health()).toMatchObject({
      status: 'down',
      why: [
        expect.stringMatching(/^no car is acknowledged \(telemetry\) since .*: LOG_REWOUND: partition 0/),
      ],
    });
  });

  it('for good ends the service with the error', async () => {
    const rig = await startRig();
    const car = await rig.car('CAR1');
    rig.intercept(async () => {
      throw new TelltaleError('LOG_CLOSED', 'the log was closed');
    });
    car.publish(topicOf('CAR1'), eventOf('CAR1', 1));
    await expect(rig.ingest.done).rejects.toMatchObject({ code: 'LOG_CLOSED' });
    await car.closed;
    expect(car.acks).toEqual([]);
  });
});

it('a slow log makes cars wait, not the process grow', async () => {
  // Less than two messages: whatever chunks the sockets give, the second message reaches the bound.
  const maxHeldBytes = 1000;
  const rig = await startRig({ maxHeldBytes });
  const cars = await Promise.all(Array.from({ length: 5 }, (_, i) => rig.car(`CAR${i}`)));
  const release = Promise.withResolvers<void>();
  rig.intercept(async (_topic, _records, next) => {
    await release.promise;
    await next();
  });
  const count = 3000;
  const lastIds = cars.map((car) => {
    const packets = Array.from({ length: count }, (_, seq) =>
      car.packet(topicOf(car.id), eventOf(car.id, seq)),
    );
    car.send(...packets);
    return packets.at(-1)!.messageId;
  });
  await rig.warned(/the log is slower than the cars: connections wait/);
  const { heldBytes, holding } = rig.ingest.stats();
  expect(holding).toBe(true);
  // Beyond the bound there is at most what one socket gave when it was reached (its 16 KiB buffer and a chunk of
  // 64 KiB); each of its messages counts with 512 bytes of bookkeeping.
  const packetBytes = mqttPacket.generate(cars[0]!.packet(topicOf('CAR0'), eventOf('CAR0', 0))).length;
  const mostBytes = maxHeldBytes + Math.ceil(81_920 / packetBytes) * (packetBytes + 512);
  expect(heldBytes).toBeGreaterThan(maxHeldBytes);
  // Who connects now waits too, and all that the cars can still send stays with them and the kernel.
  const late = rig.car('LATE');
  for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(rig.ingest.stats().heldBytes).toBeLessThanOrEqual(mostBytes);
  expect(rig.ingest.stats().connections).toBe(5);
  expect(cars.flatMap((car) => car.acks)).toEqual([]);
  release.resolve();
  await Promise.all(cars.map((car, i) => car.acked(lastIds[i]!)));
  expect((await late).returnCode).toBe(0);
  expect(await rig.records('telemetry')).toHaveLength(cars.length * count);
  expect(rig.ingest.stats()).toMatchObject({ accepted: cars.length * count, heldBytes: 0, holding: false });
});

it('a stop in the middle acknowledges what is durable and nothing else', async () => {
  const rig = await startRig();
  const cars = await Promise.all(Array.from({ length: 20 }, (_, i) => rig.car(`CAR${i}`)));
  const sent = new Map(
    cars.map((car) => {
      const packets = Array.from({ length: 500 }, (_, seq) =>
        car.packet(topicOf(car.id), eventOf(car.id, seq)),
      );
      car.send(...packets);
      return [car.id, packets.map((packet) => packet.messageId)];
    }),
  );
  await cars[0]!.until(() => cars[0]!.acks.length > 0);
  await rig.ingest.stop();
  await Promise.all(cars.map((car) => car.closed));
  const stored = new Map<string, number>();
  for (const { key } of await rig.records('telemetry')) stored.set(key, (stored.get(key) ?? 0) + 1);
  for (const car of cars) {
    expect(car.acks).toEqual(sent.get(car.id)!.slice(0, car.acks.length));
    expect(stored.get(car.id) ?? 0).toBeGreaterThanOrEqual(car.acks.length);
  }
  expect(rig.ingest.stats().accepted).toBe([...stored.values()].reduce((sum, n) => sum + n, 0));
  await expect(rig.ingest.done).resolves.toBeUndefined();
});

it('a car that reads none of its acknowledgements is disconnected before they fill memory', async () => {
  const { log, close } = temporaryLog();
  await createFixedTopics(log, 3);
  const lines: string[] = [];
  const bridge = new Bridge({
    log,
    catalogue: CATALOGUE,
    metrics: new Metrics(),
    clock: Date.now,
    timeBounds: TIME_BOUNDS,
    trouble: new Warnings({ warn: (line) => lines.push(line), clock: Date.now }),
    maxHeldBytes: 1e9,
    onFull: () => undefined,
    onFatal: (error) => expect.fail(String(error)),
  });
  // The far end never takes a byte, and the kernel's buffers, which would hide that for megabytes, are not there.
  const conn = new Duplex({ read: () => undefined, write: () => undefined });
  const client = Object.assign(new EventEmitter(), { id: 'CAR1', closed: false, conn }) as unknown as Client;
  const send = (messageId: number) =>
    new Promise<void>((resolve) => {
      const payload = eventOf('CAR1', messageId);
      bridge.accept(
        client,
        { cmd: 'publish', topic: topicOf('CAR1'), payload, qos: 1, messageId, dup: false, retain: false },
        () => resolve(),
      );
    });
  await Promise.all(Array.from({ length: 16_384 }, (_, i) => send(i + 1)));
  expect([conn.writableLength, conn.destroyed]).toEqual([65_536, false]);
  await send(16_385);
  expect(conn.destroyed).toBe(true);
  expect(lines).toEqual(['ingest: car CAR1 does not read its acknowledgements: disconnected']);
  await close();
});
