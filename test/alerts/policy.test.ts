import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CarPolicy,
  isBlank,
  NEW_CAR,
  POLICY_DEFAULTS,
  type PolicyOptions,
  stepPolicy,
} from '../../alerts/policy.ts';
import { decodeCar, encodeCar } from '../../alerts/policy-state.ts';
import { blameOf, reasonsOf } from '../../alerts/reason.ts';
import type { Alert, Score } from '../../core/events.ts';
import { HYSTERESIS } from '../../core/model/hysteresis.ts';
import { CATALOGUE, makeScore, T0 } from './support.ts';

const OPTIONS: PolicyOptions = {
  ...POLICY_DEFAULTS,
  hysteresis: HYSTERESIS,
  describe: reasonsOf(CATALOGUE),
};

/** Runs scores through the policy and tells what came of it: `raised@9`, second of the phase. */
function run(scores: readonly Score[], start: CarPolicy = NEW_CAR) {
  const alerts: Alert[] = [];
  let car = start;
  for (const score of scores) {
    const step = stepPolicy(OPTIONS, car, score);
    car = step.car;
    alerts.push(...step.alerts);
  }
  return { car, alerts, phases: alerts.map(({ phase, ts }) => `${phase}@${(ts - T0) / 1000}`) };
}

/** `n` seconds at `ratio` from second `from` on. */
const seconds = (from: number, n: number, ratio: number, more: Partial<Score> = {}) =>
  Array.from({ length: n }, (_, i) => makeScore('CAR1', from + i, ratio, more));

