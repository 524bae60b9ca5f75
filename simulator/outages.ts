// Cars without a network: tunnels, connection storms, and how many of the fleet are connected at all. The links keep what
// is measured meanwhile and deliver it afterwards, in order.
import type { Fleet } from './fleet.ts';
import type { CarLink } from './link.ts';
import type { NetworkEvents } from './script.ts';

const CONNECTED_DRAW = 71;

export class Outages {
  readonly #fleet: Fleet;
  readonly #links: readonly CarLink[];
  /** Event time at which each car's outage ends; 0: it has none. */
  readonly #endMs: Float64Array;
  #count = 0;

  constructor(fleet: Fleet, links: readonly CarLink[]) {
    this.#fleet = fleet;
    this.#links = links;
    this.#endMs = new Float64Array(fleet.size);
  }

  /** Does what the script asks for at this second, and ends the outages that are over. */
  apply(events: NetworkEvents): void {
    const now = this.#fleet.nowMs;
    for (const { car, untilMs } of events.tunnels) this.#begin(car, untilMs);
    for (const { car, downMs } of events.storms) {
      if (downMs === 0) this.#links[car]!.cut();
      else this.#begin(car, now + downMs);
    }
    if (events.connectedPct !== null) this.#connect(events.connectedPct);
    if (this.#count === 0) return;
    for (let car = 0; car < this.#fleet.size; car += 1) {
      const end = this.#endMs[car]!;
      if (end === 0 || end > now) continue;
      this.#endMs[car] = 0;
      this.#count -= 1;
      this.#links[car]!.start();
    }
  }

  /** Everyone comes back and delivers. */
  endAll(): void {
    for (const link of this.#links) if (link.held) link.start();
  }

  #begin(car: number, untilMs: number): void {
    if (this.#endMs[car] === 0) this.#count += 1;
    this.#endMs[car] = untilMs;
    this.#links[car]!.suspend();
  }

  #connect(pct: number): void {
    this.#links.forEach((link, car) => {
      if (this.#fleet.chance(car, CONNECTED_DRAW) * 100 < pct) link.start();
      else link.suspend();
    });
  }
}
