// The cheapest broker there can be for bench/simulator.ts: it acknowledges CONNECT, SUBSCRIBE and every QoS 1 PUBLISH and does
// nothing else, so that what is measured is the publisher. Splits packets by their lengths; answers in one write a chunk.
import { createServer } from 'node:net';

const CONNACK = Buffer.from([0x20, 2, 0, 0]);

const server = createServer((socket) => {
  let rest = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const answers: Buffer[] = [];
    let at = 0;
    for (;;) {
      const packet = packetAt(bytes, at);
      if (packet === null) break;
      const kind = bytes[at]! >> 4;
      if (kind === 1) answers.push(CONNACK);
      else if (kind === 3) {
        const id = packet.body + 2 + bytes.readUInt16BE(packet.body);
        answers.push(Buffer.from([0x40, 2, bytes[id]!, bytes[id + 1]!]));
      } else if (kind === 8)
        answers.push(Buffer.from([0x90, 3, bytes[packet.body]!, bytes[packet.body + 1]!, 1]));
      at = packet.end;
    }
    rest = Buffer.from(bytes.subarray(at));
    if (answers.length > 0) socket.write(Buffer.concat(answers));
  });
});

/** Where the body of the packet at `at` begins and the packet ends; null while it is not all there. */
function packetAt(bytes: Buffer, at: number): { body: number; end: number } | null {
  let size = 0;
  let body = at + 1;
  for (let shift = 0; ; shift += 7) {
    if (body >= bytes.length) return null;
    const byte = bytes[body]!;
    body += 1;
    size |= (byte & 127) << shift;
    if (byte < 128) break;
  }
  return body + size <= bytes.length ? { body, end: body + size } : null;
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' && address !== null ? address.port : 0);
});
