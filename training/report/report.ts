// The report of a training run: one HTML file that needs nothing else, and the same numbers as JSON beside it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { counted, percent as percentOf } from '../../core/counted.ts';
import type { ModelBundle } from '../../core/model/bundle.ts';
import type { Evaluation } from '../evaluate/evaluate.ts';
import type { AlertExample } from '../evaluate/examples.ts';
import type { FaultResult, MethodResult } from '../evaluate/methods.ts';
import type { OwnHistory } from '../evaluate/own-history.ts';
import type { Verdict } from '../evaluate/verdict.ts';
import { championSection, knownTable } from './compare.ts';
import { type Coverage, coverageLines } from './coverage.ts';
import { escapeHtml, histogramPlot, linePlot, shareBar, shortNumber } from './plots.ts';
import { REPORT_STYLE } from './style.ts';

const percent = (share: number) => `${Math.round(share * 100)} %`;
const seconds = (value: number | null) => (value === null ? '–' : `${shortNumber(value)} s`);

function tile(value: string, what: string, note: string): string {
  return `<div class="tile"><b>${escapeHtml(value)}</b><span>${escapeHtml(what)}</span><small>${escapeHtml(note)}</small></div>`;
}

function tiles(evaluation: Evaluation): string {
  const { methods, budget, synthetic, threshold } = evaluation;
  const own = methods[0]!;
  const found = synthetic.reduce((sum, one) => sum + one.found, 0);
  const events = synthetic.reduce((sum, one) => sum + one.events, 0);
  return `<section class="tiles">${[
    tile(shortNumber(own.averagePrecision), 'average precision', 'rows, synthetic faults, unseen cars'),
    tile(`${found} of ${events}`, 'faults found', 'alert raised while the fault lasts'),
    tile(seconds(own.budgets[0]?.medianDelayS ?? null), 'median time to alert', 'of those found'),
    tile(
      `${shortNumber(budget.metPerHour)} / h`,
      'false alerts met',
      `asked: ${shortNumber(budget.askedPerHour)} an hour; on cars not used to set it`,
    ),
    tile(shortNumber(threshold), 'threshold', 'on the score'),
  ].join('')}</section>`;
}

