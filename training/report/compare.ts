// The report's comparisons: the new model beside the champion on the same rows, and the faults the log knew of one by
// one.
import type { Evaluation } from '../evaluate/evaluate.ts';
import type { FaultResult } from '../evaluate/methods.ts';
import { escapeHtml, shortNumber } from './plots.ts';

const percent = (share: number) => `${Math.round(share * 100)} %`;
const seconds = (value: number | null | undefined) => (value == null ? '–' : `${shortNumber(value)} s`);
const foundOf = (one: FaultResult | undefined) => (one ? `${one.found} of ${one.events}` : '–');

function row(what: string, own: string, champion: string): string {
  return `<tr><th>${escapeHtml(what)}</th><td>${escapeHtml(own)}</td><td>${escapeHtml(champion)}</td></tr>`;
}

/** The new model beside the champion; empty when there is none. */
export function championSection({ champion, methods, synthetic, known }: Evaluation): string {
  if (!champion) return '';
  const title = `<h2>Beside the champion</h2>`;
  if ('refused' in champion)
    return `${title}<p>Champion ${escapeHtml(champion.version)} could not be compared: ${escapeHtml(champion.refused)}</p>`;
  const own = methods[0]!;
  const { method } = champion;
  const [mine, theirs] = [own.budgets[0]!, method.budgets[0]!];
  const theirKnown = new Map<string, { events: number; found: number }>();
  for (const { kind, delayS } of champion.known) {
    const sum = theirKnown.get(kind) ?? { events: 0, found: 0 };
    theirKnown.set(kind, { events: sum.events + 1, found: sum.found + (delayS === null ? 0 : 1) });
  }
  const kindRows = [
    ...synthetic.map((one) => {
      const other = champion.synthetic.find(({ kind }) => kind === one.kind);
      return row(`found: ${one.kind} (synthetic)`, foundOf(one), foundOf(other));
    }),
    ...known.map((one) => {
      const other = theirKnown.get(one.kind);
      return row(
        `found: ${one.kind} (happened)`,
        foundOf(one),
        other ? `${other.found} of ${other.events}` : '–',
      );
    }),
  ];
  return `${title}<p>Both on the same rows: of cars the new model had not seen, without known faults. Champion ${escapeHtml(champion.version)}: ${escapeHtml(method.about)}. Each at its own threshold.</p>
<table><thead><tr><th></th><th>new model</th><th>champion</th></tr></thead><tbody>${[
    row('average precision', shortNumber(own.averagePrecision), shortNumber(method.averagePrecision)),
    row('synthetic faults found', percent(mine.recall), percent(theirs.recall)),
    row('false alerts an hour', shortNumber(mine.metPerHour), shortNumber(theirs.metPerHour)),
    row('median delay', seconds(mine.medianDelayS), seconds(theirs.medianDelayS)),
    ...kindRows,
  ].join('')}</tbody></table>`;
}

/** Each fault the log knew of: found after how long, or missed, by the new model and the champion. */
export function knownTable({ knownFaults, champion }: Evaluation): string {
  const judged = champion && !('refused' in champion) ? champion.known : null;
  const verdict = (delayS: number | null | undefined) =>
    delayS === undefined ? '–' : delayS === null ? 'missed' : `found after ${seconds(delayS)}`;
  const rows = knownFaults.map(({ car, kind, fromMs, judgedS, delayS }) => {
    const other = judged?.find((one) => one.car === car && one.kind === kind && one.fromMs === fromMs);
    const at = new Date(fromMs).toISOString().slice(0, 19).replace('T', ' ');
    const cells = [kind, at, seconds(judgedS), verdict(delayS), ...(judged ? [verdict(other?.delayS)] : [])];
    return `<tr><th>${escapeHtml(car)}</th>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;
  });
  const heads = ['fault', 'visible from (UTC)', 'judged', 'new model', ...(judged ? ['champion'] : [])];
  return `<table><thead><tr><th>car</th>${heads.map((head) => `<th>${head}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}
