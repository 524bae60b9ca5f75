// Runs every benchmark of the README's table, one after another, and keeps what they say in bench/results; then
// `node scripts/figures.ts` makes the table. About an hour and a half on two cores: leave the machine alone meanwhile.
//   node bench/all.ts [NAME …]      NAME: some of the runs below only
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { kafkaMissing, startKafka } from '../scripts/kafka.ts';

/** A run by the name it is kept under: script, its flags, and whether it wants a Kafka. */
const RUNS: Readonly<Record<string, { readonly args: readonly string[]; readonly kafka?: true }>> = {
  'first-alert': { args: ['first-alert.ts'] },
  log: { args: ['log.ts'] },
  ingest: { args: ['ingest.ts'] },
  feed: { args: ['feed.ts'] },
  'feed-kafka': { args: ['feed.ts'], kafka: true },
  simulator: { args: ['simulator.ts'] },
  scoring: { args: ['scoring.ts'] },
  training: { args: ['training.ts'] },
  'training-5m': { args: ['training.ts', '--rows', '5000000'] },
  soak: { args: ['soak.ts', '--minutes', '10'] },
  'reference-100k': { args: ['reference-100k.ts'] },
  'whole-stream': { args: ['whole-stream.ts', '--cars', '100000', '--rate', '10000', '--minutes', '10'] },
  takeover: { args: ['takeover.ts', '--cars', '100000', '--kills', '50'] },
  'takeover-kafka': { args: ['takeover.ts', '--cars', '100000', '--kills', '50', '--kafka'] },
  quality: { args: ['quality/run.ts'] },
  'fleet-11': { args: ['quality/fleet-run.ts', '--seed', '11'] },
  'fleet-7': { args: ['quality/fleet-run.ts', '--seed', '7'] },
};

async function measure(name: string): Promise<boolean> {
  const run = RUNS[name]!;
  const kafka = run.kafka ? await startKafka() : undefined;
  try {
    const [script, ...flags] = run.args;
    const { status } = spawnSync(
      process.execPath,
      [join(import.meta.dirname, script!), ...flags, '--save', name],
      {
        stdio: 'inherit',
        env: { ...process.env, ...(kafka ? { KAFKA_BROKERS: kafka.brokers } : {}) },
      },
    );
    return status === 0;
  } finally {
    await kafka?.stop();
  }
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(RUNS, name));
if (unknown.length > 0)
  throw new Error(`no run ${unknown.join(', ')}; there are ${Object.keys(RUNS).join(', ')}`);
const failed: string[] = [];
for (const name of asked.length > 0 ? asked : Object.keys(RUNS)) {
  const missing = RUNS[name]!.kafka ? kafkaMissing() : undefined;
  if (missing !== undefined) console.error(`${name}: left out, ${missing}`);
  else if (!(await measure(name))) failed.push(name);
}
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
