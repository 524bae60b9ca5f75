// How fast one core scores: the whole of it (bytes of telemetry in, bytes of scores and states out) on car-sized events, the
// detector alone, and the kernel against TensorFlow.js on the same weights.
//   node bench/scoring.ts [--rows N] [--json]
import { CAR_CATALOGUE_FILE, loadCatalogue } from '../core/catalogue.ts';
import type { RecordBatch } from '../core/log/log.ts';
import { loadBackend } from '../core/model/backend.ts';
import { bundleLayers } from '../core/model/bundle.ts';
import { kernelDifference } from '../core/model/check.ts';
import { createDetector } from '../core/model/detector.ts';
import { compileNetwork } from '../core/model/kernel.ts';
import { normal, seededRandom } from '../core/model/random.ts';
import { createReference } from '../core/model/reference.ts';
import { MOST_IN_WAVE } from '../core/model/wave.ts';
import { telemetryTopic } from '../core/topics.ts';
import { Scorer } from '../scoring/scorer.ts';
import { trainModel } from '../training/calibrate/train-model.ts';
import type { Series } from '../training/data/series.ts';
import { argument, printFigures } from './support.ts';

const ROWS = argument('rows', 100_000);
const CARS = 500;
const RUNS = 5;

const catalogue = await loadCatalogue(CAR_CATALOGUE_FILE);
const width = catalogue.signals.length;
const backend = await loadBackend('wasm');

/** Correlated readings for every signal of the catalogue: four hidden drives behind them. */
function series(id: string, rows: number): Series {
  const random = seededRandom(7, id);
  const mix = Float64Array.from({ length: width * 4 }, (_, i) => Math.sin(i * 1.7));
  const hidden = new Float64Array(4);
  const values = new Float32Array(rows * width);
  for (let r = 0; r < rows; r += 1) {
    for (let h = 0; h < 4; h += 1) hidden[h] = 0.98 * hidden[h]! + 0.2 * normal(random);
    for (let s = 0; s < width; s += 1) {
      let value = 0.1 * normal(random);
      for (let h = 0; h < 4; h += 1) value += mix[s * 4 + h]! * hidden[h]!;
      const { min, max } = catalogue.signals[s]!;
      const middle = (min + max) / 2;
      values[r * width + s] = Math.round((middle + ((max - min) / 20) * value) * 100) / 100;
    }
  }
  return { id, tsMs: Float64Array.from({ length: rows }, (_, i) => 1.7e12 + 1000 * i), values };
}

const cars = Array.from({ length: 8 }, (_, i) => series(`CAR${i}`, 1500));
const { bundle } = await trainModel({
  catalogue,
  series: cars,
  seed: 1,
  alertsPerHour: 0.5,
  backend,
  signal: new AbortController().signal,
  maxSteps: 250,
});

/** Batches of 2,000 events of many cars, as the log gives them to a scorer that catches up. */
function batches(): RecordBatch[] {
  const source = cars[0]!;
  const out: RecordBatch[] = [];
  for (let offset = 0; offset < ROWS; ) {
    const records = Array.from({ length: Math.min(2000, ROWS - offset) }, () => {
      const car = offset % CARS;
      const turn = Math.floor(offset / CARS);
      const row = (turn + car) % source.tsMs.length;
      const signals = Object.fromEntries(
        catalogue.signals.map(({ name }, s) => [
          name,
          Math.round(source.values[row * width + s]! * 100) / 100,
        ]),
      );
      const ts = 1_700_000_000_000 + 1000 * turn;
      const vin = `WVWZZZ1KZ${String(car).padStart(8, '0')}`;
      const value = telemetryTopic.encode({ vin, seq: ts, ts, signals });
      const record = { offset, timestampMs: ts, key: vin, value };
      offset += 1;
      return record;
    });
    out.push({ topic: 'telemetry', partition: 0, records, highWatermark: ROWS });
  }
  return out;
}

const work = batches();
const eventBytes = work[0]!.records[0]!.value!.length;

/** Events a second of processor time, best of some runs: what else runs on the machine hardly counts. */
function perSecond(run: () => number, runs = RUNS): number {
  const rates = Array.from({ length: runs }, () => {
    const before = process.cpuUsage();
    const count = run();
    const { user, system } = process.cpuUsage(before);
    return (count * 1e6) / (user + system);
  });
  return Math.max(...rates);
}

const whole = perSecond(() => {
  const detector = createDetector(bundle);
  const scorer = new Scorer({ detector, version: 'bench', scoresTopic: 'scores', stateTopic: 'state' });
  return work.reduce((sum, batch) => sum + scorer.score(batch).scored, 0);
});

