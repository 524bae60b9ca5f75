import { afterEach, describe, expect, it } from 'vitest';
import { type Backend, type BackendName, loadBackend } from '../../../core/model/backend.ts';
import { bundleLayers } from '../../../core/model/bundle.ts';
import { checkKernel } from '../../../core/model/check.ts';
import { createDetector, type Detector } from '../../../core/model/detector.ts';
import { alertsOf } from '../../../training/calibrate/alerts.ts';
import { scoreSeries } from '../../../training/calibrate/held-out.ts';
import { trainModel } from '../../../training/calibrate/train-model.ts';
import type { Series } from '../../../training/data/series.ts';
import type { TrainInput } from '../../../training/fit/ground.ts';
import { drive, SMALL_CATALOGUE, type SmallCar } from '../../support/small-fleet.ts';

const WIDTH = SMALL_CATALOGUE.signals.length;

function seriesOf(car: SmallCar): Series {
  const events = [...drive(car)];
  const values = new Float32Array(events.length * WIDTH);
  for (const [r, { signals }] of events.entries())
    values.set(
      SMALL_CATALOGUE.signals.map(({ name }) => signals[name] ?? Number.NaN),
      r * WIDTH,
    );
  return { id: car.vin, tsMs: Float64Array.from(events, ({ ts }) => ts), values };
}

function scoresOf(detector: Detector, { tsMs, values }: Series): number[] {
  const state = detector.newState();
  return Array.from(tsMs, (ts, i) => detector.step(state, values, ts, i * WIDTH).score);
}

const FLEET = Array.from({ length: 8 }, (_, i) => seriesOf({ vin: `C${i}`, rows: 500, seed: 10 + i }));

const inputOf = (backend: Backend, over: Partial<TrainInput> = {}): TrainInput => ({
  catalogue: SMALL_CATALOGUE,
  series: FLEET,
  seed: 1,
  alertsPerHour: 1,
  backend,
  signal: new AbortController().signal,
  maxSteps: 60,
  ...over,
});

async function available(name: BackendName): Promise<Backend | null> {
  return loadBackend(name).catch(() => null);
}

const native = await available('node');

let made: { dispose(): unknown }[] = [];
afterEach(() => {
  for (const model of made) model.dispose();
  made = [];
});
async function train(input: TrainInput) {
  const trained = await trainModel(input);
  made.push(trained.model);
  return trained;
}

describe.each([
  ['wasm', true],
  ['node', native !== null],
] as const)('training on %s (node: where npm run setup:native has been run)', (name, runs) => {
  it.runIf(runs)('gives a model that tells an overheating car from the others', async () => {
    const backend = await loadBackend(name);
    const { bundle } = await train(inputOf(backend));
    expect(bundle.card).toMatchObject({ rows: 4000, cars: 8, backend: backend.description });
    checkKernel(backend.tf, bundleLayers(bundle), 'it');
    const detector = createDetector(bundle);
    const hot = scoresOf(detector, seriesOf({ vin: 'HOT', rows: 300, seed: 99, overheatsFrom: 200 }));
    const before = hot.slice(60, 200).filter((score) => score >= bundle.threshold).length;
    const after = hot.slice(230).filter((score) => score >= bundle.threshold).length;
    expect(after).toBe(70);
    expect(before).toBeLessThan(14);
  });
});

