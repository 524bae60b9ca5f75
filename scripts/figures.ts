// Writes the README's table of figures from the runs kept in bench/results, each with its day and machine.
// `node scripts/figures.ts` writes it; test/figures.test.ts holds the README against the kept runs.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Figure, RESULTS_FOLDER, type SavedRun, shown, verdict } from '../bench/support.ts';

export const README_FILE = new URL('../README.md', import.meta.url).pathname;
const BEGIN = '<!-- figures: made by scripts/figures.ts -->';
const END = '<!-- /figures -->';

interface Row {
  /** Name of the kept run. */
  readonly run: string;
  /** `what` of its figure. */
  readonly figure: string;
  /** What the README calls it. */
  readonly label: string;
}

const row = (run: string, figure: string, label: string): Row => ({ run, figure, label });

/** What the README shows, in its order. */
export const ROWS: readonly Row[] = [
  row('first-alert', 'first alert line', '`npm start` on an empty folder → first alert'),
  row(
    'log',
    'durable append, batches of 500, one after another',
    'embedded log, durable append in batches of 500',
  ),
  row('log', 'read', 'embedded log, read'),
  row(
    'ingest',
    'car → durable log, QoS 1, window 1',
    'car → durable log, QoS 1, one core, each car waiting for its PUBACK',
  ),
  row('ingest', 'car → durable log, QoS 1, window 4', '… up to four events of a car in flight'),
  row(
    'soak',
    'growth over 10 minutes (last sixth − first sixth)',
    "10 minutes at 17,500 events/s: growth of ingest's own memory",
  ),
  row('feed', 'publish → phone, p99', 'publish → phone at 1,000 events/s, embedded, p99'),
  row('feed-kafka', 'publish → phone, p99', '… on Apache Kafka'),
  row('simulator', 'physics, mixed fleet', 'physics of a mixed fleet, one core'),
  row('simulator', 'published by own links, 1000 connections', 'publishing, one connection a car'),
  row('simulator', 'published by MQTT.js, 1000 connections', '… with MQTT.js, for comparison'),
  row('simulator', '10,000 cars in one process', '10,000 cars in one process'),
  row(
    'reference-100k',
    'cars connected at once',
    '100,000 cars, an event each ten seconds, six processes a side: connected at once',
  ),
  row('reference-100k', 'acknowledged and not in the log', '… acknowledged and not in the log'),
  row('reference-100k', 'memory of the ingest side', '… memory of the ingest side'),
  row(
    'whole-stream',
    'events into the log',
    'the whole stream, 100,000 cars: broker, log, scoring, alerts and server beside the cars: events a second',
  ),
  row('whole-stream', 'acknowledged and not in the log', '… acknowledged and not in the log'),
  row('whole-stream', 'in the log and without a score', '… in the log and without a score'),
  row('whole-stream', 'scoring: behind, p99', '… scoring behind, p99'),
  row('whole-stream', 'alerts: behind, p99', '… alert policy behind its scores, p99'),
  row('whole-stream', 'publish → PUBACK, p99', '… publish → PUBACK, p99'),
  row('whole-stream', 'publish → scored, p99', '… publish → scored, p99'),
  row(
    'whole-stream',
    'publish → phone, median',
    '… publish of the event that raises the alert → phone, median',
  ),
  row('whole-stream', 'cars: CPU an event', '… CPU an event: the cars'),
  row('whole-stream', 'ingest: CPU an event', '… ingest'),
  row('whole-stream', 'scoring: CPU an event', '… scoring'),
  row('whole-stream', 'alerts and server: CPU an event', '… alerts and server'),
  row('whole-stream', 'own memory of the largest process', '… own memory of the largest process'),
  row('whole-stream', 'log: bytes an event', '… bytes of log an event'),
  row(
    'takeover',
    'states written for an event',
    "cars' states written to the log, 100,000 cars: bytes an event",
  ),
  row('takeover', 'takeover of all cars', '… another scorer takes over all of them'),
  row('takeover', 'takeover, own memory of the process', '… own memory of it'),
  row(
    'takeover',
    'scores that are not those of a scorer never disturbed',
    '… scorers killed fifty times: scores that differ from those of one never disturbed',
  ),
  row('takeover-kafka', 'takeover of all cars', '… another scorer takes over all of them, on Apache Kafka'),
  row(
    'takeover-kafka',
    'scores that are not those of a scorer never disturbed',
    '… scorers killed fifty times, on Apache Kafka: scores that differ',
  ),
  row('training', 'rows in the log → released model', '200,000 rows → released model with report'),
  row('training', 'peak memory of its own', '… memory of its own'),
  row(
    'training-5m',
    'peak memory of its own',
    "5,000,000 rows → released model: memory of its own (the log's mapped pages not counted)",
  ),
  row(
    'scoring',
    'whole scoring: telemetry bytes → score and state bytes',
    'scoring, 31 signals, bytes to bytes, one core',
  ),
  row('quality', 'drives: telltale, average precision', 'real drives, faults put in: average precision'),
  row('quality', 'drives: isolation forest, average precision', '… of an isolation forest, for comparison'),
  row('quality', 'drives: telltale, event recall at 0.5/h', '… faults found at 0.5 false alerts/h asked'),
  row('quality', 'drives: telltale, false alerts met at 0.5/h', '… false alerts met there'),
  row('quality', 'drives: telltale, event recall at 0.125/h', '… faults found at 0.125 false alerts/h asked'),
  row('quality', 'drives: telltale, false alerts met at 0.125/h', '… false alerts met there'),
  row('quality', 'rigs: mean average precision', 'pump-rig runs: average precision'),
  row('quality', 'rigs: mean F1, threshold without labels', '… F1 of the alert'),
  row(
    'fleet-11',
    'fleet: recall over all families',
    'simulated fleet, 12 fault families, 1 false alert a car-day asked: found',
  ),
  row('fleet-11', 'fleet: median delay of those found', '… median delay'),
  row('fleet-11', 'fleet: false alerts', '… false alerts met'),
  row('fleet-7', 'fleet: recall over all families', '… another seed: found'),
  row('fleet-7', 'fleet: false alerts', '… false alerts met'),
];

