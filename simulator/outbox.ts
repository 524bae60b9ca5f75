// What a car has measured and the broker has not yet acknowledged, in order: first the events on the wire, then those
// that wait. Pure of sockets; the link decides when to send.
import { patchIdentifier } from './encode.ts';

export interface Entry {
  readonly packet: Buffer;
  id: number;
  sentMs: number;
  sentBefore: boolean;
  acknowledged: boolean;
}

/** Acknowledged entries at the head that are kept before the list is cut. */
const CUT_AT = 256;

export class Outbox {
  #entries: Entry[] = [];
  /** First live index of `#entries`; the `#inFlight` from there on are on the wire. */
  #head = 0;
  #inFlight = 0;
  #nextId = 1;

  /** Events not yet acknowledged. */
  get pending(): number {
    return this.#entries.length - this.#head;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Events that were not sent on this connection. */
  get waiting(): number {
    return this.pending - this.#inFlight;
  }

  push(packet: Buffer): void {
    this.#entries.push({ packet, id: 0, sentMs: 0, sentBefore: false, acknowledged: false });
  }

  dropOldestWaiting(): void {
    this.#entries.splice(this.#head + this.#inFlight, 1);
  }

  /** Takes the next waiting event onto the wire: its packet gets an identifier, and DUP when it was sent before. */
  take(nowMs: number): { readonly packet: Buffer; readonly again: boolean } {
    const entry = this.#entries[this.#head + this.#inFlight]!;
    const again = entry.sentBefore;
    entry.id = this.#nextId;
    this.#nextId = this.#nextId === 65_535 ? 1 : this.#nextId + 1;
    entry.sentMs = nowMs;
    entry.sentBefore = true;
    patchIdentifier(entry.packet, entry.id, again);
    this.#inFlight += 1;
    return { packet: entry.packet, again };
  }

  /** Marks an event as acknowledged, in whatever order it comes. Returns when it was sent; null: no such event. */
  acknowledge(id: number): number | null {
    const last = this.#head + this.#inFlight;
    for (let k = this.#head; k < last; k += 1) {
      const entry = this.#entries[k]!;
      if (entry.id !== id || entry.acknowledged) continue;
      entry.acknowledged = true;
      this.#advance();
      return entry.sentMs;
    }
    return null;
  }

  /** The connection is gone: everything not acknowledged waits again; what was acknowledged out of order is done. */
  restart(): void {
    this.#inFlight = 0;
    if (this.pending === 0) return;
    this.#entries = this.#entries.slice(this.#head).filter((entry) => !entry.acknowledged);
    this.#head = 0;
  }

  #advance(): void {
    while (this.#inFlight > 0 && this.#entries[this.#head]!.acknowledged) {
      this.#head += 1;
      this.#inFlight -= 1;
    }
    if (this.#head === this.#entries.length) {
      this.#entries = [];
      this.#head = 0;
    } else if (this.#head > CUT_AT) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }
}
