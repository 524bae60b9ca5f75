// Sends dead letters again after a mend, each exactly once: what passes the present rules goes to its topic, what still
// fails goes back to the end of dead-letters, and both commit together with the place reached. So the open letters are
// always those behind the group's offset, and a later redrive finds exactly what was not yet sent.
import type { Catalogue } from '../core/catalogue.ts';
import { TelltaleError } from '../core/errors.ts';
import type { DeadLetter } from '../core/events.ts';
import type { Log, LogRecord, OutputRecord } from '../core/log/log.ts';
import { deadLettersTopic, groundTruthTopic, telemetryTopic } from '../core/topics.ts';
import { addTo, type Choice, isChosen, REDRIVE_GROUP, readLetters } from './dead-letters.ts';
import { compileJudge, type Judge } from './judge.ts';
import type { TimeBounds } from './plausible-time.ts';
import type { Remark } from './remarks.ts';

export interface RedriveOptions {
  readonly log: Pick<Log, 'committed' | 'read' | 'transform'>;
  readonly catalogue: Catalogue;
  readonly timeBounds: TimeBounds;
  readonly choice: Choice;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

export interface RedriveReport {
  /** Sent again; in a dry run: that would be. */
  readonly sent: number;
  /** Readings within them that every reader takes as missing: out of range, no numbers, or under unknown names. */
  readonly missing: number;
  /** Chosen, but they still fail: reason → count. They stay open. */
  readonly failing: ReadonlyMap<string, number>;
  /** Open letters that the choice leaves out. */
  readonly leftOut: number;
}

interface Sent {
  sent: number;
  missing: number;
}

/** What becomes of one letter now. */
type Fate =
  | { readonly kind: 'send'; readonly output: OutputRecord; readonly missing: number }
  | { readonly kind: 'fails'; readonly letter: DeadLetter }
  | { readonly kind: 'left-out'; readonly letter: DeadLetter };

const OF_READINGS: ReadonlySet<Remark['reason']> = new Set([
  'not-a-number',
  'out-of-range',
  'unknown-signal',
]);

/** Readings that nobody will use. */
function missingIn(remarks: readonly Remark[]): number {
  return remarks.reduce((sum, { reason, count }) => sum + (OF_READINGS.has(reason) ? count : 0), 0);
}

function fateOf(letter: DeadLetter, judge: Judge, choice: Choice): Fate {
  if (!isChosen(letter, choice)) return { kind: 'left-out', letter };
  const payload = Buffer.from(letter.payloadBase64, 'base64');
  // Plausible is what was plausible when it came, not now.
  const verdict = judge(letter.client, letter.topic, payload, letter.receivedTs);
  if (verdict.kind === 'dead') {
    const { reason, detail } = verdict;
    return { kind: 'fails', letter: { ...letter, reason, detail } };
  }
  const topic = verdict.kind === 'telemetry' ? telemetryTopic.name : groundTruthTopic.name;
  const missing = verdict.kind === 'telemetry' ? missingIn(verdict.remarks ?? []) : 0;
  return { kind: 'send', output: { topic, key: letter.client, value: payload }, missing };
}

function putBack(letter: DeadLetter): OutputRecord {
  return { topic: deadLettersTopic.name, key: letter.client, value: deadLettersTopic.encode(letter) };
}

function stopped(): TelltaleError {
  return new TelltaleError('ABORTED', 'redrive was stopped; what was sent until then is not sent again');
}

/** Sends again what passes now. @throws TelltaleError ABORTED when it was stopped; what was sent until then is settled */
export async function redrive(options: RedriveOptions): Promise<RedriveReport> {
  const { log, catalogue, timeBounds, choice, dryRun, signal } = options;
  const judge = compileJudge(catalogue, timeBounds);
  const failing = new Map<string, number>();
  const sendable: Sent = { sent: 0, missing: 0 };
  let leftOut = 0;
  let lastToSend = -1;
  for await (const { offset, letter } of readLetters(log, 'open', signal)) {
    const fate = fateOf(letter, judge, choice);
    if (fate.kind === 'fails') addTo(failing, fate.letter.reason);
    else if (fate.kind === 'left-out') leftOut += 1;
    else {
      sendable.sent += 1;
      sendable.missing += fate.missing;
      lastToSend = offset;
    }
  }
  if (signal.aborted) throw stopped();
  // Letters behind the last one that passes stay where they are; when none passes nothing is written at all.
  const done = dryRun || sendable.sent === 0 ? sendable : await sendUpTo(lastToSend, options, judge);
  return { ...done, failing, leftOut };
}

/** Settles the open letters up to and including the offset, and what else shares its batch; returns what it sent. */
async function sendUpTo(last: number, options: RedriveOptions, judge: Judge): Promise<Sent> {
  const { log, choice, signal } = options;
  const reached = new AbortController();
  const done: Sent = { sent: 0, missing: 0 };
  let counted = -1;
  const settle = ({ offset, value }: LogRecord): OutputRecord[] => {
    if (value === null) return [];
    const fate = fateOf(deadLettersTopic.decode(value), judge, choice);
    // A batch whose commit was fenced comes again; it is counted once.
    if (offset > counted && fate.kind === 'send') {
      done.sent += 1;
      done.missing += fate.missing;
    }
    counted = Math.max(counted, offset);
    return [fate.kind === 'send' ? fate.output : putBack(fate.letter)];
  };
  await log.transform(
    deadLettersTopic.name,
    { group: REDRIVE_GROUP, signal: AbortSignal.any([signal, reached.signal]) },
    (batch) => {
      const outputs = batch.records.flatMap(settle);
      // The batch under way is still committed.
      if (counted >= last) reached.abort();
      return outputs;
    },
  );
  const [place] = await log.committed(REDRIVE_GROUP, deadLettersTopic.name);
  if (place === undefined || place.offset <= last) throw stopped();
  return done;
}