describe('training', () => {
  it('gives the same bytes again from the same rows and seed, others from another seed', async () => {
    const backend = await loadBackend('wasm');
    const [one, again, other] = [
      await train(inputOf(backend)),
      await train(inputOf(backend)),
      await train(inputOf(backend, { seed: 2 })),
    ];
    expect(JSON.stringify(again.bundle)).toBe(JSON.stringify(one.bundle));
    expect(other.bundle.network).not.toEqual(one.bundle.network);
  });

  it('hears a signal that never moved and does, where the history is long enough to know how seldom that is', async () => {
    const backend = await loadBackend('wasm');
    const flag = SMALL_CATALOGUE.signals.length;
    const catalogue = {
      ...SMALL_CATALOGUE,
      signals: [...SMALL_CATALOGUE.signals, { ...SMALL_CATALOGUE.signals[5]!, name: 'flag', label: 'flag' }],
    };
    const constant = SMALL_CATALOGUE.signals.findIndex(({ name }) => name === 'constant');
    const withFlag = ({ id, tsMs, values }: Series, raisedAt: number): Series => {
      const wide = new Float32Array(tsMs.length * (WIDTH + 1));
      for (let r = 0; r < tsMs.length; r += 1) {
        wide.set(values.subarray(r * WIDTH, (r + 1) * WIDTH), r * (WIDTH + 1));
        wide[r * (WIDTH + 1) + flag] = r === raisedAt ? 1 : 0;
      }
      return { id, tsMs, values: wide };
    };
    // Twelve cars, two hours; in one of them a flag was up for an event. Six alerts may come in two hours at 3/h, two at 1/h.
    const series = Array.from({ length: 12 }, (_, i) =>
      withFlag(seriesOf({ vin: `C${i}`, rows: 600, seed: 10 + i }), i === 4 ? 100 : -1),
    );
    const { bundle, leftOut } = await train(inputOf(backend, { catalogue, series, alertsPerHour: 3 }));
    expect(leftOut).toEqual([
      { signal: constant, why: 'constant', measured: 1 },
      { signal: flag, why: 'rare' },
    ]);
    expect(bundle.still).toEqual({ signals: [constant], values: [7] });
    const detector = createDetector(bundle);
    const watched = detector.statistics.indexOf('still.moved');
    expect(bundle.voices!.limits[watched]).toBe(0.5);

    // The same drive twice, in one of them the signal is something else from row 200 on.
    const calm = withFlag(seriesOf({ vin: 'NEW', rows: 260, seed: 77 }), -1);
    const moved = { ...calm, values: calm.values.slice() };
    for (let r = 200; r < 260; r += 1) moved.values[r * (WIDTH + 1) + constant] = 8;
    const alerted = (one: Series) =>
      alertsOf(one.tsMs, scoreSeries(detector, one), bundle.threshold, bundle).slice(235);
    expect(alerted(calm).every((up) => up === 0)).toBe(true);
    expect(alerted(moved).every((up) => up === 1)).toBe(true);
    expect(detector.explain().shares[constant]).toBeGreaterThan(0.9);

    const less = await train(inputOf(backend, { catalogue, series, alertsPerHour: 1 }));
    expect(less.bundle.voices?.limits[watched] ?? null).toBeNull();
  });

  it('leaves tensors behind for the model alone', async () => {
    const backend = await loadBackend('wasm');
    const before = backend.tf.memory().numTensors;
    const { model } = await trainModel(inputOf(backend));
    model.dispose();
    expect(backend.tf.memory().numTensors).toBe(before);
  });

  it('stops when asked', async () => {
    const stop = new AbortController();
    const stopped = trainModel(
      inputOf(await loadBackend('wasm'), {
        signal: stop.signal,
        maxSteps: 1000,
        progress: () => stop.abort(),
      }),
    );
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('says what failed in the thread of relations, gives up its networks and leaves no tensor behind', async () => {
    const backend = await loadBackend('wasm');
    const before = backend.tf.memory().numTensors;
    let steps = 0;
    const failing = trainModel(
      inputOf(backend, {
        relationRows: Number.NaN,
        maxSteps: 5000,
        progress: (_, what) => {
          if (what.startsWith('step')) steps += 1;
        },
      }),
    );
    await expect(failing).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    expect(backend.tf.memory().numTensors).toBe(before);
    const heard = steps;
    // A training that went on would take a step in each turn of the event loop.
    for (let turns = 0; turns < 100; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(steps).toBe(heard);
  });

  it('refuses too little data, and data that never moves', async () => {
    const backend = await loadBackend('wasm');
    const short = [seriesOf({ vin: 'A', rows: 50 })];
    await expect(trainModel(inputOf(backend, { series: short }))).rejects.toMatchObject({
      code: 'TRAINING_DATA',
    });
    const still = [{ id: 'A', tsMs: FLEET[0]!.tsMs, values: new Float32Array(500 * WIDTH).fill(3) }];
    await expect(trainModel(inputOf(backend, { series: still }))).rejects.toThrow(/no signal moves/);
  });

  it('refuses readings that 32 bits cannot hold, and names their signals', async () => {
    const backend = await loadBackend('wasm');
    const [one] = FLEET;
    const values = one!.values.slice();
    for (const r of [3, 7]) values[r * WIDTH + 4] = Number.MAX_VALUE;
    values[WIDTH + 3] = -1e300;
    await expect(
      trainModel(inputOf(backend, { series: [{ ...one!, values }, ...FLEET.slice(1)] })),
    ).rejects.toMatchObject({
      code: 'TRAINING_DATA',
      message: expect.stringMatching(
        /^readings beyond ±3\.4e38, which no sensor gives: coolantC \(1 reading\), oilKpa \(2 readings\)\. /,
      ),
    });
  });

  it('says which backend is not there', async () => {
    if (native !== null) return expect(native.name).toBe('node');
    await expect(loadBackend('node')).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
  });
});
