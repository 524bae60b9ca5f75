// How long from `npm start` on an empty data folder to the first alert that follows a break made on purpose; the first line
// of any alert is timed too. `node bench/first-alert.ts [--runs 3] [--json]`; bounded by two minutes a run.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from '../test/end-to-end/processes.ts';
import { argument, median, printFigures } from './support.ts';

const LIMIT_MS = 120_000;

interface Run {
  readonly liveS: number;
  readonly firstS: number;
  readonly brokenS: number;
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
    return { liveS, firstS, brokenS: since() };
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
  { what: 'first alert line', value: of((r) => r.firstS), unit: 's', bar: { atMost: 60 } },
  {
    what: 'first alert of a car broken on purpose',
    value: of((r) => r.brokenS),
    unit: 's',
    bar: { atMost: 60 },
  },
]);
