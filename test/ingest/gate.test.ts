import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { array, assert, integer, property } from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { FrameWatch, Gate } from '../../ingest/gate.ts';

/** An MQTT packet of this remaining length. */
function packet(length: number): Buffer {
  const head = [0x30];
  for (let rest = length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      head.push(rest);
      break;
    }
    head.push((rest % 128) | 0x80);
  }
  return Buffer.concat([Buffer.from(head), Buffer.alloc(length, 0xff)]);
}

it('finds the first packet that is too long, however the bytes are cut', () => {
  const maxBytes = 200;
  assert(
    property(
      array(integer({ min: 0, max: 400 }), { minLength: 1 }),
      array(integer({ min: 1, max: 90 })),
      (lengths, cuts) => {
        const stream = Buffer.concat(lengths.map(packet));
        const watch = new FrameWatch(maxBytes);
        let found = 0;
        for (let at = 0, i = 0; at < stream.length && found === 0; i++) {
          const end = at + (cuts[i % Math.max(1, cuts.length)] ?? stream.length);
          found = watch.check(stream.subarray(at, end));
          at = end;
        }
        expect(found).toBe(lengths.find((length) => length > maxBytes) ?? 0);
      },
    ),
    { seed: 3 },
  );
});

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

/** Both ends of a connection whose reader stands behind the gate. */
async function pair(gate: Gate): Promise<{ sender: Socket; reader: Socket }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const sender = connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1');
  const [reader] = (await once(server, 'connection')) as [Socket];
  gate.guard(reader);
  open.push(
    { close: () => server.close() },
    { close: () => sender.destroy() },
    { close: () => reader.destroy() },
  );
  return { sender, reader };
}

it('keeps bytes in the sender while it is shut and lets all of them through when it opens', async () => {
  const gate = new Gate({ maxPacketBytes: 1e9, onTooLong: () => undefined });
  const { sender, reader } = await pair(gate);
  let got = 0;
  const all = 8 * 1024 * 1024;
  const complete = new Promise<void>((resolve) => {
    reader.on('readable', () => {
      for (let chunk = reader.read(); chunk !== null; chunk = reader.read()) got += chunk.length;
      if (got === all) resolve();
    });
  });
  gate.shut();
  const head = Buffer.concat([Buffer.from([0x30]), Buffer.from([0xfb, 0xff, 0xff, 0x03])]);
  sender.write(Buffer.concat([head, Buffer.alloc(all - head.length)]));
  await once(reader, 'readable');
  // Once the reader's own buffer is full its socket is read no more: bytes stay with the sender.
  expect(got).toBe(0);
  expect(reader.readableLength).toBeLessThanOrEqual(2 * reader.readableHighWaterMark);
  gate.open();
  await complete;
  expect(got).toBe(all);
});

it('closes a connection that announces too long a packet, and says how long', async () => {
  const told: number[] = [];
  const gate = new Gate({ maxPacketBytes: 1000, onTooLong: (_socket, bytes) => told.push(bytes) });
  const { sender, reader } = await pair(gate);
  reader.on('readable', () => reader.read());
  sender.on('error', () => undefined);
  sender.write(Buffer.concat([packet(1000), packet(1001)]));
  await once(reader, 'close');
  expect(told).toEqual([1001]);
});
