// From 200,000 rows in the log to a released model with its report: time and memory of `telltale train` as a person runs it,
// on WebAssembly, the log read included.
//   node bench/training.ts [--rows N] [--json]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
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
    const ts = 1_700_000_000_000 + 1000 * i;
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
    const events = [...drive(`CAR${String(car).padStart(3, '0')}`, Math.ceil(ROWS / CARS))];
    for (let from = 0; from < events.length; from += 2000)
      await log.append(telemetryTopic.name, events.slice(from, from + 2000));
  }
  await log.close();
}

function train(dir: string): { readonly seconds: number; readonly peakMb: number } {
  const exit = "process.on('exit', () => console.error('peak', process.resourceUsage().maxRSS))";
  const started = process.hrtime.bigint();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(exit)}`,
      MAIN,
      'train',
      '--data-dir',
      dir,
      '--tf-backend',
      'wasm',
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`train ended with ${status}: ${stderr}`);
  if (!process.argv.includes('--json')) console.log(stdout);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  return { seconds, peakMb: Number(/peak (\d+)/.exec(stderr)?.[1]) / 1024 };
}

const dir = mkdtempSync(join(tmpdir(), 'telltale-bench-training-'));
try {
  await fill(dir);
  const { seconds, peakMb } = train(dir);
  printFigures(
    `Training on ${ROWS.toLocaleString('en')} rows of ${CARS} cars, ${signals.length} signals, from the log, wasm`,
    [
      { what: 'rows in the log → released model', value: seconds, unit: 's', bar: { atMost: 60 } },
      { what: 'peak memory of the process', value: peakMb, unit: 'MB', bar: { atMost: 1500 } },
    ],
  );
} finally {
  rmSync(dir, { recursive: true, force: true });
}