/** The kept runs by name. */
export function savedRuns(): ReadonlyMap<string, SavedRun> {
  const files = readdirSync(RESULTS_FOLDER).filter((file) => file.endsWith('.json'));
  return new Map(
    files.map((file) => [
      file.slice(0, -'.json'.length),
      JSON.parse(readFileSync(join(RESULTS_FOLDER, file), 'utf8')) as SavedRun,
    ]),
  );
}

/** The commit a run was made at is told with its machine; the table keeps the two apart. */
const withoutCommit = (machine: string) => machine.replace(/, (?:commit \w+|no commit)$/, '');
const commitOf = (machine: string) => /commit (\w+)$/.exec(machine)?.[1] ?? '';

function line({ run: name, figure: what, label }: Row, runs: ReadonlyMap<string, SavedRun>): string {
  const run = runs.get(name)!;
  const figure: Figure | undefined = run.figures.find((one) => one.what === what);
  if (figure === undefined) throw new Error(`bench/results/${name}.json has no figure "${what}"`);
  const unit = figure.unit === '' ? '' : ` ${figure.unit}`;
  const script = `\`${run.command.replace(/^node /, '')}\``;
  const cells = [
    label,
    `${shown(figure.value)}${unit}`,
    verdict(figure),
    script,
    `${run.day}, ${commitOf(run.machine)}`,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** The table with the machines its runs were made on; what no run is kept of is said. */
export function figuresTable(runs: ReadonlyMap<string, SavedRun>, rows: readonly Row[] = ROWS): string {
  const kept = rows.filter(({ run }) => runs.has(run));
  const without = [...new Set(rows.flatMap(({ run }) => (runs.has(run) ? [] : [run])))];
  const used = kept.map(({ run }) => runs.get(run)!);
  const machines = [...new Set(used.map(({ machine }) => withoutCommit(machine)))].toSorted();
  return [
    `Machine: ${machines.join('; ')}. Two shared cores: times of one day differ by up to a factor of two.`,
    '',
    '| What | Measured | Bar | Script | Run |',
    '| --- | --- | --- | --- | --- |',
    ...kept.map((one) => line(one, runs)),
    ...(without.length > 0 ? ['', `No run is kept of: ${without.join(', ')}.`] : []),
  ].join('\n');
}

/** The README with its table replaced. @throws Error where the marks are not there */
export function withTable(readme: string, table: string): string {
  const from = readme.indexOf(BEGIN);
  const to = readme.indexOf(END);
  if (from < 0 || to < from) throw new Error(`README.md: no "${BEGIN}" … "${END}"`);
  return `${readme.slice(0, from + BEGIN.length)}\n${table}\n${readme.slice(to)}`;
}

if (import.meta.main) {
  const readme = readFileSync(README_FILE, 'utf8');
  writeFileSync(README_FILE, withTable(readme, figuresTable(savedRuns())));
}
