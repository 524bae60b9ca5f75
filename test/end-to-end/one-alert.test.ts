// What an alert is must be the same to training, which sets the threshold by it, to `score --csv` and to the policy that calls a phone:
// the same events, with pauses and late ones among them, raise the same alerts in all three.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CarPolicy, NEW_CAR, POLICY_DEFAULTS, stepPolicy } from '../../alerts/policy.ts';
import { createDetector } from '../../core/model/detector.ts';
import { seededRandom } from '../../core/model/random.ts';
import { newCar } from '../../scoring/car.ts';
import { scoreCsv } from '../../scoring/csv.ts';
import { followCar } from '../../scoring/follow.ts';
import { alertsOf } from '../../training/calibrate/alerts.ts';
import { scoreSeries } from '../../training/calibrate/held-out.ts';
import { Sampler } from '../../training/data/sampler.ts';
import { allRows } from '../../training/data/shares.ts';
import { risesOf } from '../../training/evaluate/metrics.ts';
import { makeScore } from '../alerts/support.ts';
import { handBundle } from '../support/hand-bundle.ts';

// Its score is the reading's distance from the median and nothing else: no past, no habit.
const BUNDLE = handBundle();
const DETECTOR = createDetector(BUNDLE);
const WIDTH = BUNDLE.catalogue.signals.length;
const START_MS = Date.UTC(2026, 2, 1, 6);

interface Row {
  readonly tsMs: number;
  readonly strange: boolean;
}

/** `9s 3600 3s 30n`: nine strange events a second apart, an hour, three more, thirty normal ones. `-90s`: one that is 90 s late. */
function rowsOf(script: string): Row[] {
  let tsMs = START_MS;
  return script.split(' ').flatMap((part) => {
    const [, number, kind] = /^(-?\d+)([sn]?)$/.exec(part)!;
    const n = Number(number);
    if (kind === '') tsMs += 1000 * n;
    if (kind === '' || n < 0) return kind === '' ? [] : [{ tsMs: tsMs + 1000 * n, strange: kind === 's' }];
    return Array.from({ length: n }, () => {
      tsMs += 1000;
      return { tsMs, strange: kind === 's' };
    });
  });
}

const valuesOf = ({ strange }: Row) => Float64Array.of(strange ? 120 : 50, 2000, 35, 90, 200, 7);

/** As training counts them: rows sampled, scored, alerts at the threshold. Times of the rises, s after the start. */
function byTraining(rows: readonly Row[]): number[] {
  const sampler = new Sampler({ seed: 1, width: WIDTH, shares: allRows(10_000) });
  for (const row of rows) sampler.add('a', row.tsMs, valuesOf(row));
  return sampler.series().flatMap((series) => {
    const alerts = alertsOf(series.tsMs, scoreSeries(DETECTOR, series), BUNDLE.threshold, BUNDLE);
    return risesOf(alerts).map((row) => (series.tsMs[row]! - START_MS) / 1000);
  });
}

function byPolicy(rows: readonly Row[]): number[] {
  const options = {
    ...POLICY_DEFAULTS,
    hysteresis: BUNDLE.hysteresis,
    gapMs: BUNDLE.gapMs,
    describe: () => '',
  };
  const car = newCar(DETECTOR);
  const scratch = DETECTOR.newState();
  let state: CarPolicy = NEW_CAR;
  return rows.flatMap((row, offset) => {
    const { finding, late } = followCar(DETECTOR, car, scratch, {
      values: valuesOf(row),
      tsMs: row.tsMs,
      receivedMs: Number.POSITIVE_INFINITY,
      inOrder: true,
    });
    const { score: found } = finding;
    const score = makeScore('a', 0, 1, {
      ts: row.tsMs,
      score: found,
      threshold: BUNDLE.threshold,
      late,
      offset,
    });
    const step = stepPolicy(options, state, score);
    state = step.car;
    return step.alerts.flatMap(({ phase, ts }) => (phase === 'raised' ? [(ts - START_MS) / 1000] : []));
  });
}

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'telltale-one-alert-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function byCsv(rows: readonly Row[]): Promise<number[]> {
  const [file, out] = [join(dir, 'rows.csv'), join(dir, 'scores.csv')];
  const names = BUNDLE.catalogue.signals.map(({ name }) => name);
  const lines = rows.map((row) => ['a', new Date(row.tsMs).toISOString(), ...valuesOf(row)].join(','));
  writeFileSync(file, `id,timestamp,${names.join(',')}\n${lines.join('\n')}\n`);
  const signal = new AbortController().signal;
  const choice = { file, reading: {}, out };
  const { alerts } = await scoreCsv({ ...choice, detector: DETECTOR, signal, warn: () => {} });
  const cells = readFileSync(out, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));
  const up = Uint8Array.from(cells, (line) => Number(line[4]));
  const rises = risesOf(up).map((row) => (Date.parse(cells[row]![1]!) - START_MS) / 1000);
  expect(alerts).toBe(rises.length);
  return rises;
}

async function expectAll(script: string, wanted: readonly number[]): Promise<void> {
  const rows = rowsOf(script);
  const counted = { training: byTraining(rows), csv: await byCsv(rows), policy: byPolicy(rows) };
  expect(counted, script).toEqual({ training: wanted, csv: wanted, policy: wanted });
}

describe('an alert is the same alert to training, to a recording and to the policy', () => {
  it('after a pause: what came before it says nothing', async () => {
    await expectAll('9s 3600 3s 60n', []);
    await expectAll('9s 61 9s 61 9s 60n', []);
    await expectAll('9s 59 1s 60n', [69]);
    await expectAll('9s 3600 10s 60n', [3619]);
    await expectAll('10s 60n 3600 9s 60n 3600 12s 60n', [10, 7349]);
  });

  it('with late events among the others: they change nothing, neither the count nor the time that a pause is measured from', async () => {
    await expectAll('9s -90s 60n', []);
    await expectAll('5s -90s 5s 60n', [10]);
    await expectAll('9s -40s -3000s 50 1s 60n', [60]);
    await expectAll('10s -90n -90n 60n', [10]);
  });

  it('on any mixture of them', async () => {
    const random = seededRandom(5, 'mixtures');
    const upTo = (most: number) => Math.floor(random() * (most + 1));
    let raised = 0;
    for (let round = 0; round < 40; round += 1) {
      const parts = Array.from({ length: 6 }, () => {
        const burst = Array.from({ length: 5 }, () =>
          [`${upTo(6)}s`, random() < 0.3 ? `-${40 + upTo(4000)}s` : '0', `${upTo(2)}n`, `${upTo(80)}`].join(
            ' ',
          ),
        );
        // Long enough for the policy to say that the alert is over: until then another rise is the same alert to a phone.
        return `${burst.join(' ')} 90n ${4000 + upTo(4000)}`;
      });
      const script = parts.join(' ');
      const wanted = byTraining(rowsOf(script));
      raised += wanted.length;
      await expectAll(script, wanted);
    }
    expect(raised).toBeGreaterThan(20);
  });

  it('is one alert to a phone where it is up again before it was called over, as a pause alone calls nothing over', () => {
    const rows = rowsOf('12s 3600 12s 60n');
    expect(byTraining(rows)).toEqual([10, 3622]);
    expect(byPolicy(rows)).toEqual([10]);
  });
});
