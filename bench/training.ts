// From rows in the log to a released model with its report: time and memory of `telltale train` as a person runs it, on
// WebAssembly, the log read included. 200,000 rows are all trained on; of a long history (--rows 5000000) it keeps a sample.
//   node bench/training.ts [--rows N] [--json]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CAR_CATALOGUE_FILE, loadCatalogue } from '../core/catalogue.ts';
import { createFixedTopics } from '../core/log/create-topics.ts';
import { openEmbeddedLog } from '../core/log/embedded.ts';
import { normal, seededRandom } from '../core/model/random.ts';
import { telemetryTopic } from '../core/topics.ts';
import { argument, printFigures } from './support.ts';

const ROWS = argument('rows', 200_000);
const CARS = 50;
/** The last row is of now: what is older than the log's retention would be swept. */
const START_MS = Date.now() - 1000 * Math.ceil(ROWS / CARS);
const MAIN = new URL('../main.ts', import.meta.url).pathname;

const { signals } = await loadCatalogue(CAR_CATALOGUE_FILE);

/** A car whose signals hang together through four hidden drives: no physics, but as many columns and ties. */
function* drive(vin: string, rows: number) {
  const random = seededRandom(11, vin);
  const hidden = new Float64Array(4);
  for (let i = 0; i < rows; i += 1) {
    for (let h = 0; h < 4; h += 1) hidden[h] = 0.98 * hidden[h]! + 0.2 * normal(random);
    const readings = signals.map(({ name, min, max }, s) => {
      let value = 0.1 * normal(random);
      for (let h = 0; h < 4; h += 1) value += Math.sin((4 * s + h) * 1.7) * hidden[h]!;
      return [name, Math.round(((min + max) / 2 + ((max - min) / 20) * value) * 100) / 100] as const;
    });
    const ts = START_MS + 1000 * i;
    yield {
      key: vin,
      timestampMs: ts,
      value: telemetryTopic.encode({ vin, seq: ts, ts, signals: Object.fromEntries(readings) }),
    };
  }
}

async function fill(dir: string): Promise<void> {
  const log = openEmbeddedLog({ dir, prefix: '', clock: Date.now, warn: console.error });
  await createFixedTopics(log, 6);
  for (let car = 0; car < CARS; car += 1) {
    let batch = [];
    for (const event of drive(`CAR${String(car).padStart(3, '0')}`, Math.ceil(ROWS / CARS))) {
      batch.push(event);
      if (batch.length < 2000) continue;
      await log.append(telemetryTopic.name, batch);
      batch = [];
    }
    await log.append(telemetryTopic.name, batch);
  }
  await log.close();
}

/** Memory of a process in MB; `own` without the pages of files it maps (the log), which the system takes back at need. */
function memoryOf(pid: number): { readonly all: number; readonly own: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mb = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
  return { all: mb('VmRSS'), own: mb('RssAnon') };
}

async function train(dir: string) {
  const started = process.hrtime.bigint();
  const args = [MAIN, 'train', '--data-dir', dir, '--tf-backend', 'wasm'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const quiet = process.argv.includes('--json');
  child.stdout.on('data', (text: Buffer) => void (quiet || process.stdout.write(text)));
  const peak = { all: 0, own: 0 };
  const watch = setInterval(() => {
    try {
      const { all, own } = memoryOf(child.pid!);
      peak.all = Math.max(peak.all, all);
      peak.own = Math.max(peak.own, own);
    } catch {
      // It has ended between two looks.
    }
  }, 50);
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearInterval(watch);
  if (code !== 0) throw new Error(`train ended with ${code}`);
  return { seconds: Number(process.hrtime.bigint() - started) / 1e9, peak };
}

const dir = mkdtempSync(join(tmpdir(), 'telltale-bench-training-'));
try {
  await fill(dir);
  const { seconds, peak } = await train(dir);
  const long = ROWS > 1_000_000;
  printFigures(
    `Training on ${ROWS.toLocaleString('en')} rows of ${CARS} cars, ${signals.length} signals, from the log, wasm`,
    [
      {
        what: 'rows in the log → released model',
        value: seconds,
        unit: 's',
        ...(long ? {} : { bar: { atMost: 60 } }),
      },
      {
        what: 'peak memory of its own',
        value: peak.own,
        unit: 'MB',
        ...(long ? { bar: { atMost: 1000 } } : {}),
      },
      {
        what: "… with the log's mapped pages",
        value: peak.all,
        unit: 'MB',
        ...(long ? {} : { bar: { atMost: 1500 } }),
      },
    ],
  );
} finally {
  rmSync(dir, { recursive: true, force: true });
}
