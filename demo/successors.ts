// Kappa at work: while the cars drive on, a successor of the model in charge is trained on the history as it has grown, scores the whole
// log beside it, and takes charge when it has caught up: readers switch by one record. First soon after a first model, then each time
// the history has doubled; until a person puts a model in charge, whose choice is then left alone.
import type { Catalogue } from '../core/catalogue.ts';
import { counted } from '../core/counted.ts';
import type { Log } from '../core/log/log.ts';
import type { ModelInCharge, ReleaseFollower } from '../core/model/releases.ts';
import { type Context, pause } from '../core/service.ts';
import { telemetryTopic } from '../core/topics.ts';
import { scorerGroup } from '../scoring/loop.ts';
import { trainCardOf } from '../training/job.ts';
import { promote } from '../training/release/registry.ts';

/** How the notes of releases begin that nobody asked for. */
export const OWN_NOTE = 'npm start: ';
/** After a start, for the cars broken first to be told before processors are shared. */
const FIRST_AFTER_MS = 30_000;
const LOOK_EVERY_MS = 2000;
const GROWTH = 2;
/** A successor that waits for fewer events is as far as the model in charge. */
const FEW_WAITING = 200;
/** For how long a successor may catch up. */
const CATCH_UP_MS = 30 * 60_000;

export interface SuccessorOptions extends Pick<Context, 'clock' | 'say' | 'warn' | 'signal'> {
  readonly log: Log;
  readonly catalogue: Catalogue;
  readonly releases: ReleaseFollower;
  readonly by: string;
  /** Trains on all of the history beside everything else; the version that became challenger, null where none did, which it has said. */
  readonly train: (events: number) => Promise<string | null>;
  readonly firstAfterMs?: number;
  readonly lookEveryMs?: number;
  readonly catchUpMs?: number;
}

/** Events in the log. */
export async function eventCount(log: Pick<Log, 'ranges'>): Promise<number> {
  return (await log.ranges(telemetryTopic.name)).reduce((sum, { earliest, end }) => sum + end - earliest, 0);
}

/** Whether nobody but the demo has put a model in charge or beside it. */
function isLeftToUs({ releases }: SuccessorOptions): boolean {
  const { aliases } = releases.book();
  const ours = (name: 'champion' | 'challenger') => aliases.get(name)?.note.startsWith(OWN_NOTE);
  return ours('champion') === true && ours('challenger') !== false;
}

/** Resolves with whether a model's scorer has caught up with the telemetry. */
async function caughtUp(
  { log, clock, signal, lookEveryMs = LOOK_EVERY_MS, catchUpMs = CATCH_UP_MS }: SuccessorOptions,
  version: string,
): Promise<boolean> {
  const untilMs = clock() + catchUpMs;
  while (!signal.aborted && clock() < untilMs) {
    if ((await log.lag(scorerGroup(version), telemetryTopic.name)) <= FEW_WAITING) return true;
    await pause(lookEveryMs, signal);
  }
  return false;
}

async function handOver(options: SuccessorOptions, version: string, former: ModelInCharge): Promise<void> {
  const { log, catalogue, clock, by, releases, say, warn, signal } = options;
  if (!(await caughtUp(options, version))) {
    if (!signal.aborted) warn(`${version} does not catch up with the cars; it stays challenger`);
    return;
  }
  const present = releases.current()?.version;
  if (present !== former.version) {
    say(`${version} stays challenger: ${present} was put in charge meanwhile`);
    return;
  }
  await promote({ log, clock, by, note: `${OWN_NOTE}more history` }, version, catalogue);
  say(
    `handed over: ${version} is in charge of all cars; ${former.version} scores on beside it (telltale rollback puts it back)`,
  );
}

/** Trains successors and hands over to them until the signal aborts. */
export async function trainSuccessors(options: SuccessorOptions): Promise<void> {
  const { log, clock, releases, say, train, signal } = options;
  const { firstAfterMs = FIRST_AFTER_MS, lookEveryMs = LOOK_EVERY_MS } = options;
  const startedMs = clock();
  // Events of which a successor was tried, whatever came of it.
  let tried = 0;
  for (;;) {
    await pause(lookEveryMs, signal);
    if (signal.aborted) return;
    const champion = releases.current();
    if (champion === null || !isLeftToUs(options) || clock() - startedMs < firstAfterMs) continue;
    const { effort, recordsRead } = trainCardOf(champion.bundle);
    const events = await eventCount(log);
    const isFirst = effort === 'first' && tried === 0;
    if (!isFirst && events < GROWTH * Math.max(tried, recordsRead)) continue;
    tried = events;
    say(`training a successor on ${counted(events, 'event')}, beside the cars`);
    const version = await train(events);
    if (version !== null) await handOver(options, version, champion);
  }
}
