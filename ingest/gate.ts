// Where bytes enter: the gate stops reading all sockets while too much waits for the log (the cars then wait in TCP's
// own flow control), and a packet that announces more bytes than any message may have is never collected in memory.
import type { Socket } from 'node:net';

export interface GateOptions {
  /** Longest MQTT packet that is taken in, bytes after its fixed header. */
  readonly maxPacketBytes: number;
  /** A socket was closed because of a longer one. */
  readonly onTooLong: (socket: Socket, bytes: number) => void;
}

export class Gate {
  readonly #options: GateOptions;
  readonly #waiting = new Set<Socket>();
  #open = true;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Puts the gate before a socket whose reader pulls with `read()` on 'readable' (as Aedes does). */
  guard(socket: Socket): void {
    const read = socket.read.bind(socket);
    const frames = new FrameWatch(this.#options.maxPacketBytes);
    socket.read = (size?: number): Buffer | null => {
      // read(0) is the stream's own request to fill its buffer, which is bounded by its high-water mark.
      if (!this.#open && size !== 0) {
        this.#waiting.add(socket);
        return null;
      }
      const chunk: Buffer | null = read(size);
      if (chunk === null || size === 0) return chunk;
      const tooLongBytes = frames.check(chunk);
      if (tooLongBytes === 0) return chunk;
      this.#options.onTooLong(socket, tooLongBytes);
      socket.destroy();
      return null;
    };
    socket.once('close', () => this.#waiting.delete(socket));
  }

  shut(): void {
    this.#open = false;
  }

  open(): void {
    if (this.#open) return;
    this.#open = true;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const socket of waiting) socket.emit('readable');
  }
}

/** Follows MQTT's framing (3.1.1, section 2.2: one byte type, a length of one to four bytes) over chunks of any size. */
export class FrameWatch {
  readonly #maxBytes: number;
  /** Bytes of the current packet that are still to come, when its length is known. */
  #skip = 0;
  /** Inside a fixed header: which length byte comes next; -1 before the type byte. */
  #lengthByte = -1;
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** 0 when every packet that begins in the chunk is short enough, else the length of the first that is not. */
  check(chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at);
        this.#skip -= step;
        at += step;
      } else if (this.#lengthByte < 0) {
        this.#lengthByte = 0;
        this.#length = 0;
        at += 1;
      } else {
        const byte = chunk[at]!;
        at += 1;
        this.#length += (byte & 0x7f) * 128 ** this.#lengthByte;
        this.#lengthByte += 1;
        // A length of more than four bytes is a protocol error, which the broker's parser reports.
        if (byte >= 0x80 && this.#lengthByte < 4) continue;
        if (this.#length > this.#maxBytes) return this.#length;
        this.#skip = this.#length;
        this.#lengthByte = -1;
      }
    }
    return 0;
  }
}
