// The hand-over to a successor on the real log, with the real scorer and the real policy: what was raised stays one alert, what was
// about to be raised is raised once, and both models have scored every event. And when the demo keeps its hands off.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { followChampions } from '../../alerts/champions.ts';
import { Reign } from '../../alerts/reign.ts';
import type { Alert } from '../../core/events.ts';
import { createFixedTopics } from '../../core/log/create-topics.ts';
import { openEmbeddedLog } from '../../core/log/embedded.ts';
import type { Log } from '../../core/log/log.ts';
import { Metrics } from '../../core/metrics.ts';
import { loadBackend } from '../../core/model/backend.ts';
import { alertsTopic, scoreCursor, scoresTopic, telemetryTopic } from '../../core/topics.ts';
import { OWN_NOTE, type SuccessorOptions, trainSuccessors } from '../../demo/successors.ts';
import { type Scoring, startScoring } from '../../scoring/service.ts';
import { promote, release } from '../../training/release/registry.ts';
import { handBundle } from '../support/hand-bundle.ts';
import { recordOf, SMALL_CATALOGUE } from '../support/small-fleet.ts';

const T0 = 1_700_000_000_000;
const CARS = ['A', 'B', 'C', 'D'] as const;
type Car = (typeof CARS)[number];

let dir: string;
let log: Log;
let scoring: Scoring;
let stop: AbortController;
let reigning: Promise<void>;
let now: number;
let lines: string[];
let sent: number;
const clock = () => now;
const by = 'test';

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'telltale-successors-'));
  [now, lines, sent, stop] = [T0, [], 0, new AbortController()];
  const warn = (line: string) => void lines.push(line);
  log = openEmbeddedLog({ dir, prefix: '', clock, warn });
  await createFixedTopics(log, 2);
  const [metrics, backend] = [new Metrics(), await loadBackend('wasm')];
  scoring = await startScoring({
    ...{ log, catalogue: SMALL_CATALOGUE, backend, metrics, clock, warn },
    say: () => undefined,
  });
  reigning = followChampions(scoring.releases, stop.signal, (champion, signal) =>
    new Reign({ log, champion, metrics, clock, warn, signal }).run(),
  );
});