const detector = createDetector(bundle);
const { values, tsMs } = cars[1]!;
/** Events of so many cars, wave after wave. */
const waves = (count: number, turns: number) => {
  const states = Array.from({ length: count }, () => detector.newState());
  const events = states.map((state) => ({ state, values, at: 0, tsMs: 0 }));
  for (let i = 0; i < turns; i += 1) {
    const row = i % tsMs.length;
    for (const event of events) {
      event.at = row * width;
      event.tsMs = tsMs[0]! + 1000 * i;
    }
    detector.wave(events, count, () => {});
  }
  return count * turns;
};
/** The plain reference: the step as it was before there was a kernel. */
const reference = createReference(bundle);
const plainly = (turns: number) => {
  const state = reference.newState();
  for (let i = 0; i < turns; i += 1) {
    const row = i % tsMs.length;
    reference.step(state, values, tsMs[0]! + 1000 * i, row * width);
  }
  return turns;
};
const rates = { waves: 0, alone: 0, plain: 0 };
// In turn, so that all meet the same machine.
for (let run = 0; run < 2 * RUNS; run += 1) {
  rates.plain = Math.max(
    rates.plain,
    perSecond(() => plainly(3000), 1),
  );
  rates.waves = Math.max(
    rates.waves,
    perSecond(() => waves(MOST_IN_WAVE, 200), 1),
  );
  rates.alone = Math.max(
    rates.alone,
    perSecond(() => waves(1, 3000), 1),
  );
}

/** The greatest difference between kernel and reference over a drive, of scores and of states, relative to 1 or to the value. */
function differences(): { scores: number; states: number } {
  const [ours, plain] = [detector.newState(), reference.newState()];
  const most = { scores: 0, states: 0 };
  const off = (a: number, b: number) => (a === b ? 0 : Math.abs(a - b) / Math.max(1, Math.abs(b)));
  for (let i = 0; i < tsMs.length; i += 1) {
    const { score } = detector.step(ours, values, tsMs[i]!, i * width);
    most.scores = Math.max(most.scores, off(score, reference.step(plain, values, tsMs[i]!, i * width).score));
    for (const [k, slot] of ours.slots.entries())
      if (!Number.isNaN(slot)) most.states = Math.max(most.states, off(slot, plain.slots[k]!));
  }
  return most;
}
const apart = differences();

const layers = bundleLayers(bundle);
const network = compileNetwork(layers);
const input = new Float64Array(network.inputs).fill(0.3);
const output = new Float64Array(network.outputs);
const kernel = perSecond(() => {
  for (let i = 0; i < 50_000; i += 1) network.run(input, output);
  return 50_000;
});

function tensorflow(batch: number, calls: number): number {
  const { tf } = backend;
  const weights = layers.map((layer) => ({
    kernel: tf.tensor2d(layer.kernel, [layer.inputs, layer.outputs]),
    bias: tf.tensor1d(layer.bias),
    tanh: layer.activation === 'tanh',
  }));
  const rows = new Float32Array(batch * network.inputs).fill(0.3);
  return perSecond(() => {
    for (let i = 0; i < calls; i += 1) {
      const out = tf.tidy(() =>
        weights.reduce(
          (x, layer) => {
            const sum = tf.add(tf.matMul(x, layer.kernel), layer.bias);
            return (layer.tanh ? tf.tanh(sum) : sum) as typeof x;
          },
          tf.tensor2d(rows, [batch, network.inputs]),
        ),
      );
      out.dataSync();
      out.dispose();
    }
    return batch * calls;
  });
}

printFigures(`Scoring, ${width} signals, events of ${eventBytes} bytes, one core`, [
  {
    what: 'whole scoring: telemetry bytes → score and state bytes',
    value: whole,
    unit: 'events/s',
    bar: { atLeast: 100_000 },
  },
  { what: 'detector alone: readings → score', value: rates.waves, unit: 'events/s' },
  { what: '… of one car, which has no company', value: rates.alone, unit: 'events/s' },
  { what: 'the plain reference, one car', value: rates.plain, unit: 'events/s' },
  {
    what: 'detector over the plain reference',
    value: rates.waves / rates.plain,
    unit: 'times',
    bar: { atLeast: 5 },
  },
  {
    what: 'greatest difference of their scores',
    value: apart.scores * 1e6,
    unit: '× 10⁻⁶',
    bar: { atMost: 10 },
  },
  { what: '… of a slot of their states', value: apart.states * 1e6, unit: '× 10⁻⁶' },
  { what: 'network alone: features → reconstruction, one row', value: kernel, unit: 'rows/s' },
  { what: 'TensorFlow.js wasm, batch 1', value: tensorflow(1, 500), unit: 'rows/s' },
  { what: 'TensorFlow.js wasm, batch 256', value: tensorflow(256, 40), unit: 'rows/s' },
  {
    what: 'greatest difference kernel − TensorFlow.js',
    value: kernelDifference(backend.tf, layers) * 1e6,
    unit: '× 10⁻⁶',
    bar: { atMost: 10 },
  },
]);
