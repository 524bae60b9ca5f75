// A scorer of bench/takeover.ts in a process of its own: scores until it is killed, and says on stdout how far it is.
import { readFileSync } from 'node:fs';
import { Metrics } from '../core/metrics.ts';
import type { ModelBundle } from '../core/model/bundle.ts';
import { createDetector } from '../core/model/detector.ts';
import { scorerStateTopic } from '../core/topics.ts';
import { runLoop } from '../scoring/loop.ts';
import { openPlace, type ScorerTask, VERSION } from './takeover-kills.ts';

/** Writes synchronously: what was said was said before the kill. */
const say = (line: string) => process.stdout.write(`${line}\n`);

const task = JSON.parse(process.argv[2] ?? '{}') as ScorerTask;
const bundle = JSON.parse(readFileSync(task.bundleFile, 'utf8')) as ModelBundle;
const log = await openPlace(task.place);
/** Memory of the process's own, MiB: what it maps of files is not its own. */
const ownMiB = () => Number(/RssAnon:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
const cpuS = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const states = scorerStateTopic(VERSION).name;
const startedMs = performance.now();
const startedCpuS = cpuS();
say('ready');
await runLoop({
  log,
  version: VERSION,
  detector: createDetector(bundle),
  metrics: new Metrics(),
  stateBytes: task.stateBytes,
  signal: new AbortController().signal,
  warn: (line) => say(`warn ${line}`),
  onRestored: (partition, { replayed }) => {
    const seconds = (performance.now() - startedMs) / 1000;
    say(`restored ${partition} ${replayed} ${seconds} ${cpuS() - startedCpuS} ${ownMiB()}`);
  },
  onBatch: ({ records }, { scored, stateBytes, outputs }) => {
    const cars = new Set(records.map(({ key }) => key)).size;
    const snapshots = outputs.filter(({ topic }) => topic === states).length;
    say(`batch ${records.length} ${cars} ${scored} ${stateBytes} ${snapshots}`);
  },
});