afterEach(async () => {
  stop.abort();
  await reigning;
  await scoring.stop();
  await log.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Seconds `from` to `to` of all cars; the coolant of those that `isBroken` says is far too hot. */
async function drive(
  from: number,
  to: number,
  isBroken: (car: Car, second: number) => boolean,
): Promise<void> {
  for (let second = from; second < to; second += 1) {
    now = T0 + 1000 * second;
    const events = CARS.map((vin) => {
      const signals = { speedKmh: 50, rpm: 2000, loadPct: 35, coolantC: isBroken(vin, second) ? 106 : 90 };
      return recordOf({ vin, seq: second, ts: now, signals }, now);
    });
    await log.append(telemetryTopic.name, events);
    sent += events.length;
  }
}

const put = (version: string, note: string, recipe: Readonly<Record<string, unknown>> = {}) => {
  const card = { seed: 1, backend: 'none', rows: 3, cars: 1, hours: 0.1, train: recipe };
  const [bundle, promote] = [handBundle({ card }), false];
  return release({ log, clock, by, note, version, bundle, promote });
};
const FIRST = { recipe: { effort: 'first' }, recordsRead: 50 };

async function alerts(): Promise<Alert[]> {
  const found: Alert[] = [];
  for await (const { records } of log.read(alertsTopic.name, { to: 'end' }))
    for (const { value } of records) if (value !== null) found.push(alertsTopic.decode(value));
  return found;
}

async function scored(version: string): Promise<number> {
  let count = 0;
  const score = scoreCursor();
  for await (const { records } of log.read(scoresTopic(version).name, { to: 'end' }))
    for (const { value, timestampMs } of records) {
      if (value === null) continue;
      score.open(value, timestampMs);
      while (score.next()) count += 1;
    }
  return count;
}

const optionsOf = (train: SuccessorOptions['train']): SuccessorOptions => ({
  ...{ log, catalogue: SMALL_CATALOGUE, releases: scoring.releases, clock, by, train, signal: stop.signal },
  ...{ say: (line) => void lines.push(line), warn: (line) => void lines.push(line) },
  ...{ firstAfterMs: 0, lookEveryMs: 5 },
});
const eventually = (check: () => Promise<void> | void) =>
  vi.waitFor(check, { timeout: 60_000, interval: 20 });

/** A is broken long before the hand-over, B around it, C after it. */
const isBroken = (car: Car, second: number): boolean => {
  if (car === 'A') return second >= 60 && second < 130;
  if (car === 'B') return second >= 105 && second < 150;
  return car === 'C' && second >= 140 && second < 180;
};

describe('a successor', () => {
  it('takes charge without a missed or a doubled alert', async () => {
    await put('one-first', `${OWN_NOTE}first model`, FIRST);
    await drive(0, 100, isBroken);
    await eventually(async () =>
      expect((await alerts()).map(({ vin, phase }) => `${vin} ${phase}`)).toContain('A raised'),
    );
    const succeeding = trainSuccessors(
      optionsOf(async (events) => {
        // The history doubles under way; that one successor is enough here.
        if (lines.includes('asked')) return null;
        lines.push('asked');
        expect(events).toBe(400);
        await drive(100, 110, isBroken);
        await put('two', `${OWN_NOTE}more`, { ...FIRST, recipe: { effort: 'quick' } });
        return 'two';
      }),
    );
    await eventually(() => expect(lines.join('\n')).toContain('handed over: two is in charge of all cars'));
    await eventually(() => expect(scoring.releases.current()?.version).toBe('two'));
    await drive(110, 400, isBroken);
    await eventually(async () => {
      const cleared = (await alerts()).filter(({ phase }) => phase === 'cleared');
      expect(cleared.map(({ vin }) => vin).sort()).toEqual(['A', 'B', 'C']);
    });
    const all = await alerts();
    const raised = all.filter(({ phase }) => phase === 'raised');
    expect(raised.map(({ vin, model }) => `${vin} by ${model}`).sort()).toEqual([
      'A by one-first',
      'B by two',
      'C by two',
    ]);
    // Each alert ends under the name it began with.
    expect(new Set(all.map(({ alertId }) => alertId)).size).toBe(3);
    await eventually(async () =>
      expect([await scored('one-first'), await scored('two')]).toEqual([sent, sent]),
    );
    stop.abort();
    await succeeding;
  }, 120_000);

  it('is trained once of a first model, and again when the history has doubled, whatever came of it', async () => {
    await put('one-first', `${OWN_NOTE}first model`, FIRST);
    await drive(0, 20, () => false);
    const asked: number[] = [];
    const succeeding = trainSuccessors(
      optionsOf(async (events) => {
        asked.push(events);
        return null;
      }),
    );
    await eventually(() => expect(asked).toEqual([80]));
    await drive(20, 49, () => false);
    // 196 events are the 80 tried doubled.
    await eventually(() => expect(asked).toHaveLength(2));
    expect(asked[1]).toBeGreaterThanOrEqual(160);
    expect(scoring.releases.current()?.version).toBe('one-first');
    stop.abort();
    await succeeding;
  }, 60_000);

  it('stays challenger when somebody put another model in charge meanwhile, and none follows', async () => {
    await put('one-first', `${OWN_NOTE}first model`, FIRST);
    await drive(0, 20, () => false);
    const succeeding = trainSuccessors(
      optionsOf(async () => {
        await put('theirs', 'mine is better');
        await promote({ log, clock, by: 'ada', note: 'mine' }, 'theirs', SMALL_CATALOGUE);
        await eventually(() => expect(scoring.releases.current()?.version).toBe('theirs'));
        await put('two', `${OWN_NOTE}more`);
        return 'two';
      }),
    );
    await eventually(() =>
      expect(lines).toContain('two stays challenger: theirs was put in charge meanwhile'),
    );
    await drive(20, 80, () => false);
    await eventually(async () => expect(await scored('theirs')).toBe(sent));
    expect(lines.filter((line) => line.startsWith('training a successor'))).toHaveLength(1);
    expect(scoring.releases.current()?.version).toBe('theirs');
    stop.abort();
    await succeeding;
  }, 60_000);
});
