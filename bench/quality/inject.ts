// Puts the faults of faults.ts into copies of drives, and keeps account of where they are.
import { type Series, seededRandom, shuffled } from './data.ts';
import { between, FAULTS, RESOLUTION } from './faults.ts';

/** A fault as it stands in a drive: rows [from, to) are those from its first changed reading to its last. */
export interface FaultEvent {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
}

export interface FaultyDrive {
  readonly series: Series;
  readonly events: readonly FaultEvent[];
}

/**
 * Copies the drives and puts faults into the copies: the first not before 150 s, then one every 400–900 s of normal
 * driving, kinds dealt from a shuffled deck so that all come equally often. Rows of a fault carry label 1.
 */
export function injectFaults(
  drives: readonly Series[],
  signals: readonly string[],
  seed: number,
  copies: number,
): FaultyDrive[] {
  const random = seededRandom(seed);
  let deck: string[] = [];
  const out: FaultyDrive[] = [];
  for (let copy = 0; copy < copies; copy += 1) {
    for (const drive of drives) {
      const values = drive.values.slice();
      const labels = new Uint8Array(drive.tsMs.length);
      const series: Series = { id: `${drive.id}#${copy}`, tsMs: drive.tsMs, values, labels };
      const events: FaultEvent[] = [];
      let startMs = drive.tsMs[0]! + 1000 * between(random, 150, 450);
      const endMs = drive.tsMs.at(-1)!;
      for (let tries = 0; tries < 60; tries += 1) {
        if (deck.length === 0) deck = shuffled(Object.keys(FAULTS), random);
        const kind = deck.shift()!;
        const lengthS = between(random, ...FAULTS[kind]!.seconds);
        if (startMs + lengthS * 1000 > endMs) {
          deck.push(kind);
          if (startMs + 120_000 > endMs) break;
          continue;
        }
        const event = putFault(drive, series, signals, kind, startMs, lengthS, random);
        if (event === null) {
          deck.push(kind);
          startMs += 15_000;
          continue;
        }
        events.push(event);
        startMs += 1000 * (lengthS + between(random, 400, 900));
      }
      out.push({ series, events });
    }
  }
  return out;
}

function putFault(
  drive: Series,
  copy: Series,
  signals: readonly string[],
  kind: string,
  startMs: number,
  lengthS: number,
  random: () => number,
): FaultEvent | null {
  const d = signals.length;
  const column = (name: string): number => {
    const c = signals.indexOf(name);
    if (c < 0) throw new Error(`the drives have no column ${name}`);
    return c;
  };
  const rule = FAULTS[kind]!;
  let begin = 0;
  while (drive.tsMs[begin]! < startMs) begin += 1;
  let end = begin;
  while (end < drive.tsMs.length && drive.tsMs[end]! < startMs + lengthS * 1000) end += 1;
  if (rule.needs && spanOf(drive, d, column(rule.needs.column), begin, end) < rule.needs.span) return null;
  const apply = rule.make(random);
  let first = -1;
  let last = -1;
  for (let i = begin; i < end; i += 1) {
    const at = (name: string) => i * d + column(name);
    apply({
      t: (drive.tsMs[i]! - startMs) / 1000,
      lengthS,
      get: (name) => copy.values[at(name)]!,
      set: (name, value) => {
        const steps = Math.round((value - drive.values[at(name)]!) / RESOLUTION[name]!);
        if (steps === 0) return;
        const by = steps * RESOLUTION[name]!;
        copy.values[at(name)] = drive.values[at(name)]! + by;
        if (first < 0) first = i;
        last = i;
      },
      past: (name, lagS) => {
        let k = i;
        while (k > 0 && drive.tsMs[k]! > drive.tsMs[i]! - lagS * 1000) k -= 1;
        return drive.values[k * d + column(name)]!;
      },
      atStart: (name) => drive.values[begin * d + column(name)]!,
    });
  }
  if (first < 0) return null;
  copy.labels.fill(1, first, last + 1);
  return { kind, from: first, to: last + 1 };
}

function spanOf(drive: Series, d: number, c: number, from: number, to: number): number {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = from; i < to; i += 1) {
    const value = drive.values[i * d + c]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return max - min;
}
