// What came out of a training, in a few lines for a person.
import { counted } from '../../core/counted.ts';
import type { ModelBundle } from '../../core/model/bundle.ts';
import type { Evaluation } from '../evaluate/evaluate.ts';
import type { KnownOutcome } from '../evaluate/known-faults.ts';
import type { MethodResult } from '../evaluate/methods.ts';
import { coverageLines } from './coverage.ts';
import type { RunFacts } from './report.ts';

const rate = (perHour: number) => (Number.isFinite(perHour) ? perHour.toFixed(3) : 'not known');

const percent = (share = 0) => `${Math.round(100 * share)} %`;

const foundOf = (faults: readonly KnownOutcome[]) =>
  `${faults.filter(({ delayS }) => delayS !== null).length} of ${faults.length}`;

/** How it did beside the champion, and on faults that happened. */
function sayCompared(say: (line: string) => void, { champion, methods, knownFaults }: Evaluation): void {
  const judged = champion && 'method' in champion ? champion : null;
  if (knownFaults.length > 0) {
    const beside = judged ? ` (champion ${foundOf(judged.known)})` : '';
    say(`faults that happened: ${foundOf(knownFaults)} found${beside}`);
  }
  if (champion && 'refused' in champion)
    say(`champion ${champion.version} could not be compared: ${champion.refused}`);
  if (!judged) return;
  const line = ({ averagePrecision, budgets: [at] }: MethodResult) =>
    `average precision ${averagePrecision.toFixed(2)}, found ${percent(at?.recall)}, ${rate(at?.metPerHour ?? Number.NaN)} false alerts an hour`;
  say(`on the same rows, new model: ${line(methods[0]!)}`);
  say(`champion ${judged.version}: ${line(judged.method)}`);
}

/** What came out, for a person. */
export function saySummary(say: (line: string) => void, { bundle, dir, evaluation, facts }: Job): void {
  const { card, threshold, hash } = bundle;
  say(
    `model: ${card.rows.toLocaleString('en')} rows, ${card.hours.toFixed(1)} h of ${counted(card.cars, 'car')}, threshold ${threshold}, hash ${hash.slice(0, 12)}`,
  );
  const { askedPerHour, metPerHour } = evaluation.budget;
  const met = Number.isFinite(metPerHour)
    ? `met on cars not used to set it ${rate(metPerHour)}`
    : 'what is met is not known: too few cars to keep some apart';
  say(
    `false alerts an hour: asked ${rate(askedPerHour)}, ${met}; synthetic faults found: ${percent(evaluation.methods[0]?.budgets[0]?.recall)}`,
  );
  const { ownHistory, verdict, coverage, firstModel } = facts;
  if (firstModel !== null) say(`note: this is ${firstModel}`);
  if (verdict.over) say(`note: this model is ${verdict.text}`);
  say(
    `on its own history: ${counted(ownHistory.alerts, 'alert')} in ${counted(ownHistory.rows, 'row')}; ${coverageLines(
      coverage,
    )
      .slice(0, 1)
      .map(([, how]) => how)
      .join()}`,
  );
  sayCompared(say, evaluation);
  say(`written to ${dir} (report.html)`);
}

export interface Job {
  readonly bundle: ModelBundle;
  readonly dir: string;
  readonly evaluation: Evaluation;
  readonly facts: RunFacts;
}
