// Does the embedded log keep what it acknowledged, whatever opens it, closes it or is killed beside its writers?
//   node bench/store-kill.ts [--seconds 60] [--writers 1] [--openers 4] [--alone] [--spare-writers] [--freeze-ms 4] [--rest-ms 0] [--dir FOLDER] [--seed 1]
// `--alone`: nobody keeps the log open, so that at times it is open nowhere; `--spare-writers`: writers are not killed.
// Ends with code 1 when something was lost. A log on a file system in memory commits faster, and races more.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hammer } from './store-kill-run.ts';
import { argument, printFigures } from './support.ts';

const at = process.argv.indexOf('--dir');
const dir = mkdtempSync(join(at < 0 ? tmpdir() : process.argv[at + 1]!, 'telltale-kill-'));
const seconds = argument('seconds', 60);
const result = await hammer({
  dir,
  seconds,
  atLeast: { openings: 0, freezes: 0, acknowledged: 0 },
  writers: argument('writers', 1),
  openers: argument('openers', 4),
  writerLifeMs: process.argv.includes('--spare-writers') ? null : [0, 3000],
  openerLifeMs: [0, 800],
  freezeMs: argument('freeze-ms', 4),
  restMs: argument('rest-ms', 0),
  follow: !process.argv.includes('--alone'),
  seed: argument('seed', 1),
});
rmSync(dir, { recursive: true, force: true });
printFigures('The embedded log while processes open it and are killed', [
  { what: 'acknowledged', value: result.acknowledged, unit: 'records' },
  { what: 'openings', value: result.openings, unit: '' },
  { what: 'openers frozen for a moment', value: result.freezes, unit: '' },
  { what: 'openers killed', value: result.kills.openers, unit: '' },
  { what: 'writers killed', value: result.kills.writers, unit: '' },
  { what: 'lost', value: result.lost.length, unit: 'records', bar: { atMost: 0 } },
  { what: 'at another offset, or twice', value: result.moved.length, unit: 'records', bar: { atMost: 0 } },
  { what: 'processes that failed', value: result.failures.length, unit: '', bar: { atMost: 0 } },
]);
for (const line of [...result.lost, ...result.moved, ...result.failures].slice(0, 20)) console.log(line);
if (result.lost.length + result.moved.length + result.failures.length > 0) process.exitCode = 1;
