// The policy on a real embedded log: exactly once over restarts and kills, and no stuck or doubled alert when the champion
// changes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Champion, policyGroup, Reign, type ReignOptions } from '../../alerts/reign.ts';
import type { Alert, Score } from '../../core/events.ts';
import { topicSpec } from '../../core/log/create-topics.ts';
import { Metrics } from '../../core/metrics.ts';
import { seededRandom } from '../../core/model/random.ts';
import { alertsTopic, policyStateTopic, scoresTopic } from '../../core/topics.ts';
import {
  alertsIn,
  appendAlerts,
  appendScores,
  champion,
  makeAlert,
  makeScore,
  type TempLog,
  tempLog,
} from './support.ts';

let temp: TempLog;
const running: { stop(): Promise<void> }[] = [];

beforeEach(async () => {
  temp = await tempLog();
});

afterEach(async () => {
  for (const reign of running.splice(0)) await reign.stop();
  await temp.close();
});

/** A log whose order over all cars is that of appending. */
async function onePartition(): Promise<void> {
  await temp.close();
  temp = await tempLog(1);
}

function reign(of: Champion, more: Partial<ReignOptions> = {}) {
  const over = new AbortController();
  const done = new Reign({
    ...{ log: temp.log, champion: of, metrics: new Metrics(), clock: Date.now, signal: over.signal },
    warn: (line) => temp.warnings.push(line),
    ...more,
  }).run();
  const handle = {
    stop: async () => {
      over.abort();
      await done;
    },
  };
  running.push(handle);
  return handle;
}

/** Resolves with the alerts from the beginning on as soon as `enough` says so; awaits the log's own wake-up. */
async function alertsUntil(enough: (alerts: readonly Alert[]) => boolean): Promise<Alert[]> {
  const found: Alert[] = [];
  const over = new AbortController();
  for await (const { records } of temp.log.read(alertsTopic.name, { signal: over.signal })) {
    for (const { value } of records) if (value && value.length > 1) found.push(alertsTopic.decode(value));
    if (enough(found)) over.abort();
  }
  return found;
}

const seconds = (vin: string, from: number, n: number, ratio: number, more: Partial<Score> = {}) =>
  Array.from({ length: n }, (_, i) => makeScore(vin, from + i, ratio, more));

/** Ten strange seconds of another car: its alert marks how far the policy has come. */
const marker = (vin: string, model = 'm1', from = 0) => seconds(vin, from, 10, 1.5, { model });

/** A record of that car in `alerts` that no version can read. */
const appendDamaged = ({ log }: TempLog, key: string) =>
  log.append(alertsTopic.name, [{ key, value: Buffer.from('{') }]);

const told = (alerts: readonly Alert[]) => alerts.map(({ vin, phase }) => `${vin} ${phase}`).toSorted();

