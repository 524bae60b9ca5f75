// A scorer of bench/takeover-kills.ts in a process of its own: scores until it is killed, and says on stdout how far it is.
import { readFileSync } from 'node:fs';
import { Metrics } from '../core/metrics.ts';
import type { ModelBundle } from '../core/model/bundle.ts';
import { createDetector } from '../core/model/detector.ts';
import { runLoop } from '../scoring/loop.ts';
import { openPlace, type ScorerTask, VERSION } from './takeover-kills.ts';

/** Writes synchronously: what was said was said before the kill. */
const say = (line: string) => process.stdout.write(`${line}\n`);

const task = JSON.parse(process.argv[2] ?? '{}') as ScorerTask;
const bundle = JSON.parse(readFileSync(task.bundleFile, 'utf8')) as ModelBundle;
const log = await openPlace(task.place);
say('ready');
await runLoop({
  log,
  version: VERSION,
  detector: createDetector(bundle),
  metrics: new Metrics(),
  stateBytes: task.stateBytes,
  signal: new AbortController().signal,
  warn: (line) => say(`warn ${line}`),
  onRestored: (partition, { replayed }) => say(`restored ${partition} ${replayed}`),
  onBatch: ({ records }, { scored, stateBytes }) => {
    const cars = new Set(records.map(({ key }) => key)).size;
    say(`batch ${records.length} ${cars} ${scored} ${stateBytes}`);
  },
});