function methodTable(methods: readonly MethodResult[]): string {
  const head = methods[0]!.budgets.map(
    ({ askedPerHour }) => `<th colspan="3">${shortNumber(askedPerHour)} false alerts / h asked</th>`,
  );
  const rows = methods.map((method, i) => {
    const cells = methods[0]!.budgets.map((_, b) => {
      const at = method.budgets[b];
      if (!at) return '<td>–</td><td>–</td><td>–</td>';
      return `<td>${percent(at.recall)}</td><td>${shortNumber(at.metPerHour)}</td><td>${seconds(at.medianDelayS)}</td>`;
    });
    return `<tr${i === 0 ? ' class="own"' : ''}><th>${escapeHtml(method.name)}<small>${escapeHtml(method.about)}</small></th><td>${shortNumber(method.averagePrecision)}</td><td>${shortNumber(method.rocAuc)}</td>${cells.join('')}</tr>`;
  });
  const sub = methods[0]!.budgets.map(() => '<th>found</th><th>met / h</th><th>delay</th>');
  return `<table><thead><tr><th rowspan="2">method</th><th rowspan="2">average precision</th><th rowspan="2">ROC AUC</th>${head.join('')}</tr><tr>${sub.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function faultTable(results: readonly FaultResult[]): string {
  const rows = results.map(
    ({ kind, about, events, found, medianDelayS }) =>
      `<tr><th>${escapeHtml(kind)}<small>${escapeHtml(about)}</small></th><td>${found} of ${events}</td><td>${shareBar(found / Math.max(1, events))}</td><td>${seconds(medianDelayS)}</td></tr>`,
  );
  return `<table><thead><tr><th>fault</th><th>found</th><th></th><th>median delay</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function curves({ precisionRecall, scores, threshold, budget }: Evaluation): string {
  const precision = linePlot(
    {
      xLabel: 'recall',
      yLabel: 'precision',
      xRange: [0, 1],
      yRange: [0, 1.02],
      lines: [
        {
          label: 'telltale',
          color: 'var(--own)',
          points: precisionRecall.map(({ recall, precision: p }) => [recall, p] as const),
        },
      ],
    },
    'precision against recall',
  );
  const distributions = histogramPlot(
    scores.edges,
    [
      { label: 'normal rows of unseen cars', color: 'var(--calm)', shares: scores.normal },
      { label: 'faulty rows', color: 'var(--alarm)', shares: scores.faulty },
    ],
    { x: threshold, label: 'threshold' },
    'score',
  );
  const least = Math.min(
    budget.askedPerHour,
    ...budget.curve.map((p) => p.alertsPerHour).filter((v) => v > 0),
  );
  const most = Math.max(budget.askedPerHour, ...budget.curve.map((p) => p.alertsPerHour));
  const allowance = linePlot(
    {
      xLabel: 'threshold',
      yLabel: 'alerts an hour',
      logY: true,
      yRange: [least / 2, most * 2],
      lines: [
        {
          label: 'held-out driving',
          color: 'var(--own)',
          stepped: true,
          points: budget.curve.map(
            ({ threshold: t, alertsPerHour }) => [t, alertsPerHour > 0 ? alertsPerHour : null] as const,
          ),
        },
      ],
      marks: [
        { x: threshold, label: 'chosen' },
        { y: budget.askedPerHour, label: 'asked' },
      ],
    },
    'alerts an hour against the threshold',
  );
  return `<section class="plots"><figure><figcaption>Precision and recall, rows with synthetic faults</figcaption>${precision}</figure><figure><figcaption>Scores of normal and faulty rows (heights by square root)</figcaption>${distributions}</figure><figure><figcaption>Alerts an hour of normal driving, by threshold</figcaption>${allowance}</figure></section>`;
}

function example(one: AlertExample): string {
  const band = { from: 0, to: one.endS, label: 'fault' };
  const at = (values: readonly (number | null)[]) => one.secondsS.map((s, i) => [s, values[i]!] as const);
  const score = linePlot(
    {
      xLabel: 'seconds since the fault began',
      yLabel: 'score',
      height: 190,
      band,
      lines: [{ label: 'score', color: 'var(--alarm)', points: at(one.scores) }],
      marks: [
        { y: one.threshold, label: 'threshold' },
        { x: one.alertS, label: 'alert' },
      ],
    },
    'score around the alert',
  );
  const signals = one.signals.map(({ signal, share, seen, expected }) => {
    const plot = linePlot(
      {
        xLabel: 'seconds since the fault began',
        yLabel: signal,
        height: 190,
        band,
        lines: [
          { label: 'seen', color: 'var(--own)', points: at(seen) },
          { label: 'expected', color: 'var(--calm)', points: at(expected), dashed: true },
        ],
      },
      `${signal}, seen and expected`,
    );
    return `<figure><figcaption>${escapeHtml(signal)}: ${percent(share)} of the score</figcaption>${plot}</figure>`;
  });
  return `<h3>${escapeHtml(one.kind)} on ${escapeHtml(one.struck)}, car ${escapeHtml(one.car)}: alert after ${seconds(one.alertS)}</h3><div class="plots"><figure><figcaption>Score</figcaption>${score}</figure>${signals.join('')}</div>`;
}

function driftTable({ drift }: Evaluation): string {
  const rows = drift
    .slice(0, 15)
    .map(
      ({ signal, distance, shift }) =>
        `<tr><th>${escapeHtml(signal)}</th><td>${distance.toFixed(2)}</td><td>${shareBar(distance)}</td><td>${shift >= 0 ? '+' : '−'}${Math.abs(shift).toFixed(2)} σ</td></tr>`,
    );
  return `<table><thead><tr><th>signal</th><th>distance</th><th></th><th>shift of the median</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

/** What else is to be said of a run. */
export interface RunFacts {
  /** How the model does on the rows it was trained on. */
  readonly ownHistory: OwnHistory;
  readonly coverage: Coverage;
  readonly verdict: Verdict;
  /** What a first model can see and what it cannot; null: it is no first one. */
  readonly firstModel: string | null;
}

function coverageTable({ ownHistory, coverage, verdict, firstModel }: RunFacts): string {
  const { rows, alerts, rowsInAlert, asked } = ownHistory;
  const own = `${counted(alerts, 'alert')} in ${counted(rows, 'row')} (asked for ${shortNumber(asked)}), ${percentOf(rowsInAlert, rows)} of them in alert`;
  const lines = [
    ...coverageLines(coverage),
    ['on its own history', own],
    ['budget', verdict.text],
    ...(firstModel === null ? [] : [['what it is', firstModel] as const]),
  ];
  const cells = lines.map(
    ([what, how]) => `<tr><th>${escapeHtml(what!)}</th><td>${escapeHtml(how!)}</td></tr>`,
  );
  return `<table class="facts"><tbody>${cells.join('')}</tbody></table>`;
}

/** The whole page. */
export function reportHtml(bundle: ModelBundle, evaluation: Evaluation, facts: RunFacts): string {
  const { card, catalogue, hash } = bundle;
  const known =
    evaluation.known.length === 0
      ? ''
      : `<h2>Faults the log knew of</h2><p>Ground truth was in the log for these. They were scored by models that had not seen the car; an alert counts when it rises while the fault can be seen.</p>${faultTable(evaluation.known)}${knownTable(evaluation)}`;
  const examples =
    evaluation.examples.length === 0
      ? '<p>No synthetic fault raised an alert.</p>'
      : evaluation.examples.map(example).join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Model ${hash.slice(0, 12)} – ${escapeHtml(catalogue.name)}</title><style>${REPORT_STYLE}</style></head><body><main>
<header><p>telltale · training report</p><h1>${escapeHtml(catalogue.name)}, model ${hash.slice(0, 12)}</h1>
<p>${counted(evaluation.rows, 'row')}, ${shortNumber(card.hours)} hours of ${counted(evaluation.cars, 'car')}, ${bundle.scaler.signals.length} of ${counted(catalogue.signals.length, 'signal')}, seed ${card.seed}, ${escapeHtml(card.backend)}</p></header>
${tiles(evaluation)}
<h2>What it was trained on</h2>
${coverageTable(facts)}
${curves(evaluation)}
<h2>Beside the usual methods</h2>
<p>All on the same rows of cars left out: untouched for false alerts, with synthetic faults for the rest. No scores are point-adjusted; a fault counts as found only when an alert rises while it lasts.</p>
${methodTable(evaluation.methods)}
${championSection(evaluation)}
<h2>Synthetic faults, one by one</h2>
${faultTable(evaluation.synthetic)}
${known}
<h2>Alerts from near</h2>
${examples}
<h2>Drift of the inputs</h2>
<p>Earlier against later half of the stretch: the largest difference of the two distributions (Kolmogorov–Smirnov) and how far the median moved.</p>
${driftTable(evaluation)}
<footer><p>Bundle ${hash}</p></footer>
</main></body></html>
`;
}

/** Writes report.html and report.json into a folder that exists. */
export async function writeReport(
  dir: string,
  bundle: ModelBundle,
  evaluation: Evaluation,
  facts: RunFacts,
): Promise<void> {
  await writeFile(join(dir, 'report.html'), reportHtml(bundle, evaluation, facts));
  const content = { model: bundle.hash, card: bundle.card, ...evaluation, ...facts };
  await writeFile(join(dir, 'report.json'), `${JSON.stringify(content, null, 2)}\n`);
}