describe('a reign', () => {
  it('writes raised and cleared once, under an id made of where the raising score stands', async () => {
    reign(champion('m1', 0));
    await appendScores(temp.log, [...seconds('CAR1', 0, 20, 1.5), ...seconds('CAR1', 20, 60, 0.2)]);
    const alerts = await alertsUntil((found) => found.length === 2);
    expect(alerts.map(({ phase, alertId }) => [phase, alertId])).toEqual([
      ['raised', 'CAR1:m1:0-9'],
      ['cleared', 'CAR1:m1:0-9'],
    ]);
  });

  it('goes on in the middle of a window after a restart', async () => {
    await onePartition();
    const first = reign(champion('m1', 0));
    // The marker's alert says that everything before it has been taken in and committed.
    await appendScores(temp.log, [...seconds('CAR1', 0, 9, 1.5), ...marker('MARK1')]);
    expect(told(await alertsUntil((found) => found.length === 1))).toEqual(['MARK1 raised']);
    await first.stop();
    reign(champion('m1', 0));
    await appendScores(temp.log, seconds('CAR1', 9, 1, 1.5));
    const alerts = await alertsUntil((found) => found.length === 2);
    expect(alerts[1]?.alertId).toBe('CAR1:m1:0-9');
  });

  it('keeps no state of cars that are as expected', async () => {
    await onePartition();
    reign(champion('m1', 0));
    const states = async () => {
      const keys = new Map<string, boolean>();
      for await (const { records } of temp.log.read(policyStateTopic('m1').name, { to: 'end' }))
        for (const { key, value } of records) keys.set(key, value !== null);
      return keys;
    };
    await appendScores(temp.log, [...seconds('CAR1', 0, 3, 1.5), ...marker('MARK1')]);
    await alertsUntil((found) => found.length === 1);
    expect((await states()).get('CAR1')).toBe(true);
    await appendScores(temp.log, [...seconds('CAR1', 3, 30, 0.2), ...marker('MARK2')]);
    await alertsUntil((found) => found.length === 2);
    expect((await states()).get('CAR1') ?? false).toBe(false);
    expect((await states()).get('MARK2')).toBe(true);
  });

  it('passes a score over that it cannot read, and goes on', async () => {
    reign(champion('m1', 0));
    await appendScores(temp.log, seconds('CAR1', 0, 5, 1.5));
    await temp.log.append('scores.m1', [{ key: 'CAR1', value: Buffer.from('{"vin":') }]);
    await appendScores(temp.log, seconds('CAR1', 5, 5, 1.5));
    expect(told(await alertsUntil((found) => found.length === 1))).toEqual(['CAR1 raised']);
    expect(temp.warnings.join('\n')).toMatch(/scores passed over: .*not JSON/);
  });

  it('goes on from scores of the former form to packed ones, in a window and in an open alert', async () => {
    reign(champion('m1', 0));
    const former = true;
    await appendScores(temp.log, seconds('CAR1', 0, 9, 1.5), undefined, former);
    await appendScores(temp.log, seconds('CAR1', 9, 1, 1.5));
    expect(told(await alertsUntil((found) => found.length === 1))).toEqual(['CAR1 raised']);
    await appendScores(temp.log, seconds('CAR1', 10, 5, 1.5), undefined, former);
    await appendScores(temp.log, seconds('CAR1', 15, 60, 0.2, { values: [], expected: [], top: [] }));
    const alerts = await alertsUntil((found) => found.length === 2);
    expect(alerts.map(({ phase, alertId }) => [phase, alertId])).toEqual([
      ['raised', 'CAR1:m1:0-9'],
      ['cleared', 'CAR1:m1:0-9'],
    ]);
  });

  it('comes to the same alerts from scores that say little while a car is calm as from the former ones', async () => {
    await onePartition();
    const random = seededRandom(5, 'scores');
    const second = new Map<string, number>();
    const moods = new Map<string, number>();
    const all = Array.from({ length: 4000 }, (_, offset): Score => {
      const vin = `CAR${Math.floor(9 * random())}`;
      // Moods last: calm, strange, in between; now and then a car pauses, sends late, or loses a signal.
      if (random() < 0.03) moods.set(vin, Math.floor(3 * random()));
      const at = (second.get(vin) ?? 0) + (random() < 0.004 ? 400 : 1);
      second.set(vin, at);
      const strange = random() < [0.05, 0.9, 0.6][moods.get(vin) ?? 0]!;
      const more = { offset, late: random() < 0.05, ...(random() < 0.3 ? { lost: ['lambda'] } : {}) };
      return makeScore(vin, at, strange ? 1 + 2 * random() : 0.8 * random(), more);
    });
    const lean = (score: Score): Score =>
      score.score >= score.threshold ? score : { ...score, values: [], expected: [], top: [] };
    const topic = scoresTopic('m2');
    await temp.log.createTopic(topicSpec(topic, 1));
    for (let from = 0; from < all.length; ) {
      const batch = all.slice(from, from + 1 + Math.floor(50 * random()));
      const scores = batch.map((score) => ({ ...lean(score), model: 'm2', receivedTs: Date.now() }));
      await temp.log.append(topic.name, [{ key: batch[0]!.vin, value: topic.encode(scores) }]);
      from += batch.length;
    }
    await appendScores(temp.log, all, undefined, true);
    for (const model of ['m1', 'm2']) await appendScores(temp.log, marker('MARK', model));
    reign(champion('m1', 0));
    reign(champion('m2', 0));
    const alerts = await alertsUntil((found) => found.filter(({ vin }) => vin === 'MARK').length === 2);
    const of = (model: string) =>
      alerts
        .filter((alert) => alert.model === model)
        .map((alert) => ({ ...alert, model: '', alertId: alert.alertId.replace(model, '') }));
    expect(of('m2')).toEqual(of('m1'));
    const phases = new Set(of('m2').map(({ phase }) => phase));
    expect(phases).toEqual(new Set(['raised', 'escalated', 'cleared']));
    expect(of('m2').some(({ reason }) => reason.includes('lambda is not measured'))).toBe(true);
  });

  it('raises each alert exactly once however often the process is killed', async () => {
    const cars = Array.from({ length: 40 }, (_, i) => `CAR${i}`);
    await appendScores(temp.log, seconds('CAR0', 0, 1, 0.1));
    const script = new URL('./reign-process.ts', import.meta.url).pathname;
    const start = () =>
      spawn(process.execPath, [script, temp.dir], { stdio: ['ignore', 'ignore', 'inherit'] });
    let child = start();
    for (let round = 0; round < 6; round += 1) {
      // Each round every car has an alert of its own: ten strange, then calm for long enough.
      for (let s = 0; s < 10; s += 1)
        await appendScores(
          temp.log,
          cars.map((vin) => makeScore(vin, round * 5000 + s, 1.5, { offset: round * 5000 + s })),
        );
      for (let s = 0; s < 120; s += 1)
        await appendScores(
          temp.log,
          cars.map((vin) => makeScore(vin, round * 5000 + 10 + s * 10, 0.1)),
        );
      await alertsUntil((found) => found.length > round * cars.length * 2);
      child.kill('SIGKILL');
      await once(child, 'exit');
      child = start();
    }
    const wanted = cars.length * 6 * 2;
    const alerts = await alertsUntil((found) => found.length >= wanted);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await alertsIn(temp.log)).toHaveLength(wanted);
    expect(new Set(alerts.map(({ alertId, phase }) => `${alertId} ${phase}`)).size).toBe(wanted);
  });
});

