// The autoencoder of public demos: min–max scaled inputs, relu layers and a relu output, mean squared error, the row's
// error as score. It is here to be compared with, as it is commonly built.
import type { Backend } from '../../../core/model/backend.ts';
import { compileNetwork } from '../../../core/model/kernel.ts';
import type { Prepared } from '../../../core/model/prepared.ts';
import { seededRandom } from '../../../core/model/random.ts';
import { type Baseline, thinned } from './baseline.ts';

const ROWS = 20_000;
const STEPS = 400;
const BATCH = 128;
const RATE = 2e-3;

export async function fitPlainAutoencoder(
  prepared: Prepared,
  seed: number,
  { tf }: Backend,
  signal: AbortSignal,
): Promise<Baseline> {
  const { channels } = prepared;
  const { rows, count } = thinned(prepared, ROWS);
  const low = new Float64Array(channels).fill(Number.POSITIVE_INFINITY);
  const high = new Float64Array(channels).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < rows.length; i += 1) {
    low[i % channels] = Math.min(low[i % channels]!, rows[i]!);
    high[i % channels] = Math.max(high[i % channels]!, rows[i]!);
  }
  const scaled = (value: number, k: number) => (value - low[k]!) / Math.max(1e-6, high[k]! - low[k]!);
  const sizes = [Math.max(2, Math.round(channels * 0.75)), Math.max(2, Math.round(channels * 0.4))];
  const model = tf.sequential();
  [sizes[0]!, sizes[1]!, sizes[1]!, sizes[0]!, channels].forEach((units, k) => {
    const kernelInitializer = tf.initializers.heUniform({ seed: seed + k });
    const shape = k === 0 ? { inputShape: [channels] } : {};
    model.add(tf.layers.dense({ units, activation: 'relu', kernelInitializer, ...shape }));
  });
  model.compile({ optimizer: tf.train.adam(RATE), loss: 'meanSquaredError' });
  const random = seededRandom(seed, 'plain');
  for (let step = 0; step < STEPS && !signal.aborted; step += 1) {
    const batch = new Float32Array(BATCH * channels);
    for (let b = 0; b < BATCH; b += 1) {
      const r = Math.floor(random() * count);
      for (let k = 0; k < channels; k += 1) batch[b * channels + k] = scaled(rows[r * channels + k]!, k);
    }
    const x = tf.tensor2d(batch, [BATCH, channels]);
    await model.trainOnBatch(x, x);
    x.dispose();
  }
  const layers = model.layers.map((layer, k) => {
    const [kernel, bias] = layer.getWeights();
    return {
      inputs: kernel!.shape[0]!,
      outputs: kernel!.shape[1]!,
      activation: 'linear' as const,
      kernel: Float32Array.from(kernel!.dataSync()),
      bias: Float32Array.from(bias!.dataSync()),
      k,
    };
  });
  model.dispose();
  // The kernel knows tanh and linear; relu is put between single linear layers here.
  const networks = layers.map((layer) => compileNetwork([layer]));
  const buffers = layers.map(({ outputs }) => new Float64Array(outputs));
  const input = new Float64Array(channels);
  return {
    name: 'min–max autoencoder',
    about: 'relu layers and output, mean squared error, as public demos build it',
    score: ({ features, count: n }) => {
      const out = new Float64Array(n);
      for (let r = 0; r < n; r += 1) {
        for (let k = 0; k < channels; k += 1) input[k] = scaled(features[r * channels + k]!, k);
        let from = input;
        networks.forEach((network, i) => {
          const to = buffers[i]!;
          network.run(from, to);
          for (let o = 0; o < to.length; o += 1) if (to[o]! < 0) to[o] = 0;
          from = to;
        });
        let error = 0;
        for (let k = 0; k < channels; k += 1) error += (input[k]! - from[k]!) ** 2;
        out[r] = error / channels;
      }
      return out;
    },
  };
}
