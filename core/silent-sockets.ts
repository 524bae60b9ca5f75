// Connections that have not said yet who they are. A storm of cars or phones has many of them for a moment; somebody who opens
// them to keep others out has them for as long as they are let, so one address may hold only a share of all places that way.
import type { Socket } from 'node:net';

/** Share of all places. */
const SHARE = 0.25;
/** However few places there are. */
const LEAST = 64;

export class SilentSockets {
  /** Of one address, at one time. */
  readonly most: number;
  readonly #addressOf = new Map<Socket, string>();
  readonly #counts = new Map<string, number>();

  constructor(maxConnections: number) {
    this.most = Math.max(LEAST, Math.floor(maxConnections * SHARE));
  }

  /** False: this address has too many already. */
  admit(socket: Socket): boolean {
    const address = socket.remoteAddress ?? '';
    const count = this.#counts.get(address) ?? 0;
    if (count >= this.most) return false;
    this.#counts.set(address, count + 1);
    this.#addressOf.set(socket, address);
    socket.once('close', () => this.identified(socket));
    return true;
  }

  /** It is not silent any more. */
  identified(socket: Socket): void {
    const address = this.#addressOf.get(socket);
    if (address === undefined) return;
    this.#addressOf.delete(socket);
    const left = (this.#counts.get(address) ?? 1) - 1;
    if (left === 0) this.#counts.delete(address);
    else this.#counts.set(address, left);
  }
}