describe('the alert policy', () => {
  it('raises at the tenth strange second and clears after the release and 30 s of quiet', () => {
    // Strange in seconds 0..19: the tenth is second 9. Then normal: 11 of them leave 4 strange in 15, at second 30. Quiet
    // from 30 on: cleared at 60.
    const { phases, alerts, car } = run([...seconds(0, 20, 1.5), ...seconds(20, 60, 0.3)]);
    expect(phases).toEqual(['raised@9', 'cleared@60']);
    expect(alerts[0]).toMatchObject({
      alertId: 'CAR1:m1:0-9',
      severity: 'warning',
      raisedTs: T0 + 9000,
      reason: 'coolant temperature too high: 118 °C, expected about 92 °C',
    });
    expect(alerts[1]).toMatchObject({ alertId: 'CAR1:m1:0-9', raisedTs: T0 + 9000, ts: T0 + 60_000 });
    expect(car.open).toBeNull();
  });

  it('does not call readings as expected that are not measured any more', () => {
    const reasonOf = (lost: string[]) =>
      run([...seconds(0, 20, 1.5), ...seconds(20, 60, 0.3, { lost })]).alerts.at(-1);
    expect(reasonOf([])).toMatchObject({ phase: 'cleared', reason: 'the readings are as expected again' });
    expect(reasonOf(['speedKmh'])).toMatchObject({ reason: 'the readings are as expected again' });
    expect(reasonOf(['coolantC'])).toMatchObject({
      phase: 'cleared',
      reason: 'coolant temperature is not measured, so what was odd cannot be seen any more',
    });
  });

  it('calls an alert critical at once when the window is at a ratio of two', () => {
    expect(run(seconds(0, 10, 2)).alerts[0]?.severity).toBe('critical');
    expect(run(seconds(0, 10, 1.99)).alerts[0]?.severity).toBe('warning');
  });

  it('escalates once when it grows worse', () => {
    // At second 10+k the window of 15 holds 10+k ones at 1.5 and later 4.0: the mean passes 2 with the third of 4.0:
    // (10 × 1.5 + 3 × 4) / 13 = 2.08 at second 12; two: (15 + 8) / 12 = 1.92.
    const { phases, alerts } = run([...seconds(0, 10, 1.5), ...seconds(10, 30, 4)]);
    expect(phases).toEqual(['raised@9', 'escalated@12']);
    expect(alerts.map(({ severity }) => severity)).toEqual(['warning', 'critical']);
    expect(alerts[1]?.alertId).toBe(alerts[0]?.alertId);
  });

  it('escalates when it lasts ten minutes', () => {
    expect(run(seconds(0, 700, 1.2)).phases).toEqual(['raised@9', 'escalated@609']);
  });

  it('clears by the clock of a car that was a day ahead and is set back', () => {
    const DAY_S = 86_400;
    // Up in the future, calm there for 5 s; then the same, real, day: 30 s of quiet are counted by its clock.
    const ahead = [...seconds(DAY_S, 20, 1.5), ...seconds(DAY_S + 20, 15, 0.3)];
    expect(run([...ahead, ...seconds(0, 40, 0.3)]).phases).toEqual([`raised@${DAY_S + 9}`, 'cleared@30']);
    // Still up when the clock is set back: strange seconds of the future do not count with those of now.
    const { phases, car } = run([...seconds(DAY_S, 20, 1.5), ...seconds(0, 9, 1.5)]);
    expect(phases).toEqual([`raised@${DAY_S + 9}`]);
    expect(car.lastTs).toBe(T0 + 8000);
  });

  it('takes events out of order by less than the gap as they come', () => {
    const shuffled = [...seconds(0, 20, 1.5)].map((score, i) =>
      i % 2 ? score : { ...score, ts: score.ts - 20_000 },
    );
    expect(run(shuffled).alerts.map(({ phase }) => phase)).toEqual(['raised']);
  });

  it('stays one alert when the fault pauses for less than the quiet time', () => {
    // Released at second 25, up again at 54 after 29 s: still one alert. Then released at 70 for good, cleared at 100.
    const flicker = [...seconds(0, 15, 1.5), ...seconds(15, 30, 0.2), ...seconds(45, 15, 1.5)];
    expect(run([...flicker, ...seconds(60, 60, 0.2)]).phases).toEqual(['raised@9', 'cleared@100']);
  });

  it('waits twice as long with each further alert of the hour', () => {
    // Each round: raised at its tenth second, released 11 normal seconds after its 15 strange ones (second 25 of the round),
    // quiet for 30, 60, 120 s.
    const round = (from: number) => [...seconds(from, 15, 1.5), ...seconds(from + 15, 185, 0.2)];
    expect(run([...round(0), ...round(200), ...round(400)]).phases).toEqual([
      'raised@9',
      'cleared@55',
      'raised@209',
      'cleared@285',
      'raised@409',
      'cleared@545',
    ]);
  });

  it('takes no notice of late scores', () => {
    const { car, alerts } = run(seconds(0, 50, 9, { late: true }));
    expect(alerts).toEqual([]);
    expect(car).toBe(NEW_CAR);
  });

  it('forgets the window over a long hole in event time', () => {
    expect(run([...seconds(0, 9, 1.5), ...seconds(400, 9, 1.5)]).phases).toEqual([]);
    expect(run([...seconds(0, 9, 1.5), ...seconds(200, 1, 1.5)]).phases).toEqual(['raised@200']);
  });

  it('raises nobody while warming up, and at once afterwards when the window is full', () => {
    let car = NEW_CAR;
    for (const score of seconds(0, 12, 1.5)) {
      const step = stepPolicy(OPTIONS, car, score, false);
      expect(step.alerts).toEqual([]);
      car = step.car;
    }
    expect(stepPolicy(OPTIONS, car, makeScore('CAR1', 12, 1.5)).alerts[0]?.phase).toBe('raised');
  });

  it('needs no memory of a car as expected', () => {
    const { car } = run([...seconds(0, 5, 1.5), ...seconds(5, 15, 0.2)]);
    expect(isBlank(car)).toBe(true);
    expect(encodeCar(car, 7)).toBeNull();
  });
});

