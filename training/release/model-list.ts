// The registry for a person: one line a model, oldest first, and under them who is in charge since when, by whom and
// why.
import { type Catalogue, catalogueHash } from '../../core/catalogue.ts';
import type { ModelBundle } from '../../core/model/bundle.ts';
import type { Release, ReleaseBook } from '../../core/model/releases.ts';
import { budgetVerdict } from '../evaluate/verdict.ts';

const HEADS = ['version', 'alias', 'released (UTC)', 'by', 'rows', 'cars', 'AP', 'found', 'false/h', 'note'];
/** Columns of figures stand to the right. */
const FIGURES = new Set(['rows', 'cars', 'AP', 'found', 'false/h']);

const NONE = '–';
const when = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
const quoted = (note: string) => (note === '' ? '' : `“${note}”`);

function figure(value: number | null | undefined, words: (value: number) => string): string {
  return value == null ? NONE : words(value);
}

function isOver({ bundle, judged }: Release): boolean {
  const { card } = (bundle ?? {}) as Partial<ModelBundle>;
  const askedPerHour = card?.train.alertsPerHour;
  if (card === undefined || typeof askedPerHour !== 'number') return false;
  return budgetVerdict({ askedPerHour, metPerHour: judged?.falseAlertsPerHour ?? Number.NaN }, card).over;
}

function cellsOf(release: Release, aliases: readonly string[], hash: string): string[] {
  const { version, ts, by, note, judged } = release;
  // What stands in the topic is unchecked: a damaged bundle has a line too.
  const { card, catalogueHash: own } = (release.bundle ?? {}) as Partial<ModelBundle>;
  const remark = card === undefined ? '(damaged)' : own === hash ? '' : '(other signals)';
  return [
    version,
    aliases.join(', '),
    when(ts),
    by === '' ? NONE : by,
    figure(card?.rows, (rows) => rows.toLocaleString('en')),
    figure(card?.cars, String),
    figure(judged?.averagePrecision, (value) => value.toFixed(2)),
    figure(judged?.found, (share) => `${Math.round(100 * share)} %`),
    figure(judged?.falseAlertsPerHour, (rate) => rate.toFixed(3)),
    [quoted(note), remark, isOver(release) ? '(over its budget)' : '']
      .filter((part) => part !== '')
      .join(' '),
  ];
}

/** @param catalogue the deployment's: models for other signals are marked */
export function describeModels(book: ReleaseBook, catalogue: Catalogue): string[] {
  if (book.releases.size === 0) return [];
  const hash = catalogueHash(catalogue);
  const aliasesOf = (version: string) =>
    [...book.aliases].filter(([, held]) => held.version === version).map(([alias]) => alias);
  const rows = [...book.releases.values()]
    .sort((a, b) => a.ts - b.ts)
    .map((release) => cellsOf(release, aliasesOf(release.version), hash));
  const widths = HEADS.map((head, k) => Math.max(head.length, ...rows.map((cells) => cells[k]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, k) => (FIGURES.has(HEADS[k]!) ? cell.padStart(widths[k]!) : cell.padEnd(widths[k]!)))
      .join('  ')
      .trimEnd();
  const inCharge = [...book.aliases].map(([alias, { version, ts, by, note, previous }]) => {
    const before = previous.length > 0 ? `; before it ${previous.slice(0, 3).join(', ')}` : '';
    return `${alias}: ${version} since ${when(ts)}${by === '' ? '' : ` by ${by}`}${note === '' ? '' : ` ${quoted(note)}`}${before}`;
  });
  return [line(HEADS), ...rows.map(line), ...inCharge];
}