describe('a change of champion', () => {
  /** m1 has raised an alert of CAR1 and its reign is over. */
  async function openAlert(): Promise<Alert> {
    const first = reign(champion('m1', 0));
    await appendScores(temp.log, seconds('CAR1', 0, 12, 1.5));
    const [alert] = await alertsUntil((found) => found.length === 1);
    await first.stop();
    return alert!;
  }

  it('raises no storm from what the new model thinks of history', async () => {
    const past = 1_000_000;
    const history = ['CAR1', 'CAR2', 'CAR3'].flatMap((vin) => seconds(vin, 0, 200, 9, { model: 'm2' }));
    await appendScores(temp.log, history, past);
    reign(champion('m2', past + 60_000));
    await appendScores(temp.log, marker('MARK1', 'm2', 500));
    await appendScores(temp.log, marker('MARK2', 'm2', 500));
    const alerts = await alertsUntil((found) => found.length === 2);
    expect(told(alerts)).toEqual(['MARK1 raised', 'MARK2 raised']);
    expect(await alertsIn(temp.log)).toHaveLength(2);
  });

  it('passes history over by its time where nobody has sought the group past it', async () => {
    const past = 1_000_000;
    await onePartition();
    await appendScores(temp.log, seconds('CAR1', 0, 200, 9, { model: 'm2' }), past);
    const next = champion('m2', past + 60_000);
    await temp.log.seek(policyGroup(next), 'scores.m2', [{ partition: 0, offset: 0 }]);
    reign(next);
    // As expected now; a window full of history would still call it strange.
    await appendScores(temp.log, seconds('CAR1', 200, 3, 0.1, { model: 'm2' }));
    await appendScores(temp.log, marker('MARK1', 'm2', 500));
    expect(told(await alertsUntil((found) => found.length > 0))).toEqual(['MARK1 raised']);
  });

  it('warms its windows up on the last seconds before it took charge', async () => {
    const since = Date.now();
    await appendScores(temp.log, seconds('CAR1', 0, 9, 1.5, { model: 'm2' }), since - 1000);
    reign(champion('m2', since));
    await appendScores(temp.log, seconds('CAR1', 9, 1, 1.5, { model: 'm2' }), since + 1000);
    const [alert] = await alertsUntil((found) => found.length === 1);
    expect(alert).toMatchObject({ alertId: 'CAR1:m2:0-9', phase: 'raised' });
  });

  it('lets the new model end what the old one raised, under the same id', async () => {
    const alert = await openAlert();
    reign(champion('m2', Date.now() - 1));
    await appendScores(temp.log, seconds('CAR1', 20, 60, 0.1, { model: 'm2' }));
    const alerts = await alertsUntil((found) => found.length === 2);
    expect(alerts[1]).toMatchObject({ alertId: alert.alertId, phase: 'cleared', model: 'm2' });
  });

  it('takes over nothing that is over, were it acknowledged afterwards', async () => {
    const over = makeAlert('CAR1');
    await appendAlerts(temp.log, [
      over,
      { ...over, phase: 'cleared', ts: over.ts + 1 },
      { ...over, phase: 'acknowledged', ts: over.ts + 2, by: 'Ada' },
    ]);
    await appendDamaged(temp, 'CAR1');
    reign(champion('m2', Date.now() - 1));
    const scores = [...seconds('CAR1', 20, 60, 0.1, { model: 'm2' }), ...marker('CAR1', 'm2', 80)];
    await appendScores(temp.log, scores);
    const alerts = await alertsUntil((found) => found.length === 4);
    expect(alerts[3]).toMatchObject({ phase: 'raised', alertId: 'CAR1:m2:0-89' });
    expect(temp.warnings.join()).toMatch(/passed over: .*not JSON/);
  });

  it('does not call twice when the new model agrees with the old one', async () => {
    const alert = await openAlert();
    reign(champion('m2', Date.now() - 1));
    await appendScores(temp.log, seconds('CAR1', 20, 100, 1.5, { model: 'm2' }));
    await appendScores(temp.log, seconds('CAR1', 120, 60, 0.1, { model: 'm2' }));
    const alerts = await alertsUntil((found) => found.some(({ phase }) => phase === 'cleared'));
    expect(alerts.map(({ phase, alertId }) => [phase, alertId])).toEqual([
      ['raised', alert.alertId],
      ['cleared', alert.alertId],
    ]);
  });

  it('begins anew when a model comes back: nothing of its former reign, and the alert of the one between is ended', async () => {
    const alert = await openAlert();
    const between = makeAlert('CAR2', { model: 'm2', alertId: 'CAR2:m2:0-77' });
    await appendAlerts(temp.log, [between]);
    reign(champion('m1', Date.now() - 1));
    await appendScores(temp.log, [...seconds('CAR1', 500, 60, 0.1), ...seconds('CAR2', 500, 60, 0.1)]);
    const alerts = await alertsUntil((found) => found.length === 4);
    const ended = alerts.filter(({ phase }) => phase === 'cleared').map(({ alertId }) => alertId);
    expect(ended.toSorted()).toEqual([alert.alertId, between.alertId].toSorted());
  });

  it('ends an alert that a process of the old reign wrote after the new one began', async () => {
    let nowMs = Date.now();
    reign(champion('m2', nowMs - 1), { clock: () => nowMs });
    await appendScores(temp.log, marker('CAR1', 'm2'));
    const [own] = await alertsUntil((found) => found.length === 1);
    const [forCar1, forCar2] = [makeAlert('CAR1'), makeAlert('CAR2')];
    await appendAlerts(temp.log, [forCar1, forCar2]);
    nowMs += 11_000;
    await appendScores(temp.log, [
      ...seconds('CAR1', 20, 1, 1.5, { model: 'm2' }),
      ...seconds('CAR2', 20, 60, 0.1, { model: 'm2' }),
    ]);
    const alerts = await alertsUntil(
      (found) => found.filter(({ phase }) => phase === 'cleared').length === 2,
    );
    const ended = alerts.filter(({ phase }) => phase === 'cleared');
    expect(ended.map(({ alertId }) => alertId).toSorted()).toEqual(
      [forCar1.alertId, forCar2.alertId].toSorted(),
    );
    expect(ended.find(({ vin }) => vin === 'CAR1')?.reason).toBe('another alert of this car goes on');
    expect(own?.alertId).toBe('CAR1:m2:0-9');
  });
});