/** Any run of scores of one car: strange or not, some late, steps of 1 s with a hole now and then. */
const runs = fc
  .array(
    fc.record({
      ratio: fc.oneof(
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.double({ min: 1, max: 6, noNaN: true }),
      ),
      late: fc.boolean().map((b) => b),
      stay: fc.integer({ min: 1, max: 25 }),
      stepS: fc.constantFrom(1, 1, 1, 10, 400),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((stretches) => {
    const scores: Score[] = [];
    let second = 0;
    for (const { ratio, late, stay, stepS } of stretches) {
      for (let i = 0; i < stay; i += 1) {
        second += stepS;
        scores.push(makeScore('CAR1', second, ratio, { late: late && i % 7 === 0, offset: scores.length }));
      }
    }
    return scores;
  });

describe('the alert policy, whatever comes', () => {
  it('never has two alerts up, ends only what it began, and says each phase at most once', () => {
    fc.assert(
      fc.property(runs, (scores) => {
        let up: string | null = null;
        const said = new Set<string>();
        for (const { alertId, phase, ts, raisedTs } of run(scores).alerts) {
          expect(said.has(`${alertId} ${phase}`)).toBe(false);
          said.add(`${alertId} ${phase}`);
          expect(ts).toBeGreaterThanOrEqual(raisedTs);
          if (phase === 'raised') {
            expect(up).toBeNull();
            up = alertId;
          } else {
            expect(alertId).toBe(up);
            if (phase === 'cleared') up = null;
          }
        }
      }),
    );
  });

  it('goes on the same after its state went through bytes, wherever that happens', () => {
    fc.assert(
      fc.property(runs, fc.nat(), (scores, at) => {
        const cut = at % (scores.length + 1);
        const first = run(scores.slice(0, cut));
        const bytes = encodeCar(first.car, 7);
        const restored = bytes === null ? NEW_CAR : decodeCar(bytes, 7);
        expect(restored).not.toBeNull();
        const second = run(scores.slice(cut), restored ?? NEW_CAR);
        expect([...first.alerts, ...second.alerts]).toEqual(run(scores).alerts);
      }),
    );
  });

  it('reads no state of another reign and no damaged one', () => {
    const bytes = encodeCar(run(seconds(0, 12, 1.5)).car, 7);
    expect(bytes).not.toBeNull();
    expect(decodeCar(bytes!, 8)).toBeNull();
    expect(decodeCar(Buffer.from('{"v":1}'), 7)).toBeNull();
    expect(decodeCar(Buffer.from('gone'), 7)).toBeNull();
  });
});

describe('the reason', () => {
  const describeTop = reasonsOf(CATALOGUE);

  it('blames by the whole window: shares, readings and expectations averaged', () => {
    const share = (signal: string, value: number | null, expected: number, part: number) => ({
      ...{ signal, value, expected, share: part },
    });
    const blamed = [
      [share('coolantC', 100, 90, 0.2), share('batteryV', 12, 14, 0.8)],
      [share('coolantC', 110, 92, 0.9)],
      [share('coolantC', 120, 94, 0.7), share('batteryV', null, 14, 0.1)],
    ];
    expect(blameOf(blamed)).toEqual([
      { signal: 'coolantC', value: 110, expected: 92, share: expect.closeTo(0.6, 12) },
      { signal: 'batteryV', value: 12, expected: 14, share: expect.closeTo(0.3, 12) },
    ]);
    expect(describeTop(blameOf(blamed))).toBe(
      'coolant temperature too high: 110 °C, expected about 92 °C; battery voltage too low: 12.0 V, expected about 14.0 V',
    );
  });

  it.each([
    [
      { signal: 'lambda', value: 1.21, expected: 0.998, share: 1 },
      'lambda too high: 1.21, expected about 1.00',
    ],
    [{ signal: 'batteryV', value: null, expected: 14.1, share: 1 }, 'battery voltage is not measured'],
    [{ signal: 'batteryV', value: 9.5, expected: null, share: 1 }, 'battery voltage unusual: 9.50 V'],
    [{ signal: 'other', value: -0.0001, expected: 3, share: 1 }, 'other too low: 0.00, expected about 3.00'],
    [
      { signal: 'coolantC', value: 92.01, expected: 92.02, share: 1 },
      'coolant temperature unusual: 92.0 °C, out of step with the other readings',
    ],
  ])('says %j as "%s"', (share, words) => {
    expect(describeTop([share])).toBe(words);
  });

  it('says what is not measured, and blames no signal for what it read before', () => {
    const coolant = { signal: 'coolantC', value: 110, expected: null, share: 0.6 };
    const battery = { signal: 'batteryV', value: 12, expected: 14, share: 0.4 };
    expect(describeTop([coolant, battery], ['batteryV'])).toBe(
      'coolant temperature unusual: 110 °C; battery voltage is not measured',
    );
    expect(describeTop([battery], ['batteryV'])).toBe(
      'the readings do not fit together; battery voltage is not measured',
    );
    expect(describeTop([coolant], ['batteryV', 'a', 'b', 'c', 'd'])).toBe(
      'coolant temperature unusual: 110 °C; battery voltage is not measured; a is not measured; b is not measured; nor are 2 other signals',
    );
  });

  it('begins with what can be seen', () => {
    const hidden = { signal: 'coolantC', value: 92.01, expected: 92.02, share: 0.6 };
    const seen = { signal: 'batteryV', value: 12, expected: 14, share: 0.3 };
    expect(describeTop([hidden, seen])).toBe(
      'battery voltage too low: 12.0 V, expected about 14.0 V; coolant temperature unusual: 92.0 °C, out of step with the other readings',
    );
  });

  it('still says something when no signal stands out', () => {
    expect(describeTop([])).toBe('the readings do not fit together');
  });
});
