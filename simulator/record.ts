// Writes a run to CSV (gzip when the name ends in .gz): a scenario driven without a network, or a stretch of the log.
// Such a file is a recording: it can be trained on, scored, and driven again.
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { messageOf, TelltaleError } from '../core/errors.ts';
import type { GroundTruth } from '../core/events.ts';
import { Fleet } from './fleet.ts';
import type { Tape } from './replay.ts';
import type { Scenario } from './scenario.ts';
import { Script } from './script.ts';
import { SENSOR_COUNT, SENSORS } from './sensors.ts';

export interface RecordResult {
  readonly rows: number;
  readonly cars: number;
  readonly truths: readonly GroundTruth[];
  /** Rows of a tape that say why they are none: not written. */
  readonly broken: number;
}

const CHUNK_ROWS = 2000;

async function writeLines(file: string, lines: AsyncIterable<string>): Promise<void> {
  try {
    const sink = createWriteStream(file);
    if (file.endsWith('.gz')) await pipeline(Readable.from(lines), createGzip(), sink);
    else await pipeline(Readable.from(lines), sink);
  } catch (cause) {
    if (cause instanceof TelltaleError) throw cause;
    throw new TelltaleError('RECORDING_INVALID', `${file}: ${messageOf(cause)}`, { cause });
  }
}

/** A cell that a CSV reader gives back as it was. */
const cell = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Signals that some car of the scenario has: a fleet without electric cars has no electric columns. */
function columnsOf(fleet: Fleet): readonly number[] {
  const kinds = new Set(fleet.cars.map((car) => car.model.kind));
  return SENSORS.flatMap((spec, k) => (spec.cars === 'all' || kinds.has(spec.cars) ? [k] : []));
}

/**
 * Drives a scenario offline and writes what its cars would send: id, timestamp (ms), signals; with `label`, a column that
 * is 1 where some fault of the car is visible.
 */
export async function recordScenario(
  scenario: Scenario,
  startMs: number,
  file: string,
  options: { readonly label?: boolean; readonly signal?: AbortSignal } = {},
): Promise<RecordResult> {
  if (scenario.durationMs === null)
    throw new TelltaleError('CONFIG_INVALID', '--duration: needed, this scenario has no end');
  const fleet = new Fleet(scenario, startMs);
  const script = new Script(fleet, startMs);
  const columns = columnsOf(fleet);
  const endMs = fleet.nowMs + scenario.durationMs;
  const truths: GroundTruth[] = [];
  let rows = 0;
  const drive = async function* () {
    const label = options.label ? ',label' : '';
    yield `id,timestamp,${columns.map((k) => SENSORS[k]!.name).join(',')}${label}\n`;
    const readings = new Float64Array(SENSOR_COUNT);
    let lines = '';
    let held = 0;
    while (fleet.nowMs < endMs && options.signal?.aborted !== true) {
      fleet.step();
      script.apply();
      truths.push(...fleet.takeTruth());
      const second = fleet.nowMs / 1000;
      for (let car = 0; car < fleet.size; car += 1) {
        const facts = fleet.cars[car]!;
        if ((second + facts.index) % (script.everyMs / 1000) !== 0 || !fleet.awake(car)) continue;
        readings.fill(Number.NaN);
        fleet.measure(car, readings);
        const cells = columns.map((k) => shown(readings[k]!, k));
        const sick = options.label ? `,${fleet.faultsOf(car).some((f) => f.visible) ? 1 : 0}` : '';
        lines += `${facts.vin},${fleet.nowMs + facts.phaseMs},${cells.join(',')}${sick}\n`;
        rows += 1;
        held += 1;
      }
      if (held < CHUNK_ROWS) continue;
      yield lines;
      lines = '';
      held = 0;
    }
    yield lines;
  };
  await writeLines(file, drive());
  return { rows, cars: fleet.size, truths, broken: 0 };
}

const shown = (value: number, k: number): string =>
  Number.isNaN(value) ? '' : String(Number(value.toFixed(SENSORS[k]!.decimals)));

/** Writes a tape (a stretch of the log) as a recording; columns in the order of `signals`. */
export async function recordTape(
  tape: Tape,
  signals: readonly string[],
  file: string,
  signal?: AbortSignal,
): Promise<RecordResult> {
  let rows = 0;
  let broken = 0;
  const lines = async function* () {
    yield `id,timestamp,${signals.map(cell).join(',')}\n`;
    for await (const row of tape.rows()) {
      if (signal?.aborted) return;
      if (row.fault !== null) {
        broken += 1;
        continue;
      }
      rows += 1;
      yield `${cell(row.id)},${row.tsMs},${signals.map((name) => row.signals[name] ?? '').join(',')}\n`;
    }
  };
  await writeLines(file, lines());
  return { rows, cars: tape.ids.length, truths: [], broken };
}
