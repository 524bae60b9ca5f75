// Which cars the demo breaks and when: a few at once in the first seconds, then one now and then, each mended after a while.
// Orders go the way the page's button goes: a command on MQTT that the fleet obeys.
import type { FleetCommand } from '../core/events.ts';
import { pause } from '../core/service.ts';

export interface Break {
  readonly afterMs: number;
  readonly vin: string;
  readonly fault: string;
  readonly severity: number;
}

export interface BreaksOptions {
  /** VINs by the kind of car they are. */
  readonly combustion: readonly string[];
  readonly electric: readonly string[];
  /** 0..1; a parameter, so that a test can say which cars. */
  readonly random: () => number;
}

/** Clear at once: the first alert should not have to wait for a fault that takes minutes. */
const FIRST: readonly (readonly [fault: string, kind: 'combustion' | 'electric'])[] = [
  ['tyre-blow-out', 'electric'],
  ['vacuum-leak', 'combustion'],
  ['transmission-slip', 'combustion'],
];
const LATER: readonly (readonly [fault: string, kind: 'combustion' | 'electric'])[] = [
  ['alternator', 'combustion'],
  ['overheating', 'combustion'],
  ['tyre-blow-out', 'combustion'],
  ['thermostat-stuck-open', 'combustion'],
  ['misfire', 'combustion'],
  ['transmission-slip', 'electric'],
  ['vacuum-leak', 'combustion'],
];
const FIRST_EVERY_MS = 4000;
const LATER_EVERY_MS = 45_000;
const MEND_AFTER_MS = 240_000;

/** The breaks of a demo, without end: the first few close together, then one at a time. No car is chosen twice in a row. */
export function* breaks(options: BreaksOptions): Generator<Break> {
  const { random } = options;
  const recent: string[] = [];
  const choose = (kind: 'combustion' | 'electric'): string | undefined => {
    const own = options[kind].length > 0 ? options[kind] : [...options.combustion, ...options.electric];
    const rested = own.filter((vin) => !recent.includes(vin));
    const cars = rested.length > 0 ? rested : own;
    return cars[Math.min(cars.length - 1, Math.floor(random() * cars.length))];
  };
  for (let n = 0; ; n += 1) {
    const first = n < FIRST.length;
    const [fault, kind] = first ? FIRST[n]! : LATER[(n - FIRST.length) % LATER.length]!;
    const vin = choose(kind);
    if (vin === undefined) return;
    recent.push(vin);
    if (recent.length > 8) recent.shift();
    yield { afterMs: n === 0 ? 0 : first ? FIRST_EVERY_MS : LATER_EVERY_MS, vin, fault, severity: 1 };
  }
}

/** Sends the breaks in time and mends each car after a while, until the signal aborts. */
export async function sendBreaks(
  plan: Iterable<Break>,
  send: (command: FleetCommand) => Promise<void>,
  signal: AbortSignal,
  told: (broken: Break) => void,
): Promise<void> {
  const mending: Promise<void>[] = [];
  for (const broken of plan) {
    await pause(broken.afterMs, signal);
    if (signal.aborted) break;
    await send({ vins: [broken.vin], action: 'break', fault: broken.fault, severity: broken.severity });
    told(broken);
    mending.push(mend(broken, send, signal));
  }
  await Promise.all(mending);
}

async function mend(
  broken: Break,
  send: (command: FleetCommand) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  await pause(MEND_AFTER_MS, signal);
  if (!signal.aborted) await send({ vins: [broken.vin], action: 'repair', fault: broken.fault });
}
