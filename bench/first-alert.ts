// How long from `npm start` on an empty data folder to the first alert that follows a break made on purpose; the first line
// of any alert is timed too, and the processor time that the process took until then; with --hand-over also when a successor has taken
// charge. `node bench/first-alert.ts [--runs 3] [--hand-over] [--json]`; bounded by five minutes a run.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from '../test/end-to-end/processes.ts';
import { argument, median, printFigures } from './support.ts';

const LIMIT_MS = 300_000;
const TO_HAND_OVER = process.argv.includes('--hand-over');

interface Run {
  readonly liveS: number;
  readonly firstS: number;
  readonly brokenS: number;
  readonly cpuS: number;
  readonly handOverS: number;
}

/** Processor seconds of a process so far; NaN where the system has no /proc. */
function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return Number.NaN;
  }
}

async function once(): Promise<Run> {
  const dir = await mkdtemp(join(tmpdir(), 'telltale-first-alert-'));
  const startMs = performance.now();
  const since = () => (performance.now() - startMs) / 1000;
  const demo = start(['demo', '--data-dir', dir, '--mqtt-port', '0', '--http-port', '0'], {});
  try {
    await demo.line(/^live: /, LIMIT_MS);
    const liveS = since();
    await demo.line(/^alert /, LIMIT_MS);
    const firstS = since();
    const broken = () =>
      demo.lines
        .flatMap((line) => /^broken on purpose: (\S+) /.exec(line)?.[1] ?? [])
        .map((vin) => `^alert \\S+ ${vin} `);
    await demo.line(new RegExp(broken().join('|')), LIMIT_MS);
    const brokenS = since();
    const cpuS = cpuOf(demo.pid);
    if (TO_HAND_OVER) await demo.line(/^handed over: /, LIMIT_MS);
    return { liveS, firstS, brokenS, cpuS, handOverS: since() };
  } finally {
    await demo.interrupt();
    await rm(dir, { recursive: true, force: true });
  }
}

const runs: Run[] = [];
for (let n = argument('runs', 3); n > 0; n -= 1) runs.push(await once());
const of = (pick: (run: Run) => number) => median(runs.map(pick));
printFigures(`From npm start on an empty folder, median of ${runs.length}`, [
  { what: 'live', value: of((r) => r.liveS), unit: 's' },
  { what: 'first alert line', value: of((r) => r.firstS), unit: 's', bar: { atMost: 30 } },
  {
    what: 'first alert of a car broken on purpose',
    value: of((r) => r.brokenS),
    unit: 's',
    bar: { atMost: 30 },
  },
  {
    what: 'the slowest of them',
    value: Math.max(...runs.map((r) => r.brokenS)),
    unit: 's',
    bar: { atMost: 40 },
  },
  { what: 'processor time until then', value: of((r) => r.cpuS), unit: 's' },
  ...(TO_HAND_OVER
    ? [{ what: 'a successor has taken charge', value: of((r) => r.handOverS), unit: 's' }]
    : []),
]);
