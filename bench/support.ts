// What every benchmark prints the same way: the machine, medians, percentiles, a table, and the same as JSON.
// With `--save` (or `--save NAME`, where one script has several runs) the figures also go to bench/results/NAME.json, from which
// scripts/figures.ts makes the README's table.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { basename, join, relative } from 'node:path';

const ROOT = new URL('..', import.meta.url).pathname;
export const RESULTS_FOLDER = join(ROOT, 'bench', 'results');

/** The machine and runtime in one line, for beside each figure. */
export function machineLine(): string {
  const model = cpus()[0]?.model ?? 'unknown processor';
  return `${cpus().length} × ${model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}, Node ${process.versions.node}, ${commit()}`;
}

function commit(): string {
  try {
    return `commit ${execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()}`;
  } catch {
    return 'no commit';
  }
}

/** The q-quantile (0..1) by nearest rank. NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))]!;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The bar and which side of it is good, where there is one. */
  readonly bar?: { readonly atLeast: number } | { readonly atMost: number };
  readonly note?: string;
}

/** `met: ≥ 35,000 (× 1.24)`; a bar of 0 has no ratio. Empty where there is no bar. */
export function verdict({ value, bar }: Pick<Figure, 'value' | 'bar'>): string {
  if (!bar) return '';
  const [limit, sign, met] =
    'atLeast' in bar ? [bar.atLeast, '≥', value >= bar.atLeast] : [bar.atMost, '≤', value <= bar.atMost];
  const ratio = limit === 0 ? '' : ` (× ${(value / limit).toFixed(2)})`;
  return `${met ? 'met' : 'MISSED'}: ${sign} ${limit.toLocaleString('en')}${ratio}`;
}

/** A figure as people read it: three digits that count. */
export const shown = (value: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: digits(value) });

const digits = (value: number) => (Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);

/** A run of a benchmark as it is kept in bench/results. */
export interface SavedRun {
  readonly title: string;
  /** Day of the run, UTC, YYYY-MM-DD. */
  readonly day: string;
  readonly machine: string;
  /** What was typed to make it, without `--save`. */
  readonly command: string;
  readonly figures: readonly Figure[];
}

/** The file name and the content of a run to keep; null where `--save` was not given. */
export function savedRun(
  title: string,
  figures: readonly Figure[],
  argv: readonly string[],
  now: Date,
): { readonly name: string; readonly run: SavedRun } | null {
  const at = argv.indexOf('--save');
  if (at < 0) return null;
  const script = argv[1] ?? '';
  const given = argv[at + 1]?.startsWith('--') === false ? argv[at + 1] : undefined;
  const flags = argv.slice(2).filter((_, i) => i + 2 !== at && !(given !== undefined && i + 2 === at + 1));
  const command = ['node', relative(ROOT, script), ...flags.filter((flag) => flag !== '--json')].join(' ');
  const name = given ?? basename(script, '.ts');
  return {
    name,
    run: { title, day: now.toISOString().slice(0, 10), machine: machineLine(), command, figures },
  };
}

/** Prints the figures as a table, or as one JSON object with `--json` on the command line; keeps them with `--save`. */
export function printFigures(
  title: string,
  figures: readonly Figure[],
  argv: readonly string[] = process.argv,
): void {
  const saved = savedRun(title, figures, argv, new Date());
  if (saved !== null) {
    mkdirSync(RESULTS_FOLDER, { recursive: true });
    writeFileSync(join(RESULTS_FOLDER, `${saved.name}.json`), `${JSON.stringify(saved.run, null, 2)}\n`);
  }
  if (argv.includes('--json')) {
    console.log(JSON.stringify({ title, machine: machineLine(), figures }));
    return;
  }
  console.log(`\n${title}\n${machineLine()}\n`);
  const width = Math.max(...figures.map((f) => f.what.length));
  for (const f of figures) {
    console.log(
      `  ${f.what.padEnd(width)}  ${shown(f.value).padStart(12)} ${f.unit.padEnd(12)} ${verdict(f)}${f.note ? `  ${f.note}` : ''}`.trimEnd(),
    );
  }
}

/** The value of `--name N` on the command line, or the fallback. */
export function argument(name: string, fallback: number, argv: readonly string[] = process.argv): number {
  const at = argv.indexOf(`--${name}`);
  const value = at < 0 ? Number.NaN : Number(argv[at + 1]);
  return Number.isFinite(value) ? value : fallback;
}
