// Client ids fought over: MQTT gives an id to who connects last and closes the former. Once that is a car that came back
// before its old connection was missed; again and again it is two devices with one id, of which neither is heard for long.
import { printable } from '../core/printable.ts';
import type { Clock } from '../core/service.ts';
import type { Warnings } from '../core/warnings.ts';

/** Takeovers of one id within the window from which on it is a fight. */
const FIGHT = 3;
const WINDOW_MS = 60_000;
/** Ids remembered; the one taken over longest ago makes room. */
const MAX_IDS = 1000;

interface Taken {
  readonly sinceMs: number;
  readonly count: number;
}

export class Takeovers {
  readonly #taken = new Map<string, Taken>();
  readonly #warnings: Warnings;
  readonly #clock: Clock;

  constructor(warnings: Warnings, clock: Clock) {
    this.#warnings = warnings;
    this.#clock = clock;
  }

  /** The connection from `winner` takes the id from the one from `loser`. */
  note(id: string, winner: string, loser: string): void {
    const nowMs = this.#clock();
    const before = this.#taken.get(id);
    const fresh = before === undefined || nowMs - before.sinceMs > WINDOW_MS;
    const taken = fresh ? { sinceMs: nowMs, count: 1 } : { ...before, count: before.count + 1 };
    this.#taken.delete(id);
    this.#taken.set(id, taken);
    if (this.#taken.size > MAX_IDS)
      for (const oldest of this.#taken.keys()) {
        this.#taken.delete(oldest);
        break;
      }
    if (taken.count < FIGHT) return;
    const often = `${taken.count} times in ${Math.ceil((nowMs - taken.sinceMs) / 1000)} s`;
    this.#warnings.report(
      'fight',
      `ingest: client id ${printable(id, 64)} is fought over: ${winner} took it from ${loser}, ${often}; give each device its own id`,
    );
  }
}
